"""Who is on duty: whom a clinic's urgent items page, and at which rung."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Clinic, Membership
from accounts.refusals import Invalid, Stale
from messaging import inbound
from messaging.models import Scope
from messaging.pages import in_force
from reminders.models import Duty
from reminders.numbers import e164

RUNGS = 9
"""Most rungs of a rota: at the shortest pace they take nine minutes, at the usual one ninety."""


FARTHEST = timedelta(days=731)
"""How far ahead a rota may be thought out: what lies beyond is a slip of the pen."""


@dataclass(frozen=True)
class Turn:
    """One duty to be. number: as people write it; null instants: no beginning, no end."""

    user_id: UUID
    rung: int
    number: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def rota_of(clinic_id: UUID) -> list[Duty]:
    """A clinic's duties, the lowest rung first; past ones too, until the rota is set anew."""
    duties = Duty.objects.filter(clinic_id=clinic_id).select_related("user")
    return list(duties.order_by("rung", "id"))


def on_duty(now: datetime) -> Q:
    """The duties that hold at an instant: of people who haven't left."""
    return in_force(now) & Q(user__is_active=True)


def deaf(duties: Sequence[Duty]) -> dict[UUID, datetime]:
    """Which of these duties are at a phone that said stop to pages, by id, and since when."""
    stopped = inbound.opted_out(Scope.STAFF, {duty.number for duty in duties})
    return {duty.id: stopped[duty.number] for duty in duties if duty.number in stopped}


def is_covered(clinic_id: UUID, now: datetime) -> bool:
    """Whether somebody is on duty."""
    return Duty.objects.filter(on_duty(now), clinic_id=clinic_id).exists()


def token_of(duties: Sequence[Duty]) -> str:
    """Names the state of a rota; another after each setting of it."""
    return hashlib.sha256("".join(str(duty.id) for duty in duties).encode()).hexdigest()[:32]


def set_rota(
    clinic: Clinic, turns: Sequence[Turn], token: str, actor: audit.Actor, now: datetime
) -> list[Duty]:
    """Replace a clinic's whole rota by this one; it holds from now on.

    Raises Invalid for people of elsewhere, numbers that no phone has and turns that end before
    they begin or are over, and Stale if somebody else set it meanwhile.
    """
    members = set(Membership.objects.filter(clinic=clinic).values_list("user_id", flat=True))
    duties = [_duty(clinic, turn, members, index, now) for index, turn in enumerate(turns)]
    with transaction.atomic():
        # Two who set it at once take turns, and the second one is told.
        Clinic.objects.select_for_update(no_key=True).get(id=clinic.id)
        if token_of(rota_of(clinic.id)) != token:
            raise Stale(
                "changed_meanwhile",
                "Somebody set this rota since you looked. Look at it as it is now, and set it "
                "again.",
            )
        Duty.objects.filter(clinic=clinic).delete()
        Duty.objects.bulk_create(duties)
        audit.record(
            actor,
            "set_rota",
            clinic_id=clinic.id,
            subject_id=clinic.id,
            duties=[{"user": str(duty.user_id), "rung": duty.rung} for duty in duties],
        )
    return rota_of(clinic.id)


def _duty(clinic: Clinic, turn: Turn, members: set[UUID], index: int, now: datetime) -> Duty:
    """A turn that can be meant, not yet stored."""
    where = f"duties.{index}"
    if turn.user_id not in members:
        raise Invalid(
            "not_a_member", "Choose somebody who is a member of this clinic.", f"{where}.user"
        )
    for name in ("starts_at", "ends_at"):
        instant = getattr(turn, name)
        if instant is not None and abs(instant - now) > FARTHEST:
            raise Invalid("too_far", "Choose an instant within two years.", f"{where}.{name}")
    if turn.ends_at is not None and turn.ends_at <= max(turn.starts_at or now, now):
        raise Invalid(
            "ends_at", "Let it end after its beginning, and after now.", f"{where}.ends_at"
        )
    try:
        number = e164(turn.number, clinic.phone)
    except Invalid as refusal:
        refusal.field = f"{where}.number"
        raise
    return Duty(
        clinic=clinic,
        user_id=turn.user_id,
        rung=turn.rung,
        number=number,
        starts_at=turn.starts_at,
        ends_at=turn.ends_at,
    )
