"""Several hosts: worker groups and beats with configurations of their own share Postgres and Valkey
and nothing else. Any two of them can die, and everything still leaves once."""

import random

import pytest

from dev.waiting import until
from messaging.models import Sms, Tick
from tests.faults.harness import BEATS, GROUPS, House, burning_house
from tests.texts import queue_texts

TEXTS = 120


@pytest.fixture
def database(django_db_blocker):
    with django_db_blocker.unblock():
        yield


@pytest.mark.soak
@pytest.mark.processes
@pytest.mark.usefixtures("database")
def test_any_two_of_three_groups_and_three_beats_are_killed() -> None:
    """Two groups and two beats at once: whichever two die, no more than this is missing."""
    chance = random.Random(3)
    with burning_house() as house:
        house.start_all()
        # So that the groups die with texts on their hands.
        house.simulator.inject("delay", on="create", seconds=1.5, probability=0.5, seed=3)
        texts = iter([f"+4477009{n:05}" for n in range(20_000, 20_000 + 2 * TEXTS)])
        queue_texts([next(texts) for _ in range(TEXTS)])
        until(lambda: len(house.simulator.ledger()["ids"]) > TEXTS / 10, 40, "texts leave")
        for name in (*chance.sample(sorted(GROUPS), 2), *chance.sample(sorted(BEATS), 2)):
            house.kill(name, "group" if name in GROUPS else "beat")
        assert house.done == {"group": 2, "beat": 2}
        queue_texts([next(texts) for _ in range(TEXTS)])
        all_arrived(house)


def await_look(name: str) -> None:
    """Wait until a tick that begins after this has been followed by a look."""
    tick = Tick.objects.filter(name=f"workers.tasks.{name}")
    last = tick.get().looked_at
    until(lambda: tick.get().looked_at > last, 30, f"{name} looks")


def all_arrived(house: House) -> None:
    def arrived() -> bool:
        return Sms.objects.filter(state="delivered").count() == 2 * TEXTS

    until(arrived, 90, "every text arrived")
    # Whoever would send one again has looked once more.
    for name in ("settle", "send_routine"):
        await_look(name)
    house.simulator.wait_until_quiet()
    tallies = house.simulator.ledger()["ids"].values()
    assert [tally["accepted"] for tally in tallies] == [1] * (2 * TEXTS)
