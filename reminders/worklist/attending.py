"""What the care team does with an item of the worklist: take it, hand it back, note something,
close it. Each is one transaction, one audit row (ids only) and one note that stays with the item.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.refusals import Conflict, Stale
from messaging import inbound, outbox
from messaging.models import Scope
from reminders.models import Cause, Outcome, Urgency, WorkItem, WorkNote

LEASE = timedelta(minutes=30)
"""How long an item that was taken is somebody's. Enough to reach a patient and to write down what
came of it (taking it again begins anew), and so short that one whose owner was called away is
everybody's again in the same session."""

BY_CONSENT_ALONE = (
    "This item closes by itself when the patient agrees to texts again: enter the new date of "
    "consent, or let them text START. Until then no text goes to them."
)
"""Closed by hand it would be forgotten: neither a new consent nor a new number would be right."""


def take(item_id: UUID, actor: audit.Actor, now: datetime) -> WorkItem:
    """Look after an item from now on, for one lease; again: the lease begins anew.

    Nobody is paged for it meanwhile. Raises Conflict if it is closed, or somebody else's.
    """
    with transaction.atomic():
        item = _lock(item_id, actor, now)
        item.owner, item.owned_until = actor.user, now + LEASE
        # Taken and then left alone, an urgent one climbs on.
        item.next_page_at = item.owned_until if item.urgency == Urgency.NOW else None
        _store(item, WorkNote.Kind.TAKEN, actor, now)
        outbox.cancel([item.id])
    return item


def hand_back(item_id: UUID, actor: audit.Actor, now: datetime) -> WorkItem:
    """Leave an item that one has taken to whoever is next; an urgent one pages on at once.

    Raises Conflict if it is closed, or not one's own.
    """
    with transaction.atomic():
        item = _lock(item_id, actor, now)
        if item.owner != actor.user:
            raise Conflict("not_taken", "You haven't taken this item, so it isn't yours to give.")
        item.owner = item.owned_until = None
        item.next_page_at = now if item.urgency == Urgency.NOW else None
        _store(item, WorkNote.Kind.HANDED_BACK, actor, now)
    return item


def add_note(item_id: UUID, text: str, actor: audit.Actor, now: datetime) -> WorkItem:
    """Note something about an item, whoever's it is, and be it closed."""
    with transaction.atomic():
        item = _read_locked(item_id)
        _store(item, WorkNote.Kind.NOTE, actor, now, text)
    return item


def close(
    item_id: UUID,
    outcome: Outcome,
    text: str,
    actor: audit.Actor,
    now: datetime,
    *,
    times: int | None = None,
) -> WorkItem:
    """Close an item: it was dealt with, or there was nothing to do. text: a last note, or "". To a
    number that couldn't be texted texts go again.
    times: how many findings it had when its closer looked; None asks nothing.

    Raises Conflict if it is closed already, somebody else's, or says that consent is missing, which
    a new consent alone closes; Stale if more has happened, for what nobody has seen must not be
    closed with the rest.
    """
    with transaction.atomic():
        item = _lock(item_id, actor, now)
        if item.cause == Cause.CONSENT_MISSING:
            raise Conflict("consent_missing", BY_CONSENT_ALONE)
        if times is not None and item.times != times:
            raise Stale(
                "happened_again",
                "Something more has happened since you looked. Read it, then close the item.",
            )
        item.owner = item.owned_until = item.next_page_at = None
        # Hosts' clocks differ by a little.
        item.closed_at = max(now, item.opened_at)
        item.closed_by, item.outcome = actor.user, outcome
        _store(item, WorkNote.Kind.CLOSED, actor, now, text, outcome=outcome.value)
        outbox.cancel([item.id])
        if item.cause == Cause.NUMBER_UNREACHABLE:
            since = datetime.fromisoformat(item.facts["since"])
            inbound.unsay(Scope.CARE, item.patient.number, since)
    return item


def is_held(item: WorkItem, now: datetime) -> bool:
    """Whether an item is somebody's; nobody's once the lease has ended."""
    return item.owned_until is not None and item.owned_until > now


def owner_of(item: WorkItem, now: datetime) -> User | None:
    """Whose an item is."""
    return item.owner if is_held(item, now) else None


def _lock(item_id: UUID, actor: audit.Actor, now: datetime) -> WorkItem:
    """An open item that isn't somebody else's, locked."""
    item = _read_locked(item_id)
    if item.closed_at is not None:
        raise Conflict(
            "closed", f"This item is closed: {item.get_outcome_display()}. Look at its notes."
        )
    owner = owner_of(item, now)
    if owner is not None and owner != actor.user and item.owned_until is not None:
        until = item.owned_until.astimezone(ZoneInfo(item.clinic.time_zone))
        raise Conflict(
            "taken",
            f"{owner.name} looks after this item until {until:%H:%M} ({item.clinic.time_zone}). "
            "Talk to them, or wait until then.",
        )
    return item


def _read_locked(item_id: UUID) -> WorkItem:
    # The owner is read after the lock: joined to it, it would be the one of before the wait.
    return WorkItem.objects.select_for_update().get(id=item_id)


def _store(
    item: WorkItem,
    kind: WorkNote.Kind,
    actor: audit.Actor,
    now: datetime,
    text: str = "",
    **detail: Any,
) -> None:
    """Store what was done to an item, with its note and its audit row."""
    item.save(
        update_fields=[
            "owner", "owned_until", "next_page_at", "closed_at", "closed_by", "outcome",
        ]
    )  # fmt: skip
    WorkNote.objects.create(item=item, kind=kind, text=text, by=actor.user, at=now)
    audit.record(
        actor, VERBS[kind], clinic_id=item.clinic_id, subject_id=item.id, cause=item.cause, **detail
    )


VERBS: dict[WorkNote.Kind, str] = {
    WorkNote.Kind.TAKEN: "take_item",
    WorkNote.Kind.HANDED_BACK: "hand_item_back",
    WorkNote.Kind.NOTE: "note_on_item",
    WorkNote.Kind.CLOSED: "close_item",
}
"""How the audit trail names what each kind of note tells of."""
