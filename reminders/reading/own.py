"""What patients see of themselves on their own pages."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from accounts.refusals import NotFound
from reminders.dates.schedule import local_date
from reminders.doses.asked_about import latest_dose, next_dates, open_dose
from reminders.models import (
    Dose,
    DoseRecord,
    DoseState,
    Patient,
    Schedule,
    SideEffectEntry,
    Status,
)
from reminders.schedules.formerly import same_person

PAST_DOSES = 20
ENTRIES = 20
"""Rows of one page."""


@dataclass(frozen=True)
class OwnPlan:
    """A patient's plan as it is for them today.

    waiting: the dose to answer for, due or planned for today. latest: the one that was asked about
    or told of last, while it is nearer than the next. status: running, paused or stopped; "none"
    before the first schedule. interval_days: None unless it runs. dates: the next ones. planned:
    the dose of the first of these.
    """

    today: date
    status: str
    waiting: Dose | None
    latest: Dose | None
    interval_days: int | None
    dates: list[date]
    planned: Dose | None


def own_plan(patient: Patient, now: datetime) -> OwnPlan:
    """The patient's plan today."""
    schedule = Schedule.objects.filter(patient=patient).order_by("-id").first()
    planned = None
    if schedule is not None:
        planned = (
            Dose.objects.filter(schedule=schedule, state=DoseState.PLANNED)
            .select_related("version")
            .first()
        )
    return OwnPlan(
        today=local_date(now, patient.zone),
        status=schedule.status if schedule else "none",
        waiting=open_dose(patient, now),
        latest=latest_dose(patient, now),
        interval_days=planned.version.interval_days if planned else None,
        dates=next_dates(patient) if schedule and schedule.status == Status.RUNNING else [],
        planned=planned,
    )


def own_dose(patient: Patient, dose_id: UUID) -> Dose:
    """One of the patient's doses with its records; NotFound for anybody else's, and for one that a
    change of plan closed."""
    doses = Dose.objects.filter(schedule__patient=patient).exclude(state=DoseState.CANCELLED)
    found = doses.select_related("version").prefetch_related("records").filter(id=dose_id).first()
    if found is None:
        raise NotFound("dose")
    return found


def own_past(patient: Patient, before: date | None) -> list[Dose]:
    """Doses that were asked about or told of, the latest first, those at former clinics among them;
    `before` a date for the next page. One row more than a page has says that there is another."""
    doses = Dose.objects.filter(schedule__patient__in=same_person(patient)).exclude(
        state__in=[DoseState.PLANNED, DoseState.CANCELLED]
    )
    if before is not None:
        doses = doses.filter(date__lt=before)
    return list(
        doses.select_related("schedule")
        .prefetch_related("records")
        .order_by("-date", "-id")[: PAST_DOSES + 1]
    )


def holding(dose: Dose) -> DoseRecord | None:
    """The record that holds, of a dose whose records were fetched."""
    return max(dose.records.all(), key=lambda record: record.number, default=None)


def own_entries(patient: Patient, before: UUID | None) -> list[SideEffectEntry]:
    """The diary's entries that hold, the newest first; `before` an entry for the next page. One row
    more than a page has says that there is another."""
    entries = SideEffectEntry.objects.filter(patient=patient, correction__isnull=True)
    if before is not None:
        entries = entries.filter(id__lt=before)
    return list(entries.order_by("-id")[: ENTRIES + 1])


def own_entry(patient: Patient, entry_id: UUID) -> SideEffectEntry:
    """One entry of the patient's diary that holds; NotFound for any other."""
    entry = SideEffectEntry.objects.filter(
        patient=patient, id=entry_id, correction__isnull=True
    ).first()
    if entry is None:
        raise NotFound("entry")
    return entry
