"""What a decision may do: one table of which measures go together, and from where each leads where.

All that is checked here is checked before anything is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.refusals import Conflict, Invalid
from community.models import Decision, MeasureKind, Post, PostState, Revision, SanctionKind
from community.rules import State

M = MeasureKind
S = PostState

LONGEST = timedelta(days=365)
"""Of a silence or a suspension; ours."""


LEADS_TO: dict[MeasureKind, dict[PostState, PostState]] = {
    M.APPROVE: dict.fromkeys(
        (S.PENDING, S.PUBLISHED, S.HIDDEN, S.CHANGES_REQUESTED, S.BLOCKED), S.PUBLISHED
    ),
    M.MASK: dict.fromkeys((S.PENDING, S.PUBLISHED, S.HIDDEN), S.PUBLISHED),
    M.RESTORE: {S.HIDDEN: S.PUBLISHED},
    M.REQUEST_CHANGES: dict.fromkeys((S.PENDING, S.PUBLISHED, S.HIDDEN), S.CHANGES_REQUESTED),
    M.REJECT: {S.PENDING: S.REJECTED, S.PUBLISHED: S.PUBLISHED},
    M.HIDE: dict.fromkeys((S.PUBLISHED, S.HIDDEN), S.HIDDEN),
    M.REMOVE: dict.fromkeys((S.PUBLISHED, S.HIDDEN), S.REMOVED),
    M.NO_ACTION: {state: state for state in PostState if state not in (S.PENDING, S.HIDDEN)},
}
"""What a decision does with the post: at most one of these, from this state to that. Without one a
post stays where it is, as with NO_ACTION: so one that waits or is hidden needs one."""

_ON_PEOPLE = frozenset({M.WARN, M.SILENCE, M.SUSPEND})

GOES_WITH: dict[MeasureKind, frozenset[MeasureKind]] = {
    # Who may not post isn't published, and what is approved isn't blamed on its author.
    M.APPROVE: frozenset({M.MOVE}),
    M.RESTORE: frozenset({M.MOVE}),
    M.MASK: frozenset({M.MOVE, M.WARN}),
    M.REQUEST_CHANGES: _ON_PEOPLE,
    M.REJECT: _ON_PEOPLE,
    M.HIDE: _ON_PEOPLE,
    M.REMOVE: _ON_PEOPLE,
    M.MOVE: frozenset({M.APPROVE, M.RESTORE, M.MASK}) | _ON_PEOPLE,
    M.MERGE: _ON_PEOPLE,
    M.WARN: frozenset(),
    M.SILENCE: frozenset(),
    M.SUSPEND: frozenset(),
    M.NO_ACTION: frozenset(),
}
"""Which of two measures may be in one decision. It is enough that one of them says so."""

ADVERSE = frozenset(
    {M.REQUEST_CHANGES, M.REJECT, M.HIDE, M.REMOVE, M.MASK, M.WARN, M.SILENCE, M.SUSPEND}
)
"""What restricts somebody: they are told why, and may appeal."""

SETTLES_AN_EDIT = frozenset({M.APPROVE, M.MASK, M.REQUEST_CHANGES, M.REJECT, M.HIDE, M.REMOVE})

SANCTIONS = {
    M.WARN: SanctionKind.WARN,
    M.SILENCE: SanctionKind.SILENCE,
    M.SUSPEND: SanctionKind.SUSPEND,
}


@dataclass(frozen=True)
class Measure:
    """until: of SILENCE and SUSPEND. title, body: of MASK, the new wording. space: of MOVE; thread:
    of MERGE, where it goes."""

    kind: MeasureKind
    until: datetime | None = None
    title: str = ""
    body: str = ""
    space: UUID | None = None
    thread: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """As a decision keeps it: a new wording is kept as a revision, and nowhere else."""
        until = self.until and self.until.isoformat()
        facts = (("until", until), ("space", self.space), ("thread", self.thread))
        return {"kind": self.kind.value, **{name: str(fact) for name, fact in facts if fact}}


NEEDS: dict[MeasureKind, tuple[str, ...]] = {
    M.SILENCE: ("until",),
    M.SUSPEND: ("until",),
    M.MASK: ("body",),
    M.MOVE: ("space",),
    M.MERGE: ("thread",),
}
"""What a measure is nothing without; the others take nothing."""


def check_together(measures: Sequence[Measure], now: datetime) -> None:
    """Nothing, if these may be one decision; Invalid else."""
    kinds = [measure.kind for measure in measures]
    if not kinds or not set(kinds) <= set(GOES_WITH):
        raise Invalid("measures", "Choose what to do.", "measures")
    for place, one in enumerate(kinds):
        for other in kinds[place + 1 :]:
            if other not in GOES_WITH[one] and one not in GOES_WITH[other]:
                raise Invalid(
                    "not_together", f"{one.label} and {other.label} don't go together.", "measures"
                )
    for measure in measures:
        for name in NEEDS.get(measure.kind, ()):
            if not getattr(measure, name):
                raise Invalid(f"{name}_missing", f"{measure.kind.label}: say {name}.", "measures")
        if measure.until is not None and not now < measure.until <= now + LONGEST:
            raise Invalid("until", f"Choose an end in the next {LONGEST.days} days.", "measures")


def main_of(kinds: Sequence[MeasureKind]) -> MeasureKind:
    """What a decision does with the post; NO_ACTION where it does nothing."""
    return next((kind for kind in kinds if kind in LEADS_TO), M.NO_ACTION)


def where_to(main: MeasureKind, post: Post, revision: Revision) -> PostState:
    """Where a decision on a revision takes its post. Raises Conflict where it can't begin there."""
    state = S(post.state)
    is_edit = revision.id != post.published_id
    if state not in LEADS_TO[main]:
        raise Conflict(
            "not_from_here", f"{main.label}: not possible while it is: {state.label}.", "measures"
        )
    if main == M.REJECT and state == S.PUBLISHED and not is_edit:
        raise Conflict("not_from_here", "It can be seen: hide it or remove it.", "measures")
    if main not in SETTLES_AN_EDIT and has_waiting_edit(post):
        raise Conflict("edit_waits", "A new wording waits: approve it, or reject it.", "measures")
    if main == M.REQUEST_CHANGES and state == S.PUBLISHED and is_edit:
        # What was approved stays to be seen; it is the new wording that is sent back.
        return state
    return LEADS_TO[main][state]


def has_waiting_edit(post: Post) -> bool:
    """Whether the newest wording of a post that was seen before waits for somebody's word."""
    newest = post.revisions.order_by("-number").first()
    return (
        newest is not None
        and post.published_id is not None
        and newest.id != post.published_id
        and newest.verdict != State.BLOCKED.value
        and not Decision.objects.filter(revision=newest).exists()
    )
