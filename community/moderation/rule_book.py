"""The rules in force: the house's and those that moderators switched on.

A process keeps them until some rule is switched: one short query tells.
"""

import threading
from dataclasses import dataclass
from uuid import UUID

from community.models import HouseRule, RuleState
from community.rules import Action, Rule, Rulebook


@dataclass(frozen=True)
class Book:
    """Rules; version: the number of the last switching, 0 where there was none."""

    version: int
    rules: Rulebook
    last: UUID | None = None


_kept: Book | None = None
_lock = threading.Lock()


def current_book() -> Book:
    """The rules in force now."""
    global _kept
    switched = HouseRule.objects.filter(switched__isnull=False).order_by("-switched")
    version, last = switched.values_list("switched", "id").first() or (0, None)
    kept = _kept
    if kept is None or (kept.version, kept.last) != (version, last):
        with _lock:
            rules = Rulebook(as_rule(row) for row in rules_on())
            kept = _kept = Book(version or 0, rules, last)
    return kept


def rules_on() -> list[HouseRule]:
    """The versions that are switched on."""
    return list(HouseRule.objects.filter(state=RuleState.ON).order_by("key"))


def as_rule(row: HouseRule) -> Rule:
    """A stored rule as judging takes it."""
    return Rule(
        id=f"own.{row.key}",
        version=row.version,
        action=Action(row.action),
        phrases=tuple(row.phrases),
        languages=tuple(row.languages),
        unless=tuple(row.unless),
        description=row.description,
    )
