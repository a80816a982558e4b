"""A patient's new number: confirmed by a code before any text about doses goes to it.

Until then our texts go to the former one. If that is lost, nothing goes to it any more: a lost
phone is noted as a phone that has stopped our texts is, so that the claim itself, the last to look,
lets none through, whoever queued it; the team sees it on the worklist.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import audit
from accounts.refusals import Conflict, Invalid, Refusal
from messaging import inbound, outbox
from messaging.models import Kind, Lane, Scope, Sms
from reminders.models import Cause, NumberChange, Patient
from reminders.numbers import e164
from reminders.patients import signing_in
from reminders.patients.phones import hold_number
from reminders.schedules.plan import lock_patient
from reminders.texts import wording
from reminders.worklist.items import Finding, open_items, settle_items

LASTS = timedelta(hours=24)
"""A code's life: it comes to a phone that may lie at home."""
MOST_TRIES = 5
MOST_A_DAY = 3
"""Codes to one number: a typing error must not let somebody else's phone ring all day."""


@dataclass(frozen=True)
class Readdressed:
    """A patient with their new number, and the texts that still went, or go, to the former one."""

    patient: Patient
    too_late: list[Sms]


def ask_new_number(
    patient_id: UUID, number: str, actor: audit.Actor, now: datetime
) -> NumberChange | None:
    """Text a code to a patient's new number. The number that they have ends what was asked before,
    and answers None. Raises Invalid or Conflict, naming the field."""
    with transaction.atomic():
        patient = lock_patient(patient_id)
        change = ask(patient, number, actor, now)
        audit.record(
            actor,
            "ask_new_number",
            clinic_id=patient.clinic_id,
            subject_id=patient.id,
            change=str(change.id) if change else None,
        )
    return change


def ask(patient: Patient, number: str, actor: audit.Actor, now: datetime) -> NumberChange | None:
    """The same within a verb that has locked the patient, and writes it down."""
    wanted = e164(number, patient.clinic.phone)
    former = _open_change(patient)
    if former is not None:
        _end([former], NumberChange.Outcome.REPLACED, now)
    if wanted == patient.number:
        return None
    hold_number(wanted, patient.clinic)
    lately = NumberChange.objects.filter(number=wanted, asked_at__gt=now - LASTS)
    if len(lately[:MOST_A_DAY]) == MOST_A_DAY:
        raise Conflict(
            "too_many_codes",
            f"{MOST_A_DAY} codes went to this number within a day. Try again tomorrow.",
            "number",
        )
    change = NumberChange(
        patient=patient,
        number=wanted,
        asked_by=actor.user,
        asked_at=now,
        expires_at=now + LASTS,
    )
    code = f"{secrets.randbelow(1_000_000):06}"
    change.code = _digest(change, code)
    change.save()
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic_id,
                # Not the patient: what they are sent is listed, and this must not be.
                owner_id=change.id,
                about_id=change.id,
                dedup_key=f"code:{change.id}",
                to=wanted,
                body=wording.code_text(patient, wanted, code),
                available_at=now,
                expires_at=change.expires_at,
                kind=Kind.REPEAT,
                lane=Lane.URGENT,
                asked_for=True,
            )
        ],
        now,
    )
    return change


def note_lost(patient: Patient, now: datetime) -> None:
    """Let nothing go to the patient's number any more, until START comes from it or another one is
    confirmed; within a verb that has locked the patient. Whoever shares the phone gets nothing
    either, and nobody who holds it is signed in any more."""
    inbound.say(Scope.CARE, patient.number, opted_out=True, said_at=now)
    signing_in.shut_out_if_lost(patient)
    open_items([Finding(patient.id, Cause.NUMBER_LOST, {"on": now.date().isoformat()})], now)


