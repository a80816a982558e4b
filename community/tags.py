"""What a text can be tagged with: the nine common side effects (FACTS, Cancer Research UK, in its
order), how often somebody injects, and what they are treated for."""

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
CONDITIONS = ("pv", "et")
TAGS = (*SIDE_EFFECTS, *INTERVALS, *CONDITIONS)

OF_DAYS = {7: "weekly", 14: "two_weekly", 21: "three_weekly"}
"""The tag of an interval in days."""

MOST = 5
"""Tags of one text: with more, a tag says nothing."""
