"""Patients whose dose is due this very minute, whatever the time of day at which the tests run."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from reminders.models import Patient
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import Cast, make_patient


def zone_at_noon(now: datetime) -> str:
    """A zone in which it is about noon: reminders keep to the hours of the day."""
    ahead = 12 - now.hour
    # The signs in these names are the other way round than one expects.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def enrol_many(cast: Cast, many: int) -> list[Patient]:
    """Patients for whom it is noon, and whose hour has just come."""
    now = timezone.now()
    zone = zone_at_noon(now)
    local = now.astimezone(ZoneInfo(zone)) - timedelta(minutes=1)
    return [
        make_patient(
            cast.clinic,
            cast.clinician,
            name=f"P{number}",
            number=f"07700900{number:03}",
            time_zone=zone,
            hour=time(local.hour, local.minute),
            now=now,
        )
        for number in range(100, 100 + many)
    ]


def start_now(cast: Cast, patient: Patient) -> None:
    """Start a weekly schedule whose first dose is today's, which the next tick finds due."""
    now = timezone.now()
    today = now.astimezone(patient.zone).date()
    prescribing.start(patient.id, Decision(7, today), None, cast.actor, now)
