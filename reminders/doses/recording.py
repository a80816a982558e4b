"""Recording what became of a dose: told by text, on the patient's page, or by the care team.

A record ends the dose's ladder in the same transaction. What is told differently later is a
correction: a record more, and the first one stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound, Stale
from messaging import outbox
from messaging.models import Sms
from reminders.dates.ladder import FOLLOWING, Step, step_instant
from reminders.doses.injection_checks import (
    check_injection,
    check_near,
    findings,
    same_site,
    settle_as_prescribed,
    signs_in,
)
from reminders.models import (
    Answer,
    Cause,
    Dose,
    DoseRecord,
    DoseState,
    Missed,
    Patient,
    Schedule,
    ScheduleVersion,
    Source,
    Status,
    Told,
    WorkNote,
)
from reminders.schedules.effects import Caution
from reminders.schedules.injections import near_injection
from reminders.schedules.plan import dose_after, lock_patient
from reminders.worklist.items import Finding, open_items, settle_items

KEEPS_ITS_DAY = 2
"""Days that an injection may be late and the next one still keep its usual day."""

STATES = {
    Told.TAKEN: DoseState.TAKEN,
    Told.SKIPPED: DoseState.SKIPPED,
    Told.NOT_TAKEN: DoseState.MISSED,
}


@dataclass(frozen=True)
class Telling:
    """What somebody tells of a dose. taken_on, taken_at: where the patient is; the date is needed
    for taken. as_prescribed: whether the dose was; None if they don't say.

    confirmed: they know that another injection lies nearer than the clinic's least gap.
    seen: how many records the dose had when they looked at it; then the telling is a whole form,
    and what it leaves out is taken back. None asks nothing.
    """

    told: Told
    taken_on: date | None = None
    taken_at: time | None = None
    site: str = ""
    note: str = ""
    confirmed: bool = False
    as_prescribed: bool | None = None
    seen: int | None = None


@dataclass(frozen=True)
class Recorded:
    """A dose and the record that holds now. cautions: what to tell whoever recorded it. too_late:
    texts about the dose that left, or may have. signs: urgent ones in its note."""

    dose: Dose
    record: DoseRecord
    cautions: list[Caution]
    too_late: list[Sms]
    signs: list[str]


def record_dose(
    patient_id: UUID,
    dose_id: UUID,
    telling: Telling,
    source: Source,
    actor: audit.Actor,
    now: datetime,
    answer: Answer | None = None,
) -> Recorded:
    """Record what became of a dose, or correct what was recorded.

    Telling the same again adds nothing. One that was told of by mistake is asked about again while
    its plan holds, and else missed. Raises NotFound, Invalid for dates and sites that can't
    be, Conflict for a dose that was closed, and (second_dose_close) where another injection lies
    nearer than the clinic's least gap and it isn't `confirmed`: an overdose must not be a slip;
    Stale (told_meanwhile) where something else was recorded since they looked.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        schedule, dose = _lock_dose(patient, dose_id)
        former = DoseRecord.objects.filter(dose=dose).order_by("-number").first()
        if former is not None and _same(former, telling):
            return Recorded(dose, former, [], [], [])
        if telling.seen is not None and telling.seen != (former.number if former else 0):
            raise Stale(
                "told_meanwhile",
                "Something was recorded for this dose since you looked. Read it, then save yours.",
            )
        _check(dose, telling, patient, now)
        near = None
        if telling.told == Told.TAKEN:
            near = near_injection(patient, _day(telling), [dose.id])
            check_near(near, _day(telling), confirmed=telling.confirmed)
        cautions = same_site(telling.site, patient, telling.taken_on or dose.date, [dose.id])
        record = DoseRecord.objects.create(
            dose=dose,
            number=former.number + 1 if former else 1,
            told=telling.told,
            taken_on=telling.taken_on,
            taken_at=telling.taken_at,
            site=telling.site,
            as_prescribed=telling.as_prescribed,
            note=telling.note,
            source=source,
            answer=answer,
            recorded_by=actor.user if source == Source.STAFF else None,
            recorded_at=now,
        )
        if not (telling.told == Told.NOT_TAKEN and _asked_again(dose, schedule, patient, now)):
            _move(dose, telling, schedule)
        if telling.told == Told.TAKEN:
            near = near or _next_too_near(dose, _day(telling), schedule, patient)
        too_late = outbox.cancel([dose.id])
        signs = signs_in(telling.note, patient)
        _tell_the_team(patient, dose, telling, near, signs, now)
        if former is not None:
            settle_as_prescribed(patient, now)
        audit.record(
            actor,
            "correct_dose" if former else "record_dose",
            clinic_id=patient.clinic_id,
            subject_id=dose.id,
            told=telling.told,
            source=source,
            number=record.number,
        )
    return Recorded(dose, record, cautions, too_late, signs)


def _lock_dose(patient: Patient, dose_id: UUID) -> tuple[Schedule, Dose]:
    schedule = (
        Schedule.objects.select_for_update().filter(patient=patient, doses__id=dose_id).first()
    )
    if schedule is None:
        raise NotFound("dose")
    dose = Dose.objects.select_for_update(of=("self",)).select_related("version").get(id=dose_id)
    if dose.state == DoseState.CANCELLED:
        raise Conflict(
            "dose_closed",
            "This dose was closed by a change of plan, a pause or a stop. If it was injected all "
            "the same, note the injection by itself.",
        )
    return schedule, dose


def _same(former: DoseRecord, telling: Telling) -> bool:
    """Whether nothing new is told. What isn't said the second time isn't taken back, but in a whole
    form."""
    unsaid = () if telling.seen is not None else (None, "")
    return former.told == telling.told and all(
        told in (*unsaid, kept)
        for told, kept in (
            (telling.taken_on, former.taken_on),
            (telling.taken_at, former.taken_at),
            (telling.site, former.site),
            (telling.as_prescribed, former.as_prescribed),
            (telling.note, former.note),
        )
    )


