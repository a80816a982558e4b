"""The demo's processes: web, workers, beat and a Twilio simulator of their own on one database.

They die with us, be it by kill -9, and each writes its own log.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
import requests

from dev.environment import ACCOUNT, NUMBERS, TOKEN, settings
from dev.folders import CHECKOUT, plainly
from dev.simulator_client import SimulatorClient
from dev.stack import Process, Trouble, free_port, spawn

WEB_PORT, SIMULATOR_PORT = 8000, 8001
_READY_SECONDS = 60.0
_LINES_SHOWN = 12
_LOG_LIMIT = 10_000_000  # bytes
_ALIKE = {
    "PYTHONPATH": str(CHECKOUT),
    "PYTHONUNBUFFERED": "1",  # so that the log of one that dies holds its last words
    # Django's checks are `make check`'s, and would cost each of Celery's processes half a second.
    "SKIP_CHECKS": "1",
}
_CELERY = ("-m", "celery", "--app", "workers.app:app")


class Died(Trouble):
    """One of our processes ended before we asked it to."""


class Household:
    """What one database needs to be served. `with` stops all that was started.

    database, redis: URLs. folder: of the logs, kept from run to run.
    """

    def __init__(
        self,
        database: str,
        redis: str,
        folder: Path,
        *,
        web_port: int | None = None,
        simulator_port: int | None = None,
    ) -> None:
        self.web_url = f"http://127.0.0.1:{web_port or free_port()}"
        self._simulator_port = simulator_port or free_port()
        self.database, self.folder = database, folder
        self._redis = redis
        self._processes: dict[str, Process] = {}
        self._began: dict[str, int] = {}  # bytes in each log before this run
        self._simulator: SimulatorClient | None = None
        with plainly(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def simulator(self) -> SimulatorClient:
        """The simulator's other side, once it was started."""
        if self._simulator is None:
            raise RuntimeError("start_simulator() comes first")
        return self._simulator

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self._simulator_port}"

    def settings(self) -> dict[str, str]:
        """What the product's own settings read here."""
        return settings(
            web=self.web_url,
            twilio=self.simulator_url,
            database=self.database,
            redis=self._redis,
        )

    # -- starting -----------------------------------------------------------------------------

    def start_simulator(self, ledger: Path | None = None, deliver_after: float = 0.5) -> None:
        """Start Twilio's stand-in; returns once it answers. ledger: keeps what it was given."""
        log = self._log("twilio")
        try:
            self._simulator = SimulatorClient.start(
                accounts={ACCOUNT: TOKEN},
                senders=[f"{number}=100" for number in NUMBERS],
                inbound_url=f"{self.web_url}/api/v1/twilio/inbound",
                port=self._simulator_port,
                ledger=ledger,
                deliver_after=deliver_after,
                log=log,
            )
        except Trouble as trouble:
            raise Trouble(f"{trouble} {self._tail('twilio')}") from trouble
        if self._simulator.process is not None:
            self._processes["twilio"] = self._simulator.process

    def start_web(self) -> None:
        port = self.web_url.rpartition(":")[2]
        self._start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port),
            *("--workers", "1", "--blocking-threads", "4", "config.wsgi:application"),
        )

    def start_worker(self, queue: str) -> None:
        """A worker of one queue: routine, or urgent, which never waits behind the other."""
        self._start(
            f"worker-{queue}",
            *(*_CELERY, "worker", "--queues", queue, "--hostname", f"{queue}@demo"),
            *("--concurrency", "1", "--loglevel", "INFO"),
            # Talk among workers, which costs each of them a second at the start.
            *("--without-mingle", "--without-gossip"),
        )

    def start_beat(self) -> None:
        self._start("beat", *_CELERY, "beat", "--loglevel", "INFO")

    def _start(self, name: str, *arguments: str) -> None:
        self._processes[name] = spawn(
            [sys.executable, *arguments],
            env=os.environ | self.settings() | _ALIKE,
            log=self._log(name),
        )

    def _log(self, name: str) -> Path:
        with plainly(self.folder):
            log = self.folder / f"{name}.log"
            size = log.stat().st_size if log.exists() else 0
            if size > _LOG_LIMIT:
                log.unlink()
                size = 0
        self._began[name] = size
        return log

    # -- watching -----------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        """Return once all that was started does its work. Raises Trouble if one of them died."""
        waiting = dict.fromkeys(self._processes)
        deadline = time.monotonic() + _READY_SECONDS
        while waiting := {name: None for name in waiting if not self._ready(name)}:
            self.demand_alive()
            if time.monotonic() > deadline:
                name = next(iter(waiting))
                raise Trouble(
                    f"{name} was not ready within {_READY_SECONDS:.0f} s. {self._tail(name)}"
                )
            time.sleep(0.05)

    def demand_alive(self) -> None:
        """Raise Died, with its last words, if a process has ended."""
        for name, process in self._processes.items():
            status = process.poll()
            if status is not None:
                how = f"status {status}" if status >= 0 else signal.Signals(-status).name
                raise Died(f"{name} has ended ({how}). {self._tail(name)}")

    def _ready(self, name: str) -> bool:
        match name.partition("-")[0]:
            case "web":
                try:
                    return requests.get(f"{self.web_url}/health", timeout=5).ok
                except requests.RequestException:
                    return False
            case "worker":
                return " ready." in self._logged(name)
            case "beat":
                return "beat: Starting" in self._logged(name)
        return True

    def _logged(self, name: str) -> str:
        with (self.folder / f"{name}.log").open("rb") as log:
            log.seek(self._began[name])
            return log.read().decode(errors="replace")

    def _tail(self, name: str) -> str:
        lines = [line for line in self._logged(name).splitlines() if line.strip()]
        said = "\n".join(f"    {line}" for line in lines[-_LINES_SHOWN:]) or "    nothing"
        return f"Its log ({self.folder / name}.log) ends with:\n{said}"

    # -- stopping -----------------------------------------------------------------------------

    def stop(self, *names: str) -> None:
        """Stop all, or some by name; what was under way is finished first."""
        going = {name: self._processes.pop(name) for name in names or tuple(self._processes)}
        for process in going.values():
            process.send(signal.SIGTERM)
        for process in going.values():
            # Those together, then one by one: asked twice, Celery drops what is under way.
            process.wait(10)
            process.kill()

    def __enter__(self) -> "Household":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to a database, to ask single statements. Raises Trouble if it can't be had."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        # Never the address: it may hold a password.
        reason = " ".join(str(error).split())
        raise Trouble(f"The database that DATABASE_URL names can't be used: {reason}") from error


def choose_port(name: str, usual: int, environ: Mapping[str, str], but: int = 0) -> int:
    """The port that the environment's variable `name` asks for, else the usual one or the next
    that is free (but not `but`). Raises Trouble if the one asked for can't be had."""
    asked = environ.get(name)
    if not asked:
        for port in range(usual, usual + 100):
            if port != but and _free(port):
                return port
        return free_port()
    if not asked.isdecimal() or not 1 <= int(asked) <= 65535:
        raise Trouble(f"{name} is {asked!r}: give it a port from 1 to 65535, or leave it out.")
    if int(asked) == but or not _free(int(asked)):
        raise Trouble(
            f"Port {asked} can't be had: another program uses it, or it is not for you. "
            f"Give {name} another one, or leave it out."
        )
    return int(asked)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # Without this, connections of a demo that ended a moment ago would hold it for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
