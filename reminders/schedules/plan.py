"""A patient's schedule as its verbs see it: read whole, under locks or without."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q

from accounts.refusals import Conflict, NotFound, Stale
from reminders.dates.ladder import FOLLOWING, NOTICE_DAYS, Step, step_instant
from reminders.dates.schedule import Version, dates_between, local_date, next_dose
from reminders.models import Dose, DoseState, Patient, Schedule, ScheduleVersion
from reminders.schedules.injections import last_recorded

ANSWERED = (DoseState.TAKEN, DoseState.SKIPPED, DoseState.MISSED)


@dataclass
class Plan:
    """A schedule with its patient, its versions in order, its due doses that nobody has answered,
    its planned dose, the dates of the latest dose that was asked for (of all, and of those that
    were answered or missed), and when the last injection that was recorded or noted was done."""

    patient: Patient
    schedule: Schedule
    versions: list[ScheduleVersion]
    due: list[Dose]
    planned: Dose | None
    last_asked_on: date | None
    last_answered_on: date | None
    last_taken_on: date | None = None

    @property
    def last_injection_on(self) -> date | None:
        """The last injection that is known: recorded, noted, or a fact of before the schedule."""
        known = (self.schedule.last_injection_on, self.last_taken_on)
        return max((day for day in known if day is not None), default=None)

    @property
    def token(self) -> str:
        """Names this state: version, status, review, open doses, last injection. It is the ETag.

        The planned dose is one of them: after an outage another may have come and gone.
        """
        parts = [
            self.schedule.id,
            len(self.versions),
            self.schedule.status,
            self.schedule.review_on,
            self.last_injection_on,
            *(dose.id for dose in self.due),
            self.planned and self.planned.id,
        ]
        return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:32]

    @property
    def version(self) -> ScheduleVersion:
        """The latest decision."""
        return self.versions[-1]

    def today(self, now: datetime) -> date:
        """The date where the patient is."""
        return local_date(now, self.patient.zone)

    def next_after(self, day: date) -> Dose | None:
        """The dose to plan after a date, not stored; None while no version gives one."""
        return dose_after(day, self.schedule, self.patient, self.versions)

    def instant(self, step: Step, day: date) -> datetime:
        """When a step of the dose of a date is due."""
        return step_instant(step, day, self.patient.hour, self.patient.zone)

    def reminder_at(self, day: date) -> datetime:
        """When the first reminder of a date's dose goes out."""
        return self.instant(Step.DAY, day)

    def upcoming(self, due: Iterable[Dose], planned: Dose | None) -> list[datetime]:
        """Instants of the reminders that go before any notice."""
        instants = [
            dose.next_step_at
            for dose in due
            if dose.next_step_at is not None and FOLLOWING[Step(dose.step)] == Step.NEXT
        ]
        if planned is not None:
            pure = [version.pure() for version in self.versions]
            instants += [
                self.instant(step, day)
                for day in dates_ahead(planned.date, pure)
                for step in (Step.DAY, Step.NEXT)
            ]
        return instants

    def days_since_last(self, day: date) -> int | None:
        """Days from the last injection that is known, or else was asked for, to a date."""
        known = [d for d in (self.last_injection_on, self.last_asked_on) if d is not None]
        return (day - max(known)).days if known else None


def dates_ahead(first: date, versions: Sequence[Version]) -> list[date]:
    """The dates from the planned dose's on whose texts go before those that matter less: as far as
    a week's limit reaches from the latest instant that a notice may wait for."""
    return dates_between(versions, first, first + timedelta(days=NOTICE_DAYS + 7))


def dose_after(
    day: date, schedule: Schedule, patient: Patient, versions: Sequence[ScheduleVersion]
) -> Dose | None:
    """The dose to plan after a date, not stored; None while no version gives one."""
    found = next_dose([version.pure() for version in versions], day)
    if found is None:
        return None
    date_, pure = found
    return Dose(
        schedule=schedule,
        version=next(version for version in versions if version.number == pure.number),
        date=date_,
        next_step_at=step_instant(Step.DAY, date_, patient.hour, patient.zone),
    )


def lock_patient(patient_id: UUID) -> Patient:
    """The patient, locked for the transaction: the first lock of every verb. Raises Conflict for
    one whom another clinic took over: what happened here stays as it is."""
    patient = (
        Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(id=patient_id)
    )
    if patient.left_at is not None:
        raise Conflict("left", "Another clinic has taken this patient over. Ask there.")
    return patient


def lock_plan(patient_id: UUID, token: str) -> Plan:
    """The patient's plan under the locks of patient, schedule and doses, in that order.

    Raises NotFound without a schedule, and Stale if it is no longer as `token` says.
    """
    patient = lock_patient(patient_id)
    schedule = _latest(patient, locked=True)
    list(
        Dose.objects.select_for_update(of=("self",))
        .filter(schedule=schedule, next_step_at__isnull=False)
        .order_by("id")
        .values_list("id")
    )
    plan = _read(patient, schedule)
    if plan.token != token:
        raise Stale(
            "changed_meanwhile",
            "Somebody changed this schedule, or a dose became due, since you looked. "
            "Look at it as it is now, and decide again.",
            plan=plan,
        )
    return plan


def read_plan(patient: Patient) -> Plan:
    """The patient's plan without locks: the running or paused schedule, or else the last one.

    Raises NotFound if there never was one.
    """
    return _read(patient, _latest(patient, locked=False))


def _latest(patient: Patient, *, locked: bool) -> Schedule:
    schedules = Schedule.objects.filter(patient=patient)
    if locked:
        schedules = schedules.select_for_update()
    found = list(schedules.order_by("-id")[:1])
    if not found:
        raise NotFound("schedule")
    return found[0]


def _read(patient: Patient, schedule: Schedule) -> Plan:
    schedule.patient = patient
    versions = list(
        ScheduleVersion.objects.filter(schedule=schedule)
        .select_related("decided_by")
        .order_by("number")
    )
    open_doses = list(
        Dose.objects.filter(schedule=schedule, next_step_at__isnull=False).order_by("date")
    )
    # A dose that was closed after it was asked for was asked for; one cancelled before was not.
    asked = (
        Dose.objects.filter(schedule=schedule)
        .exclude(step="", state__in=(DoseState.PLANNED, DoseState.CANCELLED))
        .aggregate(asked=Max("date"), answered=Max("date", filter=Q(state__in=ANSWERED)))
    )
    return Plan(
        patient=patient,
        schedule=schedule,
        versions=versions,
        due=[dose for dose in open_doses if dose.state == DoseState.DUE],
        planned=next((dose for dose in open_doses if dose.state == DoseState.PLANNED), None),
        last_asked_on=asked["asked"],
        last_answered_on=asked["answered"],
        last_taken_on=last_recorded(patient),
    )
