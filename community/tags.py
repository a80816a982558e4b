"""What a text can be tagged with: the nine common side effects (FACTS, Cancer Research UK, in its
order) and how often somebody injects."""

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
TAGS = (*SIDE_EFFECTS, *INTERVALS)

MOST = 5
"""Tags of one text: with more, a tag says nothing."""
