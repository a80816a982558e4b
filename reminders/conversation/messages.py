"""Texts that the care team sends to one patient: a message of the clinic's, or a correction.

Both keep to the hours and limits of notices, and refuse where there is no room: whoever sends them
is there, and can call instead.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from messaging import outbox
from messaging.models import Scope, Sms
from messaging.states import MAY_HAVE_LEFT
from reminders.models import Dose, DoseState, Patient, Wording
from reminders.schedules import notices
from reminders.schedules.notices import Notice
from reminders.schedules.plan import lock_patient, read_plan
from reminders.texts import templates, wording


def send_message(patient_id: UUID, kind: str, actor: audit.Actor, now: datetime) -> Notice:
    """Send one of the clinic's own messages ("message:<name>") in the patient's language.

    Where there is none in explicit wording, the discreet one goes. Answers what goes and when.
    Raises Invalid for what is no message, Conflict if there is none for this patient, or no room.
    """
    if not templates.MESSAGE.fullmatch(kind):
        raise Invalid("kind", "Choose one of your clinic's messages, like message:closed.", "kind")
    with transaction.atomic():
        patient = lock_patient(patient_id)
        body = _message(patient, kind)
        told = _send(patient, kind, body, f"message:{patient.id}:{kind[8:]}:{uuid4()}", now)
        audit.record(
            actor, "send_message", clinic_id=patient.clinic_id, subject_id=patient.id, kind=kind
        )
    return told


def send_correction(patient_id: UUID, text_id: UUID, actor: audit.Actor, now: datetime) -> Notice:
    """Tell a patient to ignore a text that had left when its dose was cancelled; once a text.

    Raises Invalid for a text that isn't about a dose of theirs, Conflict if that dose stands, the
    text never left, it was corrected before, or there is no room.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        sms = outbox.texts_of(patient.id, Scope.CARE).filter(id=text_id).first()
        doses = Dose.objects.filter(schedule__patient=patient)
        dose = doses.filter(id=sms.about_id).first() if sms is not None else None
        if sms is None or dose is None:
            raise Invalid("text", "Name a text to this patient about an injection day.", "text")
        _demand_wrong(sms, dose)
        own = templates.of([patient.clinic_id])
        body = wording.text("correction", patient, dose.date, own=own)
        plan = read_plan(patient)
        # What is wrong is mended before the news is told: a notice that waits gives way.
        told = _send(
            patient, "correction", body, f"correction:{sms.id}", now, without=[plan.schedule.id]
        )
        notices.move(plan, now)
        audit.record(
            actor,
            "send_correction",
            clinic_id=patient.clinic_id,
            subject_id=patient.id,
            text=str(sms.id),
        )
    return told


def messages_for(patient: Patient) -> dict[str, str]:
    """The clinic's messages that can be sent to a patient, by kind, as this one would read them."""
    own = templates.of([patient.clinic_id])
    kinds = sorted({kind for *_, kind in own if templates.MESSAGE.fullmatch(kind)})
    found = {kind: _own_words(patient, kind, own) for kind in kinds}
    return {kind: wording.fill(body, patient) for kind, body in found.items() if body}


def wrong_texts(patient: Patient, texts: Collection[Sms]) -> set[UUID]:
    """Which of these texts of a patient can be corrected: they left, or may have, about a dose that
    was cancelled since, and nobody has told the patient yet."""
    left = [sms for sms in texts if sms.state in MAY_HAVE_LEFT]
    cancelled = set(
        Dose.objects.filter(
            schedule__patient=patient,
            id__in=[sms.about_id for sms in left],
            state=DoseState.CANCELLED,
        ).values_list("id", flat=True)
    )
    wrong = {f"correction:{sms.id}": sms.id for sms in left if sms.about_id in cancelled}
    told = outbox.texts_with(list(wrong))
    return {sms_id for key, sms_id in wrong.items() if key not in told}


def _message(patient: Patient, kind: str) -> str:
    body = _own_words(patient, kind, templates.of([patient.clinic_id]))
    if not body:
        raise Conflict(
            "no_message",
            f"Your clinic has no such message in this patient's language ({patient.language}).",
            "kind",
        )
    return wording.fill(body, patient)


def _own_words(patient: Patient, kind: str, own: wording.Own) -> str:
    """A message in the patient's wording, else in the discreet one; blank if there is none."""
    styles = (patient.wording, Wording.DISCREET)
    keys = [(patient.clinic_id, patient.language, style, kind) for style in styles]
    return next((own[key] for key in keys if own.get(key)), "")


def _demand_wrong(sms: Sms, dose: Dose) -> None:
    if dose.state != DoseState.CANCELLED:
        raise Conflict("holds", "What this text says still holds.", "text")
    if sms.state not in MAY_HAVE_LEFT:
        raise Conflict("never_left", "This text never left: there is nothing to correct.", "text")


def _send(
    patient: Patient,
    kind: str,
    body: str,
    key: str,
    now: datetime,
    without: Collection[UUID] = (),
) -> Notice:
    if outbox.is_queued_or_went(key):
        raise Conflict("sent_before", "This was sent already.")
    found = notices.slot(patient, _upcoming(patient), now, without)
    if found is None:
        raise Conflict(
            "no_room", "This patient had, or gets, too many texts these days. Call them instead."
        )
    leaves_at, expires_at = found
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic_id,
                owner_id=patient.id,
                about_id=patient.id,
                dedup_key=key,
                to=patient.number,
                body=body,
                available_at=leaves_at,
                expires_at=expires_at,
            )
        ],
        now,
    )
    return Notice(kind, body, leaves_at, expires_at)


def _upcoming(patient: Patient) -> list[datetime]:
    """The reminders to come, which go before."""
    try:
        plan = read_plan(patient)
    except NotFound:
        return []
    return plan.upcoming(plan.due, plan.planned)
