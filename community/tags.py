"""What a text can be tagged with: the nine common side effects (FACTS, Cancer Research UK, in its
order), how often somebody injects, for how long they have, and what they are treated for. All that
a member's profile says is a tag of some texts, so that they find those like theirs."""

SIDE_EFFECTS = (
    "appetite",
    "tiredness",
    "infections",
    "sleep",
    "mood",
    "headache",
    "diarrhoea",
    "sickness",
    "flu_like",
)
INTERVALS = ("weekly", "two_weekly", "three_weekly")
TIMES = ("under_6_months", "under_2_years", "over_2_years")
CONDITIONS = ("pv", "et", "other")
TAGS = (*SIDE_EFFECTS, *INTERVALS, *TIMES, *CONDITIONS)

OF_DAYS = {7: "weekly", 14: "two_weekly", 21: "three_weekly"}
"""The tag of an interval in days."""


def of_months(months: int) -> str:
    """The tag of so many months on treatment. Where one ends is ours."""
    if months < 6:
        return "under_6_months"
    return "under_2_years" if months < 24 else "over_2_years"


MOST = 5
"""Tags of one text: with more, a tag says nothing."""
