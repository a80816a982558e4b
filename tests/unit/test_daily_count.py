"""The daily count: what was due against what was asked, and what was missing and is repaired."""

from datetime import UTC, date, datetime, timedelta

import pytest

from messaging.models import Sms
from reminders.models import Cause, DailyCount, Dose, Patient, Schedule, ScheduleVersion, WorkItem
from reminders.planning import daily_count
from reminders.planning.alarms import alarms
from reminders.planning.alarms import figures as metrics
from reminders.planning.daily_count import FIGURES, count_today
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast, make_patient

MONDAY = NOW.date()
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def start(cast: Cast, patient, interval: int = 7) -> None:
    prescribing.start(patient.id, Decision(interval, MONDAY), None, cast.actor, NOW)


def figures(cast: Cast, step: str = "day", day: date = MONDAY) -> dict[str, int]:
    """What isn't nothing of one count; its parts add up."""
    count = DailyCount.objects.get(clinic=cast.clinic, day=day, step=step)
    found = {name: getattr(count, name) for name in [*FIGURES, "repaired"]}
    assert found["due"] == sum(found[name] for name in FIGURES[1:])
    return {name: value for name, value in found.items() if value}


def counted() -> bool:
    return DailyCount.objects.filter(due__gt=0).exists()


def test_each_text_is_counted_by_what_became_of_it(cast):
    states = ["delivered", "delivered", "sent", "queued", "failed", "undelivered", "expired"]
    for number, state in enumerate(states):
        patient = make_patient(
            cast.clinic, cast.clinician, name=state, number=f"0770090010{number}"
        )
        start(cast, patient)
        plan_doses(NINE)
        Sms.objects.filter(owner_id=patient.id).update(state=state)
    assert count_today(TEN) == 0
    assert figures(cast) == {"due": 7, "delivered": 2, "sent": 1, "waiting": 1, "failed": 3}


def test_it_is_taken_again_in_place(cast):
    start(cast, cast.ada)
    plan_doses(NINE)
    count_today(TEN)
    Sms.objects.update(state="delivered")
    count_today(TEN)
    assert figures(cast) == {"due": 1, "delivered": 1}


def test_nobody_is_counted_before_their_hour_or_on_another_day(cast):
    start(cast, cast.ada)
    count_today(NINE + timedelta(minutes=14))
    assert not counted()
    plan_doses(NINE)
    count_today(TEN + timedelta(days=4))
    assert not counted()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"])
def test_the_day_is_the_patients_own(cast, zone):
    patient = make_patient(cast.clinic, cast.clinician, number="07700900200", time_zone=zone)
    now = datetime(2027, 1, 10, 12, tzinfo=UTC)
    today = now.astimezone(patient.zone).date()
    prescribing.start(patient.id, Decision(7, today), None, cast.actor, now - timedelta(days=3))
    due = Dose.objects.get(schedule__patient=patient)
    later = due.next_step_at + timedelta(hours=1)
    plan_doses(due.next_step_at)
    assert count_today(later) == 0
    [count] = DailyCount.objects.filter(due__gt=0)
    assert count.day == due.date == later.astimezone(patient.zone).date()
    # Others of the clinic have another date by then: none is left out, none counted twice.
    for hours in range(1, 30):
        count_today(later + timedelta(hours=hours))
    count.refresh_from_db()
    assert (count.due, DailyCount.objects.filter(due__gt=0, step="day").count()) == (1, 1)


def test_a_closed_dose_is_not_missing(cast):
    start(cast, cast.ada)
    plan_doses(NINE)
    decision = Decision(14, MONDAY + timedelta(days=14), open_dose=OpenDose.CLOSE)
    token = read_plan(cast.ada).token
    prescribing.change_interval(cast.ada.id, decision, token, cast.actor, NINE)
    assert count_today(TEN) == 0
    assert figures(cast) == {"due": 1, "closed": 1}


def test_paused_and_stopped_schedules_are_not_due(cast):
    start(cast, cast.ada)
    plan = read_plan(cast.ada)
    prescribing.pause(cast.ada.id, MONDAY + timedelta(days=9), "", plan.token, cast.actor, NOW)
    assert count_today(TEN) == 0
    assert not counted()


@pytest.mark.parametrize("planned_ahead", [True, False])
def test_what_is_missing_is_planned_asked_for_and_looked_at(cast, planned_ahead, caplog):
    start(cast, cast.ada)
    dose = Dose.objects.get()
    Dose.objects.all().delete()
    if planned_ahead:  # as if a slip had planned the week after
        Dose.objects.create(
            schedule=dose.schedule,
            version=dose.version,
            date=MONDAY + timedelta(days=7),
            next_step_at=NINE + timedelta(days=7),
        )
    assert count_today(TEN) == 1
    assert figures(cast) == {"due": 1, "missing": 1, "repaired": 1}
    assert [(alarm.name, alarm.what) for alarm in alarms(TEN)] == [
        ("planning_silent", "doses are due, and nobody looks"),
        ("doses_missing", str(cast.clinic.id)),
    ]
    assert count_today(TEN) == 0, "nothing is repaired twice"
    plan_doses(TEN)
    count_today(TEN + timedelta(minutes=1))
    assert figures(cast) == {"due": 1, "waiting": 1, "repaired": 1}
    assert alarms(TEN + timedelta(minutes=1)) == []
    assert Sms.objects.get().state == "queued"
    assert [dose.date for dose in Dose.objects.filter(state="planned")] == [
        MONDAY + timedelta(days=7)
    ]
    assert [item.cause for item in WorkItem.objects.all()] == [Cause.NO_PLAN]
    assert "was not planned" in caplog.text


