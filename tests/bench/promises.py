"""The promises of speed, measured one after the other. Both sides of a ratio in one run."""

import time
from collections.abc import Iterator
from datetime import timedelta

from messaging.claim import LEASE
from messaging.models import Tick
from reminders import planning
from tests.bench.fleet import QUIET_SECONDS, Fleet
from tests.bench.machine import memory
from tests.bench.measures import REPEATS, Cost, cost
from tests.bench.rows import NOW, House
from tests.bench.sends import Sends, Sent
from tests.bench.targets import Target
from workers.tasks import plan_doses, send_routine

MANY = 10_000
FEWER = 1_000
"""For those that take long, and to warm a worker up."""
AT_ONE_INSTANT, PACE = 20_000, 500.0
IN_FLIGHT = 256


class Promises:
    """Measured with few patients first (`with_few`), and then with many."""

    def __init__(self, fleet: Fleet, house: House) -> None:
        self.fleet, self.sends = fleet, Sends(fleet, house)
        self._idle: dict[str, Cost] = {}
        self._memory = 0.0

    def with_few(self) -> None:
        """What is to be the same with many."""
        self._idle = idle()
        self._memory = self._worker_memory()

    def with_many(self) -> Iterator[Target]:
        """All of them, each as soon as it is known."""
        yield from self._ticks()
        found = self._worker_memory()
        yield Target(
            "worker memory, many patients against few", "MB more",
            max(0, round(found - self._memory)), 5, 0, less=True,
            how=f"{self._memory:.0f} and {found:.0f} MB, both processes and their parent",
        )  # fmt: skip
        yield from self._throughput()
        yield self._lateness()
        yield self._after_kill()
        yield self._planning()

    def _ticks(self) -> Iterator[Target]:
        now = idle()
        worst = max(now, key=lambda task: now[task].ms / self._idle[task].ms)
        shown = ", ".join(f"{task} {cost.ms:.2f} ms" for task, cost in now.items())
        yield Target(
            "tick with nothing due, many patients against few", "times",
            now[worst].ms / self._idle[worst].ms, 1.2, less=True, how=f"worst: {worst}",
        )  # fmt: skip
        slowest = max(cost.ms for cost in now.values())
        yield Target("the same, with its task", "ms", slowest, 5, less=True, how=shown)

    def _worker_memory(self) -> float:
        with self.sends.workers() as worker:
            self.sends.ours(worker, FEWER)
            return memory(worker.pid)

    def _throughput(self) -> Iterator[Target]:
        """Ours between two runs of the bare loop, so that what the machine does besides shows."""
        before = self.sends.bare(MANY)
        with self.sends.workers() as worker:
            self.sends.ours(worker, FEWER)
            ours = self.sends.ours(worker, MANY)
        after = self.sends.bare(MANY)
        bare = max(before, after, key=lambda sent: sent.per_second)
        yield Target(
            "sent and recorded a second, against the bare loop", "times",
            ours.per_second / bare.per_second, 0.5, 0.8,
            how=f"{shown(ours)}; bare {shown(before)} and {shown(after)}",
        )  # fmt: skip
        peer = self.sends.peer(FEWER)
        yield Target(
            "the same, against one Celery task for each text", "times",
            ours.per_second / peer.per_second, 6, 10, how=f"the peer {shown(peer)}",
        )  # fmt: skip
        yield Target(
            "CPU of workers, Postgres, Valkey for 1000 texts", "s",
            ours.cpu_per_thousand, 0.6, 0.25, less=True,
            how=f"the bare loop {bare.cpu_per_thousand:.2f}, the peer {peer.cpu_per_thousand:.2f}",
        )  # fmt: skip
        with self.sends.workers() as worker:
            self.sends.ours(worker, FEWER)
            forgetful = self.sends.ours(worker, MANY, unanswered=0.01)
        yield Target(
            "throughput with 1 % never answered, against none", "times",
            forgetful.per_second / ours.per_second, 0.8, 0.95, how=shown(forgetful),
        )  # fmt: skip

    def _lateness(self) -> Target:
        with self.sends.workers() as worker:
            sent = self.sends.ours(worker, AT_ONE_INSTANT, rate=PACE)
        alone = 0.99 * AT_ONE_INSTANT / PACE
        return Target(
            f"{AT_ONE_INSTANT:,} due at once: when 99 % were recorded", "times",
            sent.late / alone, 1.5, 1.1, less=True,
            how=f"{sent.late:.1f} s; at {PACE:,.0f} a second the provider needs {alone:.1f} s",
        )  # fmt: skip

    def _after_kill(self) -> Target:
        with self.sends.workers(QUIET_SECONDS) as worker:
            self.sends.kill(worker, IN_FLIGHT)
        began = time.monotonic()
        with self.sends.workers(QUIET_SECONDS):
            self.sends.await_none("queued", "sending", "unknown", seconds=300)
            took = time.monotonic() - began
        told = self.fleet.provider()
        assert told["twice"] == 0, told
        return Target(
            f"kill -9 with {IN_FLIGHT} in flight: all settled", "s", took, 60, QUIET_SECONDS,
            less=True, how=f"a lease is {LEASE:.0f} s, the quiet period here {QUIET_SECONDS} s",
        )  # fmt: skip

    def _planning(self) -> Target:
        """The day after that of the few who are due in the other measures: a twentieth of all."""
        tomorrow = NOW + timedelta(days=1)
        began, doses = time.perf_counter(), 0
        while planned := planning.plan_doses(tomorrow):
            doses += planned
        seconds = time.perf_counter() - began
        return Target(
            f"plan, queue and move on {doses:,} due doses", "rows/s",
            ROWS_A_DOSE * doses / seconds, 10_000, 50_000,
            how=f"{doses / seconds:,.0f} doses a second, each moved on, planned anew and texted, "
            "by one process",
        )  # fmt: skip


ROWS_A_DOSE = 3


def idle() -> dict[str, Cost]:
    """Ticks that find nothing to do, by Celery's own hand."""

    def look(task: str) -> Cost:
        work = {"plan_doses": plan_doses, "send_routine": send_routine}[task]
        return cost(work.apply, first=lambda: Tick.objects.all().delete(), repeats=10 * REPEATS)

    return {task: look(task) for task in ("plan_doses", "send_routine")}


def shown(sent: Sent) -> str:
    return f"{sent.per_second:,.0f} a second"
