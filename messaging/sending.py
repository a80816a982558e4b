"""Claim, post, record: one cycle of sending, in which a text leaves once or we know that we don't
know.

What is claimed is posted at once by the process that claimed it, in parallel and with no database
connection held, and recorded in bulk; more is claimed while the last answers are awaited. A process
that is late dies before it can do harm.
"""

import logging
import signal
import threading
import time
from asyncio import Future
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from messaging.silence import note_taken

log = logging.getLogger(__name__)

RETRY_RECORD = 0.2
RECORD_EVERY = 1.0
"""Seconds after which what came is recorded, though more answers are to come."""

RECORD_FIRST = 0.2
"""The same while something was posted less than RECORD_EVERY ago: nearly all answers come at once,
and must not wait for the few that never come."""

PATIENCE = 2.0
"""Seconds after the last post for which answers are awaited once no more is claimed, if but few are
missing: the rest of what is due waits behind this. Theirs are found by callbacks, or settled."""

FEW = 0.05
"""Such a part of what was posted: with more missing it is the provider that is slow."""


@dataclass
class _Batch:
    """The texts of a claim, their answers as they come, and the places of those that are not
    recorded yet. posted_at: an instant of time.monotonic()."""

    claimed: Sequence[Claimed]
    answers: Sequence[Future[Answer]]
    left: list[int]
    posted_at: float

    def take(self) -> list[tuple[Claimed, Answer]]:
        """What was answered since."""
        came = [place for place in self.left if self.answers[place].done()]
        self.left = [place for place in self.left if not self.answers[place].done()]
        return [(self.claimed[place], self.answers[place].result()) for place in came]

    def outcomes(self) -> list[tuple[Claimed, Answer]]:
        """All of it, once nothing is left."""
        return [(t, a.result()) for t, a in zip(self.claimed, self.answers, strict=True)]


def send_due(lane: Lane, now: datetime | None = None, claim_for: float = 0.0) -> int:
    """Send what is due in a lane and may leave now; answers how many texts were claimed, when they
    are recorded, or but a few answers are lost.

    claim_for: seconds in which more is claimed while answers are still awaited: a few that never
    come must not hold up the rest.
    now: None: Postgres's clock; an instant only to play a story, as the demo's check does.
    """
    close_useless(now)
    stop = time.monotonic() + claim_for
    under_way: list[_Batch] = []
    many, again = 0, True
    with _ended_by_lease() as end_at, _ended(under_way):
        while again or under_way:
            oldest = min((batch.claimed[0].lease_until for batch in under_way), default=None)
            end_at(oldest or time.monotonic() + LEASE)
            awaited = sum(len(batch.left) for batch in under_way)
            claimed = _claim(lane, now, awaited) if again and awaited <= GATEWAY.AT_ONCE else []
            if claimed:
                many += len(claimed)
                under_way.append(_post(claimed))
            again = bool(under_way) and time.monotonic() < stop
            _await(under_way, few=GATEWAY.AT_ONCE if again and claimed else 0)
            _record(under_way, now)
            under_way[:] = [batch for batch in under_way if batch.left]
            if not again and _only_stragglers(under_way):
                break
    return many


def _only_stragglers(under_way: Sequence[_Batch]) -> bool:
    """Whether what is awaited still isn't worth waiting for."""
    newest = max((batch.posted_at for batch in under_way), default=0.0)
    missing = sum(len(batch.left) for batch in under_way)
    posted = sum(len(batch.claimed) for batch in under_way)
    return missing <= FEW * posted and time.monotonic() - newest > PATIENCE


@contextmanager
def _ended(under_way: Sequence[_Batch]) -> Iterator[None]:
    """Let nothing be written any more after this, for nobody would record it."""
    try:
        yield
    finally:
        for batch in under_way:
            for place in batch.left:
                batch.answers[place].cancel()


