"""Claim, post, record: one cycle of sending, in which a text leaves once or we know that we don't
know.

What is claimed is posted at once by the process that claimed it, in parallel and with no database
connection held, and recorded in bulk. A process that is late dies before it can do harm.
"""

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime

from django.db import DatabaseError, InterfaceError, connection

from messaging import twilio
from messaging.claim import LEASE, Claimed, claim, close_useless
from messaging.connections import READ_SECONDS
from messaging.evidence import Report, Source, advance
from messaging.inbound import say
from messaging.models import Lane
from messaging.parallel import call_all
from messaging.states import Finding

log = logging.getLogger(__name__)

PARALLEL = 32
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


def _post(claimed: Sequence[Claimed]) -> list[twilio.Answer]:
    """Post all, and say of each what became of it."""
    # The last write may be at the end of the window; its answer is not awaited longer than this.
    answered_by = claimed[-1].write_before + READ_SECONDS + 1
    posted = call_all(_post_one, claimed, at_once=PARALLEL, until=answered_by)
    return [_answer(future) for future in posted]


def _post_one(text: Claimed) -> twilio.Answer:
    return twilio.post(
        text.account,
        sender=text.sender,
        to=text.to,
        body=text.body,
        callback=twilio.callback_url(text.id, text.attempt),
        use_until=text.use_until,
        write_before=text.write_before,
    )


def _answer(future: Future[twilio.Answer]) -> twilio.Answer:
    if future.cancelled():
        return twilio.Answer(Finding.NOT_TAKEN, wait=0)
    return future.result() if future.done() else twilio.Answer(Finding.DOUBTFUL)


def _record(
    claimed: Sequence[Claimed], answers: Sequence[twilio.Answer], now: datetime | None
) -> None:
    """Record all at once, trying until the lease ends; after that, settle finds out."""
    trouble = Counter(a.finding.value for a in answers if not a.sid)
    if trouble:
        log.warning("Of %s texts posted: %s", len(claimed), dict(trouble))
    reports = [
        Report(text.id, text.attempt, Source.POST, a.finding, a.sid, a.error_code, a.wait)
        for text, a in zip(claimed, answers, strict=True)
    ]
    while True:
        try:
            advance(reports, now)
            for text, answer in zip(claimed, answers, strict=True):
                if answer.opted_out:
                    say(text.scope, text.to, opted_out=True, said_at=text.claimed_at)
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
