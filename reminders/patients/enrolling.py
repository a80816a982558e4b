"""Enrolling a patient, and changing how to reach them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Clinic
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.dates.ladder import FOLLOWING, Step, step_instant
from reminders.dates.schedule import local_date
from reminders.models import Dose, Language, NumberChange, Patient, Wording
from reminders.numbers import e164
from reminders.patients import consent, new_number
from reminders.patients.phones import hold_number
from reminders.schedules import notices
from reminders.schedules.plan import lock_patient, read_plan


@dataclass(frozen=True)
class Enrolment:
    """What a care team says of a new patient. number: as people write it; hour: local."""

    name: str
    number: str
    time_zone: str
    language: str
    hour: time
    consent_on: date
    consent_source: str
    wording: str = Wording.DISCREET
    reference: str = ""


@dataclass(frozen=True)
class Changed:
    """A patient after a change. asked: a new number that waits for its code."""

    patient: Patient
    asked: NumberChange | None


def enrol(clinic: Clinic, enrolment: Enrolment, actor: audit.Actor, now: datetime) -> Patient:
    """Enrol a patient who has agreed to texts. Raises Invalid or Conflict, naming the field."""
    patient = Patient(
        clinic=clinic,
        name=enrolment.name,
        reference=enrolment.reference,
        number=e164(enrolment.number, clinic.phone),
        time_zone=known_zone(enrolment.time_zone),
        language=Language(enrolment.language),
        hour=whole_minutes(enrolment.hour),
        wording=Wording(enrolment.wording),
        consent_on=enrolment.consent_on,
        consent_source=enrolment.consent_source,
    )
    check_consent(patient, now)
    with transaction.atomic():
        hold_number(patient.number, clinic)
        _save(patient)
        audit.record(actor, "enrol", clinic_id=clinic.id, subject_id=patient.id)
    return patient


def change_patient(
    patient_id: UUID, changes: Mapping[str, Any], actor: audit.Actor, now: datetime
) -> Changed:
    """Change what is known of a patient; `changes` maps field names to new values.

    A new hour or zone moves only the next step of each open dose. A new number is asked for, and
    not theirs before its code is given (new_number.py); `old_number` "lost" says that the
    former one is. Raises Invalid or Conflict, naming the field.
    """
    facts = {name: value for name, value in changes.items() if name not in _OF_THE_NUMBER}
    with transaction.atomic():
        patient = lock_patient(patient_id)
        former = {name: getattr(patient, name) for name in facts}
        for name, value in facts.items():
            setattr(patient, name, value)
        patient.time_zone = known_zone(patient.time_zone)
        patient.hour = whole_minutes(patient.hour)
        check_consent(patient, now)
        changed = sorted(name for name in facts if getattr(patient, name) != former[name])
        if changed:
            _save(patient)
        if "consent_on" in changed:
            consent.take_up_again(patient, patient.consent_on, now)
        if {"hour", "time_zone"} & set(changed):
            _move_next_steps(patient)
            _move_notice(patient, now)
        asked = None
        if "number" in changes:
            asked = new_number.ask(patient, changes["number"], actor, now)
        if changes.get("old_number") == "lost":
            new_number.note_lost(patient, now)
        audit.record(
            actor,
            "change_patient",
            clinic_id=patient.clinic_id,
            subject_id=patient.id,
            changed=[*changed, *sorted(_OF_THE_NUMBER & set(changes))],
        )
    return Changed(patient, asked)


_OF_THE_NUMBER = frozenset({"number", "old_number"})


def known_zone(name: str) -> str:
    """A time zone's name, if there is such a zone."""
    if name not in _zones():
        raise Invalid(
            "time_zone", "There is no such time zone. Write it like Europe/London.", "time_zone"
        )
    return name


def whole_minutes(hour: time) -> time:
    """A wall time of whole minutes."""
    if hour.second or hour.microsecond or hour.tzinfo:
        raise Invalid("hour", "Write the hour like 09:00, without seconds or a zone.", "hour")
    return hour


def check_consent(patient: Patient, now: datetime) -> None:
    """Refuse a consent that is still to come where the patient is."""
    if patient.consent_on > local_date(now, patient.zone):
        raise Invalid("consent_ahead", "Consent can't be dated in the future.", "consent_on")


@cache
def _zones() -> frozenset[str]:
    """All zones' names; kept, for looking for them means walking through many folders."""
    return frozenset(available_timezones())


def _save(patient: Patient) -> None:
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError as error:
        if "patient_reference_once" not in str(error):
            raise
        raise Conflict(
            "reference_in_use",
            "Another patient of the clinic has this reference. Look them up, or leave it out.",
            "reference",
        ) from None


def _move_next_steps(patient: Patient) -> None:
    """Move the next step of each open dose to the patient's hour; what was done stays done."""
    doses = list(
        Dose.objects.select_for_update(of=("self",))
        .filter(schedule__patient=patient, next_step_at__isnull=False)
        .order_by("id")
    )
    for dose in doses:
        step = FOLLOWING[Step(dose.step)]
        dose.next_step_at = step_instant(step, dose.date, patient.hour, patient.zone)
    Dose.objects.bulk_update(doses, ["next_step_at"])


def _move_notice(patient: Patient, now: datetime) -> None:
    """A notice that waits for the morning waits for that of where the patient is now."""
    with suppress(NotFound):
        notices.move(read_plan(patient), now)
