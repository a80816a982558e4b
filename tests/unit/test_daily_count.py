"""The daily count: what was due against what was asked, and what was missing and is repaired."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.models import Sms
from reminders import prescribing
from reminders.daily_count import count_today
from reminders.effects import Decision, OpenDose
from reminders.models import Cause, DailyCount, Dose, WorkItem
from reminders.plan import read_plan
from reminders.planning import plan_doses
from tests.cast import NOW, Cast, make_patient

MONDAY = NOW.date()
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def start(cast: Cast, patient, interval: int = 7) -> None:
    prescribing.start(patient.id, Decision(interval, MONDAY), None, cast.actor, NOW)


def figures(cast: Cast) -> dict[str, int]:
    count = DailyCount.objects.get(clinic=cast.clinic)
    assert count.day == MONDAY
    return {
        name: value
        for name, value in vars(count).items()
        if isinstance(value, int) and value and not name.startswith("_")
    }


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
    assert not DailyCount.objects.exists()
    plan_doses(NINE)
    count_today(TEN + timedelta(days=1))
    assert not DailyCount.objects.exists()


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
    assert DailyCount.objects.get().day == due.date == later.astimezone(patient.zone).date()


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
    assert not DailyCount.objects.exists()


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
    assert figures(cast) == {"due": 1, "missing": 1}
    assert count_today(TEN) == 0, "nothing is repaired twice"
    plan_doses(TEN)
    assert Sms.objects.get().state == "queued"
    assert [dose.date for dose in Dose.objects.filter(state="planned")] == [
        MONDAY + timedelta(days=7)
    ]
    assert [item.cause for item in WorkItem.objects.all()] == [Cause.NO_PLAN]
    assert "was not planned" in caplog.text
