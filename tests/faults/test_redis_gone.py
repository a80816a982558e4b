"""Redis stopped and emptied: texts are late, none is lost, none comes twice."""

import time

import pytest

from dev.waiting import until
from messaging.models import Sms
from tests.living import enrol_many, start_now
from tests.processes import World


@pytest.mark.processes
@pytest.mark.parametrize(
    "stopped_seconds", [8, pytest.param(60, id="a minute", marks=pytest.mark.soak)]
)
def test_a_while_without_redis_and_an_empty_one_after_it(
    world: World, stopped_seconds: int
) -> None:
    patients = enrol_many(world.cast, 30)
    world.start_web()
    world.start_worker()
    world.start_beat()

    def arrived() -> int:
        return Sms.objects.filter(state="delivered").count()

    for patient in patients[:10]:
        start_now(world.cast, patient)
    until(lambda: arrived() == 10, 60, "the first ten arrived")

    world.stack.valkey.kill()
    for patient in patients[10:20]:
        start_now(world.cast, patient)
    time.sleep(stopped_seconds)
    assert arrived() == 10, "nobody looked, so nothing went"
    world.stack.valkey.start()  # it keeps nothing on disk: what it held is gone
    for patient in patients[20:]:
        start_now(world.cast, patient)

    until(lambda: arrived() == 30, 90, "all arrived once Redis was back")
    # Whoever would send one again has looked once more.
    world.await_look("settle")
    world.await_look("send_routine")
    world.simulator.wait_until_quiet()
    assert len(world.simulator.ledger()["ids"]) == 30
    assert world.simulator.doubles() == {}
    assert set(Sms.objects.values_list("attempt", flat=True)) == {1}
