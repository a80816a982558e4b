"""How moderation fares: what waits, how long things took, how often it was wrong. Two queries, that
read the last days' cases and decisions, and those who made them.

Times are in minutes, counted from when a case was opened, and of a crisis from when danger was
found, which may be later; what still waits is in none of them, and is said beside them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import caches
from django.db import connection

from community.moderation.claiming import CAP

DAYS = 30
SPAN = timedelta(days=DAYS)

KEPT = 60

FEWEST = 5
"""Members are shown no time of fewer cases: it could tell of one person's."""

_CASES = """
    SELECT kind,
           count(*) FILTER (WHERE closed_at IS NULL) AS waiting,
           min(opened_at) FILTER (WHERE closed_at IS NULL) AS oldest,
           {seen}, {decided}, {acknowledged}
    FROM (
        SELECT "case".kind, "case".closed_at, "case".opened_at,
               CASE WHEN "case".opened_at > %(since)s THEN
                    extract(epoch FROM "case".seen_at - "case".opened_at) / 60 END AS seen,
               CASE WHEN "case".opened_at > %(since)s THEN
                    extract(epoch FROM decided.at - "case".opened_at) / 60 END AS decided,
               CASE WHEN "case".crisis_at > %(since)s THEN
                    extract(epoch FROM "case".acknowledged_at - "case".crisis_at) / 60
               END AS acknowledged
        FROM community_case "case"
        LEFT JOIN community_decision decided ON decided.case_id = "case".id
        WHERE "case".closed_at IS NULL OR "case".opened_at > %(since)s
            OR "case".crisis_at > %(since)s
    ) one
    GROUP BY GROUPING SETS ((kind), ())
    ORDER BY kind NULLS LAST
"""
_TIMES = """
    count({what}) AS {what}_cases,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY {what}) AS {what}_median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY {what}) AS {what}_p95
"""
_CASES = _CASES.format(
    **{what: _TIMES.format(what=what) for what in ("seen", "decided", "acknowledged")}
)

_PEOPLE = """
    WITH decider AS (
        SELECT by_id, count(*) AS decided, count(*) FILTER (WHERE adverse) AS adverse,
               count(overturned_at) AS overturned
        FROM community_decision WHERE at > %(since)s GROUP BY by_id
    )
    SELECT persona.id, persona.pseudonym,
           (SELECT count(*) FROM community_case "case"
            WHERE "case".owner_id = persona.id AND "case".owned_until > %(now)s
                AND "case".closed_at IS NULL) AS has,
           coalesce(decider.decided, 0) AS decided, coalesce(decider.adverse, 0) AS adverse,
           coalesce(decider.overturned, 0) AS overturned
    FROM community_persona persona
    LEFT JOIN decider ON decider.by_id = persona.id
    WHERE persona.id IN (
        SELECT id FROM community_persona WHERE role <> 'member' AND left_at IS NULL
        UNION SELECT by_id FROM decider
    )
    ORDER BY persona.pseudonym, persona.id
"""


@dataclass(frozen=True)
class Times:
    """cases: of how many; median, p95: minutes, null of none."""

    cases: int
    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Kind:
    """What waits of a kind of case, and how long those opened in the last 30 days took. kind: ""
    for all. acknowledged: of a crisis, from the first sign until a moderator first had it."""

    kind: str
    waiting: int
    oldest: datetime | None
    seen: Times
    decided: Times
    acknowledged: Times


@dataclass(frozen=True)
class Load:
    """has: cases that a moderator looks after now, of at most `CAP`; the others in 30 days."""

    id: Any
    pseudonym: str
    has: int
    decided: int
    adverse: int
    overturned: int


@dataclass(frozen=True)
class Board:
    """The moderators' board. kinds: the last is all of them."""

    kinds: list[Kind]
    moderators: list[Load]
    cap: int = CAP
    days: int = DAYS

    @property
    def adverse(self) -> int:
        return sum(load.adverse for load in self.moderators)

    @property
    def overturned(self) -> int:
        return sum(load.overturned for load in self.moderators)


@dataclass(frozen=True)
class Figures:
    """What members are told of the last 30 days: what waits now; minutes to first look, to a
    decision, and to a person in a crisis, null of fewer than FEWEST; restrictions, and how many of
    these were wrong."""

    days: int
    waiting: int
    seen: Times | None
    decided: Times | None
    crisis: Times | None
    adverse: int
    overturned: int


def board(now: datetime) -> Board:
    """The figures now."""
    facts = {"now": now, "since": now - SPAN}
    kinds = [
        Kind(
            kind=row["kind"] or "",
            waiting=row["waiting"],
            oldest=row["oldest"],
            **{what: _times(row, what) for what in ("seen", "decided", "acknowledged")},
        )
        for row in _rows(_CASES, facts)
    ]
    return Board(kinds, [Load(**row) for row in _rows(_PEOPLE, facts)])


def public_figures(now: datetime) -> Figures:
    """The same for members, without who and without what could tell of one person. All see the
    same, so each process works it out once in `KEPT` seconds."""
    figures: Figures | None = caches["figures"].get("figures")
    if figures is None:
        figures = _figures(now)
        caches["figures"].set("figures", figures, KEPT)
    return figures


def _figures(now: datetime) -> Figures:
    found = board(now)
    total = found.kinds[-1]
    return Figures(
        days=DAYS,
        waiting=total.waiting,
        seen=_of_enough(total.seen),
        decided=_of_enough(total.decided),
        crisis=_of_enough(total.acknowledged),
        adverse=found.adverse,
        overturned=found.overturned,
    )


def _of_enough(times: Times) -> Times | None:
    return times if times.cases >= FEWEST else None


def _times(row: dict[str, Any], what: str) -> Times:
    return Times(row[f"{what}_cases"], row[f"{what}_median"], row[f"{what}_p95"])


def _rows(statement: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