def confirm_new_number(
    patient_id: UUID, code: str, actor: audit.Actor, now: datetime
) -> Readdressed:
    """Take the code that was texted to the new number: from now on our texts go there.

    Raises Conflict if no number waits, Invalid for a wrong code, which is counted: not to be called
    in a transaction that the refusal undoes.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        change = _open_change(patient)
        if change is None:
            raise Conflict("no_new_number", "No new number waits for a code. Ask for it again.")
        refusal = _refusal(change, code, now)
        if refusal is None:
            done = _readdress(patient, change, actor, now)
    if refusal is not None:
        raise refusal
    return done


def confirm_by_text(number: str, body: str, now: datetime) -> bool:
    """Take a code that was texted back from a new number; whether it was right."""
    found = re.fullmatch(r"[^0-9]{0,60}([0-9]{6})[^0-9]{0,60}", body)
    if found is None:
        return False
    confirmed = False
    for patient_id in waiting_for(number):
        try:
            confirm_new_number(patient_id, found[1], audit.CARRIER, now)
            confirmed = True
        except (Conflict, Invalid):
            continue
    return confirmed


def waiting_for(number: str) -> list[UUID]:
    """Patients who would get this number by its code, in the order in which they are locked."""
    waiting = NumberChange.objects.filter(number=number, outcome="").order_by("patient_id")
    return list(waiting.values_list("patient_id", flat=True))


def end_late_codes(now: datetime) -> None:
    """End what nobody confirmed in time, and tell the team: the number is still the former one."""
    late = NumberChange.objects.filter(outcome="", expires_at__lte=now)
    with transaction.atomic():
        changes = list(late.select_for_update(skip_locked=True).order_by("id")[:1000])
        _end(changes, NumberChange.Outcome.LATE, now)
        open_items((doubted(change) for change in changes), now)


def doubted(change: NumberChange) -> Finding:
    """That nobody confirmed a new number, or our code can't reach it."""
    return Finding(change.patient_id, Cause.NUMBER_DOUBTFUL, {"change": str(change.id)})


def bad_numbers(owner_ids: Collection[UUID]) -> list[Finding]:
    """What is to be told of codes (by the ids that own their texts) that didn't arrive, as long as
    they wait."""
    waiting = NumberChange.objects.filter(id__in=owner_ids, outcome="").order_by("id")
    return [doubted(change) for change in waiting]


def _open_change(patient: Patient) -> NumberChange | None:
    return NumberChange.objects.select_for_update().filter(patient=patient, outcome="").first()


def _refusal(change: NumberChange, code: str, now: datetime) -> Refusal | None:
    """Why a code doesn't do, with that counted; None for the right one."""
    if now >= change.expires_at:
        _end([change], NumberChange.Outcome.LATE, now)
        return Conflict("code_late", "This code is over. Ask for the number again.")
    if constant_time_compare(change.code, _digest(change, code)):
        return None
    change.tries += 1
    change.save(update_fields=["tries"])
    if change.tries >= MOST_TRIES:
        _end([change], NumberChange.Outcome.WRONG, now)
        return Conflict("code_wrong", "Too many wrong codes. Ask for the number again.")
    left = MOST_TRIES - change.tries
    return Invalid("code_wrong", f"This is not the code. You can try {left} times more.", "code")


def _readdress(
    patient: Patient, change: NumberChange, actor: audit.Actor, now: datetime
) -> Readdressed:
    hold_number(change.number, patient.clinic)
    patient.number = change.number
    patient.save(update_fields=["number"])
    _end([change], NumberChange.Outcome.CONFIRMED, now)
    too_late = outbox.readdress(patient.id, patient.number, now)
    causes = [
        Cause.NUMBER_LOST,
        Cause.NUMBER_DOUBTFUL,
        Cause.NUMBER_UNREACHABLE,
        Cause.UNDELIVERED,
    ]
    if patient.work_items.filter(cause=Cause.CONSENT_MISSING, closed_at=None).exists():
        # A new phone doesn't bring back the consent that was withdrawn.
        inbound.say(Scope.CARE, patient.number, opted_out=True, said_at=now)
    elif not inbound.opted_out(Scope.CARE, [patient.number]):
        causes.append(Cause.OPTED_OUT)
    because = "The number was changed."
    settle_items([patient.id], causes, now, because=because, change=str(change.id))
    audit.record(
        actor,
        "confirm_new_number",
        clinic_id=patient.clinic_id,
        subject_id=patient.id,
        change=str(change.id),
    )
    return Readdressed(patient, too_late)


def end_for(patient: Patient, now: datetime) -> None:
    """End what waits for a patient, within a verb that has locked them."""
    if (change := _open_change(patient)) is not None:
        _end([change], NumberChange.Outcome.REPLACED, now)


def _end(changes: Collection[NumberChange], outcome: NumberChange.Outcome, now: datetime) -> None:
    """End these; their codes' texts go no more, and are kept without their words."""
    ids = [change.id for change in changes]
    NumberChange.objects.filter(id__in=ids).update(outcome=outcome, ended_at=now)
    outbox.cancel(ids)
    outbox.blank(ids)


def _digest(change: NumberChange, code: str) -> str:
    """Keyed, for six digits are quickly tried out on a stolen table."""
    return salted_hmac("new number", f"{change.id}:{code}", algorithm="sha256").hexdigest()
