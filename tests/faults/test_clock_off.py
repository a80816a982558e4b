"""The clock of the host that works is off by a minute: all leaves once, and on time by Postgres."""

import random
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from dev.waiting import until
from messaging.models import Sms, Tick
from reminders.models import Dose, Patient
from tests.compose import command
from tests.faults.tally import FEW_OR_MANY, count, read_all_back
from tests.living import enrol_many, start_now
from tests.processes import World
from tests.texts import queue_texts

LOOKS = timedelta(seconds=10 + 2)
"""From when a dose is due to when its text is taken, at most: a tick that plans, one that sends."""

SLACK = timedelta(seconds=6)
"""For a machine that is busy: far from a minute."""


@pytest.mark.processes
@pytest.mark.parametrize("seconds", [60, -60], ids=["ahead", "behind"])
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_one_hosts_clock_is_off(
    world: World, chance: random.Random, seconds: int, times: int
) -> None:
    worker = ("--concurrency", "1", "--loglevel", "INFO", "--hostname", "off@test")
    world.run("python", "-m", "tests.faults.off_by", str(seconds), *command("worker"), *worker)
    world.start_beat()
    until(lambda: Tick.objects.filter(name="workers.tasks.send_routine").exists(), 60, "it looks")
    assert f"This clock is off by {seconds} s." in world.logs()

    due: dict[str, datetime] = {}
    for n, patient in enumerate(enrol_many(world.cast, times)):
        instant = timezone.now() + timedelta(seconds=chance.uniform(3, 13))
        start_at(world, patient, instant)
        due[patient.number] = instant
        # And a text of nobody's plan, which is due at an instant of its own.
        number = f"+4477009{20_000 + n:05}"
        queue_texts([number], owner_id=world.cast.ada.id, available_at=instant)
        due[number] = instant

    def left() -> int:
        return len(world.simulator.ledger()["ids"])

    until(lambda: left() == 2 * times, 100, "all have left")
    read_all_back(world.simulator)
    texts = world.simulator.ledger()["messages"]
    late = {text["to"]: datetime.fromisoformat(text["real_at"]) - due[text["to"]] for text in texts}
    assert min(late.values()) > timedelta(0), "nothing leaves too early"
    assert max(late.values()) < LOOKS + SLACK, "nothing leaves too late"
    assert set(Sms.objects.values_list("attempt", flat=True)) == {1}
    where = "ahead" if seconds > 0 else "behind"
    count(f"a clock a minute {where}", len(texts), 2 * times, world.simulator)


def start_at(world: World, patient: Patient, instant: datetime) -> None:
    """Start a schedule whose first dose is due at that very second."""
    with transaction.atomic():
        start_now(world.cast, patient)
        Dose.objects.filter(schedule__patient=patient).update(next_step_at=instant)
