"""Looking after a case: taking it on a lease, handing it on, notes, a second opinion."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound, Stale
from community.members.locking import lock_persona
from community.models import Case, CaseEvent, Persona, PersonaRole
from community.moderation import cases, paging
from community.moderation.impartial import check_impartial, check_may_see
from community.moderation.sanctions import suspensions
from community.moderation.words import without_personal_data

LEASE = timedelta(minutes=30)
"""How long a case is somebody's; taking it again begins anew. As on the care team's worklist."""

CAP = 10
"""Cases that one moderator has at a time. A crisis is never refused for it."""


def claim(moderator_id: UUID, case_id: UUID, actor: audit.Actor, now: datetime) -> Case:
    """Look after a case for one lease; again: the lease begins anew. It acknowledges a crisis.

    Raises NotFound for a case about oneself, Forbidden for one that others must decide, Stale for a
    closed one, and Conflict for a colleague's or for too many.
    """
    with transaction.atomic():
        lock_persona(moderator_id)
        case = lock_open(case_id, moderator_id)
        check_impartial(case, moderator_id)
        check_not_anothers(case, moderator_id, now)
        enough = f"{CAP} cases are enough at a time. Decide or hand back some first."
        _check_cap(case, moderator_id, now, enough)
        case.seen_at = case.seen_at or max(now, case.opened_at)
        _own(case, moderator_id, now)
        _store(case, CaseEvent.Kind.CLAIMED, actor, now, until=now + LEASE)
        if case.crisis:
            paging.hold(case, actor, now)
    return case


def hand_back(moderator_id: UUID, case_id: UUID, actor: audit.Actor, now: datetime) -> Case:
    """Leave a case that one has taken to whoever is next. Raises Conflict if it isn't one's own."""
    with transaction.atomic():
        case = lock_open(case_id, moderator_id)
        _check_own(case, moderator_id)
        _leave(case, now)
        _store(case, CaseEvent.Kind.HANDED_BACK, actor, now)
    return case


def hand_over(
    moderator_id: UUID, case_id: UUID, to_id: UUID, actor: audit.Actor, now: datetime
) -> Case:
    """Give a case that one has taken to a named moderator, for a lease of theirs.

    Raises Conflict if it isn't one's own or they have too many, Invalid for somebody who isn't a
    moderator or is suspended, NotFound and Forbidden for one who may not decide it.
    """
    with transaction.atomic():
        to = Persona.objects.select_for_update(no_key=True).filter(id=to_id).first()
        if to is None or to.left_at is not None or to.role == PersonaRole.MEMBER:
            raise Invalid("not_a_moderator", "Choose one of the moderators.", "to")
        if suspensions(now).filter(persona=to).exists():
            raise Invalid("suspended", "They can't come in now. Choose somebody else.", "to")
        case = lock_open(case_id, moderator_id)
        _check_own(case, moderator_id)
        check_impartial(case, to_id)
        _check_cap(case, to_id, now, f"They have {CAP} cases already. Choose somebody else.")
        _own(case, to_id, now)
        _store(case, CaseEvent.Kind.HANDED_OVER, actor, now, to=to_id, until=now + LEASE)
    return case


def colleagues(case: Case, moderator_id: UUID) -> QuerySet[Persona]:
    """The moderators whom a case isn't about, but for oneself, by name. `hand_over` says who of
    them can't have it now, and why."""
    moderators = Persona.objects.filter(left_at__isnull=True).exclude(role=PersonaRole.MEMBER)
    return moderators.exclude(id__in=(moderator_id, case.about_id)).order_by("pseudonym_key")


def hand_all_back(persona: Persona, actor: audit.Actor, now: datetime, because: str) -> None:
    """Leave all that a locked persona looks after to whoever is next: they can't do it any more. A
    crisis that they have pages again, from the first rung. because: why, for the cases' events."""
    theirs = Q(owner=persona) | Q(acknowledged_by=persona, held_until__gt=now)
    for case in Case.objects.select_for_update().filter(theirs, closed_at=None).order_by("id"):
        case.rung = 0
        _leave(case, now)
        _store(case, CaseEvent.Kind.HANDED_BACK, actor, now, because=because)


