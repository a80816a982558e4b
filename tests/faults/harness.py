"""A house to set on fire: servers, simulator and product processes of a test's own, all of which
can be killed, stopped and started again while it runs."""

import os
import random
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import requests
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN, URGENT_NUMBER, settings
from dev.simulator_client import SimulatorClient
from dev.stack import Process, Stack, free_port, spawn
from dev.waiting import until
from tests.cast import Cast, make_cast
from tests.compose import command, start_of

ROOT = Path(__file__).parent.parent.parent

GROUPS = {
    "group-a": {"TZ": "Asia/Tokyo", "concurrency": "2", "log": "INFO"},
    "group-b": {"TZ": "America/New_York", "concurrency": "1", "log": "WARNING"},
    "group-c": {"TZ": "UTC", "concurrency": "1", "log": "INFO"},
}
"""Worker groups as on three hosts, each with an environment of its own: what they share is Postgres
and Valkey. Each looks at both queues, so that any one of them is enough."""

BEATS = {"beat-a": "Asia/Tokyo", "beat-b": "America/New_York", "beat-c": "UTC"}


class House:
    """Everything runs from `start_all` on. `done` counts what was really done to it, by kind.

    Processes are started, and so killed for good, on the main thread alone.
    """

    def __init__(self, folder: Path, stack: Stack, simulator: SimulatorClient, cast: Cast) -> None:
        self.stack = stack
        self.simulator = simulator
        self.cast = cast
        self.done: Counter[str] = Counter()
        self.ended: list[str] = []  # by themselves, which nothing should
        self.web_port = int(simulator_web(simulator))
        self.running: dict[str, Process] = {}
        self._folder = folder

    def start_all(self) -> None:
        for name in ("web", *GROUPS, *BEATS):
            self.start(name)

        def answers() -> bool:
            try:
                return requests.get(f"{self._web}/health", timeout=5).ok
            except requests.RequestException:
                return False

        until(answers, 60, "the web process answers")

    def start(self, name: str) -> None:
        """Start a process of this name again, if it doesn't run."""
        if name in self.running:
            status = self.running[name].poll()
            if status is None:
                return
            if self.running[name].kill() != -SIGKILL:
                last = (self._folder / f"{name}.log").read_text(errors="replace")[-6000:]
                self.ended.append(f"{name} with {status}: {last}")
        own: dict[str, str] = {}
        if name == "web":
            address = ("--host", "127.0.0.1", "--port", str(self.web_port))
            argv = [*command("web"), *address, "--workers", "1"]
        elif name in GROUPS:
            config = GROUPS[name]
            own = {"TZ": config["TZ"], "GROUP": name}
            argv = [*command("worker"), "--queues", "routine,urgent"]
            argv += ["--concurrency", config["concurrency"], "--loglevel", config["log"]]
            argv += ["--hostname", f"{name}@test"]
        else:
            own = {"TZ": BEATS[name]}
            argv = [*command("beat"), "--loglevel", "WARNING"]
        servers = self.stack.environment()
        environment = os.environ | own | {"PYTHONPATH": str(ROOT)}
        environment |= settings(
            web=self._web,
            twilio=self.simulator.base_url,
            database=servers["DATABASE_URL"],
            redis=servers["REDIS_URL"],
        )
        log = self._folder / f"{name}.log"
        self.running[name] = spawn([*start_of(argv[0]), *argv[1:]], env=environment, log=log)

    def kill(self, name: str, kind: str) -> None:
        """kill -9 a process with all its children; nothing if it has ended."""
        process = self.running[name]
        if process.poll() is None:
            process.kill()
            self.done[kind] += 1

    def children(self, name: str) -> list[int]:
        """The processes that do a group's work."""
        parent = str(self.running[name].pid)
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                after_name = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if after_name[1] == parent:
                found.append(int(stat.parent.name))
        return found

    def hit_child(self, name: str, number: int, chance: random.Random) -> int | None:
        """Send a signal to one of a group's working processes; its pid, None if it has none."""
        if self.running[name].poll() is not None or not (found := self.children(name)):
            return None
        pid = chance.choice(sorted(found))
        return pid if send(pid, number) else None

    def logs(self) -> str:
        """What the processes wrote lately, for a failing test to show."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}"
            for log in sorted(self._folder.glob("*.log"))
        )

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
        self.simulator.stop()

    @property
    def _web(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"


def send(pid: int, number: int) -> bool:
    """Whether there was a process to take the signal. Pids are children's children: ours to hit
    as long as their parent lives, which is what the caller has looked at."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def simulator_web(simulator: SimulatorClient) -> str:
    """The port that the simulator was told to post inbound texts to."""
    url = simulator._argv[simulator._argv.index("--inbound-url") + 1]
    return url.rsplit(":", 1)[1].split("/")[0]


@contextmanager
def burning_house() -> Iterator[House]:
    """A house with the cast in it, and this process's Django pointed at its servers."""
    # Not tmp_path, which the servers' user can't enter.
    with tempfile.TemporaryDirectory(prefix="dosecircle-test-") as made:
        folder = Path(made).resolve()
        folder.chmod(0o711)
        # Kept, not a throwaway: that one commits asynchronously, so that a kill -9 of Postgres
        # would lose what it had said was stored, which no product can survive.
        with Stack(folder / "servers", {}) as stack, _pointed_at(stack):
            web_port = free_port()
            simulator = SimulatorClient.start(
                accounts={ACCOUNT: TOKEN},
                senders=[f"{n}=1000@{ACCOUNT}" for n in (ROUTINE_NUMBER, URGENT_NUMBER)],
                inbound_url=f"http://127.0.0.1:{web_port}/api/v1/twilio/inbound",
                ledger=folder / "ledger",
                deliver_after=0.01,
                log=folder / "simulator.log",
            )
            django_settings.TWILIO_BASE_URL, before = (
                simulator.base_url,
                django_settings.TWILIO_BASE_URL,
            )
            house = House(folder, stack, simulator, make_cast())
            try:
                yield house
            except BaseException:
                print(house.logs())  # noqa: T201 - pytest shows it with the failure
                raise
            finally:
                django_settings.TWILIO_BASE_URL = before
                house.stop()


@contextmanager
def _pointed_at(stack: Stack) -> Iterator[None]:
    """Let Django here use the stack's database, with its tables made."""
    parts = conninfo_to_dict(stack.postgres.url())
    ours = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    used = connections["default"].settings_dict
    before = {**used}
    connections.close_all()
    used.update({name: str(parts[part]) for name, part in ours.items()} | {"OPTIONS": {}})
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        used.update(before)


def restart_postgres(house: House) -> None:
    """kill -9, and start: what was committed is there again."""
    house.stack.postgres.kill()
    house.stack.postgres.start()
    connections.close_all()
    with psycopg.connect(house.stack.postgres.url()) as server:
        server.execute("SELECT 1")
    house.done["kill postgres"] += 1


SIGSTOP, SIGCONT, SIGKILL = signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL
