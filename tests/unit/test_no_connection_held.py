"""No database connection is held while Twilio is awaited: its answers are slow, and ours few."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection, connections

from dev.waiting import until
from messaging.models import Lane
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import settle
from tests.processes import World
from tests.texts import now, queue_text

WAIT = 0.8


def test_no_connection_is_held_while_twilio_is_awaited(world: World, monkeypatch):
    """Asked of Postgres, while the simulator lets a post, a list and a fetch wait."""
    simulator = world.simulator
    queue_text()
    assert held_during(lambda: send_due(Lane.ROUTINE), simulator, "create") == 0
    assert held_during(lambda: read_back(now() + timedelta(minutes=11)), simulator, "fetch") == 0

    monkeypatch.setattr("messaging.connections.READ_SECONDS", 0.3)
    simulator.inject("reset_after", on="create", count=1)
    queue_text()
    send_due(Lane.ROUTINE)
    monkeypatch.undo()
    assert held_during(lambda: settle(now() + timedelta(seconds=30)), simulator, "list") == 0


def held_during(work: Callable[[], int], simulator, call: str) -> int:
    """How many connections others than this thread have to the database while a call waits."""

    def working() -> int:
        try:
            return work()
        finally:
            connections.close_all()

    before = simulator.injected().get("delay", 0)
    simulator.inject("delay", on=call, count=1, seconds=WAIT, accepts=True)
    with ThreadPoolExecutor(1) as beside:
        done = beside.submit(working)
        until(lambda: simulator.injected().get("delay", 0) > before, 10, f"a {call} waits")
        held = backends()
        assert not done.done(), "it waited no more, and this has shown nothing"
        assert done.result() == 1
    return held


def backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        [(many,)] = cursor.fetchall()
    return int(many)
