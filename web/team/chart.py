"""Blood results as charts, with the schedule's decisions drawn over them, and as tables.

Shown and never judged: no interval, no advice and no alarm is made of them, and no line says what
is good. (Reference lines would be a clinic's own setting, and no clinic can set any yet.)
"""

from datetime import date, timedelta
from typing import Any

from reminders.health import blood
from reminders.health.blood import BloodTrend, Series
from reminders.health.blood_tests import plain
from reminders.models import Patient
from reminders.texts.wording import every
from web.team.moments import When

PERIOD = AHEAD = timedelta(days=365)
UNITS = {"10*9/L": "10⁹/L"}
"""Units as people write them, where UCUM does otherwise."""


def of(patient: Patient, today: date, when: When) -> dict[str, Any]:
    """The last year by the patient's dates, and what is decided for days to come. data: for the
    script that draws it."""
    trend = blood.trend(patient, today - PERIOD, today + AHEAD)
    first = min((series.points[0][0].taken_on for series in trend.series), default=today - PERIOD)
    marks = _marks(trend, first)
    return {
        "series": [_series(each) for each in trend.series],
        "marks": marks,
        "dates": _rows(trend),
        "data": {
            "from": _noon(first),
            "to": _noon(max([today, *(mark["on"] for mark in marks)])),
            "locale": str(when.locale).replace("_", "-"),
            "marks": [{"at": _noon(mark["on"]), "words": mark["words"]} for mark in marks],
            "series": [
                {
                    "id": f"chart-{each.test}",
                    "name": each.test.label,
                    "unit": UNITS.get(each.unit, each.unit),
                    "x": [_noon(result.taken_on) for result, _ in each.points],
                    "y": [float(value) for _, value in each.points],
                }
                for each in trend.series
            ],
        },
    }


def latest(patient: Patient, today: date, when: When) -> list[tuple[str, str]]:
    """The last result of each test in words, for a decision to rest on."""
    trend = blood.trend(patient, today - PERIOD, today)
    found = []
    for series in trend.series:
        result, value = series.points[-1]
        unit = UNITS.get(series.unit, series.unit)
        words = f"{series.test.label} {plain(value)} {unit}, {when.day(result.taken_on)}"
        found.append((str(result.id), words))
    return found


def _series(series: Series) -> dict[str, Any]:
    result, value = series.points[-1]
    return {
        "id": f"chart-{series.test}",
        "test": series.test,
        "name": series.test.label,
        "unit": UNITS.get(series.unit, series.unit),
        "latest": plain(value),
        "on": result.taken_on,
    }


def _rows(trend: BloodTrend) -> list[dict[str, Any]]:
    """The table: each date with a cell for each test, and decisions between, the latest first."""
    cells: dict[date, dict[str, list[str]]] = {}
    for series in trend.series:
        for result, value in series.points:
            of_day = cells.setdefault(result.taken_on, {})
            of_day.setdefault(series.test, []).append(plain(value))
    decided: dict[date, list[str]] = {}
    for mark in _marks(trend, min(cells, default=date.max)):
        decided.setdefault(mark["on"], []).append(mark["words"])
    return [
        {
            "on": day,
            "cells": [
                ", ".join(cells.get(day, {}).get(series.test, [])) for series in trend.series
            ],
            "decided": "; ".join(decided.get(day, [])),
        }
        for day in sorted({*cells, *decided}, reverse=True)
    ]


def _marks(trend: BloodTrend, first: date) -> list[dict[str, Any]]:
    """What was decided on the schedules, by the date from which it holds: those of before the
    first result stand at it, the last of them alone."""
    found: list[dict[str, Any]] = []
    for version in trend.versions:
        words = every("en", version.interval_days)
        found.append({"on": version.starts_on, "words": words})
    for schedule in {version.schedule for version in trend.versions}:
        if schedule.stopped_at is not None:
            found.append({"on": schedule.stopped_at.date(), "words": "ended"})
    found.sort(key=lambda mark: mark["on"])
    before = [mark for mark in found if mark["on"] < first]
    within = [mark for mark in found if mark["on"] >= first]
    return [*({**mark, "on": first} for mark in before[-1:]), *within]


def _noon(day: date) -> int:
    """A date for the script: seconds of its noon, so that no zone shifts it to another date."""
    return (day - date(1970, 1, 1)).days * 86_400 + 43_200
