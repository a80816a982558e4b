"""kill -9 of each server alone, at random instants, while texts flow."""

import random
import time
from collections.abc import Callable

import pytest

from dev.waiting import until
from messaging.models import Sms
from tests.faults.harness import House, burning_house, restart_postgres
from tests.faults.judging import OPEN, hurry
from tests.faults.people import GONE, insist
from tests.faults.tally import MANY, count, no_more_quiet, read_all_back
from tests.texts import queue_texts

WORKER, BEAT = "group-b", "beat-a"


def kill_beat(house: House) -> None:
    house.kill(BEAT, "kill beat")
    house.start(BEAT)


def kill_simulator(house: House) -> None:
    house.simulator.kill()
    house.simulator.restart()
    house.done["kill simulator"] += 1


def kill_valkey(house: House) -> None:
    """It keeps nothing on disk: what it held is gone."""
    house.stack.valkey.kill()
    house.stack.valkey.start()
    house.done["kill valkey"] += 1


KILL: dict[str, Callable[[House], None]] = {
    "kill beat": kill_beat,
    "kill simulator": kill_simulator,
    "kill valkey": kill_valkey,
    "kill postgres": restart_postgres,
}


@pytest.fixture
def database(django_db_blocker):
    """Let the test reach databases; it brings its own."""
    with django_db_blocker.unblock():
        yield


@pytest.mark.processes
@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("kinds", "times"),
    [
        pytest.param(list(KILL), 1, id="each once"),
        *(pytest.param([kind], MANY, id=kind, marks=pytest.mark.soak) for kind in KILL),
    ],
)
def test_a_server_is_killed(kinds: list[str], times: int, chance: random.Random) -> None:
    with burning_house() as house:
        house.start(WORKER)
        house.start(BEAT)
        numbers = iter([f"+4477009{n:05}" for n in range(10_000, 30_000)])

        def write() -> None:
            some = [next(numbers) for _ in range(chance.randint(2, 6))]
            insist(lambda: queue_texts(some, owner_id=house.cast.ada.id))

        def had() -> int:
            return len(house.simulator.ledger()["ids"])

        # So that texts are on their way when it strikes.
        house.simulator.inject("delay", on="create", seconds=0.3, probability=0.3)
        write()
        until(had, 60, "texts flow")
        for n in range(times):
            for kind in kinds:
                before = had()
                write()
                time.sleep(chance.uniform(0, 2))  # the instant
                KILL[kind](house)
                if n % 4 == 0:
                    until(lambda b=before: had() > b, 90, "texts flow again")
        until(at_rest, 90, "all is settled by those who run")
        read_all_back(house.simulator)
        assert set(house.done) == set(kinds)
        name = kinds[0] if len(kinds) == 1 else "kill each server"
        count(f"{name} -9", house.done.total(), times * len(kinds), house.simulator)


def at_rest() -> bool:
    try:
        hurry()
        no_more_quiet()
        return not Sms.objects.filter(state__in=OPEN).exists()
    except GONE:
        return False
