""" "Later": one more text on the same day, because the patient asked for it."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, NotFound
from messaging import outbox
from messaging.models import Scope
from reminders.dates.schedule import local_date, local_instant
from reminders.models import Dose, DoseState, Patient
from reminders.policies import policy_of
from reminders.schedules.plan import lock_patient
from reminders.texts import templates, wording

SOONEST = timedelta(minutes=5)
"""Sooner than this the patient still holds the phone."""


def wish_later(
    patient_id: UUID, dose_id: UUID, minutes: int, actor: audit.Actor, now: datetime
) -> datetime | None:
    """The wish of a patient on their page: the same as a text that says "later".

    Raises NotFound for a dose that isn't theirs, Conflict for one that doesn't wait for an answer.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        dose = (
            Dose.objects.select_for_update(of=("self",))
            .filter(schedule__patient=patient, id=dose_id)
            .first()
        )
        if dose is None:
            raise NotFound("dose")
        if dose.state != DoseState.DUE:
            raise Conflict("not_waiting", "This dose doesn't wait for an answer.")
        return remind_later(patient, dose, now + timedelta(minutes=minutes), actor, now)


def remind_later(
    patient: Patient,
    dose: Dose,
    wished: datetime,
    actor: audit.Actor,
    now: datetime,
) -> datetime | None:
    """Text about an open dose once more today, as near to `wished` as the hours allow.

    In the transaction of the caller, who holds the locks of patient and dose. Answers the instant,
    or None if there is no room today, or there was one for this dose already: then the ladder's
    next step stands. A dose that is recorded or closed takes this text with it, for it is about it.
    """
    today = local_date(now, patient.zone)
    opens, closes = _hours(patient, today)
    at = max(wished, now + SOONEST, opens)
    key = f"dose:{dose.id}:later"
    if at >= closes or outbox.is_queued_or_went(key):
        return None
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic_id,
                owner_id=patient.id,
                about_id=dose.id,
                dedup_key=key,
                to=patient.number,
                body=wording.text(
                    "later", patient, dose.date, own=templates.of([patient.clinic_id])
                ),
                available_at=at,
                expires_at=local_instant(today + timedelta(days=1), time(0), patient.zone),
                asked_for=True,
            )
        ],
        now,
    )
    audit.record(
        actor, "remind_later", clinic_id=patient.clinic_id, subject_id=dose.id, at=at.isoformat()
    )
    return at


def _hours(patient: Patient, today: date) -> tuple[datetime, datetime]:
    """Between which instants of today a text may go: in the clinic's hours, within the law's (8 to
    21: FACTS, SMS law), or from the patient's own, and to an hour after it, where that lies
    outside."""
    policy = policy_of(patient.clinic_id)
    first, last = min(policy.texts_from, patient.hour), policy.texts_until
    opens, closes = (local_instant(today, hour, patient.zone) for hour in (first, last))
    own = local_instant(today, patient.hour, patient.zone) + timedelta(hours=1)
    midnight = local_instant(today + timedelta(days=1), time(0), patient.zone)
    return opens, min(max(closes, own), midnight)
