"""The clock's verb in a batch: its cost, its neighbours, and a row that can't be planned."""

from datetime import UTC, date, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from messaging.inbound import say
from messaging.models import Scope, Sms, SmsEvent
from messaging.states import Finding
from reminders.conversation.news import take_news
from reminders.models import Cause, Dose, Patient, Schedule, WorkItem
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.texts import wording
from tests.cast import NOW, Cast, make_patient
from tests.texts import queue_text

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)


def start_patients(cast: Cast, how_many: int) -> list[Patient]:
    """Ada and others, all due on Monday at nine."""
    patients = [cast.ada] + [
        make_patient(cast.clinic, cast.clinician, number=f"077009001{n:02}", name=f"P{n}")
        for n in range(1, how_many)
    ]
    for patient in patients:
        prescribing.start(patient.id, Decision(7, MONDAY), None, cast.actor, NOW)
    return patients


def queries_of_planning(now: datetime) -> int:
    with CaptureQueriesContext(connection) as captured:
        plan_doses(now)
    return len(captured)


def test_a_batch_costs_as_many_queries_as_one_patient(cast):
    first, *others = start_patients(cast, 31)
    Dose.objects.exclude(schedule__patient=first).update(next_step_at=NINE + timedelta(minutes=1))
    for_one = queries_of_planning(NINE)
    assert queries_of_planning(NINE + timedelta(minutes=1)) == for_one
    assert Sms.objects.count() == 1 + len(others)


def test_a_batch_leaves_the_rest_for_the_next(cast):
    start_patients(cast, 5)
    assert [plan_doses(NINE, most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert Sms.objects.count() == 5


def test_planning_is_written_down_once_a_batch_and_only_if_it_did_something(cast):
    start_patients(cast, 3)
    plan_doses(NINE)
    plan_doses(NINE)
    assert [entry.detail for entry in AuditEntry.objects.filter(verb="plan_doses")] == [
        {"steps": 3}
    ]


def test_the_distance_is_kept_to_when_a_text_really_left(cast):
    start_patients(cast, 1)
    plan_doses(NINE)
    late = NINE + timedelta(hours=11, minutes=30)
    Sms.objects.update(state="delivered", claimed_at=late)
    plan_doses(NINE + timedelta(days=1))
    assert Sms.objects.count() == 1, "half past eight in the evening was the last"
    plan_doses(late + timedelta(hours=20))
    assert Sms.objects.count() == 2


def test_one_bad_row_stops_nobody_else_and_ends_on_the_worklist(cast, monkeypatch):
    patients = start_patients(cast, 4)
    bad = patients[2]
    rendered = wording.text

    def text(kind: str, patient: Patient, *rest: Any, **named: Any) -> str:
        if patient.id == bad.id:
            raise KeyError("no words for this one")
        return rendered(kind, patient, *rest, **named)

    # The only part of a step that isn't the database's: it stands for any bug in one row's way.
    monkeypatch.setattr(wording, "text", text)
    plan_doses(NINE)
    assert Sms.objects.count() == 3
    assert Dose.objects.get(schedule__patient=bad).trouble == 1
    plan_doses(NINE)
    plan_doses(NINE)
    assert WorkItem.objects.get(patient=bad).cause == Cause.PLAN_FAILED
    assert plan_doses(NINE) == 0, "it is left to a person"


@pytest.mark.parametrize("lost", [OperationalError, InterfaceError])
def test_a_lost_database_is_no_fault_of_any_dose(cast, monkeypatch, lost):
    start_patients(cast, 1)

    def text(*_: object, **__: object) -> str:
        raise lost("the connection is closed")

    # Stands for a connection that ends amid a step, which can't be timed from outside.
    monkeypatch.setattr(wording, "text", text)
    for _ in range(3):
        with pytest.raises(lost):
            plan_doses(NINE)
    monkeypatch.undo()
    assert set(Dose.objects.values_list("trouble", flat=True)) == {0}
    assert plan_doses(NINE) == 1


def test_a_patient_whom_somebody_holds_is_passed_over_and_not_lost(world):
    cast = world.cast
    start_patients(cast, 3)
    held, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Patient.objects.select_for_update().get(id=cast.ada.id)
            held.set()
            done.wait(10)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    held.wait(10)
    assert plan_doses(NINE) == 2
    done.set()
    holder.join()
    assert plan_doses(NINE) == 1
    assert Sms.objects.count() == 3


def test_many_at_once_queue_each_text_once(world):
    start_patients(world.cast, 20)

    def run() -> None:
        while plan_doses(NINE, most=3):
            pass
        connections.close_all()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plan_doses(NINE)
    assert Sms.objects.count() == 20
    assert Dose.objects.filter(state="planned").count() == 20


class TestSweep:
    def test_new_rules_of_a_zone_move_what_is_still_to_come(self, cast):
        start_patients(cast, 2)
        Dose.objects.update(next_step_at=NINE + timedelta(hours=1))
        sweep(NOW)
        assert set(Dose.objects.values_list("next_step_at", flat=True)) == {NINE}

    def test_a_running_schedule_without_a_plan_is_an_alarm(self, cast, caplog):
        start_patients(cast, 1)
        Dose.objects.all().delete()
        sweep(NOW)
        sweep(NOW)
        assert [item.cause for item in WorkItem.objects.all()] == [Cause.NO_PLAN]
        assert "no planned dose" in caplog.text

    def test_a_pause_is_looked_at_again_on_its_day(self, cast):
        start_patients(cast, 1)
        Dose.objects.all().delete()
        Schedule.objects.update(status="paused", review_on=MONDAY + timedelta(days=3))
        sweep(NOW + timedelta(days=2))
        assert not WorkItem.objects.exists()
        sweep(NOW + timedelta(days=3))
        assert [item.cause for item in WorkItem.objects.all()] == [Cause.REVIEW_DUE]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("failed", Cause.UNDELIVERED),
        ("undelivered", Cause.UNDELIVERED),
        ("suppressed", Cause.OPTED_OUT),
        ("expired", Cause.SEND_UNKNOWN),
    ],
)
def test_what_did_not_arrive_is_on_the_worklist_once(cast, state, cause):
    start_patients(cast, 1)
    plan_doses(NINE)
    if state == "suppressed":
        say(Scope.CARE, cast.ada.number, opted_out=True, said_at=NINE)
    if state == "expired":
        sms = Sms.objects.get()
        SmsEvent.objects.create(sms=sms, attempt=1, source="settle", status=Finding.USE_OVER)
    Sms.objects.update(state=state, untaken=True)
    take_news(NINE)
    take_news(NINE)
    item = WorkItem.objects.get()
    assert (item.patient, item.cause) == (cast.ada, cause)
    assert not Sms.objects.filter(untaken=True).exists()


def test_a_reminder_that_never_left_did_not_reach_the_patient_and_the_item_says_of_which_day(cast):
    """Nobody is told that it may have arrived."""
    start_patients(cast, 1)
    plan_doses(NINE)
    Sms.objects.update(state="expired", untaken=True)
    take_news(NINE)
    item = WorkItem.objects.get()
    dose = Dose.objects.get(state="due")
    assert (item.cause, item.facts) == (
        Cause.NOT_ASKED, {"dose": str(dose.id), "date": dose.date.isoformat()},
    )  # fmt: skip
    queue_text(owner_id=cast.ada.id)
    Sms.objects.filter(state="queued").update(state="expired", untaken=True)
    take_news(NINE)
    item = WorkItem.objects.get(cause=Cause.UNDELIVERED)
    assert "not sent in time" in item.facts["because"]
