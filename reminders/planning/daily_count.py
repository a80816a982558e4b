"""The daily count: which steps were due on a clinic's day, worked out afresh, against what was
asked and arrived.

That a dose should be there comes from the versions by SQL of its own, not from the code that plans
doses, so that a slip there is found the same day. What is missing is planned, and said.
"""

import logging
import traceback
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Max, Q, QuerySet

from accounts import audit
from accounts.models import Clinic
from reminders.dates.ladder import Step
from reminders.dates.schedule import local_date
from reminders.models import (
    Cause,
    DailyCount,
    Dose,
    DoseState,
    Schedule,
    ScheduleVersion,
    Status,
)
from reminders.planning.steps import MOST_TROUBLE
from reminders.schedules.plan import dose_after, lock_patient
from reminders.worklist.items import Finding, open_items

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=15)
"""How long after its hour a dose's first step may be on its way before its lack is a fault."""

LATE = timedelta(hours=2)
"""It is counted by the hour: after this nobody counts."""

FIGURES = [
    "due", "closed", "waiting", "sent", "delivered", "unknown", "failed", "not_texted", "stuck",
    "missing",
]  # fmt: skip
"""How many steps were due, and parts that add up to it (models.DailyCount)."""


def count_today(now: datetime) -> int:
    """Count the steps of each clinic's yesterday and today, and of what is today already where a
    patient is, as far as their hour has come; keep the figures (DailyCount), and plan what is
    missing. Answers how many doses were missing.

    Repeating it corrects the figures of these days, and repairs nothing twice.
    """
    asked: dict[str, Any] = {
        "now": now, "grace": GRACE, "trouble": MOST_TROUBLE, "steps": _STEPS,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT, asked)
        DailyCount.objects.bulk_create(
            [
                DailyCount(
                    clinic_id=clinic_id,
                    day=day,
                    step=step,
                    counted_at=now,
                    **dict(zip(FIGURES, figures, strict=True)),
                )
                for clinic_id, day, step, *figures in cursor.fetchall()
            ],
            update_conflicts=True,
            unique_fields=["clinic", "day", "step"],
            update_fields=["counted_at", *FIGURES],
        )
        cursor.execute(_MISSING, asked)
        missing: list[UUID] = [patient_id for (patient_id,) in cursor.fetchall()]
        cursor.execute(_UNCOUNTED)
        strange = [
            Finding(patient_id, Cause.PLAN_FAILED, {"time_zone": zone})
            for patient_id, zone in cursor.fetchall()
        ]
        open_items(strange, now)
    if strange:
        log.error("%s patients can't be counted: Postgres doesn't know their zone", len(strange))
    return sum(_repair_alone(patient_id, now) for patient_id in missing)


def late_for(now: datetime) -> float:
    """For how many seconds nobody has counted; 0 while there is nothing to count."""
    last: datetime | None = _recent(now).aggregate(last=Max("counted_at"))["last"]
    if last is None:
        first = ScheduleVersion.objects.order_by("id").first()
        last = max(first.decided_at, first.created_at) if first else now
    return max(0.0, (now - last).total_seconds())


def missing_at(now: datetime) -> list[DailyCount]:
    """Counts by which doses are missing, or were until they were planned just then."""
    return list(_recent(now).filter(missing__gt=0, counted_at__gt=now - LATE).order_by("id"))


def counts_of(clinic_id: UUID, since: date) -> list[DailyCount]:
    """A clinic's counts of its days from a date on, the latest first."""
    found = DailyCount.objects.filter(clinic_id=clinic_id, day__gte=since)
    return sorted(found, key=lambda row: (-row.day.toordinal(), _STEPS.index(row.step)))


def counts_today(now: datetime, clinic_ids: Collection[UUID] | None = None) -> list[DailyCount]:
    """The counts of each clinic's present day, which isn't everywhere the same date. clinic_ids:
    of these alone."""
    of_day: dict[date, list[UUID]] = {}
    clinics = (
        Clinic.objects.all() if clinic_ids is None else Clinic.objects.filter(id__in=clinic_ids)
    )
    for id_, zone in clinics.values_list("id", "time_zone"):
        of_day.setdefault(local_date(now, ZoneInfo(zone)), []).append(id_)
    today = Q(pk__in=[])
    for day, ids in of_day.items():
        today |= Q(day=day, clinic__in=ids)
    return list(DailyCount.objects.filter(today).order_by("clinic_id", "id"))


