"""The care team's decisions on a schedule: start, change its interval, pause, resume, stop.

Each is made on a state that the caller has seen, which `token` names: if it is another by now, the
verb refuses with Stale, and nothing has changed. A decision is worked out first (effects.py, which
stores nothing) and then stored; `preview_change` is the first half alone, so that what was shown
is what happens.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, Invalid
from messaging import outbox
from messaging.models import Sms
from messaging.states import MAY_HAVE_LEFT
from reminders.dates.schedule import dates_between
from reminders.models import Cause, Dose, DoseState, Patient, Schedule, Status
from reminders.schedules import notices
from reminders.schedules.effects import (
    FARTHEST,
    Caution,
    Decision,
    Effect,
    OpenDose,
    cautions,
    work_out,
)
from reminders.schedules.injections import last_recorded
from reminders.schedules.plan import Plan, lock_patient, lock_plan, read_plan
from reminders.worklist.items import settle_items

PREVIEW = timedelta(weeks=12)


@dataclass(frozen=True)
class Preview:
    """What a change would do: dates for 12 weeks from today as they are and as they would be.

    gap_days: from the last injection that is known, or else was asked for, to the first new date;
    None if there was none. open_dose: None if none is open."""

    plan: Plan
    before: list[date]
    after: list[date]
    gap_days: int | None
    cautions: list[Caution]
    open_dose: OpenDose | None
    notice: notices.Notice


@dataclass(frozen=True)
class Outcome:
    """What a decision did. too_late: texts of the former plan that had left, or may have, so that
    the patient may need to hear otherwise. notice: the text that tells the patient, if any."""

    plan: Plan
    too_late: list[Sms]
    notice: notices.Notice | None


def start(
    patient_id: UUID,
    decision: Decision,
    last_injection_on: date | None,
    actor: audit.Actor,
    now: datetime,
) -> Outcome:
    """Start a patient's schedule. last_injection_on: an earlier injection, as a fact.

    Raises Invalid for dates and intervals that can't be, Conflict if one runs or is paused.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        if Schedule.objects.filter(
            patient=patient, status__in=[Status.RUNNING, Status.PAUSED]
        ).exists():
            raise Conflict(
                "already_started",
                "This patient has a schedule already. Change that one, or stop it first.",
            )
        known = last_recorded(patient)
        effect = begin(patient, decision, last_injection_on, actor, now, last_taken_on=known)
        effect.plan.schedule.save()
        # A notice that the former one has ended may wait for the morning.
        outbox.cancel([former.id for former in Schedule.objects.filter(patient=patient)])
        _store(effect, now)
        _audit("start", effect.plan, decision, actor)
    return Outcome(effect.plan, [], None)


def begin(
    patient: Patient,
    decision: Decision,
    last_injection_on: date | None,
    actor: audit.Actor,
    now: datetime,
    last_taken_on: date | None = None,
) -> Effect:
    """What a patient's first decision comes to: checked and worked out, nothing stored, nothing
    asked of the database. last_taken_on: the last injection that was recorded of an earlier
    schedule, or noted. Raises Invalid for dates and intervals that can't be."""
    plan = Plan(
        patient,
        Schedule(patient=patient, last_injection_on=last_injection_on),
        versions=[],
        due=[],
        planned=None,
        last_asked_on=None,
        last_answered_on=None,
        last_taken_on=last_taken_on,
    )
    if last_injection_on is not None and last_injection_on > plan.today(now):
        raise Invalid(
            "injection_ahead",
            "This date is still to come. Give a past one, or none.",
            "last_injection_on",
        )
    return work_out(plan, decision, actor, now)


def preview_change(
    patient: Patient, decision: Decision, actor: audit.Actor, now: datetime
) -> Preview:
    """What `change_interval` would do now: changes nothing, refuses what that would refuse."""
    plan = read_plan(patient)
    _demand(plan, Status.RUNNING)
    effect = work_out(plan, decision, actor, now)
    today = plan.today(now)
    before = [version.pure() for version in plan.versions]
    after = [version.pure() for version in effect.plan.versions]
    dates = dates_between(after, today, today + PREVIEW)
    return Preview(
        plan=plan,
        before=dates_between(before, today, today + PREVIEW),
        after=dates,
        gap_days=plan.days_since_last(decision.starts_on),
        cautions=cautions(plan, decision, dates),
        open_dose=effect.fate,
        notice=_notice("changed", effect, now),
    )


def change_interval(
    patient_id: UUID, decision: Decision, token: str, actor: audit.Actor, now: datetime
) -> Outcome:
    """Give a running schedule a new interval from a date on.

    Raises Invalid for dates and intervals that can't be, Conflict if it doesn't run, Stale.
    """
    with transaction.atomic():
        plan = lock_plan(patient_id, token)
        _demand(plan, Status.RUNNING)
        effect = work_out(plan, decision, actor, now)
        notice = _notice("changed", effect, now)
        too_late = _store(effect, now)
        notices.queue(notice, effect.plan, now)
        _audit("change_interval", effect.plan, decision, actor)
    return Outcome(effect.plan, too_late, notice)


def resume(
    patient_id: UUID, decision: Decision, token: str, actor: audit.Actor, now: datetime
) -> Outcome:
    """Let a paused schedule run again from a date that a clinician chose.

    Raises Invalid for dates and intervals that can't be, Conflict if it isn't paused, Stale.
    """
    with transaction.atomic():
        plan = lock_plan(patient_id, token)
        _demand(plan, Status.PAUSED)
        effect = work_out(plan, decision, actor, now)
        notice = _notice("resumed", effect, now)
        plan.schedule.status, plan.schedule.review_on = Status.RUNNING, None
        plan.schedule.save(update_fields=["status", "review_on"])
        too_late = _store(effect, now)
        notices.queue(notice, effect.plan, now)
        settle_items([patient_id], [Cause.REVIEW_DUE], now, because="The schedule was resumed.")
        _audit("resume", effect.plan, decision, actor)
    return Outcome(effect.plan, too_late, notice)


