"""Alarms: silence, and what rests."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import inbound
from messaging.models import Circuit, InboundSms, Sender, Sms
from messaging.sending import send_due
from messaging.silence import silent_for
from reminders.planning.alarms import alarms
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW
from tests.texts import NUMBER, now, queue_text

pytestmark = pytest.mark.usefixtures("cast")


def long_ago(seconds: float = 100) -> dict[str, object]:
    return {"available_at": now() - timedelta(seconds=seconds)}


def quiet_senders() -> None:
    Sender.objects.update(taken_at=now() - timedelta(hours=1))


def names() -> list[str]:
    return [alarm.name for alarm in alarms(timezone.now())]


def test_a_text_that_nobody_sends_is_an_alarm_within_two_minutes():
    quiet_senders()
    queue_text(**long_ago(60))
    assert names() == []
    queue_text(**long_ago(100))
    assert names() == ["sending_silent"]
    assert 100 <= silent_for() < 110


def test_waiting_for_ones_turn_is_no_alarm():
    queue_text(**long_ago())
    Sender.objects.update(taken_at=now() - timedelta(seconds=5))
    assert names() == []


def test_it_ends_when_texts_leave(simulator):
    quiet_senders()
    queue_text(**long_ago())
    assert names() == ["sending_silent"]
    send_due("routine")
    assert names() == []


def test_texts_that_are_all_refused_are_silence_though_the_lane_is_busy(simulator):
    """Each try sets the next one's instant, and none of these is due for long."""
    quiet_senders()
    simulator.break_number(NUMBER, 21408)
    queue_text(expires_at=now() + timedelta(hours=2))
    begun = now()
    for seconds in range(0, 1800, 60):
        send_due("routine", begun + timedelta(seconds=seconds))
    assert silent_for(begun + timedelta(minutes=30)) == pytest.approx(1800, abs=30)
    queue_text("+447700900124")
    send_due("routine", begun + timedelta(minutes=31))
    assert silent_for(begun + timedelta(minutes=32)) < 90


def unread(cast, seconds: float, body: str = "chest pain") -> None:
    came = now() - timedelta(seconds=seconds)
    inbound.store(cast.sender, f"SM{body:.30}", NUMBER, body, came)


def test_texts_that_nobody_reads_are_an_alarm_within_two_minutes(cast):
    unread(cast, 60)
    assert names() == []
    unread(cast, 100, "and my arm hurts")
    assert names() == ["hearing_silent"]


def test_an_unread_answer_excuses_silence_only_while_the_claim_waits_for_it(cast):
    quiet_senders()
    unread(cast, 60)
    queue_text(**long_ago())
    assert names() == []
    InboundSms.objects.update(received_at=now() - timedelta(minutes=11))
    assert names() == ["sending_silent", "hearing_silent"]


@pytest.mark.parametrize("other", [{"asked_for": True}, {"kind": "repeat"}])
def test_what_no_unread_answer_holds_back_is_silence_at_once(cast, other):
    quiet_senders()
    unread(cast, 60)
    queue_text(**long_ago(), **other)
    assert names() == ["sending_silent"]


def test_without_a_sender_it_is_silent_too():
    Sender.objects.all().delete()
    queue_text(**long_ago())
    assert names() == ["sending_silent"]


def test_one_who_said_stop_does_not_wait(cast):
    from messaging.models import OptOut

    quiet_senders()
    OptOut.objects.create(scope="care", number=NUMBER, opted_out=True, said_at=now())
    queue_text(**long_ago())
    assert names() == []


def test_a_dose_that_nobody_plans_is_an_alarm(cast):
    decision = Decision(7, NOW.date())
    prescribing.start(cast.ada.id, decision, None, cast.actor, NOW)
    nine = NOW + timedelta(minutes=30)
    assert [alarm.name for alarm in alarms(nine + timedelta(seconds=80))] == []
    late = nine + timedelta(seconds=100)
    assert [alarm.name for alarm in alarms(late)] == ["planning_silent"]
    plan_doses(late)
    Sms.objects.all().delete()
    assert [alarm.name for alarm in alarms(late)] == []


def test_an_open_circuit_is_an_alarm(cast):
    Circuit.objects.create(name=cast.sender.account, opened_at=now(), why="error 20003")
    assert names() == ["circuit_open"]


def test_the_web_tells_a_monitor(client, cast):
    assert client.get("/health/work").status_code == 200
    quiet_senders()
    queue_text(**long_ago())
    answer = client.get("/health/work")
    assert answer.status_code == 503
    assert [alarm["name"] for alarm in answer.json()["alarms"]] == ["sending_silent"]
