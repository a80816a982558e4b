"""Cases: opened by rules and reports, merged while they are open, and what happened to each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import audit
from community.models import Case, CaseEvent, CaseKind, Decision, Persona, Post
from messaging import outbox

URGENCY: dict[CaseKind, int] = {
    CaseKind.CRISIS: 0,
    CaseKind.REPORT: 1,
    CaseKind.APPEAL: 2,
    CaseKind.REVIEW: 3,
}
"""The smaller the sooner: danger, then what many can see, then what somebody waits for."""


def open_case(
    kind: CaseKind,
    post: Post | None,
    about: Persona,
    actor: audit.Actor,
    now: datetime,
    words: str = "",
    **facts: Any,
) -> Case:
    """The open case of a post (or about a persona, without one), opened or with this added to it.

    The caller has the post's thread locked, or the persona, so that two at once take turns. A
    crisis pages from now on. words: what danger was found in, where that is no post, masked. facts:
    ids and plain facts of why, never text.
    """
    crisis = kind == CaseKind.CRISIS
    case = (
        Case.objects.select_for_update()
        .filter(post=post, about=about, closed_at__isnull=True)
        .exclude(kind=CaseKind.APPEAL)
        .first()
    )
    if case is None:
        case = Case.objects.create(
            kind=kind,
            post=post,
            about=about,
            urgency=URGENCY[kind],
            crisis=crisis,
            crisis_at=now if crisis else None,
            opened_at=now,
            next_page_at=now if crisis else None,
        )
        note(case, CaseEvent.Kind.OPENED, actor, now, words, because=kind.value, **facts)
        return case
    if crisis and not _is_paged_for(case, now):
        # A further sign pages again, from the first rung, also where somebody has it already. How
        # long the first one waited for a person stays as it was.
        case.crisis, case.crisis_at = True, case.crisis_at or now
        case.rung, case.next_page_at, case.held_until = 0, now, None
    if URGENCY[kind] < case.urgency:
        case.kind, case.urgency = kind, URGENCY[kind]
    case.version += 1
    case.save()
    note(case, CaseEvent.Kind.MERGED, actor, now, words, because=kind.value, **facts)
    return case


def _is_paged_for(case: Case, now: datetime) -> bool:
    """Whether pages for a crisis that nobody has are on their way up the rota as it is."""
    return case.crisis and not (case.held_until is not None and case.held_until > now)


def open_appeal(decision: Decision, actor: audit.Actor, now: datetime) -> Case:
    """The case of an appeal: of its own, whatever else is open for the same post."""
    case = Case.objects.create(
        kind=CaseKind.APPEAL,
        post_id=decision.post_id,
        about_id=decision.about_id,
        decision=decision,
        urgency=URGENCY[CaseKind.APPEAL],
        opened_at=now,
    )
    because = CaseKind.APPEAL.value
    note(case, CaseEvent.Kind.OPENED, actor, now, because=because, decision=str(decision.id))
    return case


def close(
    case: Case,
    actor: audit.Actor,
    now: datetime,
    kind: CaseEvent.Kind = CaseEvent.Kind.CLOSED,
    **facts: Any,
) -> None:
    """Close a locked case; nobody is paged for it any more. kind: CLOSED, or DECIDED."""
    case.closed_at, case.closed_by_id = max(now, case.opened_at), actor.persona_id
    case.owner = case.owned_until = case.next_page_at = None
    case.version += 1
    case.save()
    note(case, kind, actor, now, **facts)
    outbox.cancel([case.id])


def note(
    case: Case,
    kind: CaseEvent.Kind,
    actor: audit.Actor,
    now: datetime,
    text: str = "",
    **facts: Any,
) -> CaseEvent:
    """Write down what happened to a case: an event for moderators, and an audit row without its
    words. The case's version after it is in both."""
    facts["version"] = case.version
    audit.record(actor, f"case_{kind.value}", clinic_id=None, subject_id=case.id, **facts)
    return CaseEvent.objects.create(
        case=case, kind=kind, by_id=actor.persona_id, facts=facts, text=text, at=now
    )


def in_crisis(thread_id: UUID, author_id: UUID) -> bool:
    """Whether somebody in a thread, or who opened it, may be in danger and no person has closed
    that yet."""
    open_ones = Case.objects.filter(crisis=True, closed_at__isnull=True)
    return (
        open_ones.filter(about=author_id).exists()
        or open_ones.filter(post__thread=thread_id).exists()
    )


def in_danger(persona_id: UUID) -> bool:
    """Whether this persona may be in danger, and no person has closed that yet."""
    return Case.objects.filter(crisis=True, closed_at__isnull=True, about=persona_id).exists()
