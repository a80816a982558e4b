"""The one guarded way to what belongs to patients: every door reads through here.

Whoever asks has a user and a permission; strangers to the clinic get NotFound, its own people in
another role Forbidden.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from accounts.access import May, clinics_of, demand
from accounts.models import Clinic, User
from accounts.refusals import NotFound
from messaging import outbox
from messaging.models import Scope, Sms
from reminders.dates.schedule import dose_dates
from reminders.models import (
    Answer,
    Dose,
    Injection,
    NumberChange,
    Patient,
    Schedule,
    Status,
    WorkItem,
    WorkNote,
)
from reminders.numbers import numbers_like
from reminders.schedules.formerly import same_person
from reminders.schedules.injections import injections
from reminders.schedules.plan import Plan, read_plan


@dataclass(frozen=True)
class Coming:
    """A date of an injection to come, or one that waits for an answer."""

    date: date
    interval_days: int
    state: str
    remind_at: datetime


@dataclass(frozen=True)
class NewNumber:
    """A new number that waits for its code, and what became of the text that brings it."""

    change: NumberChange
    text_state: str


def patient_for(user: User, patient_id: UUID, may: May) -> Patient:
    """The patient with their clinic, for somebody whose role there allows `may`."""
    patient = Patient.objects.select_related("clinic").filter(id=patient_id).first()
    if patient is None:
        raise NotFound("patient")
    demand(user, patient.clinic_id, may, "patient")
    return patient


def patients_for(
    user: User,
    *,
    clinic_id: UUID | None = None,
    status: str = "",
    interval_days: int | None = None,
    search: str = "",
) -> QuerySet[Patient]:
    """The patients whom the user may see, filtered.

    status: running, paused or stopped (of the patient's latest schedule), or "none" for patients
    without one. search: words that begin a part of the name or reference, or a number's digits.
    """
    clinics = clinics_of(user, May.SEE_PATIENTS)
    patients = Patient.objects.filter(clinic_id__in=clinics)
    if clinic_id is not None:
        patients = patients.filter(clinic_id=clinic_id)
    schedules = Schedule.objects.filter(patient=OuterRef("pk"))
    open_ones = schedules.filter(status__in=[Status.RUNNING, Status.PAUSED])
    if status == "none":
        patients = patients.filter(~Exists(schedules))
    elif status == Status.STOPPED:
        patients = patients.filter(Exists(schedules), ~Exists(open_ones))
    elif status:
        patients = patients.filter(Exists(schedules.filter(status=status)))
    if interval_days is not None:
        patients = patients.filter(
            Exists(
                Dose.objects.filter(
                    schedule__patient=OuterRef("pk"),
                    state="planned",
                    version__interval_days=interval_days,
                )
            )
        )
    if search:
        phones = Clinic.objects.filter(id__in=clinics).values_list("phone", flat=True)
        patients = patients.filter(_matches(search, phones))
    return patients.select_related("clinic")


def schedule_for(user: User, patient_id: UUID, may: May) -> Plan:
    """The patient's plan; NotFound if they never had one."""
    return read_plan(patient_for(user, patient_id, may))


def coming_for(user: User, patient_id: UUID, weeks: int, now: datetime) -> list[Coming]:
    """The doses that wait for an answer, and the dates to come for some weeks, rising."""
    plan = schedule_for(user, patient_id, May.SEE_PATIENTS)
    waiting = [
        Coming(dose.date, dose.version.interval_days, "due", plan.reminder_at(dose.date))
        for dose in plan.due
    ]
    if plan.planned is None:
        return waiting
    last = plan.today(now) + timedelta(weeks=weeks)
    ahead = takewhile(
        lambda found: found[0] <= last,
        dose_dates(
            [version.pure() for version in plan.versions], plan.planned.date - timedelta(days=1)
        ),
    )
    return waiting + [
        Coming(day, version.interval_days, "planned", plan.reminder_at(day))
        for day, version in ahead
    ]


def texts_for(user: User, patient_id: UUID) -> QuerySet[Sms]:
    """The texts to a patient."""
    patient = patient_for(user, patient_id, May.SEE_PATIENTS)
    return outbox.texts_of(patient.id, Scope.CARE)


def answers_for(user: User, patient_id: UUID) -> QuerySet[Answer]:
    """What a patient wrote, and what we made of it."""
    patient = patient_for(user, patient_id, May.SEE_PATIENTS)
    return patient.answers.select_related("inbound")


def doses_for(user: User, patient_id: UUID) -> QuerySet[Dose]:
    """A patient's doses, with what was told of each, those at former clinics among them."""
    patient = patient_for(user, patient_id, May.SEE_PATIENTS)
    doses = Dose.objects.filter(schedule__patient__in=same_person(patient))
    return doses.prefetch_related("records__recorded_by")


def injections_for(user: User, patient_id: UUID) -> QuerySet[Injection]:
    """A patient's injections that belong to no dose, those at former clinics among them."""
    return injections(patient_for(user, patient_id, May.SEE_PATIENTS))


def worklist_for(
    user: User,
    now: datetime,
    *,
    clinic_id: UUID | None = None,
    cause: str = "",
    urgency: int | None = None,
    mine: bool = False,
    after: tuple[int, UUID] | None = None,
) -> QuerySet[WorkItem]:
    """Open worklist items of the clinics whose patients the user may see, the most urgent and of
    these the oldest first, filtered.

    mine: those that the user has taken. after: urgency and id of the item before the first.
    """
    clinics = clinics_of(user, May.SEE_PATIENTS)
    items = WorkItem.objects.filter(closed_at__isnull=True, clinic_id__in=clinics)
    if clinic_id is not None:
        items = items.filter(clinic_id=clinic_id)
    if cause:
        items = items.filter(cause=cause)
    if urgency is not None:
        items = items.filter(urgency=urgency)
    if mine:
        items = items.filter(owner=user, owned_until__gt=now)
    if after is not None:
        items = items.filter(TupleGreaterThan(Tuple(F("urgency"), F("id")), after))
    return items.select_related("patient", "owner", "closed_by").order_by("urgency", "id")


def item_for(user: User, item_id: UUID, may: May) -> WorkItem:
    """An item with its patient, open or closed, for somebody whose role there allows `may`."""
    items = WorkItem.objects.select_related("patient", "owner", "closed_by")
    item = items.filter(id=item_id).first()
    if item is None:
        raise NotFound("item")
    demand(user, item.clinic_id, may, "item")
    return item


def notes_of(item: WorkItem) -> list[WorkNote]:
    """What happened to an item, oldest first."""
    return list(item.notes.select_related("by").order_by("id"))


def counts_for(user: User, clinic_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """How many items of a clinic are open, and how many of them taken, by urgency and cause."""
    demand(user, clinic_id, May.SEE_PATIENTS, "clinic")
    items = WorkItem.objects.filter(clinic_id=clinic_id, closed_at__isnull=True)
    counted = items.values("cause", "urgency").annotate(
        open=Count("id"), taken=Count("id", filter=Q(owned_until__gt=now))
    )
    return [dict(row) for row in counted.order_by("urgency", "cause")]


def plans_of(patients: Iterable[Patient]) -> dict[UUID, Schedule]:
    """The latest schedule of each of these patients, by patient."""
    schedules = (
        Schedule.objects.filter(patient__in=list(patients))
        .order_by("patient_id", "-id")
        .distinct("patient_id")
    )
    return {schedule.patient_id: schedule for schedule in schedules}


def new_numbers_of(patients: Iterable[Patient]) -> dict[UUID, NewNumber]:
    """The new number of each of these patients that waits for its code, by patient."""
    changes = list(NumberChange.objects.filter(patient__in=list(patients), outcome=""))
    states = {sms.about_id: sms.state for sms in outbox.texts_about([c.id for c in changes])}
    return {change.patient_id: NewNumber(change, states.get(change.id, "")) for change in changes}


def _matches(search: str, phones: Iterable[str]) -> Q:
    """Each word begins a word of name or reference; or it is a number as people there write it."""
    words = "".join(letter if letter.isalnum() else " " for letter in search).split()
    number = Q(number__in=numbers_like(search, phones))
    if not words:  # marks alone: Postgres refuses a query of no words
        return number
    # By the index on words first, always: how often a word begins so is more than Postgres can
    # guess, and guessing wrong it would walk through all patients.
    found = RawSQL(
        "WITH found AS MATERIALIZED (SELECT id FROM reminders_patient"
        " WHERE search @@ to_tsquery('simple', %s)) SELECT id FROM found",
        [" & ".join(f"'{word}':*" for word in words)],
    )
    return Q(id__in=found) | number
