"""What became of a patient's doses: figures, and a calendar."""

from calendar import Calendar
from dataclasses import fields
from datetime import date
from typing import Any

from django.db.models import QuerySet

from reminders.doses import adherence
from reminders.doses.adherence import IN_WORDS, Became, Day, Figures
from reminders.models import Dose, DoseState, Patient
from reminders.policies import policy_of
from web.team.moments import When

MONTHS = 6
MARKS: dict[Became, str] = {
    Became.ON_TIME: "✓",
    Became.LATE: "L",
    Became.SKIPPED: "S",
    Became.NO_ANSWER: "✕",
    Became.NOT_ASKED: "○",
    Became.UNKNOWN: "?",
}
"""What stands in a calendar, for those who don't see colours."""
WEEKDAYS = [("M", "Monday"), ("T", "Tuesday"), ("W", "Wednesday"), ("T", "Thursday"),
            ("F", "Friday"), ("S", "Saturday"), ("S", "Sunday")]  # fmt: skip


def asked(doses: QuerySet[Dose]) -> QuerySet[Dose]:
    """Of a patient's doses those that were asked for or told of."""
    return doses.exclude(state__in=[DoseState.PLANNED, DoseState.CANCELLED])


def of(patient: Patient, today: date, when: When) -> dict[str, Any]:
    """The last months, with the present one, by the patient's dates."""
    months = _months(today)
    since = months[0]
    days = adherence.calendar(patient, since, today)
    figures = adherence.figures_of(days)
    return {
        "since": since,
        "on_time_days": policy_of(patient.clinic_id).on_time_days,
        "due": figures.due,
        "figures": _figures(figures),
        "months": [_month(month, days, today, when) for month in months],
        "weekdays": WEEKDAYS,
    }


def _figures(figures: Figures) -> list[dict[str, Any]]:
    """Each figure but the sum, with its words, its mark and its part in hundred."""
    return [
        {
            "became": became.value,
            "words": IN_WORDS[became],
            "mark": MARKS[became],
            "number": number,
            "percent": round(100 * number / figures.due) if figures.due else 0,
        }
        for became in (Became(field.name) for field in fields(Figures) if field.name != "due")
        if (number := getattr(figures, became.value)) is not None
    ]


def _months(today: date) -> list[date]:
    """The first days of the months that are shown, rising."""
    number = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(number - MONTHS + 1, number + 1)]


def _month(first: date, days: list[Day], today: date, when: When) -> dict[str, Any]:
    known = {day.on: day for day in days}
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return {
        "name": when.month(first),
        "weeks": [[_cell(day, first, known, today) for day in week] for week in weeks],
    }


def _cell(day: date, first: date, known: dict[date, Day], today: date) -> dict[str, Any] | None:
    """A day of this month; None for one of another."""
    if day.month != first.month:
        return None
    dose = known.get(day)
    return {
        "day": day.day,
        "today": day == today,
        "became": dose.became.value if dose else "",
        "mark": MARKS[dose.became] if dose else "",
        "words": IN_WORDS[dose.became] if dose else "",
    }