def _check(dose: Dose, telling: Telling, patient: Patient, now: datetime) -> None:
    if telling.told != Told.TAKEN:
        for field in ("taken_on", "taken_at", "site", "as_prescribed"):
            if getattr(telling, field) not in (None, ""):
                raise Invalid("only_taken", "Say this only of one that was injected.", field)
        if telling.told == Told.NOT_TAKEN and dose.state not in (
            DoseState.TAKEN,
            DoseState.SKIPPED,
        ):
            raise Conflict("nothing_recorded", "Nothing is recorded of this dose to take back.")
        return
    day = _day(telling)
    check_injection(day, telling.site, patient, now)
    if (dose.date - day).days > dose.version.interval_days:
        raise Invalid(
            "dose_before",
            "This date is nearer to the dose before. Record it there.",
            "taken_on",
        )


def _day(telling: Telling) -> date:
    if telling.taken_on is None:
        raise Invalid("taken_on", "Say on which date it was injected.", "taken_on")
    return telling.taken_on


def _move(dose: Dose, telling: Telling, schedule: Schedule) -> None:
    """The dose's state follows its record; a planned one makes room for the next."""
    was_planned = dose.state == DoseState.PLANNED
    dose.state = STATES[telling.told]
    dose.missed_because = Missed.NO_ANSWER if dose.state == DoseState.MISSED else ""
    dose.next_step_at = None
    dose.save(update_fields=["state", "missed_because", "next_step_at"])
    if was_planned and schedule.status == Status.RUNNING:
        versions = list(ScheduleVersion.objects.filter(schedule=schedule).order_by("number"))
        following = dose_after(dose.date, schedule, dose.schedule.patient, versions)
        if following is not None:
            following.save()


def _next_too_near(dose: Dose, taken_on: date, schedule: Schedule, patient: Patient) -> date | None:
    """The plan's next date, where a late injection leaves less than the clinic's least gap to it: a
    person decides before we ask for that one. Up to two days late the usual day is kept (FACTS, EU
    leaflet)."""
    if (taken_on - dose.date).days <= KEEPS_ITS_DAY:
        return None
    following = Dose.objects.filter(
        schedule=schedule,
        state__in=[DoseState.PLANNED, DoseState.DUE],
        date__gt=dose.date,
        date__lt=taken_on + timedelta(days=patient.clinic.least_gap),
    )
    return following.order_by("date").values_list("date", flat=True).first()


def _asked_again(dose: Dose, schedule: Schedule, patient: Patient, now: datetime) -> bool:
    """Give a dose that was told of by mistake back to its ladder, as it stood; False where a person
    has to look: its last step has come, or the plan was decided on since."""
    over = step_instant(Step.OVERDUE, dose.date, patient.hour, patient.zone)
    decided = ScheduleVersion.objects.filter(schedule=schedule).latest("number")
    if schedule.status != Status.RUNNING or decided.id != dose.version_id or now >= over:
        return False
    step = Step(dose.step)
    if step == Step.NONE and not _planned_instead(dose, schedule):
        return False
    dose.state = DoseState.PLANNED if step == Step.NONE else DoseState.DUE
    dose.next_step_at = step_instant(FOLLOWING[step], dose.date, patient.hour, patient.zone)
    dose.save(update_fields=["state", "next_step_at"])
    return True


def _planned_instead(dose: Dose, schedule: Schedule) -> bool:
    """Close the dose that was planned when this one was told of ahead of its day; False if there is
    another by now."""
    planned = Dose.objects.select_for_update(of=("self",)).filter(
        schedule=schedule, state=DoseState.PLANNED
    )
    following = planned.first()
    if following is None:
        return False
    between = Dose.objects.filter(schedule=schedule, date__gt=dose.date, date__lt=following.date)
    if between.exclude(state=DoseState.CANCELLED).exists():
        return False
    following.state, following.next_step_at = DoseState.CANCELLED, None
    following.save(update_fields=["state", "next_step_at"])
    return True


def _tell_the_team(
    patient: Patient,
    dose: Dose,
    telling: Telling,
    near: date | None,
    signs: list[str],
    now: datetime,
) -> None:
    """Open and settle what the record makes of the worklist."""
    facts = {"dose": str(dose.id), "date": dose.date.isoformat()}
    open_items(
        findings(
            patient,
            facts,
            signs,
            taken_on=telling.taken_on,
            near=near,
            as_prescribed=telling.as_prescribed,
        ),
        now,
    )
    if dose.state == DoseState.MISSED:
        open_items([Finding(patient.id, Cause.NO_ANSWER, facts)], now)
    elif telling.told != Told.NOT_TAKEN:
        causes = _without_missed(patient, [Cause.NO_ANSWER, Cause.NOT_ASKED])
        settle_items([patient.id], causes, now, told=telling.told, **facts)


def _without_missed(patient: Patient, causes: Sequence[Cause]) -> list[Cause]:
    """Of these causes those whose open item names no dose that is missed still."""
    named: dict[str, set[str]] = {cause.value: set() for cause in causes}
    for cause, facts in WorkNote.objects.filter(
        item__patient=patient, item__closed_at=None, item__cause__in=named
    ).values_list("item__cause", "facts"):
        named[cause] |= {facts["dose"]} if "dose" in facts else set()
    missed = {
        str(id_)
        for id_ in Dose.objects.filter(
            id__in=set().union(*named.values()), state=DoseState.MISSED
        ).values_list("id", flat=True)
    }
    return [cause for cause in causes if not named[cause.value] & missed]
