"""All faults together, at random instants, for a while: each text leaves once, or somebody is told.

`make faults SOAK_SECONDS=600 SOAK_SEED=7` for longer; the seed printed
plays the same storm again.
"""

import os
import time
from collections.abc import Callable

import pytest

from tests.faults.harness import burning_house
from tests.faults.judging import judge, report, settle_all
from tests.faults.people import People
from tests.faults.storm import Storm
from tests.faults.tally import SEED

SECONDS = float(os.environ.get("SOAK_SECONDS", "22"))


@pytest.fixture
def database(django_db_blocker):
    """Let the test reach databases; it brings its own."""
    with django_db_blocker.unblock():
        yield


@pytest.mark.soak
@pytest.mark.processes
@pytest.mark.usefixtures("database")
def test_all_faults_together(record_property: Callable[[str, object], None]) -> None:
    record_property("storm", f"SOAK_SECONDS={SECONDS:g} SOAK_SEED={SEED}")  # to replay it
    began = time.monotonic()
    with burning_house() as house:
        people = People(house, SECONDS, SEED, patients=round(16 + SECONDS))
        storm = Storm(house, SECONDS, SEED)
        house.start_all()
        people.start()
        storm.play()
        people.finish()
        storm.calm()
        settle_all(house, people)
        verdict = judge(house.simulator, people.told)
        record_property("storm", report(house, verdict, people, began))
        assert verdict.broken == {}, verdict.broken
        # What ended by itself was started again, as by a supervisor; it is shown, not judged.
        record_property("storm", f"ended by themselves: {house.ended}")
        assert_injected(storm)
        assert verdict.ends["delivered"] > SECONDS
        assert people.told.opted_out
        assert people.told.ended


def assert_injected(storm: Storm) -> None:
    """A storm that did not do what it says has shown nothing."""
    done = storm.house.done
    for kind in {kind for _, kind in storm.planned}:
        planned = sum(1 for _, other in storm.planned if other == kind)
        assert done[kind] >= max(1, planned // 2), (kind, planned, done)
    assert storm.missing() == set()
