"""The product's own workers and beat, as docker-compose.yml starts them, the bench's provider, and
whatever is measured beside them."""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Self

import requests
from celery import Celery
from django.conf import settings as product

from dev.environment import settings
from dev.stack import Process, Stack, free_port, spawn
from dev.waiting import until
from tests.bench.machine import cpu_seconds
from tests.compose import command, start_of

ROOT = Path(__file__).parent.parent.parent
QUIET_SECONDS = 10
"""Where the settling is measured; instead of 120, for the provider's list doesn't lag. Elsewhere
the product's own holds: with this, settling would read the list all the time."""


class Fleet:
    """Processes on one stack. They end with the `with` block, and with us."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        port = free_port()
        servers = stack.environment()
        self.environment = settings(
            twilio=f"http://127.0.0.1:{port}",
            database=servers["DATABASE_URL"],
            redis=servers["REDIS_URL"],
        ) | {"PYTHONPATH": str(ROOT)}
        del self.environment["TWILIO_QUIET_SECONDS"]
        self._port = port
        self._folder = tempfile.TemporaryDirectory(prefix="dosecircle-bench-")
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        self.python("tests.bench.provider", str(self._port))

        def answers() -> bool:
            try:
                return self.provider()["taken"] == 0
            except requests.ConnectionError:
                return False

        until(answers, 30, "the provider answers")
        return self

    def __exit__(self, *error: object) -> None:
        for process in reversed(self._processes):
            process.kill()
        self._folder.cleanup()

    def provider(self, **wanted: str) -> dict[str, int]:
        """Set how the provider answers (provider.py); its counts."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"http://127.0.0.1:{self._port}/bench", params=wanted, timeout=30)
        found: dict[str, int] = answer.json()
        return found

    def start_worker(self, quiet: int | None) -> Process:
        """Two processes that send, and their parent; returns once they listen. quiet: seconds,
        None for the product's own."""
        self.environment.pop("TWILIO_QUIET_SECONDS", None)
        if quiet is not None:
            self.environment["TWILIO_QUIET_SECONDS"] = str(quiet)
        return self.listening(*command("worker"), "--concurrency", "2")

    def start_beat(self) -> Process:
        return self.run(*command("beat"))

    def listening(self, program: str, *arguments: str) -> Process:
        """Start a Celery worker and wait until it takes tasks."""
        name = f"{len(self._processes)}@bench"
        worker = self.run(program, *arguments, "--hostname", name)
        with Celery(broker=product.BROKER_URL) as app:
            ping = partial(app.control.ping, destination=[name], timeout=0.5)
            until(lambda: worker.poll() is not None or ping(), 60, f"{name} is ready")
        return worker

    def python(self, module: str, *arguments: str) -> Process:
        return self.run("python", "-m", module, *arguments)

    def run(self, program: str, *arguments: str) -> Process:
        """Start a program of this environment; an option given twice counts as given last."""
        process = spawn(
            [*start_of(program), *arguments],
            env=os.environ | self.environment,
            log=self._log(len(self._processes)),
        )
        self._processes.append(process)
        return process

    def cpu(self, *processes: Process) -> float:
        """CPU seconds so far of these, of Postgres and of Valkey."""
        servers = self.stack.postgres.pid, self.stack.valkey.pid
        return cpu_seconds([*servers, *(process.pid for process in processes)])

    def logs(self) -> str:
        """The last words of each process, for a person to read."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text()[-2000:]}"
            for log in sorted(Path(self._folder.name).iterdir())
        )

    def _log(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number}.log"
