"""A process that sends or settles once, and stops itself (SIGSTOP) at a point that is named: there
it can be killed, or woken. From outside one sees that it is stopped, and in the database where.

Forked from a server that has loaded the product already, because tests strike many.
"""

import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django has to be set up first
from django.db import connection, connections  # noqa: E402

from messaging import claim, sending, settling  # noqa: E402
from messaging import connections as http  # noqa: E402
from messaging.models import Lane  # noqa: E402

_PR_SET_PDEATHSIG = 1


class Point(StrEnum):
    """Where a process can be struck."""

    CLAIMING = "before the claim's commit"
    CLAIMED = "after the claim's commit"
    WRITING = "between check and write"
    POSTED = "between post and record"
    SETTLING = "while settling"


@dataclass(frozen=True)
class Order:
    """At which step of a point to stop, counted from 1. lease: seconds."""

    point: Point
    step: int
    lease: float
    database: str
    twilio: str
    public: str


def start(order: Order) -> multiprocessing.process.BaseProcess:
    """Start a process that does as ordered. It ends with the server it is forked from, which ends
    with us."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.struck"])
    process = context.Process(target=run, args=(order,), daemon=True)
    process.start()
    return process


def stopped(process: multiprocessing.process.BaseProcess) -> bool:
    """Whether it has stopped at its point. Fails if it ended without having come there."""
    assert process.is_alive(), f"it ended with {process.exitcode} and never came to its point"
    with open(f"/proc/{process.pid}/stat") as stat:  # noqa: PTH123 - the kernel's
        return stat.read().rpartition(")")[2].split()[0] == "T"


def name(pid: int | None) -> str:
    """By what a process is known in Postgres."""
    return f"struck {pid}"


def run(order: Order) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    assert os.getppid() != 1
    connections["default"].settings_dict["NAME"] = order.database
    settings.TWILIO_BASE_URL, settings.PUBLIC_URL = order.twilio, order.public
    claim.LEASE = sending.LEASE = order.lease
    # In proportion to the lease, as in config/environment.py.
    idle = f"-c idle_in_transaction_session_timeout={round(order.lease * 700)}ms"
    connections["default"].settings_dict["OPTIONS"] |= {
        "options": idle,
        "application_name": name(os.getpid()),
    }
    AIM[order.point](_Countdown(order.step))
    if order.point == Point.SETTLING:
        settling.settle()
    else:
        sending.send_due(Lane.ROUTINE)


class _Countdown:
    """Stops this process at the n-th step. To this very thread, which therefore doesn't take one
    step more."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, each call of which is a step."""

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            self.step()
            return function(*arguments, **named)

        return counted

    def statements(self, function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        """The same function, each SQL statement of which is a step before it, or after it."""

        def execute(execute: Callable[..., Any], *arguments: Any) -> Any:
            if not after:
                self.step()
            answer = execute(*arguments)
            if after:
                self.step()
            return answer

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            with connection.execute_wrapper(execute):
                return function(*arguments, **named)

        return counted


def _aim_claiming(count: _Countdown) -> None:
    claim._claim_for = count.statements(claim._claim_for, after=True)


def _aim_claimed(count: _Countdown) -> None:
    http._in_hand = count.before(http._in_hand)


def _aim_writing(count: _Countdown) -> None:
    http._Peer.ask = count.before(http._Peer.ask)


def _aim_posted(count: _Countdown) -> None:
    sending._record = count.statements(sending._record, after=False)


def _aim_settling(count: _Countdown) -> None:
    http._Peer.ask = count.before(http._Peer.ask)
    settling.settle = count.statements(settling.settle, after=False)


AIM: dict[Point, Callable[[_Countdown], None]] = {
    Point.CLAIMING: _aim_claiming,
    Point.CLAIMED: _aim_claimed,
    Point.WRITING: _aim_writing,
    Point.POSTED: _aim_posted,
    Point.SETTLING: _aim_settling,
}

STEPS: dict[Point, int] = {
    # The sender's lock, the claim, the reservation.
    Point.CLAIMING: 3,
    # Each text of a batch.
    Point.CLAIMED: 5,
    Point.WRITING: 5,
    # Locks, events, states.
    Point.POSTED: 3,
    # Leases, repeats, doubts, the list, what is known of it; and then locks, or counts.
    Point.SETTLING: 6,
}
"""How many steps a point surely has, with five texts."""
