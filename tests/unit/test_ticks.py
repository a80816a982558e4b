"""Ticks: surplus ones do nothing, and no host's clock but Postgres's says which those are."""

from contextlib import closing
from datetime import timedelta

import pytest

from messaging.clock import first_look
from messaging.models import Lane, Tick
from tests.cast import make_sender
from tests.texts import now, queue_text, state
from workers.app import app
from workers.tasks import send_routine
from workers.ticks import BEAT_SCHEDULE, TICKS

NAME = "workers.tasks.send_routine"


def looked(ago: timedelta) -> None:
    Tick.objects.filter(name=NAME).update(looked_at=now() - ago)


def test_the_first_one_looks_and_those_right_after_it_do_not(db):
    assert [first_look(NAME, 1) for _ in range(5)] == [True, False, False, False, False]
    looked(timedelta(seconds=1.1))
    assert first_look(NAME, 1)
    assert first_look("another", 1)


def test_a_clock_that_was_set_back_stops_no_tick(db):
    assert first_look(NAME, 1)
    looked(-timedelta(hours=1))
    assert first_look(NAME, 1)


@pytest.mark.parametrize("ago", [0, 2])
def test_a_surplus_tick_does_nothing(simulator, db, ago):
    make_sender("+15005550006", Lane.ROUTINE)
    assert first_look(NAME, 1)
    sms_id = queue_text()
    looked(timedelta(seconds=ago))
    send_routine()
    assert state(sms_id) == ("accepted" if ago else "queued")


def test_a_tick_whose_worker_died_looks_again(simulator, db):
    make_sender("+15005550006", Lane.ROUTINE)
    assert first_look(NAME, 1)
    sms_id = queue_text()
    send_routine.push_request(delivery_info={"redelivered": True})
    try:
        send_routine()
    finally:
        send_routine.pop_request()
    assert state(sms_id) == "accepted"


def test_what_beat_sends_says_nothing_and_nothing_of_its_hosts_clock():
    """With an expiry in it, a worker whose clock is ahead by a minute would drop every tick."""
    with app.connection_for_write("memory://") as connection:
        for name, entry in BEAT_SCHEDULE.items():
            producer = app.amqp.Producer(connection)
            app.tasks[name].apply_async(producer=producer, **entry["options"])
            with closing(connection.SimpleQueue(TICKS[name][1])) as queue:
                message = queue.get(timeout=5)
                message.ack()
            # All that Redis ever holds of us: no text, no number, no id.
            assert (message.payload[0], message.payload[1]) == ([], {})
            assert (message.headers["expires"], message.headers["eta"]) == (None, None)
            assert "expiration" not in message.properties
