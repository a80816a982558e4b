"""Noting an injection that belongs to no dose, as a fact: of a date that a change, pause or stop
closed, or that no plan gave.

No dose has a date of before its version was recorded, and a closed one stays closed. But what was
injected was: whoever looks for injections close by, for the last one or for its site, finds it.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, When

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.dates.schedule import local_date
from reminders.doses.injection_checks import (
    check_injection,
    check_near,
    findings,
    same_site,
    settle_as_prescribed,
    signs_in,
)
from reminders.models import Dose, DoseState, Injection, Patient, Source
from reminders.schedules.effects import Caution
from reminders.schedules.injections import near_injection
from reminders.schedules.plan import lock_patient
from reminders.worklist.items import open_items

OLDEST = timedelta(days=366)
"""How long ago a date may lie: what is older is a slip of the keys, or belongs in the notes."""


@dataclass(frozen=True)
class Injected:
    """An injection as somebody tells of it. taken_on, taken_at: where the patient is.
    as_prescribed: whether the dose was; None if they don't say.

    confirmed: they know that another injection lies nearer than the clinic's least gap.
    """

    taken_on: date
    taken_at: time | None = None
    site: str = ""
    as_prescribed: bool | None = None
    note: str = ""
    confirmed: bool = False


@dataclass(frozen=True)
class Noted:
    """A fact as it is kept. cautions: what to tell whoever noted it. signs: urgent ones in its
    note."""

    injection: Injection
    cautions: list[Caution]
    signs: list[str]


def note_injection(
    patient_id: UUID, injected: Injected, source: Source, actor: audit.Actor, now: datetime
) -> Noted:
    """Note an injection that belongs to no dose.

    It moves no dose and no plan. Raises Invalid, naming the field, for what can't be; Conflict
    (dose_there) where a dose of the plan is to be recorded instead, and (second_dose_close) where
    another injection lies nearer than the clinic's least gap and it isn't `confirmed`.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        noted = _note(patient, injected, None, source, actor, now)
        audit.record(
            actor,
            "note_injection",
            clinic_id=patient.clinic_id,
            subject_id=noted.injection.id,
            source=source,
        )
    return noted


def correct_injection(
    patient_id: UUID,
    injection_id: UUID,
    injected: Injected | None,
    source: Source,
    actor: audit.Actor,
    now: datetime,
) -> Noted:
    """Put another fact in one's place; None takes it back. The first stays as it was.

    Raises NotFound, Conflict if it was corrected already, and what note_injection does.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        former = Injection.objects.filter(patient=patient, id=injection_id).first()
        if former is None:
            raise NotFound("injection")
        if Injection.objects.filter(corrects=former).exists():
            raise Conflict(
                "corrected_already", "This injection has been corrected. Correct that one."
            )
        if former.taken_on is None:
            raise Conflict("taken_back", "This injection was taken back. Note it anew.")
        noted = _note(patient, injected, former, source, actor, now)
        audit.record(
            actor,
            "correct_injection",
            clinic_id=patient.clinic_id,
            subject_id=noted.injection.id,
            source=source,
            corrects=str(former.id),
        )
    return noted


def _note(
    patient: Patient,
    injected: Injected | None,
    former: Injection | None,
    source: Source,
    actor: audit.Actor,
    now: datetime,
) -> Noted:
    told: dict[str, Any] = {}
    near, cautions, signs = None, [], []
    if injected is not None:
        besides = [former.id] if former else []
        _check(patient, injected, now)
        near = near_injection(patient, injected.taken_on, besides)
        check_near(near, injected.taken_on, confirmed=injected.confirmed)
        cautions = same_site(injected.site, patient, injected.taken_on, besides)
        signs = signs_in(injected.note, patient)
        told = {name: value for name, value in vars(injected).items() if name != "confirmed"}
    injection = Injection.objects.create(
        patient=patient,
        source=source,
        recorded_by=actor.user if source == Source.STAFF else None,
        recorded_at=now,
        corrects=former,
        **told,
    )
    if injected is not None:
        open_items(
            findings(
                patient,
                {"injection": str(injection.id)},
                signs,
                taken_on=injected.taken_on,
                near=near,
                as_prescribed=injected.as_prescribed,
            ),
            now,
        )
    if former is not None:
        settle_as_prescribed(patient, now)
    return Noted(injection, cautions, signs)


def _check(patient: Patient, injected: Injected, now: datetime) -> None:
    check_injection(injected.taken_on, injected.site, patient, now)
    if injected.taken_on < local_date(now, patient.zone) - OLDEST:
        raise Invalid("taken_on", "Write a date of the last year.", "taken_on")
    dose = _dose_of(patient, injected.taken_on)
    if dose is not None:
        # Else the dose would be asked about, or missed, though it was injected.
        raise Conflict(
            "dose_there",
            f"The plan has a dose of {dose.date.isoformat()}. Record it there.",
            "taken_on",
            dose=str(dose.id),
            date=dose.date,
        )


def _dose_of(patient: Patient, day: date) -> Dose | None:
    """The dose that an injection of a day belongs to, if it can be recorded there: the latest by
    then, unless it was closed, or injected already."""
    dose = (
        Dose.objects.filter(schedule__patient=patient, date__lte=day)
        .order_by("-date", Case(When(state=DoseState.CANCELLED, then=1), default=0), F("id").desc())
        .first()
    )
    settled = (DoseState.CANCELLED, DoseState.TAKEN)
    return dose if dose is not None and dose.state not in settled else None
