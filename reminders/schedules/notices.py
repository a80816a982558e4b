"""Texts that tell a patient of a decision: when there is room for one, and what it says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from messaging import outbox
from messaging.models import Scope
from reminders.dates.ladder import LOOK_BACK, notice_slot
from reminders.models import Cause, Patient, Transfer
from reminders.policies import policy_of
from reminders.schedules.plan import Plan
from reminders.texts import templates, wording
from reminders.worklist.items import Finding, open_items


@dataclass(frozen=True)
class Notice:
    """What the patient would read, and when it may leave.

    leaves_at: None if the limits leave no room, so that a person has to tell the patient."""

    kind: str
    body: str
    leaves_at: datetime | None
    expires_at: datetime | None


def work_out(
    kind: str,
    plan: Plan,
    upcoming: Sequence[datetime],
    now: datetime,
    *,
    day: date | None = None,
    interval_days: int = 7,
    without: Collection[UUID] = (),
) -> Notice:
    """The notice of a decision, not yet queued.

    upcoming: reminders to come, which go before it. without: ids of doses and schedules whose
    queued texts the decision cancels.
    """
    leaves_at, expires_at = slot(plan.patient, upcoming, now, without) or (None, None)
    own = templates.of([plan.patient.clinic_id])
    return Notice(
        kind=kind,
        body=wording.text(kind, plan.patient, day, interval_days, own),
        leaves_at=leaves_at,
        expires_at=expires_at,
    )


def move(plan: Plan, now: datetime) -> None:
    """Let a notice that waits leave at the patient's new hour, where they are now."""
    upcoming = plan.upcoming(plan.due, plan.planned)
    found = slot(plan.patient, upcoming, now, [plan.schedule.id])
    if found is not None:
        outbox.move(plan.schedule.id, *found)
    elif outbox.waits(plan.schedule.id):
        outbox.cancel([plan.schedule.id])
        open_items([Finding(plan.patient.id, Cause.HELD_BACK, {"notice": "moved"})], now)


def queue(notice: Notice, plan: Plan, now: datetime) -> None:
    """Queue a notice, or where there is no room for it open a worklist item: never silence."""
    if notice.leaves_at is None or notice.expires_at is None:
        open_items([Finding(plan.patient.id, Cause.HELD_BACK, {"notice": notice.kind})], now)
        return
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=plan.patient.clinic_id,
                owner_id=plan.patient.id,
                about_id=plan.schedule.id,
                dedup_key=f"notice:{plan.schedule.id}:{notice.kind}:{len(plan.versions)}",
                to=plan.patient.number,
                body=notice.body,
                available_at=notice.leaves_at,
                expires_at=notice.expires_at,
            )
        ],
        now,
    )


def slot(
    patient: Patient, upcoming: Sequence[datetime], now: datetime, without: Collection[UUID] = ()
) -> tuple[datetime, datetime] | None:
    """When a text that nobody asked for may leave, and until when; None without room for one."""
    # The same phone, where another clinic texted it before it took the patient over.
    former = Transfer.objects.filter(became=patient).values_list("patient_id", flat=True)
    sent = outbox.unasked_since([patient.id, *former], now - LOOK_BACK, without=without)
    policy, before = policy_of(patient.clinic_id), [instant for _, instant in sent]
    hours = policy.texts_from, policy.texts_until
    return notice_slot(now, patient.hour, patient.zone, before, upcoming, *hours)