def test_each_step_is_counted_on_its_own_day(cast):
    start(cast, cast.ada)
    answers = make_patient(cast.clinic, cast.clinician, number="07700900200")
    start(cast, answers)
    for days in range(3):
        plan_doses(NINE + timedelta(days=days))
        Sms.objects.update(state="delivered")
        Dose.objects.filter(schedule__patient=answers, state="due").update(
            state="taken", next_step_at=None
        )
        count_today(TEN + timedelta(days=days))
    assert figures(cast) == {"due": 2, "delivered": 2}
    tuesday, wednesday = (MONDAY + timedelta(days=days) for days in (1, 2))
    assert figures(cast, "next", tuesday) == {"due": 2, "delivered": 1, "closed": 1}
    assert figures(cast, "overdue", wednesday) == {"due": 2, "delivered": 1, "closed": 1}


def test_a_dose_that_planning_fails_is_stuck(cast):
    start(cast, cast.ada)
    Dose.objects.update(trouble=3)
    count_today(TEN)
    assert figures(cast) == {"due": 1, "stuck": 1}


def test_a_dose_that_was_held_back_had_no_text(cast):
    start(cast, cast.ada)
    plan_doses(NINE)
    Sms.objects.all().delete()
    count_today(TEN)
    assert figures(cast) == {"due": 1, "not_texted": 1}


def test_a_pause_that_is_over_leaves_nothing_missing(cast):
    start(cast, cast.ada)
    plan_doses(NINE)
    week, ends = timedelta(days=7), NINE + timedelta(days=8)
    Dose.objects.filter(date=MONDAY + week).update(state="cancelled", next_step_at=None)
    ScheduleVersion.objects.create(
        schedule=Schedule.objects.get(),
        number=2,
        interval_days=7,
        starts_on=ends.date() + timedelta(days=2),
        holds_from=ends.date(),
        decided_by=cast.clinician,
        decided_at=ends,
    )
    assert count_today(ends + timedelta(hours=1)) == 0
    assert figures(cast, day=MONDAY + week) == {}


def test_a_dose_that_the_former_clinic_closed_is_not_asked_for_again(cast):
    """A schedule that came with its patient holds decisions from before it, and no closed dose."""
    start(cast, cast.ada)
    Dose.objects.all().delete()
    Schedule.objects.update(created_at=NINE + timedelta(minutes=30))
    assert count_today(TEN) == 0
    assert not counted()


def test_a_zone_that_postgres_does_not_know_costs_nobody_else(cast):
    start(cast, cast.ada)
    other = make_patient(cast.clinic, cast.clinician, number="07700900200")
    start(cast, other)
    Dose.objects.all().delete()
    Patient.objects.filter(id=cast.ada.id).update(time_zone="Nowhere/At_All")
    for _ in range(2):
        count_today(TEN)
    assert Dose.objects.get().schedule.patient == other
    sweep(TEN)
    item = WorkItem.objects.get(patient=cast.ada, cause=Cause.PLAN_FAILED)
    assert (item.times, item.closed_at) == (1, None)


def test_a_plan_that_cannot_be_repaired_costs_no_other(cast, monkeypatch, caplog):
    patients = [
        make_patient(cast.clinic, cast.clinician, number=f"0770090020{n}") for n in range(3)
    ]
    for patient in patients:
        start(cast, patient)
    Dose.objects.all().delete()
    real = daily_count.dose_after

    def fails(day, schedule, patient, versions):
        if patient == patients[0]:
            raise ValueError(patient.name)
        return real(day, schedule, patient, versions)

    monkeypatch.setattr(daily_count, "dose_after", fails)
    assert count_today(TEN) == 2
    assert {dose.schedule.patient for dose in Dose.objects.all()} == set(patients[1:])
    assert WorkItem.objects.get(patient=patients[0]).cause == Cause.PLAN_FAILED
    assert patients[0].name not in caplog.text


def test_nobody_counting_is_an_alarm(cast):
    start(cast, cast.ada)
    plan_doses(NINE)
    count_today(TEN)
    plan_doses(TEN + timedelta(hours=3))

    def late(hours: float) -> bool:
        found = alarms(TEN + timedelta(hours=hours))
        return "count_late" in [alarm.name for alarm in found]

    assert [late(hours) for hours in (1.9, 2.1)] == [False, True]
    DailyCount.objects.all().delete()
    assert late(2.1), "also if nobody ever did"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Honolulu"])
def test_a_clinics_day_is_its_own(cast, zone):
    cast.clinic.time_zone = zone
    cast.clinic.save()
    patient = make_patient(cast.clinic, cast.clinician, number="07700900200", time_zone=zone)
    start(cast, patient)
    dose = Dose.objects.get(schedule__patient=patient)
    Dose.objects.update(date=MONDAY)
    assert dose.next_step_at is not None
    plan_doses(dose.next_step_at)
    count_today(dose.next_step_at + timedelta(hours=1))
    # The evening of the same day there is another date in London.
    assert metrics(dose.next_step_at + timedelta(hours=14))["doses_today_due"] == 1
    assert metrics(dose.next_step_at + timedelta(hours=16))["doses_today_due"] == 0
