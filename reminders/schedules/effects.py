"""What a decision on a schedule comes to: checked and worked out, with nothing stored."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from accounts import audit
from accounts.refusals import Invalid
from reminders.models import Dose, ScheduleVersion, Status
from reminders.schedules.plan import Plan

FARTHEST = timedelta(days=366)


class OpenDose(StrEnum):
    """What becomes of a dose that is due and unanswered, and of dates of the old plan that are
    still to come but too near the new start."""

    KEEP = "keep"
    CLOSE = "close"


@dataclass(frozen=True)
class Decision:
    """A version to be: whole days, its first date, why, and the blood results behind it.

    open_dose: None leaves it to the rule: closed if the first new date is nearer than the clinic's
    least gap, and kept else."""

    interval_days: int
    starts_on: date
    reason: str = ""
    results: str = ""
    open_dose: OpenDose | None = None


@dataclass(frozen=True)
class Caution:
    """Something that may be meant, but should be seen before it is confirmed."""

    code: str
    message: str


@dataclass(frozen=True)
class Effect:
    """What a decision comes to. plan: as it will be; closing: open doses that end; adding: its
    planned dose, if that is another than before; fate: what becomes of the due ones, if any."""

    plan: Plan
    closing: list[Dose]
    adding: Dose | None
    fate: OpenDose | None


def work_out(plan: Plan, decision: Decision, actor: audit.Actor, now: datetime) -> Effect:
    """Check a decision and work out what it comes to. Stores nothing, changes nothing."""
    today = plan.today(now)
    _check(plan, decision, today)
    fate = _fate(plan, decision)
    version = ScheduleVersion(
        schedule=plan.schedule,
        number=len(plan.versions) + 1,
        interval_days=decision.interval_days,
        starts_on=decision.starts_on,
        holds_from=_holds_from(plan, decision, today),
        reason=decision.reason,
        results=decision.results,
        decided_by=actor.user,
        decided_at=now,
    )
    closed = plan.due if fate == OpenDose.CLOSE else []
    after = replace(
        plan,
        versions=[*plan.versions, version],
        due=[dose for dose in plan.due if dose not in closed],
    )
    adding = after.next_after(_last_settled(after, decision, today))
    if plan.planned and adding and _same(plan.planned, adding):
        return Effect(after, closed, None, fate)
    after.planned = adding
    former = [plan.planned] if plan.planned else []
    return Effect(after, [*closed, *former], adding, fate)


def _holds_from(plan: Plan, decision: Decision, today: date) -> date:
    """From when the older versions give no dates any more.

    After a pause that is today. Else dates of the old plan that lie nearer to the new start than
    the clinic's least gap go the way of an open dose: nobody is to be asked twice in a few days,
    unless a clinician says `keep`.
    """
    if plan.schedule.status == Status.PAUSED:
        return today
    if decision.open_dose == OpenDose.KEEP:
        return decision.starts_on
    nearest = decision.starts_on - timedelta(days=plan.patient.clinic.least_gap - 1)
    return max(today, min(nearest, decision.starts_on))


def _last_settled(after: Plan, decision: Decision, today: date) -> date:
    """The date after which the next dose is looked for: yesterday, or the last date on which one
    was asked for. One that was closed doesn't stand in the way of a plan that starts by its day."""
    settled = [today - timedelta(days=1), *(dose.date for dose in after.due)]
    if after.last_answered_on is not None:
        settled.append(after.last_answered_on)
    if after.last_asked_on is not None and after.last_asked_on < decision.starts_on:
        settled.append(after.last_asked_on)
    return max(settled)


def _same(stored: Dose, worked_out: Dose) -> bool:
    return stored.date == worked_out.date and stored.version_id == worked_out.version_id


def _fate(plan: Plan, decision: Decision) -> OpenDose | None:
    """What becomes of the due doses: as decided, else by the rule of the clinic's least gap.

    One on the very day on which the new version starts is its first, so it stays.
    """
    if not plan.due:
        return None
    last = plan.due[-1].date
    if last == decision.starts_on:
        if decision.open_dose == OpenDose.CLOSE:
            raise Invalid(
                "open_dose",
                "The open dose is the first of the new plan. Keep it, or start later.",
                "open_dose",
            )
        return OpenDose.KEEP
    if last > decision.starts_on and decision.open_dose == OpenDose.KEEP:
        # It was asked for where it was a day later, before the patient travelled.
        raise Invalid(
            "open_dose",
            f"The open dose is of {last.isoformat()}. Close it, or start after it.",
            "open_dose",
        )
    if decision.open_dose is not None:
        return decision.open_dose
    near = (decision.starts_on - last).days < plan.patient.clinic.least_gap
    return OpenDose.CLOSE if near else OpenDose.KEEP


def _check(plan: Plan, decision: Decision, today: date) -> None:
    allowed = plan.patient.clinic.intervals
    if decision.interval_days not in allowed:
        choice = ", ".join(str(days) for days in sorted(allowed))
        raise Invalid(
            "interval_days", f"Your clinic offers intervals of {choice} days.", "interval_days"
        )
    if not today <= decision.starts_on <= today + FARTHEST:
        raise Invalid(
            "starts_on",
            f"Choose a first date from today ({today.isoformat()}) on, within a year.",
            "starts_on",
        )
    last = plan.last_injection_on
    if last is not None and decision.starts_on <= last:
        raise Invalid(
            "after_last_injection",
            f"The last injection was on {last.isoformat()}. Choose a first date after it.",
            "starts_on",
        )
    told = plan.last_answered_on
    if told is not None and decision.starts_on < told:
        # Else the new plan's dates up to there would be left out, and nobody would know.
        raise Invalid(
            "told_ahead",
            f"The injection of {told.isoformat()} was told of ahead of its day. Choose a first "
            "date from there on, or take back what was told.",
            "starts_on",
        )


def cautions(plan: Plan, decision: Decision, dates: list[date]) -> list[Caution]:
    """Gaps outside the clinic's range: to the first new date, and on both sides of it."""
    clinic = plan.patient.clinic
    index = dates.index(decision.starts_on) if decision.starts_on in dates else 0
    gap = (
        (dates[index] - dates[index - 1]).days
        if index > 0
        else plan.days_since_last(decision.starts_on)
    )
    if gap is None or clinic.least_gap <= gap <= clinic.greatest_gap:
        return []
    code, than = ("gap_short", "less") if gap < clinic.least_gap else ("gap_long", "more")
    bound = clinic.least_gap if gap < clinic.least_gap else clinic.greatest_gap
    return [
        Caution(
            code,
            f"{gap} days lie between the first new date and the one before it: "
            f"{than} than your clinic's {bound}.",
        )
    ]
