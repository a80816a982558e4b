"""Who is on duty: whom a crisis pages, at which rung, and that pages reach them.

Moderators take duty themselves, at a number of their own. A test page goes there, and nobody is on
duty before its code was given back.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from community.models import Duty, Persona, PersonaRole
from community.moderation.sanctions import suspensions
from messaging import inbound, outbox
from messaging.models import Kind, Lane, Scope
from messaging.numbers import read_number
from messaging.pages import in_force

RUNGS = 9
"""Most rungs of a rota."""

MOST_DUTIES = 50
"""Duties of one moderator that aren't over."""

FARTHEST = timedelta(days=731)
"""How far ahead a duty may begin or end: what lies beyond is a slip of the pen."""

TEST_LASTS = timedelta(minutes=15)
TEST_PAUSE = timedelta(minutes=1)
"""Between two test pages of one duty."""
MOST_TRIES = 5

TEST = (
    "Dosecircle community: this is a test page. Your code is {code}. Give it back in the rota, and "
    "your duty counts."
)


@dataclass(frozen=True)
class Turn:
    """A duty to be. number: with its country; null instants: no beginning, no end."""

    rung: int
    number: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def rota(now: datetime) -> list[Duty]:
    """All duties that aren't over, the lowest rung first; also those that don't count yet."""
    duties = Duty.objects.exclude(ends_at__lte=now).filter(_moderates(now))
    return list(duties.select_related("persona").order_by("rung", "id"))


def on_duty(now: datetime) -> QuerySet[Duty]:
    """The duties that hold at an instant: of moderators whom a test page reached."""
    return Duty.objects.filter(in_force(now), _moderates(now), ready_at__isnull=False)


def _moderates(now: datetime) -> Q:
    """Who was a moderator when they took duty may be none any more, or be suspended."""
    roles = (PersonaRole.MODERATOR, PersonaRole.LEAD)
    suspended = Exists(suspensions(now).filter(persona=OuterRef("persona")))
    return Q(~suspended, persona__left_at__isnull=True, persona__role__in=roles)


def deaf(duties: Sequence[Duty]) -> dict[UUID, datetime]:
    """Which of these duties are at a phone that said stop to pages, by id, and since when."""
    stopped = inbound.opted_out(Scope.MODERATORS, {duty.number for duty in duties})
    return {duty.id: stopped[duty.number] for duty in duties if duty.number in stopped}


def take_duty(persona: Persona, turn: Turn, actor: audit.Actor, now: datetime) -> Duty:
    """Take duty oneself. A test page goes to the number; the duty counts from its code on.

    Raises Invalid for a number that no phone has, and a turn that ends before it begins or is over.
    """
    number = read_number(turn.number, None)
    if number is None:
        raise Invalid(
            "number",
            "No phone has this number. Write it with its country, like +44 7911 123456.",
            "number",
        )
    for name in ("starts_at", "ends_at"):
        instant = getattr(turn, name)
        if instant is not None and abs(instant - now) > FARTHEST:
            raise Invalid("too_far", "Choose an instant within two years.", name)
    if turn.ends_at is not None and turn.ends_at <= max(turn.starts_at or now, now):
        raise Invalid("ends_at", "Let it end after its beginning, and after now.", "ends_at")
    with transaction.atomic():
        mine = Duty.objects.filter(persona=persona).exclude(ends_at__lte=now)
        if mine[MOST_DUTIES - 1 : MOST_DUTIES].exists():
            raise Conflict("many_duties", "You have many duties already. End one first.")
        duty = Duty(
            persona=persona,
            rung=turn.rung,
            number=number,
            starts_at=turn.starts_at,
            ends_at=turn.ends_at,
        )
        _send_test(duty, now)
        _note(duty, "take_duty", actor)
    return duty


def send_test_again(duty_id: UUID, actor: audit.Actor, now: datetime) -> Duty:
    """Send a further test page for one's own duty; the former code is good for nothing then.

    Raises NotFound for another's, and Conflict within a minute of the last.
    """
    with transaction.atomic():
        duty = _lock_own(duty_id, actor)
        if duty.test_sent_at is not None and now - duty.test_sent_at < TEST_PAUSE:
            raise Conflict("test_sent", "A test page went a moment ago. Wait a minute for it.")
        outbox.cancel([duty.id])
        _send_test(duty, now)
        _note(duty, "test_duty", actor)
    return duty


def acknowledge_test(duty_id: UUID, code: str, actor: audit.Actor, now: datetime) -> Duty:
    """Give the code of the test page back: the duty counts from now on.

    Raises NotFound for another's, Invalid for a wrong code, and Conflict where the code is over:
    given back already, tried too often, or too old.
    """
    with transaction.atomic():
        duty = _lock_own(duty_id, actor)
        sent_at = duty.test_sent_at
        if not duty.test_code or duty.tries >= MOST_TRIES or not sent_at:
            raise Conflict("test_over", "This code can't be used any more. Ask for another page.")
        if now - sent_at > TEST_LASTS:
            raise Conflict("test_over", "This code is too old. Ask for another page.")
        right = constant_time_compare(_digest(duty, code), duty.test_code)
        if right:
            duty.test_code, duty.ready_at = "", now
            outbox.cancel([duty.id])
            outbox.blank([duty.id])
            _note(duty, "acknowledge_test", actor)
        else:
            duty.tries += 1
        duty.save()
    if not right:
        raise Invalid("code", "The test page said another code.", "code")
    return duty


def end_duty(duty_id: UUID, actor: audit.Actor, now: datetime, *, lead: bool) -> None:
    """End a duty now: one's own, or for a lead anybody's. Raises NotFound."""
    with transaction.atomic():
        duty = _lock(duty_id)
        if not lead and duty.persona_id != actor.persona_id:
            raise NotFound("duty")
        outbox.cancel([duty.id])
        outbox.blank([duty.id])
        _note(duty, "end_duty", actor)
        duty.delete()


def _send_test(duty: Duty, now: datetime) -> None:
    code = f"{secrets.randbelow(1_000_000):06}"
    duty.test_code, duty.test_sent_at, duty.tries = _digest(duty, code), now, 0
    duty.ready_at = None
    duty.save()
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.MODERATORS,
                lane=Lane.URGENT,
                kind=Kind.REPEAT,
                owner_id=duty.persona_id,
                about_id=duty.id,
                dedup_key=f"duty:{duty.id}:{int(now.timestamp())}",
                to=duty.number,
                body=TEST.format(code=code),
                available_at=now,
                expires_at=now + TEST_LASTS,
                asked_for=True,
            )
        ],
        now,
    )


def _digest(duty: Duty, code: str) -> str:
    return salted_hmac(f"community.duty.{duty.id}", code, algorithm="sha256").hexdigest()


def _lock(duty_id: UUID) -> Duty:
    duty = Duty.objects.select_for_update().filter(id=duty_id).first()
    if duty is None:
        raise NotFound("duty")
    return duty


def _lock_own(duty_id: UUID, actor: audit.Actor) -> Duty:
    duty = _lock(duty_id)
    if duty.persona_id != actor.persona_id:
        raise NotFound("duty")
    return duty


def _note(duty: Duty, verb: str, actor: audit.Actor) -> None:
    audit.record(actor, verb, clinic_id=None, subject_id=duty.id, rung=duty.rung)
