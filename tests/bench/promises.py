"""The promises of speed, measured one after the other. Both sides of a ratio in one run."""

import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median

import psycopg
from celery import Task
from django.db import connection
from psycopg import sql

from messaging.claim import LEASE
from messaging.models import Tick
from tests.bench.fleet import QUIET_SECONDS, Fleet
from tests.bench.machine import cpu_seconds, memory
from tests.bench.measures import REPEATS, cost
from tests.bench.rows import NOW, House
from tests.bench.sends import Sends, Sent
from tests.bench.targets import Target
from workers.app import collect_less
from workers.tasks import plan_doses, plan_due, send_routine

MANY = 30_000
"""So that it counts little when the first tick comes, and that the second process comes with the
next one."""
FEWER = 1_000
"""For those that take long, and to warm a worker up."""
AT_ONE_INSTANT, PACE = 20_000, 500.0
IN_FLIGHT = 256
FEW, PAIRS = "few", 9


class Promises:
    """Measured with few patients first (`with_few`), and then with many."""

    def __init__(self, fleet: Fleet, house: House) -> None:
        self.fleet, self.sends = fleet, Sends(fleet, house)
        self._memory = 0.0

    def with_few(self) -> None:
        """What is to be the same with many."""
        self._memory = self._worker_memory()
        self._keep(FEW)

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

    def _keep(self, name: str) -> None:
        """Keep the database as it is now, under another name."""
        connection.close()
        url = self.fleet.stack.postgres.url("postgres")
        with psycopg.connect(url, autocommit=True) as server:
            own = sql.Identifier(connection.settings_dict["NAME"])
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            server.execute(create.format(sql.Identifier(name), own))

    def _ticks(self) -> Iterator[Target]:
        """In turns with few and with many, so that what the machine does besides hits both."""
        many = connection.settings_dict["NAME"]
        ratios, slowest = {}, {}
        for task in (plan_doses, send_routine):
            pairs = [(idle(task, FEW), idle(task, many)) for _ in range(PAIRS)]
            ratios[task.name] = median(other / one for one, other in pairs)
            slowest[task.name] = median(other for _, other in pairs)
        worst = max(ratios, key=lambda task: ratios[task])
        yield Target(
            "tick with nothing due, many patients against few", "times",
            ratios[worst], 1.2, less=True, how=f"{worst}; median of {PAIRS} pairs",
        )  # fmt: skip
        shown = ", ".join(f"{task} {ms:.2f} ms" for task, ms in slowest.items())
        yield Target(
            "the same, with its task", "ms", max(slowest.values()), 5, less=True, how=shown
        )

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
        collect_less()  # as a worker's process does when it starts
        began, cpu, doses = time.perf_counter(), self._planner_cpu(), 0
        while planned := plan_due(lambda: tomorrow):
            doses += planned
        seconds, cpu = time.perf_counter() - began, self._planner_cpu() - cpu
        return Target(
            f"plan, queue and move on {doses:,} due doses", "rows/s",
            ROWS_A_DOSE * doses / seconds, 10_000, 50_000,
            how=f"{doses / seconds:,.0f} doses a second, each moved on, planned anew and texted, "
            f"by two threads; {1000 * cpu / doses:.2f} ms of CPU for each, Postgres's too",
        )  # fmt: skip

    def _planner_cpu(self) -> float:
        return time.process_time() + cpu_seconds([self.fleet.stack.postgres.pid])


ROWS_A_DOSE = 3


def idle(task: Task, database: str) -> float:  # type: ignore[type-arg]  # generic in its stubs only
    """Milliseconds of a tick that finds nothing to do, by Celery's own hand: the least of a few."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        task.apply()
        return cost(task.apply, first=lambda: Tick.objects.all().delete(), repeats=REPEATS).ms
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def shown(sent: Sent) -> str:
    return f"{sent.per_second:,.0f} a second"
