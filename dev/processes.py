"""Child processes that never outlive us, and the one error that a person gets to read."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.01


class Trouble(Exception):
    """One clear line for a person: what is wrong and how to mend it."""


@dataclass(frozen=True)
class Account:
    """The user that servers run as when we are root."""

    name: str
    uid: int
    gid: int


class Process:
    """A child in a process group of its own. Nothing reaps it but `wait`, `stop` and `kill`,
    so its pid can't be reused, and a signal can't hit a stranger, while we hold it."""

    def __init__(self, child: "subprocess.Popen[bytes]", *, leads_group: bool) -> None:
        self._child = child
        self._leads_group = leads_group

    @property
    def pid(self) -> int:
        """The process id, ours until it is reaped."""
        return self._child.pid

    def poll(self) -> int | None:
        """The exit status (minus the signal's number if one ended it), or None while it runs."""
        if self._child.returncode is not None:
            return self._child.returncode
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def wait(self, seconds: float) -> int | None:
        """Wait up to `seconds` for its end; answers as `poll` does."""
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return status

    def send(self, number: int) -> None:
        """Send a signal to the process itself, not to its children; nothing if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> int:
        """kill -9 the whole group and reap the child; answers its exit status."""
        if self._child.returncode is None:
            if self._leads_group:
                # The unreaped leader keeps the group's number ours, even when it is a zombie.
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self._child.kill()
        return self._child.wait()

    def stop(self, seconds: float = 10.0, polite: int = signal.SIGTERM) -> int:
        """Ask the process to end, wait up to `seconds`, then kill -9 what is left of its group.

        Only the process itself is asked: Celery's children die in the midst of a task
        when they get the SIGTERM that tells their parent to finish it.
        """
        self.send(polite)
        self.wait(seconds)
        return self.kill()


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path | None = None,
    account: Account | None = None,
    on_our_death: int = signal.SIGTERM,
    keep: Sequence[int] = (),
    foreground: bool = False,
) -> Process:
    """Start a child that gets `on_our_death` when we die, be it by kill -9.

    `log` is appended to with both outputs (None: they are ours); `keep` are file descriptors
    that the child inherits; `foreground` leaves it our terminal and our process group.
    Raises Trouble when the program can't be started.
    """
    if sys.platform != "linux":
        raise Trouble("Child processes are tied to us by a Linux call: run this on Linux.")
    if threading.current_thread() is not threading.main_thread():
        # The kernel sends the death signal when the forking *thread* ends, not the process.
        raise RuntimeError("spawn() must be called from the main thread")
    output = None if log is None else open_log(log)
    try:
        child = subprocess.Popen(
            [os.fspath(part) for part in argv],
            env=dict(env),
            stdin=None if foreground else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keep,
            process_group=None if foreground else 0,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_tie_to_parent(on_our_death),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Trouble(f"{argv[0]} can't be started: {_reason(error)}.") from error
    finally:
        if output is not None:
            os.close(output)
    return Process(child, leads_group=not foreground)


def open_log(log: Path) -> int:
    """Open a log for appending, readable by us alone; never through a planted symlink."""
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def free_port() -> int:
    """A TCP port that is free on loopback now. Below 32768: above it the kernel hands ports
    to outgoing connections, so that one found free may be taken by the time it is bound."""
    for _ in range(200):
        port = random.randrange(20_000, 32_768)  # noqa: S311 - it isn't a secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Trouble("No free TCP port was found on 127.0.0.1 between 20000 and 32767.")


def _tie_to_parent(on_our_death: int) -> Callable[[], None]:
    """What the child runs between fork and exec. After the change of user: that clears the tie."""
    # It takes no lock that another thread may have held at the fork: everything is loaded before.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, on_our_death, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # we died before the tie was made, and no signal will ever come
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    return prepare


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
