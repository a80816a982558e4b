"""Blood results: entered, corrected, shown beside the plan, and asked for in a clinic's rhythm.

The software shows counts and their trend (FACTS, Blood counts). It makes no interval, no alarm and
no advice of them. That a result is due is a clinic's own rhythm, whatever the results say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.dates.schedule import local_date
from reminders.health.blood_tests import TESTS, check, shown
from reminders.models import (
    BloodResult,
    BloodTest,
    Cause,
    Patient,
    ResultSource,
    ScheduleVersion,
)
from reminders.schedules.plan import lock_patient
from reminders.worklist.items import Finding, settle_items

EARLIEST = date(1950, 1, 1)
"""An earlier date is a slip of the keys."""


@dataclass(frozen=True)
class Entry:
    """A result as it is written down. unit: UCUM; taken_on: when the blood was taken."""

    test: BloodTest
    value: Decimal
    unit: str
    taken_on: date
    note: str = ""


@dataclass(frozen=True)
class Series:
    """One test's results that hold, by date, each with its value in the unit of the trend."""

    test: BloodTest
    loinc: str
    unit: str
    points: list[tuple[BloodResult, Decimal]] = field(default_factory=list)


@dataclass(frozen=True)
class BloodTrend:
    """A patient's results, and the decisions on their schedules to draw over them, both rising."""

    series: list[Series]
    versions: list[ScheduleVersion]


def enter_result(patient_id: UUID, entry: Entry, actor: audit.Actor, now: datetime) -> BloodResult:
    """Enter one result. Raises Invalid, naming the field, for what can't be meant.

    An item that says a result is due closes, unless by this one's date the next is due as well.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        result = _store(patient, entry, None, actor, now)
        settle_due([patient.id], now)
        audit.record(actor, "enter_result", clinic_id=patient.clinic_id, subject_id=result.id)
    return result


def enter_results(
    patient_id: UUID, entries: Sequence[Entry], actor: audit.Actor, now: datetime
) -> list[BloodResult]:
    """Enter all results of one sample, or none; else as enter_result."""
    with transaction.atomic():
        patient = lock_patient(patient_id)
        made = [_made(patient, entry, None, actor, now) for entry in entries]
        results = BloodResult.objects.bulk_create(made)
        settle_due([patient.id], now)
        audit.record(
            actor,
            "enter_results",
            clinic_id=patient.clinic_id,
            subject_id=patient.id,
            results=[str(result.id) for result in results],
        )
    return results


def correct_result(
    patient_id: UUID, result_id: UUID, entry: Entry | None, actor: audit.Actor, now: datetime
) -> BloodResult:
    """Put another entry in a result's place; None takes it back, as when it was somebody else's.

    The first stays as it was. Raises NotFound, Invalid, or Conflict if it was corrected already.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        former = BloodResult.objects.filter(patient=patient, id=result_id).first()
        if former is None:
            raise NotFound("result")
        if BloodResult.objects.filter(corrects=former).exists():
            raise Conflict("corrected_already", "This result has been corrected. Correct that one.")
        result = _store(patient, entry, former, actor, now)
        settle_due([patient.id], now)
        audit.record(
            actor,
            "correct_result",
            clinic_id=patient.clinic_id,
            subject_id=result.id,
            corrects=str(former.id),
        )
    return result


def _store(
    patient: Patient,
    entry: Entry | None,
    former: BloodResult | None,
    actor: audit.Actor,
    now: datetime,
) -> BloodResult:
    result = _made(patient, entry, former, actor, now)
    result.save()
    return result


def _made(
    patient: Patient,
    entry: Entry | None,
    former: BloodResult | None,
    actor: audit.Actor,
    now: datetime,
) -> BloodResult:
    """A result that isn't stored yet."""
    if entry is not None:
        check_entry(entry, local_date(now, patient.zone))
    return BloodResult(
        patient=patient,
        source=ResultSource.STAFF,
        entered_by=actor.user,
        entered_at=now,
        corrects=former,
        **(vars(entry) if entry is not None else _taken_back(former)),
    )


def _taken_back(former: BloodResult | None) -> dict[str, Any]:
    """What a result that holds no more is replaced by."""
    return {name: getattr(former, name) for name in ("test", "unit", "taken_on")}