def _recent(now: datetime) -> QuerySet[DailyCount]:
    """Counts of days that are, somewhere, still to be counted again."""
    return DailyCount.objects.filter(day__gte=now.date() - timedelta(days=2))


_STEPS = [Step.DAY.value, Step.NEXT.value, Step.OVERDUE.value]


def _repair_alone(patient_id: UUID, now: datetime) -> bool:
    """Repair one patient's plan; what fails is a person's to look at, and costs no other's."""
    try:
        return _repair(patient_id, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it's one patient's
        # Where, but not the error's words: they may hold a row, name and number included.
        where = "".join(traceback.format_tb(error.__traceback__))
        what = type(error).__name__
        log.error("Repairing the plan of patient %s failed: %s\n%s", patient_id, what, where)
    with transaction.atomic():
        facts = {"not_repaired_on": now.date().isoformat()}
        open_items([Finding(patient_id, Cause.PLAN_FAILED, facts)], now)
    return False


def _repair(patient_id: UUID, now: datetime) -> bool:
    """Plan today's dose of a patient, if it is missing still; somebody looks at why it was."""
    with transaction.atomic():
        patient = lock_patient(patient_id)
        schedule = Schedule.objects.select_for_update().filter(
            patient=patient, status=Status.RUNNING
        ).first()  # fmt: skip
        if schedule is None:
            return False
        today = local_date(now, patient.zone)
        versions = list(ScheduleVersion.objects.filter(schedule=schedule).order_by("number"))
        dose = dose_after(today - timedelta(days=1), schedule, patient, versions)
        asked = Dose.objects.filter(schedule=schedule, date=today).exclude(
            step="", state="cancelled"
        )
        if dose is None or dose.date != today or asked.exists():
            return False
        Dose.objects.filter(schedule=schedule, state=DoseState.PLANNED).update(
            state=DoseState.CANCELLED, next_step_at=None
        )
        dose.save()
        DailyCount.objects.filter(clinic=patient.clinic_id, day=today, step=Step.DAY).update(
            repaired=F("repaired") + 1
        )
        open_items([Finding(patient.id, Cause.NO_PLAN, {"date": today.isoformat()})], now)
        audit.record(
            audit.CLOCK,
            "repair_plan",
            clinic_id=patient.clinic_id,
            subject_id=schedule.id,
            dose=str(dose.id),
        )
    log.error("the dose of %s of schedule %s was not planned, and is now", today, schedule.id)
    return True


# A zone is of pg_timezone_names, which is slow to read and so read once: one that Postgres doesn't
# know is an error of the whole statement. All that works with zones takes its name from there.
_RUNNING = """
    zone AS MATERIALIZED (SELECT name FROM pg_timezone_names),
    clinic AS MATERIALIZED (
        SELECT clinic.id, (%(now)s AT TIME ZONE COALESCE(zone.name, 'UTC'))::date AS today
        FROM accounts_clinic AS clinic LEFT JOIN zone ON zone.name = clinic.time_zone
    ), running AS (
        SELECT schedule.id, schedule.created_at, patient.id AS patient_id, patient.clinic_id,
            patient.hour, zone.name AS zone, clinic.today,
            (%(now)s AT TIME ZONE zone.name)::date AS here
        FROM reminders_schedule AS schedule
        JOIN reminders_patient AS patient ON patient.id = schedule.patient_id
        JOIN zone ON zone.name = patient.time_zone
        JOIN clinic ON clinic.id = patient.clinic_id
        WHERE schedule.status = 'running'
    )
"""
_STOOD = "(dose.state <> 'cancelled' OR dose.step <> '')"
"""Unlike a dose that was planned, and gave way to a decision before it was asked for."""

# Which doses should be there: the greatest version that holds on a day, by arithmetic. Of patients
# whose hour is long enough ago, and of versions that were decided before it. Two things make dates
# on which the schedule didn't run: at a former clinic, and, of a day that is over, a pause; what
# ends a pause is a version.
_ABSENT = f"""
    SELECT running.patient_id, running.clinic_id, running.id AS schedule_id, day.day, here
    FROM running
    CROSS JOIN LATERAL (VALUES (today - 1), (today), (today + 1)) AS day(day)
    CROSS JOIN LATERAL (SELECT (day.day + hour) AT TIME ZONE zone AS at) AS its
    CROSS JOIN LATERAL (
        SELECT version.number, version.starts_on, version.interval_days, version.decided_at
        FROM reminders_scheduleversion AS version
        WHERE version.schedule_id = running.id AND version.holds_from <= day.day
        ORDER BY version.number DESC LIMIT 1) AS held
    WHERE its.at <= %(now)s - %(grace)s AND held.decided_at <= %(now)s - %(grace)s
        AND day.day >= held.starts_on AND (day.day - held.starts_on) %% held.interval_days = 0
        AND (running.created_at <= its.at OR held.decided_at >= its.at)
        AND (day.day >= here OR NOT EXISTS (
            SELECT FROM reminders_scheduleversion AS later
            WHERE later.schedule_id = running.id AND later.number > held.number
                AND later.decided_at > its.at))
        AND NOT EXISTS (
            SELECT FROM reminders_dose AS dose
            WHERE dose.schedule_id = running.id AND dose.date = day.day AND {_STOOD})
"""  # noqa: S608 - here and below only our own SQL is formatted in

_PRESENT = f"""
    SELECT running.clinic_id, dose.date + step.days AS day, step.name AS step,
        CASE
            WHEN text.state IN ('queued', 'sending') THEN 'waiting'
            WHEN text.state IN ('accepted', 'sent') THEN 'sent'
            WHEN text.state IN ('delivered', 'unknown') THEN text.state
            WHEN text.state = 'cancelled' THEN 'closed'
            WHEN text.state IS NOT NULL THEN 'failed'
            WHEN dose.state = 'missed'
                OR array_position(%(steps)s::text[], dose.step::text) > step.days THEN 'not_texted'
            WHEN dose.state IN ('taken', 'skipped', 'cancelled') THEN 'closed'
            WHEN dose.trouble >= %(trouble)s THEN 'stuck'
            ELSE 'waiting'
        END AS figure
    FROM running
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (date) id, date, state, step, trouble FROM reminders_dose AS dose
        WHERE dose.schedule_id = running.id AND date BETWEEN today - 3 AND today + 1 AND {_STOOD}
        ORDER BY date, (state = 'cancelled')) AS dose
    JOIN (VALUES ('day', 0), ('next', 1), ('overdue', 2)) AS step(name, days)
        ON dose.date + step.days BETWEEN today - 1 AND today + 1
    LEFT JOIN LATERAL (
        SELECT sms.state FROM messaging_sms AS sms
        WHERE sms.about_id = dose.id AND sms.dedup_key = 'dose:' || dose.id || ':' || step.name
        ORDER BY (sms.state = 'cancelled') LIMIT 1) AS text ON true
    WHERE (dose.date + step.days + hour) AT TIME ZONE zone <= %(now)s - %(grace)s
"""  # noqa: S608

_COUNT = f"""
    WITH {_RUNNING}, counted AS (
        {_PRESENT}
      UNION ALL
        SELECT clinic_id, day, 'day', 'missing' FROM ({_ABSENT}) AS absent
    )
    SELECT clinic.id, day.day, step.name, count(figure),
        {", ".join(f"count(*) FILTER (WHERE figure = '{name}')" for name in FIGURES[1:])}
    FROM clinic
    CROSS JOIN LATERAL (VALUES (today - 1), (today), (today + 1)) AS day(day)
    CROSS JOIN unnest(%(steps)s::text[]) AS step(name)
    LEFT JOIN counted ON counted.clinic_id = clinic.id AND counted.day = day.day
        AND counted.step = step.name
    GROUP BY clinic.id, day.day, step.name, today
    HAVING day.day <= today OR count(figure) > 0
"""  # noqa: S608

_MISSING = f"""
    WITH {_RUNNING}
    SELECT patient_id FROM ({_ABSENT}) AS absent WHERE day = here LIMIT 1000
"""  # noqa: S608

_UNCOUNTED = """
    SELECT patient.id, patient.time_zone
    FROM reminders_schedule AS schedule
    JOIN reminders_patient AS patient ON patient.id = schedule.patient_id
    LEFT JOIN (SELECT name FROM pg_timezone_names) AS zone ON zone.name = patient.time_zone
    WHERE schedule.status = 'running' AND zone.name IS NULL
    ORDER BY patient.id LIMIT 1000
"""
