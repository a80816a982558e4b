"""The daily count: what was due today, worked out afresh, against what was asked and arrived.

The dates come from the versions by SQL of its own, not from the code that plans doses, so that a
slip there is found the same day. What is missing is planned, and said.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import audit
from reminders.models import (
    Cause,
    DailyCount,
    Dose,
    DoseState,
    Schedule,
    ScheduleVersion,
    Status,
)
from reminders.plan import dose_after, lock_patient
from reminders.schedule import local_date
from reminders.worklist import Finding, open_items

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=15)
"""How long after its hour a dose's first step may be on its way before its lack is a fault."""

FIGURES = [
    "due", "closed", "waiting", "sent", "delivered", "unknown", "failed", "not_texted", "missing",
]  # fmt: skip


def count_today(now: datetime) -> int:
    """Count today's doses of each clinic, each patient's by their own date and hour, keep the
    figures (DailyCount), and plan what is missing. Answers how many were missing.

    Repeating it corrects the figures of the day, and repairs nothing twice.
    """
    asked: dict[str, Any] = {"now": now, "grace": GRACE}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT, asked)
        DailyCount.objects.bulk_create(
            [
                DailyCount(clinic_id=clinic_id, day=day, **dict(zip(FIGURES, figures, strict=True)))
                for clinic_id, day, *figures in cursor.fetchall()
            ],
            update_conflicts=True,
            unique_fields=["clinic", "day"],
            update_fields=FIGURES,
        )
        cursor.execute(_MISSING, asked)
        missing: list[UUID] = [patient_id for (patient_id,) in cursor.fetchall()]
    return sum(_repair(patient_id, now) for patient_id in missing)


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


# Who is due today: the greatest version that holds today, by arithmetic. Of patients whose hour is
# long enough ago, and of versions that were decided before it.
_DUE = """
    SELECT patient.id AS patient_id, patient.clinic_id, schedule.id AS schedule_id, here.today
    FROM reminders_schedule AS schedule
    JOIN reminders_patient AS patient ON patient.id = schedule.patient_id
    CROSS JOIN LATERAL (
        SELECT (%(now)s AT TIME ZONE patient.time_zone)::date AS today) AS here
    CROSS JOIN LATERAL (
        SELECT version.starts_on, version.interval_days, version.decided_at
        FROM reminders_scheduleversion AS version
        WHERE version.schedule_id = schedule.id AND version.holds_from <= here.today
        ORDER BY version.number DESC LIMIT 1) AS held
    WHERE schedule.status = 'running'
        AND here.today >= held.starts_on
        AND (here.today - held.starts_on) %% held.interval_days = 0
        AND GREATEST((here.today + patient.hour) AT TIME ZONE patient.time_zone, held.decided_at)
            <= %(now)s - %(grace)s
"""

_COUNT = f"""
    WITH due AS ({_DUE})
    SELECT due.clinic_id, due.today, count(*),
        count(*) FILTER (WHERE dose.state = 'cancelled'),
        count(*) FILTER (WHERE text.state IN ('queued', 'sending')),
        count(*) FILTER (WHERE text.state IN ('accepted', 'sent')),
        count(*) FILTER (WHERE text.state = 'delivered'),
        count(*) FILTER (WHERE text.state = 'unknown'),
        count(*) FILTER (WHERE text.state IN ('failed', 'undelivered', 'expired', 'suppressed')),
        count(*) FILTER (WHERE dose.state NOT IN ('planned', 'cancelled') AND text.state IS NULL),
        count(*) FILTER (WHERE dose.id IS NULL)
    FROM due
    LEFT JOIN LATERAL (
        SELECT id, state FROM reminders_dose AS dose
        WHERE dose.schedule_id = due.schedule_id AND dose.date = due.today
            AND (dose.state <> 'cancelled' OR dose.step <> '')
        ORDER BY (dose.state = 'cancelled') LIMIT 1) AS dose ON true
    LEFT JOIN LATERAL (
        SELECT sms.state FROM messaging_sms AS sms
        WHERE sms.about_id = dose.id AND sms.dedup_key = 'dose:' || dose.id || ':day'
            AND sms.state <> 'cancelled' LIMIT 1) AS text ON true
    GROUP BY due.clinic_id, due.today
"""  # noqa: S608 - only our own SQL is formatted in

_MISSING = f"""
    WITH due AS ({_DUE})
    SELECT due.patient_id FROM due
    WHERE NOT EXISTS (
        SELECT FROM reminders_dose AS dose
        WHERE dose.schedule_id = due.schedule_id AND dose.date = due.today
            AND (dose.state <> 'cancelled' OR dose.step <> ''))
    LIMIT 1000
"""  # noqa: S608