def ask_for_second_opinion(
    moderator_id: UUID, case_id: UUID, actor: audit.Actor, now: datetime
) -> Case:
    """Leave the decision on a case that one has taken to another moderator.

    Raises Conflict if it isn't one's own, or if somebody asked for one before.
    """
    with transaction.atomic():
        case = lock_open(case_id, moderator_id)
        _check_own(case, moderator_id)
        if case.second_opinion_for_id is not None:
            raise Conflict("asked", "A colleague has asked for your opinion: decide, or hand over.")
        case.second_opinion_for_id = moderator_id
        _leave(case, now)
        _store(case, CaseEvent.Kind.SECOND_OPINION, actor, now)
    return case


def add_note(
    moderator: Persona, case_id: UUID, text: str, actor: audit.Actor, now: datetime
) -> CaseEvent:
    """Note something for the other moderators, whoever has the case, and be it closed."""
    with transaction.atomic():
        case = lock_case(case_id, moderator.id)
        case.version += 1
        case.save(update_fields=["version"])
        kept = without_personal_data(text, moderator.language)
        return cases.note(case, CaseEvent.Kind.NOTE, actor, now, kept)


def lock_case(case_id: UUID, moderator_id: UUID) -> Case:
    """A case that a moderator may see, locked; NotFound else."""
    # What it refers to is read after the lock: joined to it, it would be that of before the wait.
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise NotFound("case")
    check_may_see(case, moderator_id)
    return case


def lock_open(case_id: UUID, moderator_id: UUID) -> Case:
    """The same for an open case; Stale with the case else."""
    case = lock_case(case_id, moderator_id)
    if case.closed_at is not None:
        raise Stale("closed", "This case is closed. Look at what was decided.", case=case)
    return case


def owner_of(case: Case, now: datetime) -> Persona | None:
    """Whose a case is; nobody's once the lease has ended."""
    held = case.owned_until is not None and case.owned_until > now
    return case.owner if held else None


def check_not_anothers(case: Case, moderator_id: UUID, now: datetime) -> None:
    """Nothing, unless a colleague looks after a case now; Conflict then, with until when."""
    owner = owner_of(case, now)
    if owner is not None and owner.id != moderator_id:
        raise Conflict(
            "taken",
            f"{owner.pseudonym} looks after this case. Talk to them, or wait until then.",
            until=case.owned_until,
        )


def _check_own(case: Case, moderator_id: UUID) -> None:
    if case.owner_id != moderator_id:
        raise Conflict("not_taken", "You haven't taken this case, so it isn't yours to give.")


def _check_cap(case: Case, moderator_id: UUID, now: datetime, enough: str) -> None:
    """Raise Conflict, as it says, for who has too many. They are locked, so that two
    claims at once are counted one after the other."""
    if case.crisis:
        return
    others = Case.objects.filter(owner=moderator_id, owned_until__gt=now, closed_at__isnull=True)
    if others.exclude(id=case.id)[CAP - 1 : CAP].exists():
        raise Conflict("cap", enough)


def _own(case: Case, moderator_id: UUID, now: datetime) -> None:
    case.owner_id, case.owned_until = moderator_id, now + LEASE


def _leave(case: Case, now: datetime) -> None:
    """Nobody has it then: a crisis pages on at once."""
    case.owner = case.owned_until = None
    if case.crisis:
        case.held_until, case.next_page_at = None, now


def _store(
    case: Case, kind: CaseEvent.Kind, actor: audit.Actor, now: datetime, **facts: Any
) -> None:
    case.version += 1
    case.save()
    plain = {name: str(value) for name, value in facts.items()}
    cases.note(case, kind, actor, now, **plain)
