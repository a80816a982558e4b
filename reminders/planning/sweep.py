"""The daily look at what should be there: reminders at the right instant, plans, reviews."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts import audit
from accounts.replies import forget_replies
from reminders.dates.ladder import FOLLOWING, Step, step_instant
from reminders.dates.schedule import local_date
from reminders.health.blood import due_results
from reminders.models import Cause, Dose, DoseState, Schedule, Status, WorkItem
from reminders.patients.importing import forget_unconfirmed
from reminders.patients.new_number import end_late_codes
from reminders.patients.signing_in import forget_late_codes
from reminders.planning.steps import MOST_TROUBLE
from reminders.worklist.items import Finding, open_items, settle_items

log = logging.getLogger(__name__)

AHEAD = timedelta(hours=36)
"""How far ahead instants are worked out again; more than a day, so that none slips through."""


def sweep(now: datetime) -> None:
    """Work out the next reminders' instants again (governments change their clocks' rules, and a
    new tzdata brings it), alarm on running schedules without a plan, put pauses whose review is
    due and patients whose blood result is due on the worklist, and forget what isn't kept for
    ever. Repeating it does nothing more."""
    moved = _work_out_instants_again(now)
    with transaction.atomic():
        unplanned = list(
            Schedule.objects.filter(status=Status.RUNNING).filter(
                ~Exists(Dose.objects.filter(schedule=OuterRef("pk"), state=DoseState.PLANNED))
            )
        )
        # A zone is at most 14 hours ahead of UTC, so tomorrow's UTC date is the latest date there.
        reviews = [
            schedule
            for schedule in Schedule.objects.filter(
                status=Status.PAUSED, review_on__lte=now.date() + timedelta(days=1)
            ).select_related("patient")
            if schedule.review_on is not None
            and schedule.review_on <= local_date(now, schedule.patient.zone)
        ]
        for schedule in unplanned:
            log.error("running schedule %s has no planned dose", schedule.id)
        open_items(
            [
                *(Finding(schedule.patient_id, Cause.NO_PLAN) for schedule in unplanned),
                *(Finding(schedule.patient_id, Cause.REVIEW_DUE) for schedule in reviews),
                *due_results(now),
            ],
            now,
        )
        _settle_repaired({schedule.patient_id for schedule in unplanned}, now)
        forget_replies()
        forget_unconfirmed(now)
        end_late_codes(now)
        forget_late_codes(now)
        audit.record(audit.CLOCK, "sweep", clinic_id=None, subject_id=None, moved=moved)


def _settle_repaired(unplanned: Collection[UUID], now: datetime) -> None:
    """Close what is open because there was no plan, or planning failed, where that is over.

    What the daily count found (its findings have facts) stays for somebody to look at: a dose that
    it had to plan came late, and who can't be counted can't be repaired."""
    waiting = WorkItem.objects.filter(closed_at=None)
    stuck = Dose.objects.filter(
        schedule__patient=OuterRef("patient"), next_step_at__isnull=False, trouble__gte=MOST_TROUBLE
    )
    for cause, over in (
        (Cause.NO_PLAN, ~Q(patient__in=unplanned) & Q(facts={})),
        (Cause.PLAN_FAILED, ~Exists(stuck) & Q(facts={})),
    ):
        patients = waiting.filter(over, cause=cause).values_list("patient_id", flat=True)
        settle_items(list(patients), [cause], now, because="The plan is whole again.")


def _work_out_instants_again(now: datetime, batch: int = 1000) -> int:
    """Correct the instants of the next day and a half. Answers how many were wrong."""
    moved, after = 0, now
    while True:
        with transaction.atomic():
            doses = list(
                Dose.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(next_step_at__gt=after, next_step_at__lte=now + AHEAD, trouble__lt=3)
                .select_related("schedule__patient")
                .order_by("next_step_at")[:batch]
            )
            wrong = []
            for dose in doses:
                patient = dose.schedule.patient
                step = FOLLOWING[Step(dose.step)]
                instant = step_instant(step, dose.date, patient.hour, patient.zone)
                if dose.next_step_at is not None and dose.next_step_at != instant > now:
                    after, dose.next_step_at = dose.next_step_at, instant
                    wrong.append(dose)
            Dose.objects.bulk_update(wrong, ["next_step_at"])
        moved += len(wrong)
        if len(doses) < batch:
            return moved
        last = doses[-1].next_step_at
        after = max(after, last) if last is not None else after