@contextmanager
def _ended_by_lease() -> Iterator[Callable[[float], None]]:
    """Let the kernel end this process at the end of a lease, however it was stopped meanwhile;
    yields what sets that, an instant of time.monotonic().

    The default action needs no Python to run: a process that wakes late dies before its next
    instruction. Timers belong to a process and are set by its main thread; elsewhere (tests with
    threads) the check before each write stands alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda _: None
        return

    def end_at(instant: float) -> None:
        # Zero would stop the timer, and it is over.
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, instant - time.monotonic()))

    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        yield end_at
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _claim(lane: Lane, now: datetime | None, awaited: int) -> list[Claimed]:
    try:
        return claim(lane, now)
    except (DatabaseError, InterfaceError) as error:
        if not awaited or connection.in_atomic_block:
            raise
        # What is under way has to be recorded, which tries for longer than this.
        log.warning("Could not claim more: %s", type(error).__name__)
        connection.close()
        return []


def _post(claimed: Sequence[Claimed]) -> _Batch:
    """Begin to post all."""
    # The last write may be at the end of the window; its answer is not awaited longer than this.
    answers = GATEWAY.post_all(claimed, until=claimed[-1].write_before + READ_SECONDS + 1)
    return _Batch(claimed, answers, list(range(len(claimed))), time.monotonic())


def _await(under_way: Sequence[_Batch], few: int) -> None:
    """Wait until only a few answers are still to come, or it is time to record what came."""
    # Ours should not be tied to how fast a provider answers.
    if under_way and not connection.in_atomic_block:
        connection.close()
    answers = [batch.answers[place] for batch in under_way for place in batch.left]
    newest = max((batch.posted_at for batch in under_way), default=0.0)
    fresh = time.monotonic() - newest < RECORD_EVERY
    GATEWAY.await_some(answers, few, RECORD_FIRST if fresh else RECORD_EVERY)


def _record(under_way: Sequence[_Batch], now: datetime | None) -> None:
    """Record at once all that came, trying until the lease ends; after that, settle finds out."""
    came = [outcome for batch in under_way for outcome in batch.take()]
    if not came:
        return
    trouble = Counter(str(a.fault or a.finding) for _, a in came if not a.sid)
    if trouble:
        log.warning("Of %s texts posted: %s", len(came), dict(trouble))
    reports = [
        Report(text.id, text.attempt, Source.POST, a.finding, a.sid, a.error_code, a.wait)
        for text, a in came
    ]
    lease_until = min(text.lease_until for text, _ in came)
    while True:
        try:
            advance(reports, now)
            _take_faults(came, now)
            note_taken({text.sender_id for text, a in came if a.sid}, now)
            for batch in under_way:
                # Of whole claims: what works for some texts of one isn't to blame for the others.
                if not batch.left:
                    circuits.note(batch.outcomes(), now)
        except (DatabaseError, InterfaceError) as error:
            if connection.in_atomic_block or lease_until - time.monotonic() < 1:
                raise
            # Not the error's words: they may hold a row, number and text included.
            trouble_is = type(error).__name__
            log.warning("Could not record %s texts, trying again: %s", len(reports), trouble_is)
            connection.close()
            _pause(under_way)
        else:
            return


def _pause(under_way: Sequence[_Batch]) -> None:
    """Wait a moment, in which answers may come: nobody would read them while we slept, and they
    would be taken for lost."""
    until = time.monotonic() + RETRY_RECORD
    answers = [batch.answers[place] for batch in under_way for place in batch.left]
    GATEWAY.await_some(answers, 0, RETRY_RECORD)
    time.sleep(max(0.0, until - time.monotonic()))


def _take_faults(came: Sequence[tuple[Claimed, Answer]], now: datetime | None) -> None:
    """What the answers say of people and senders, beside what became of the texts."""
    told_to_wait: defaultdict[UUID, float] = defaultdict(float)
    for text, answer in came:
        if answer.fault == Fault.OPTED_OUT:
            say(text.scope, text.to, opted_out=True, said_at=text.claimed_at)
        elif answer.fault == Fault.RATE:
            wait = max(told_to_wait[text.sender_id], answer.wait or 0)
            told_to_wait[text.sender_id] = wait
    for sender_id, wait in sorted(told_to_wait.items()):
        slow_down(sender_id, wait, now)