def check_entry(entry: Entry, today: date) -> None:
    """Refuse, with Invalid, what can't be meant. today: where the patient is."""
    check(entry.test, entry.value, entry.unit)
    if not EARLIEST <= entry.taken_on <= today:
        raise Invalid(
            "taken_on", "Write the date on which the blood was taken, today at the latest.",
            "taken_on",
        )  # fmt: skip


def results(patient: Patient) -> QuerySet[BloodResult]:
    """A patient's results, all that were entered. `corrected_by` of each is the one that holds
    instead."""
    return (
        BloodResult.objects.filter(patient=patient)
        .select_related("entered_by")
        .annotate(corrected_by=F("correction__id"))
    )


def trend(patient: Patient, since: date, until: date) -> BloodTrend:
    """The results of a period by test, those that hold, with the decisions on all schedules that
    the patient has or had (also of before the period: one of them holds at its beginning)."""
    series = {test: Series(test, kind.loinc, kind.shown_in) for test, kind in TESTS.items()}
    found = BloodResult.objects.filter(
        patient=patient,
        taken_on__range=(since, until),
        correction__isnull=True,
        value__isnull=False,
    )
    for result in found.order_by("taken_on", "id"):
        test = BloodTest(result.test)
        if result.value is not None:
            series[test].points.append((result, shown(test, result.value, result.unit)))
    versions = (
        ScheduleVersion.objects.filter(schedule__patient=patient, starts_on__lte=until)
        .select_related("schedule")
        .order_by("schedule_id", "number")
    )
    return BloodTrend([each for each in series.values() if each.points], list(versions))


def due_results(now: datetime) -> list[Finding]:
    """Whose next result is due: patients with a running schedule, in clinics that chose a rhythm.

    It is counted from the last result or the first date of the schedule, whichever is later. What
    a person has closed comes up again when one more rhythm has passed without a result.
    """
    return [
        Finding(patient_id, Cause.RESULT_DUE, {"since": since.isoformat(), "days": days})
        for patient_id, since, days, closed in _due(now)
        if not closed
    ]


def settle_due(patient_ids: list[UUID], now: datetime) -> None:
    """Close what says that a result is due, of those patients of whom none is due any more."""
    still = {patient_id for patient_id, *_ in _due(now, patient_ids)}
    settle_items(
        [each for each in patient_ids if each not in still], [Cause.RESULT_DUE], now,
        event="blood_result",
    )  # fmt: skip


def _due(
    now: datetime, patient_ids: list[UUID] | None = None
) -> list[tuple[UUID, date, int, bool]]:
    """Of all patients or of these: whose result is due, since when it is counted, the clinic's
    rhythm, and whether a person has closed the item of this rhythm."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "patients": patient_ids})
        found: list[tuple[UUID, date, int, bool]] = cursor.fetchall()
    return found


_DUE = """
    SELECT patient.id, counted.since, policy.result_days, EXISTS (
        SELECT FROM reminders_workitem AS item
        WHERE item.patient_id = patient.id AND item.cause = 'result_due'
            AND item.outcome IN ('done', 'not_needed')
            AND item.closed_at > %(now)s - policy.result_days * interval '1 day')
    FROM reminders_policy AS policy
    JOIN reminders_patient AS patient ON patient.clinic_id = policy.clinic_id
    JOIN reminders_schedule AS schedule ON schedule.patient_id = patient.id
    CROSS JOIN LATERAL (
        SELECT greatest(
            (SELECT starts_on FROM reminders_scheduleversion AS version
             WHERE version.schedule_id = schedule.id AND version.number = 1),
            (SELECT max(taken_on) FROM reminders_bloodresult AS result
             WHERE result.patient_id = patient.id AND result.value IS NOT NULL AND NOT EXISTS (
                 SELECT FROM reminders_bloodresult AS correction
                 WHERE correction.corrects_id = result.id))) AS since) AS counted
    WHERE policy.result_days IS NOT NULL AND schedule.status = 'running'
        AND (%(patients)s::uuid[] IS NULL OR patient.id = ANY (%(patients)s::uuid[]))
        AND counted.since + policy.result_days
            <= (%(now)s AT TIME ZONE patient.time_zone)::date
    ORDER BY patient.id
"""