def pause(
    patient_id: UUID, review_on: date, reason: str, token: str, actor: audit.Actor, now: datetime
) -> Outcome:
    """Pause a running schedule: no doses, and a date on which somebody looks at it again. On a
    paused one, put that date off: nothing changes for the patient, so nothing is told to them.

    Raises Invalid for a review that isn't ahead, Conflict if it has ended, Stale.
    """
    with transaction.atomic():
        plan = lock_plan(patient_id, token)
        _demand(plan, Status.RUNNING, Status.PAUSED)
        today = plan.today(now)
        if not today < review_on <= today + FARTHEST:
            raise Invalid(
                "review_on", "Choose a date of review after today, within a year.", "review_on"
            )
        was = plan.schedule.status
        plan.schedule.status, plan.schedule.review_on = Status.PAUSED, review_on
        if was == Status.RUNNING:
            return _rest("pause", "paused", plan, reason, actor, now)
        plan.schedule.save(update_fields=["review_on"])
        settle_items([patient_id], [Cause.REVIEW_DUE], now, because="The review was put off.")
        _audit_rest("put_review_off", plan, reason, actor)
    return Outcome(plan, [], None)


def stop(patient_id: UUID, reason: str, token: str, actor: audit.Actor, now: datetime) -> Outcome:
    """End a schedule for good; its history stays. Raises Conflict if it has ended, Stale."""
    with transaction.atomic():
        plan = lock_plan(patient_id, token)
        _demand(plan, Status.RUNNING, Status.PAUSED)
        plan.schedule.status, plan.schedule.stopped_at = Status.STOPPED, now
        plan.schedule.review_on = None
        outcome = _rest("stop", "stopped", plan, reason, actor, now)
        settle_items([patient_id], [Cause.REVIEW_DUE], now, because="The schedule was stopped.")
    return outcome


def _demand(plan: Plan, *statuses: Status) -> None:
    if plan.schedule.status in statuses:
        return
    mend = {
        Status.RUNNING: "This schedule runs. Pause it first.",
        Status.PAUSED: "This schedule is paused. Resume it first.",
        Status.STOPPED: "This schedule has ended. Start a new one.",
    }
    raise Conflict(plan.schedule.status, mend[Status(plan.schedule.status)])


def _notice(kind: str, effect: Effect, now: datetime) -> notices.Notice:
    plan = effect.plan
    return notices.work_out(
        kind,
        plan,
        plan.upcoming(plan.due, plan.planned),
        now,
        day=plan.version.starts_on,
        interval_days=plan.version.interval_days,
        without=[plan.schedule.id, *(dose.id for dose in effect.closing)],
    )


def _store(effect: Effect, now: datetime) -> list[Sms]:
    """Make an effect true, under the locks of its plan. Answers the texts that had left."""
    plan = effect.plan
    too_late = _close(plan, effect.closing)
    plan.version.save()
    if effect.adding is not None:
        effect.adding.save()
    return too_late


def _close(plan: Plan, doses: list[Dose]) -> list[Sms]:
    """Cancel doses, their texts, earlier notices, and texts that ask about doses missed before;
    answers what was, or may be, on its way.

    The texts come after the doses' locks and in statements of their own, so that they are seen
    as they are, not as they were when the locks were asked for.
    """
    for dose in doses:
        dose.state, dose.next_step_at = DoseState.CANCELLED, None
    Dose.objects.bulk_update(doses, ["state", "next_step_at"])
    ids = [dose.id for dose in doses]
    missed = Dose.objects.filter(schedule=plan.schedule, state=DoseState.MISSED)
    lately = missed.order_by("-date").values_list("id", flat=True)[:3]
    on_their_way = outbox.cancel([plan.schedule.id, *ids, *lately])
    asked = [sms for sms in outbox.texts_about(ids) if sms.state in MAY_HAVE_LEFT]
    return list({sms.id: sms for sms in [*asked, *on_their_way]}.values())


def _rest(
    verb: str, kind: str, plan: Plan, reason: str, actor: audit.Actor, now: datetime
) -> Outcome:
    """What pause and stop have in common: close all that is open, say so, write it down."""
    plan.schedule.save(update_fields=["status", "review_on", "stopped_at"])
    closing = [*plan.due, *([plan.planned] if plan.planned else [])]
    effect = Effect(replace(plan, due=[], planned=None), closing, None, None)
    notice = _notice(kind, effect, now)
    too_late = _close(plan, closing)
    notices.queue(notice, effect.plan, now)
    _audit_rest(verb, plan, reason, actor)
    return Outcome(effect.plan, too_late, notice)


def _audit_rest(verb: str, plan: Plan, reason: str, actor: audit.Actor) -> None:
    review_on = plan.schedule.review_on
    audit.record(
        actor,
        verb,
        clinic_id=plan.patient.clinic_id,
        subject_id=plan.schedule.id,
        reason=reason,
        review_on=review_on.isoformat() if review_on else None,
    )


def _audit(verb: str, plan: Plan, decision: Decision, actor: audit.Actor) -> None:
    audit.record(
        actor,
        verb,
        clinic_id=plan.patient.clinic_id,
        subject_id=plan.schedule.id,
        reason=decision.reason,
        version=plan.version.number,
        interval_days=decision.interval_days,
        starts_on=decision.starts_on.isoformat(),
    )
