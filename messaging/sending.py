"""Claim, post, record: one cycle of sending, in which a text leaves once or we know that we don't
know.

What is claimed is posted at once by the process that claimed it, in parallel and with no database
connection held, and recorded in bulk. A process that is late dies before it can do harm.
"""

import logging
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from messaging import circuits
from messaging.claim import LEASE, Claimed, claim, close_useless
from messaging.connections import READ_SECONDS
from messaging.evidence import Report, Source, advance
from messaging.gateway import Answer, Fault
from messaging.inbound import say
from messaging.models import Lane
from messaging.pace import slow_down
from messaging.provider import GATEWAY

log = logging.getLogger(__name__)

RETRY_RECORD = 0.2


def send_due(lane: Lane, now: datetime | None = None) -> int:
    """Send what is due in a lane and may leave now; answers how many texts were claimed.

    now: None: Postgres's clock; an instant only to play a story, as the demo's check does.
    """
    close_useless(now)
    with _ended_by_lease():
        claimed = claim(lane, now)
        if claimed:
            _record(claimed, _post(claimed), now)
    return len(claimed)


@contextmanager
def _ended_by_lease() -> Iterator[None]:
    """Let the kernel end this process when the lease is over, however it was stopped meanwhile.

    The default action needs no Python to run: a process that wakes late dies before its next
    instruction. Timers belong to a process and are set by its main thread; elsewhere (tests with
    threads) the check before each write stands alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, LEASE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _post(claimed: Sequence[Claimed]) -> list[Answer]:
    """Post all, and say of each what became of it."""
    # Ours should not be tied to how fast a provider answers.
    if not connection.in_atomic_block:
        connection.close()
    # The last write may be at the end of the window; its answer is not awaited longer than this.
    return GATEWAY.post_all(claimed, until=claimed[-1].write_before + READ_SECONDS + 1)


def _record(claimed: Sequence[Claimed], answers: Sequence[Answer], now: datetime | None) -> None:
    """Record all at once, trying until the lease ends; after that, settle finds out."""
    trouble = Counter(str(a.fault or a.finding) for a in answers if not a.sid)
    if trouble:
        log.warning("Of %s texts posted: %s", len(claimed), dict(trouble))
    reports = [
        Report(text.id, text.attempt, Source.POST, a.finding, a.sid, a.error_code, a.wait)
        for text, a in zip(claimed, answers, strict=True)
    ]
    while True:
        try:
            advance(reports, now)
            _take_faults(claimed, answers, now)
        except (DatabaseError, InterfaceError) as error:
            if connection.in_atomic_block or claimed[0].lease_until - time.monotonic() < 1:
                raise
            # Not the error's words: they may hold a row, number and text included.
            trouble_is = type(error).__name__
            log.warning("Could not record %s texts, trying again: %s", len(reports), trouble_is)
            connection.close()
            time.sleep(RETRY_RECORD)
        else:
            return


def _take_faults(
    claimed: Sequence[Claimed], answers: Sequence[Answer], now: datetime | None
) -> None:
    """What the answers say of people, accounts and senders, beside what became of the texts."""
    told_to_wait: defaultdict[UUID, float] = defaultdict(float)
    for text, answer in zip(claimed, answers, strict=True):
        if answer.fault == Fault.OPTED_OUT:
            say(text.scope, text.to, opted_out=True, said_at=text.claimed_at)
        elif answer.fault == Fault.RATE:
            wait = max(told_to_wait[text.sender_id], answer.wait or 0)
            told_to_wait[text.sender_id] = wait
    for sender_id, wait in sorted(told_to_wait.items()):
        slow_down(sender_id, wait, now)
    circuits.note(zip(claimed, answers, strict=True), now)
