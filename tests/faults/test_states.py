"""kill -9, and SIGSTOP, short and past the lease, of a sending process in each of its states, with
proof that it was in that state when it was struck."""

import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, connections

from dev.waiting import until
from messaging.models import Lane, Sms
from messaging.sending import send_due
from tests.faults.struck import STEPS, Order, Point, name, start, stopped
from tests.faults.tally import MANY, come_to_rest, count, read_all_back
from tests.processes import World
from tests.texts import queue_texts

A_BATCH = 5
SHORT_LEASE = 1.0
LEASE = 15.0
ENDED_BY_LEASE, KILLED = -signal.SIGALRM, -signal.SIGKILL


class Range:
    """Texts, and processes that are struck while they send them. hits: of which it was seen that
    they stood where they should."""

    def __init__(self, world: World, chance: random.Random, point: Point = Point.CLAIMING) -> None:
        self.world = world
        self.point = point
        self.hits = 0
        self._chance = chance
        self._numbers = iter([f"+4477009{n:05}" for n in range(10_000, 20_000)])

    def texts(self) -> set[UUID]:
        """A batch; in doubt, half of it rightly, where it is to be settled."""
        settling = self.point == Point.SETTLING
        if settling:
            for kind in ("reset_after", "reset_before"):
                self.world.simulator.inject(kind, on="create", count=A_BATCH // 2)
        numbers = [next(self._numbers) for _ in range(A_BATCH)]
        ids = set(queue_texts(numbers, owner_id=self.world.cast.ada.id))
        if settling:
            send_due(Lane.ROUTINE)
            self.world.simulator.clear_faults()
            Sms.objects.filter(id__in=ids, state="unknown").update(lease_until="2020-01-01T00:00Z")
        return ids

    def strike(self, lease: float) -> BaseProcess:
        """A process that stands at a random step of the point, and was seen there."""
        texts = self.texts()
        step = self._chance.randint(1, STEPS[self.point])
        process = start(
            Order(
                point=self.point,
                step=step,
                lease=lease,
                database=connections["default"].settings_dict["NAME"],
                twilio=settings.TWILIO_BASE_URL,
                public=settings.PUBLIC_URL,
            )
        )
        until(lambda: stopped(process), 20, f"a process stands {self.point}")
        PROOF[self.point](Sight(self.world, texts, process.pid, step))
        self.hits += 1
        return process


@pytest.fixture(autouse=True)
def _nobody_stays_stopped() -> Iterator[None]:
    """One who is stopped doesn't hear that all is over, and would be waited for."""
    yield
    for process in multiprocessing.active_children():
        process.kill()


# -- what shows from outside that a process is where it should be -----------------------------


@dataclass(frozen=True)
class Sight:
    """A process at a step, and its texts, seen from outside."""

    world: World
    texts: set[UUID]
    pid: int | None
    step: int

    @property
    def states(self) -> set[str]:
        return set(Sms.objects.filter(id__in=self.texts).values_list("state", flat=True))

    @property
    def taken(self) -> int:
        """How many of its texts Twilio has."""
        ids = self.world.simulator.ledger()["ids"]
        return sum(ids[str(text)]["accepted"] for text in self.texts if str(text) in ids)

    @property
    def in_transaction(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state FROM pg_stat_activity WHERE application_name = %s", [name(self.pid)]
            )
            return cursor.fetchall() == [("idle in transaction",)]


def is_claiming(seen: Sight) -> None:
    assert (seen.states, seen.in_transaction, seen.taken) == ({"queued"}, True, 0)


def is_claimed(seen: Sight) -> None:
    assert (seen.states, seen.in_transaction, seen.taken) == ({"sending"}, False, 0)


def is_writing(seen: Sight) -> None:
    """Those before it are written; this one and those behind it aren't."""
    assert (seen.states, seen.in_transaction) == ({"sending"}, False)
    assert seen.taken < seen.step


def is_posted(seen: Sight) -> None:
    # Its transaction begins with its first statement.
    assert (seen.states, seen.in_transaction) == ({"sending"}, seen.step > 1)
    assert seen.taken == A_BATCH


def is_settling(seen: Sight) -> None:
    assert "unknown" in seen.states


PROOF: dict[Point, Callable[[Sight], None]] = {
    Point.CLAIMING: is_claiming,
    Point.CLAIMED: is_claimed,
    Point.WRITING: is_writing,
    Point.POSTED: is_posted,
    Point.SETTLING: is_settling,
}


# -- the strikes ------------------------------------------------------------------------------


def kill(hit: Range, times: int) -> None:
    for _ in range(times):
        process = hit.strike(SHORT_LEASE)
        process.kill()
        process.join()
        assert process.exitcode == KILLED


def stop_for_a_moment(hit: Range, times: int) -> None:
    for _ in range(times):
        process = hit.strike(LEASE)
        wake(process)
        process.join(30)
        assert process.exitcode == 0, "it goes on"


def stop_past_the_lease(hit: Range, times: int) -> None:
    """Others settle and send its texts again before it wakes; then it must die, or do nothing."""
    # Who stands in a claim keeps its sender from others: one after the other.
    claiming, settling = hit.point == Point.CLAIMING, hit.point == Point.SETTLING
    at_once = 1 if claiming else times
    for _ in range(0, times, at_once):
        standing = [hit.strike(SHORT_LEASE) for _ in range(at_once)]
        if not claiming:
            come_to_rest()
        for process in standing:
            until(lambda p=process: settling or alarmed(p), 10, "its lease is over")
            wake(process)
            process.join(30)
            # A settler's only trouble is that Postgres has ended its transaction.
            expected = {0, 1} if settling else {ENDED_BY_LEASE}
            assert process.exitcode in expected, "it goes on after its lease"


def wake(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def alarmed(process: BaseProcess) -> bool:
    """Whether the kernel's timer has gone off, and waits for the process to wake."""
    with open(f"/proc/{process.pid}/status") as status:  # noqa: PTH123 - the kernel's
        pending = [line.split()[1] for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    return any(int(mask, 16) >> (signal.SIGALRM - 1) & 1 for mask in pending)


STRIKES = {
    "kill -9": kill,
    "stopped for a moment": stop_for_a_moment,
    "stopped past its lease": stop_past_the_lease,
}


@pytest.mark.soak
@pytest.mark.processes
@pytest.mark.parametrize("strike", STRIKES)
@pytest.mark.parametrize("point", Point)
def test_a_state_many_times(world: World, chance: random.Random, point: Point, strike: str) -> None:
    hit = Range(world, chance, point)
    STRIKES[strike](hit, MANY)
    come_to_rest()
    read_all_back(world.simulator)
    count(f"{strike} {point}", hit.hits, MANY, world.simulator)


@pytest.mark.processes
def test_every_state_once(world: World, chance: random.Random) -> None:
    hit = Range(world, chance)
    for point in Point:
        for strike in STRIKES.values():
            hit.point = point
            strike(hit, 1)
    come_to_rest()
    read_all_back(world.simulator)
    count("kill -9 and SIGSTOP", hit.hits, len(Point) * len(STRIKES), world.simulator)
