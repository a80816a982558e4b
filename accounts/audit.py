"""The audit trail: one row for each act, written in the act's own transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import AuditEntry, User


@dataclass(frozen=True)
class Actor:
    """Who acts, and from which request: a signed-in user, a persona of the community, the clock, or
    a carrier's webhook."""

    kind: str
    user: User | None = None
    request_id: str = ""
    persona_id: UUID | None = None


CLOCK = Actor("clock")
CARRIER = Actor("carrier")


def by(user: User, request_id: str) -> Actor:
    """The signed-in user as an actor."""
    return Actor("user", user, request_id)


def as_persona(persona_id: UUID, request_id: str) -> Actor:
    """Somebody of the community as an actor, whose user isn't known there."""
    return Actor("persona", request_id=request_id, persona_id=persona_id)


def record(
    actor: Actor,
    verb: str,
    *,
    clinic_id: UUID | None,
    subject_id: UUID | None,
    reason: str = "",
    **detail: Any,
) -> None:
    """Write one act down. `detail` takes ids, dates and plain figures; never personal data."""
    AuditEntry.objects.create(
        actor_kind=actor.kind,
        user=actor.user,
        persona_id=actor.persona_id,
        clinic_id=clinic_id,
        verb=verb,
        subject_id=subject_id,
        reason=reason,
        detail=detail,
        request_id=actor.request_id,
    )


def record_each(
    actor: Actor, verb: str, *, clinic_id: UUID | None, subject_ids: Iterable[UUID], **detail: Any
) -> None:
    """Write one act on many subjects down, a row for each, so that each subject's trail has it."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor_kind=actor.kind,
            user=actor.user,
            persona_id=actor.persona_id,
            clinic_id=clinic_id,
            verb=verb,
            subject_id=subject_id,
            detail=detail,
            request_id=actor.request_id,
        )
        for subject_id in subject_ids
    )
