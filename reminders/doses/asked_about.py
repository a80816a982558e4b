"""Which dose a patient's answer can be about."""

from datetime import date, datetime, timedelta
from itertools import islice

from reminders.dates.schedule import dose_dates, local_date
from reminders.models import Dose, DoseRecord, DoseState, Patient, Status, Told

NEXT_DATES = 3
"""As many as fit into a text."""


def open_dose(patient: Patient, now: datetime) -> Dose | None:
    """The dose that waits for an answer: the one asked about last, else one planned today, for a
    patient who is ahead of the text."""
    today = local_date(now, patient.zone)
    found = list(
        Dose.objects.filter(
            schedule__patient=patient,
            state__in=[DoseState.DUE, DoseState.PLANNED],
            date__lte=today,
        )
        .select_related("version", "schedule")
        .order_by("date")
    )
    due = [dose for dose in found if dose.state == DoseState.DUE]
    planned = [dose for dose in found if dose.date == today]
    return due[-1] if due else planned[-1] if planned else None


def latest_dose(patient: Patient, now: datetime) -> Dose | None:
    """The latest dose that was asked about or told of, as long as it is nearer than the next."""
    dose = (
        Dose.objects.filter(schedule__patient=patient)
        .exclude(state__in=[DoseState.PLANNED, DoseState.CANCELLED])
        .select_related("version", "schedule")
        .order_by("-date")
        .first()
    )
    if dose is None:
        return None
    age = (local_date(now, patient.zone) - dose.date).days
    return dose if age < dose.version.interval_days else None


def told_lately(dose: Dose, told: Told, since: datetime) -> bool:
    """Whether just this was told of it already."""
    record = DoseRecord.objects.filter(dose=dose).order_by("-number").first()
    return record is not None and record.told == told and record.recorded_at > since


def next_dates(patient: Patient) -> list[date]:
    """The next dates of a running schedule; none without one."""
    dose = (
        Dose.objects.filter(
            schedule__patient=patient, schedule__status=Status.RUNNING, state=DoseState.PLANNED
        )
        .select_related("schedule")
        .first()
    )
    if dose is None:
        return []
    versions = [version.pure() for version in dose.schedule.versions.all()]
    return [
        day for day, _ in islice(dose_dates(versions, dose.date - timedelta(days=1)), NEXT_DATES)
    ]
