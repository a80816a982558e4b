"""Product processes for tests: web, workers and beats of their own, on a database of their own."""

import os
import tempfile
from pathlib import Path

import requests
from celery import Celery
from django.utils import timezone

from config.environment import redis
from dev.environment import settings
from dev.simulator_client import SimulatorClient
from dev.stack import Process, Stack, free_port, spawn
from dev.waiting import until
from messaging.models import Tick
from tests.cast import Cast
from tests.compose import command, start_of
from workers.ticks import TICKS

ROOT = Path(__file__).parent.parent


class World:
    """A committed database with the cast in it, the simulator, and processes started at will.

    redis: a Valkey of this test's own, so that it can be stopped and emptied; started with the
    first process that needs it.
    """

    def __init__(self, database_url: str, simulator: SimulatorClient, cast: Cast) -> None:
        self.simulator = simulator
        self.cast = cast
        self.web_port = free_port()
        self._database_url = database_url
        self.more: dict[str, str] = {}  # settings in place of the usual ones
        self._processes: list[Process] = []
        self._folder = tempfile.TemporaryDirectory(prefix="dosecircle-test-")
        self._stack: Stack | None = None

    @property
    def stack(self) -> Stack:
        """The test's own Valkey (its Postgres is everybody's)."""
        if self._stack is None:
            self._stack = Stack.throwaway({"DATABASE_URL": self._database_url})
            self._stack.__enter__()
        return self._stack

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def environment(self) -> dict[str, str]:
        """What a product process of this test reads."""
        usual = settings(
            web=self.web_url,
            twilio=self.simulator.base_url,
            database=self._database_url,
            redis=self.stack.environment()["REDIS_URL"],
        )
        return os.environ | usual | self.more

    def start_web(self) -> Process:
        address = ("--host", "127.0.0.1", "--port", str(self.web_port))
        web = self.run(*command("web"), *address, "--workers", "1")

        def answers() -> bool:
            try:
                return requests.get(f"{self.web_url}/health", timeout=5).ok
            except requests.RequestException:
                return False

        until(answers, 30, "the web process answers")
        return web

    def start_worker(self, queue: str = "routine", concurrency: int = 1) -> Process:
        return self.run(
            *command("urgent" if queue == "urgent" else "worker"),
            *("--concurrency", str(concurrency), "--loglevel", "INFO"),
            *("--hostname", f"{queue}{len(self._processes)}@test"),
        )

    def start_beat(self) -> Process:
        return self.run(*command("beat"), "--loglevel", "INFO")

    def tick(self, task: str) -> None:
        """Say "look now", as beat does now and then."""
        name = f"workers.tasks.{task}"
        with Celery(broker=redis(self.environment()["REDIS_URL"])) as app:
            app.send_task(name, queue=TICKS[name][1])

    def await_look(self, task: str) -> None:
        """Wait until a look has begun for this tick, after now."""
        now, name = timezone.now(), f"workers.tasks.{task}"
        looks = Tick.objects.filter(name=name, looked_at__gt=now)
        until(looks.exists, 3 * TICKS[name][0] + 10, f"a look for {task}")

    def run(self, program: str, *arguments: str) -> Process:
        """Start a program of this environment with this test's settings; it is stopped at the end.

        An option that is given twice counts as given last.
        """
        log = Path(self._folder.name) / f"{len(self._processes)}-{program}.log"
        process = spawn(
            [*start_of(program), *arguments],
            env=self.environment() | {"PYTHONPATH": str(ROOT)},
            log=log,
        )
        self._processes.append(process)
        return process

    def logs(self) -> str:
        """What the processes wrote, for a failing test to show."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text()}"
            for log in sorted(Path(self._folder.name).iterdir())
        )

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
        if self._stack is not None:
            self._stack.__exit__(None, None, None)
        self._folder.cleanup()
