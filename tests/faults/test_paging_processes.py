"""An urgent item over HTTP to the phones, with the workers killed while it climbs the rota."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dev.waiting import until
from reminders.models import Cause, WorkItem
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items
from reminders.worklist.rota import Turn, rota_of, set_rota, token_of
from tests.processes import World

FIRST, SECOND = "+447700900201", "+447700900202"
ON_TIME = 15.0
"""Seconds from an item's instant to the phone: a tick of two, a post of another two, and room for
a machine that has other things to do. A killed worker's ticks are never waited for."""


def pages(world: World, phone: str) -> dict[str | None, str]:
    """The pages that one phone was sent, by our id: one that a killed worker may have posted goes
    again, for twice is better than never."""
    return {text["id"]: text["body"] for text in world.simulator.ledger(to=phone)["messages"]}


@pytest.mark.processes
def test_an_item_that_nobody_takes_climbs_on_time_though_workers_are_killed(world: World) -> None:
    cast = world.cast
    now = timezone.now()
    turns = [Turn(cast.coordinator.id, 1, FIRST), Turn(cast.clinician.id, 2, SECOND)]
    set_rota(cast.clinic, turns, token_of(rota_of(cast.clinic.id)), cast.actor, now)
    world.start_web()
    one = world.start_worker("urgent")
    world.start_beat()
    open_items([Finding(cast.ada.id, Cause.URGENT_SIGN, {"sign": "fever"})], now)

    def got(first: int, second: int) -> bool:
        return (len(pages(world, FIRST)), len(pages(world, SECOND))) == (first, second)

    def ten_minutes_pass() -> None:
        item = WorkItem.objects.get()
        assert item.next_page_at is not None
        assert timedelta(minutes=9) < item.next_page_at - timezone.now() < timedelta(minutes=10)
        WorkItem.objects.update(next_page_at=timezone.now())

    # The first look waits for the processes to start.
    until(lambda: got(1, 0), 60, "the first rung is paged")

    one.kill()
    ten_minutes_pass()
    other = world.start_worker("urgent")
    until(lambda: got(1, 1), 60, "the second rung is paged by the worker that came after")

    third = world.start_worker("urgent")
    until(lambda: "ready" in world.logs().rpartition("urgent")[2], 60, "a third worker listens")
    ten_minutes_pass()
    other.kill()
    until(lambda: got(2, 2), ON_TIME, "everybody is paged, with one of two workers killed")

    attending.take(WorkItem.objects.get().id, cast.actor, timezone.now())
    WorkItem.objects.update(owned_until=timezone.now(), next_page_at=timezone.now())
    until(lambda: got(3, 3), ON_TIME, "it climbs on when the lease has ended")
    item = attending.take(WorkItem.objects.get().id, cast.actor, timezone.now())
    assert third.poll() is None
    kinds = list(item.notes.order_by("id").values_list("kind", flat=True))
    assert kinds == ["opened", "paged", "paged", "paged", "taken", "paged", "taken"]
    assert set(pages(world, FIRST).values()) == {
        "Dosecircle, St Example: somebody needs an urgent call. Open the worklist and take it."
    }
