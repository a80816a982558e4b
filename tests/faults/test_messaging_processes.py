"""Processes that are killed, stopped and starved: one text each, late at worst."""

import signal
import threading
from collections import Counter
from datetime import timedelta

from django.db import connection

from dev.processes import Process
from dev.waiting import until
from messaging import evidence
from messaging.claim import claim
from messaging.models import Lane, Sender, Sms
from messaging.sending import send_due
from messaging.settling import settle
from tests.processes import World
from tests.texts import get, now, queue_text, queue_texts, state

TAKEN = {"accepted", "sent", "delivered"}


def ended(process: Process) -> None:
    until(lambda: process.poll() is not None, 10, "the process has ended")


def settled(sms_id, end: set[str]) -> None:
    def look() -> bool:
        settle()
        return state(sms_id) in end

    until(look, 20, f"the text is {' or '.join(end)}")


def test_claims_at_once_take_each_text_once(world: World):
    queue_texts([f"+4477009{n:05}" for n in range(10_000, 10_300)])
    claimed: list = []

    def take() -> None:
        while found := claim(Lane.ROUTINE):
            claimed.extend(found)

    together(take, 4)
    assert len(claimed) == 300
    assert set(Counter(text.id for text in claimed).values()) == {1}
    assert set(Sms.objects.values_list("attempt", flat=True)) == {1}


def test_twins_claimed_at_once_by_two_senders_go_one_by_one(world: World):
    Sender.objects.update(lane=Lane.ROUTINE)
    queue_texts(["+447700910001"] * 40)
    claimed: list = []

    def take() -> None:
        claimed.extend(claim(Lane.ROUTINE))

    together(take, 4)
    assert len(claimed) == 1


def test_senders_and_settlers_at_once_send_each_text_once(world: World):
    kinds = ("reset_before", "500", "429", "reset_after", "garbage")
    for seed, kind in enumerate(kinds):
        world.simulator.inject(kind, on="create", probability=0.1, seed=seed)
    ids = queue_texts([f"+4477009{n:05}" for n in range(10_000, 10_200)])

    def work() -> None:
        for seconds in range(0, 400, 10):
            instant = now() + timedelta(seconds=seconds)
            send_due(Lane.ROUTINE, instant)
            settle(instant)

    together(work, 3)
    assert set(world.simulator.injected()) == set(kinds)
    assert world.simulator.doubles() == {}
    for sms in Sms.objects.filter(id__in=ids):
        assert sms.state in TAKEN | {"expired"}
        assert (world.simulator.accepted(sms.id) == 1) == (sms.state in TAKEN)


def test_a_sender_killed_before_it_could_record(world: World):
    world.simulator.inject("delay", on="create", count=1, seconds=30)
    sms_id = queue_text()
    sender = world.run("tests.faults.send_once", "15")
    until(lambda: world.simulator.accepted(sms_id), 20, "Twilio has taken the text")
    sender.kill()
    assert state(sms_id) == "sending"
    settle(now() + timedelta(seconds=16))
    assert state(sms_id) in TAKEN
    assert send_due(Lane.ROUTINE) == 0
    assert world.simulator.accepted(sms_id) == 1


def test_a_sender_that_was_stopped_before_its_write_never_writes_after_its_lease(world: World):
    sms_id = queue_text()
    sender = world.run("tests.faults.send_once", "1.5", "stop")
    until(lambda: state(sms_id) == "sending", 20, "the text is claimed")
    settled(sms_id, {"unknown"})
    sender.send(signal.SIGCONT)
    ended(sender)
    assert sender.poll() == -signal.SIGALRM
    settled(sms_id, {"queued"})
    assert world.simulator.accepted(sms_id) == 0
    assert send_due(Lane.ROUTINE) == 1
    assert (state(sms_id), world.simulator.accepted(sms_id)) == ("accepted", 1)


def test_a_sender_stopped_for_a_moment_goes_on(world: World):
    sms_id = queue_text()
    sender = world.run("tests.faults.send_once", "15", "stop")
    until(lambda: state(sms_id) == "sending", 20, "the text is claimed")

    def goes_on() -> bool:
        sender.send(signal.SIGCONT)
        return sender.poll() is not None

    until(goes_on, 20, "the process has ended")
    assert sender.poll() == 0
    assert (state(sms_id), world.simulator.accepted(sms_id)) == ("accepted", 1)


def test_a_database_that_is_lost_while_texts_are_posted(world: World, monkeypatch):
    sms_id = queue_text()
    write = evidence._write
    lost = []

    def write_once_lost(rows, instant):
        if not lost:
            lost.append(True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        write(rows, instant)

    monkeypatch.setattr(evidence, "_write", write_once_lost)
    send_due(Lane.ROUTINE)
    assert lost
    assert state(sms_id) == "accepted"


def test_nothing_is_written_after_the_window(world: World, monkeypatch):
    monkeypatch.setattr("messaging.claim.WINDOW", 0.0001)
    sms_id = queue_text()
    assert send_due(Lane.ROUTINE) == 1
    assert (state(sms_id), get(sms_id).attempt) == ("queued", 1)
    assert world.simulator.accepted(sms_id) == 0
    monkeypatch.undo()
    send_due(Lane.ROUTINE)
    assert state(sms_id) == "accepted"


def together(work, many: int) -> None:
    """Run `work` in many threads at once; an error in one fails the test."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
