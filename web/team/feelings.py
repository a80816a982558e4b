"""How a patient feels: the diary's trend, and its entries."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import May
from reminders.health import diary
from reminders.health.diary import EffectTrend
from reminders.models import Patient, Severity, SideEffectEntry
from reminders.reading import care
from web.team.desk import Desk, after, show, team_page
from web.team.moments import When

WEEKS = 12
MOST = 40


def of(patient: Patient, today: date, when: When) -> dict[str, Any]:
    """Each effect's last weeks: how bad at worst, as a figure and in words."""
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    return {
        "weeks": weeks,
        "rows": [_row(each, weeks, when) for each in diary.trend(patient, weeks[0], today)],
        "key": Severity.choices,
    }


def _row(each: EffectTrend, weeks: list[date], when: When) -> dict[str, Any]:
    known = {week.starts_on: week for week in each.weeks}
    cells = []
    for monday in weeks:
        week = known.get(monday)
        level = "none" if week is None else "said" if week.worst is None else str(week.worst)
        said = {"none": "nothing noted", "said": "not said how bad"}
        words = said.get(level) or Severity(int(level)).label
        cells.append({"level": level, "words": f"Week of {when.day(monday)}: {words}"})
    return {"effect": each.effect.label, "cells": cells}


@require_safe
@team_page
def entries(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../diary: the newest first, with what was corrected."""
    patient = care.patient_for(desk.user, patient_id, May.SEE_PATIENTS)
    rows = diary.entries(patient)
    if (last := after(request)) is not None:
        rows = rows.filter(id__lt=last)
    found = list(rows.order_by("-id")[: MOST + 1])
    return show(
        request,
        desk,
        "patients/diary",
        patient=patient,
        entries=[_shown(entry) for entry in found[:MOST]],
        more=str(found[MOST - 1].id) if len(found) > MOST else "",
        after=request.GET.get("after"),
    )


def _shown(entry: SideEffectEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "severity": "Not said how bad"
        if entry.severity is None
        else Severity(entry.severity).label,
        "corrected": getattr(entry, "corrected_by", None) is not None,
    }
