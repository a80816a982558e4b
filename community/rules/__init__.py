"""The rules that every text goes through before anybody else can see it. Pure: nothing stored.

Words are data (words/*.toml, a file for each language); moderators' own rules are data too.
"""

from community.rules.judging import Hit, State, Verdict, asking, judge
from community.rules.rulebook import Action, Rule, Rulebook, house_rules, items_of

__all__ = [
    "Action",
    "Hit",
    "Rule",
    "Rulebook",
    "State",
    "Verdict",
    "asking",
    "house_rules",
    "items_of",
    "judge",
]
