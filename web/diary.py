"""A patient's diary of how they feel."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.health.diary import EffectTrend, note_side_effect, trend
from reminders.models import Patient, Severity, SideEffect, SideEffectEntry, Source
from reminders.reading.own import ENTRIES, own_entries, own_entry
from reminders.understanding import Sign
from web.own import actor_of, day_of, notice, own, own_page, say, warn_of

WEEKS = 12


class Entry(forms.Form):
    effect = forms.ChoiceField(choices=SideEffect.choices)
    severity = forms.TypedChoiceField(choices=Severity.choices, coerce=int)
    signs = forms.MultipleChoiceField(choices=[(s.value, s.value) for s in Sign], required=False)
    on_date = forms.DateField()
    note = forms.CharField(max_length=500, required=False)


@require_safe
@own_page
def diary(request: HttpRequest, patient: Patient) -> HttpResponse:
    """/me/feel: the entries that hold, the newest first, and how each effect went."""
    before = request.GET.get("before")
    try:
        found = own_entries(patient, UUID(before) if before else None)
    except ValueError:
        raise Http404 from None
    today = local_date(timezone.now(), patient.zone)
    words = say(patient, "severity")
    entries = [
        {
            "entry": entry,
            "effect": say(patient, "effects")[entry.effect],
            "date": day_of(patient, entry.on_date, today),
            "severity": say(patient, "diary")["not_said"]
            if entry.severity is None
            else words[str(entry.severity)],
        }
        for entry in found[:ENTRIES]
    ]
    more = str(found[ENTRIES - 1].id) if len(found) > ENTRIES else ""
    weeks = _weeks(today)
    rows = [] if before else [_row(patient, each, weeks, today) for each in
                              trend(patient, weeks[0], today)]  # fmt: skip
    return own(
        request,
        patient,
        "diary",
        entries=entries,
        more=more,
        before=before,
        trend=rows,
        key=sorted(words.items()),
    )


def _weeks(today: date) -> list[date]:
    """The Mondays of the last weeks, rising."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]


def _row(patient: Patient, each: EffectTrend, weeks: list[date], today: date) -> dict[str, Any]:
    """One effect with a cell for each week: how bad at worst, as a figure and in words."""
    known = {week.starts_on: week for week in each.weeks}
    words, severities = say(patient, "diary"), say(patient, "severity")
    cells = []
    for monday in weeks:
        week = known.get(monday)
        level = "none" if week is None else "said" if week.worst is None else str(week.worst)
        said = {"none": words["nothing"], "said": words["not_said"]} | severities
        of_week = words["week_of"].format(date=day_of(patient, monday, today))
        cells.append({"level": level, "words": f"{of_week}: {said[level]}"})
    return {"effect": say(patient, "effects")[each.effect], "cells": cells}


@require_http_methods(["GET", "POST"])
@own_page
def write(request: HttpRequest, patient: Patient, entry_id: UUID | None = None) -> HttpResponse:
    """/me/feel/new and /me/feel/…: a new entry, or one in an earlier one's place."""
    former = own_entry(patient, entry_id) if entry_id else None
    now = timezone.now()
    today = local_date(now, patient.zone)
    form = Entry(request.POST if request.method == "POST" else _first_guess(former, today))
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = {field: say(patient, "errors")[field] for field in form.errors}
        if not errors:
            try:
                return _keep(request, patient, form, former, now)
            except (Conflict, Invalid) as refusal:
                errors[refusal.field if refusal.field in form.fields else "effect"] = say(
                    patient, "errors"
                )[refusal.code]
    effects, severities = say(patient, "effects"), say(patient, "severity")
    return own(
        request,
        patient,
        "feel",
        422 if errors else 200,
        former=former,
        form=form,
        errors=errors,
        effects=[(effect, effects[effect]) for effect in SideEffect.values],
        severities=[(str(level), severities[str(level)]) for level in Severity.values],
        signs=[(sign.value, say(patient, "signs")[sign.value]) for sign in Sign],
        latest=today.isoformat(),
    )


def _keep(
    request: HttpRequest,
    patient: Patient,
    form: Entry,
    former: SideEffectEntry | None,
    now: datetime,
) -> HttpResponse:
    told = form.cleaned_data
    kept = note_side_effect(
        patient.id,
        SideEffect(told["effect"]),
        Severity(told["severity"]),
        told["on_date"],
        told["note"],
        Source.PAGE,
        actor_of(request),
        now,
        corrects=former.id if former else None,
        signs=told["signs"],
    )
    notice(request, patient, "felt")
    warn_of(request, patient, kept.signs)
    return redirect("diary")


def _first_guess(former: SideEffectEntry | None, today: date) -> dict[str, Any] | None:
    if former is None:
        return {"on_date": today.isoformat()}
    severity = former.severity
    return {
        "effect": former.effect,
        "severity": "" if severity is None else str(severity),
        "on_date": former.on_date.isoformat(),
        "note": former.note,
    }
