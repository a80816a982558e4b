"""Settling what we don't know: texts that may have been taken, and may not.

Twilio's list of messages decides. It lags, so that "not in it" counts only in two whole readings
after a quiet period, and it shows messages of every attempt, so that those we know are set aside.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F

from messaging.clock import CLOCK
from messaging.evidence import Report, Source, advance
from messaging.gateway import Message, Unreadable
from messaging.inbound import heed
from messaging.models import MAY_HAVE_LEFT_ANOTHER, Sms, SmsEvent
from messaging.outbox import digest
from messaging.provider import GATEWAY
from messaging.states import Finding, State
from messaging.vocabulary import evidence_in

log = logging.getLogger(__name__)

MOST = 500
ONE_BY_ONE = 20
"""So many unknown texts of an account are asked for by number; with more, one reading of all that
it sent lately serves every one of them."""

READINGS = 2
REPEATS = 2
"""A `repeat` text goes again so often without proof; then it is settled as any other."""

BEFORE = timedelta(minutes=5)
"""How much earlier than our claim a message may seem to have been made: clocks differ."""

UNREADABLE_PAUSE = timedelta(minutes=1)

LOOKED_AFTER = 0.25
"""The part of the quiet period for which a text is left to whoever has taken it to look after."""

SHORTEST_READING = 5.0
"""Seconds that a reading may take at least, however short a quiet period was set."""


@dataclass(frozen=True)
class Doubt:
    """A text whose fate is unknown, ours to look at until `checked_at` is another's.

    quiet: its quiet period was over when we began; over: it is of no use any more.
    """

    id: UUID
    attempt: int
    account: str
    to: str
    body_digest: str
    claimed_at: datetime
    checked_at: datetime
    quiet_reads: int
    quiet: bool
    over: bool


def settle(now: datetime | None = None) -> int:
    """Take texts whose lease ran out for unknown, and settle unknown ones; how many moved.

    now: None: Postgres's clock; an instant only to play a story, as the demo's check does.
    """
    moved = go_again(now)
    # A reading that ends when another has begun counts for nothing: so it gives up before that.
    looked_after = LOOKED_AFTER * settings.TWILIO_QUIET_SECONDS
    until = time.monotonic() + max(SHORTEST_READING, 0.8 * looked_after)
    of_account: defaultdict[str, list[Doubt]] = defaultdict(list)
    for doubt in _take_doubts(now):
        of_account[doubt.account].append(doubt)
    for account, waiting in of_account.items():
        moved += _settle_account(account, waiting, until, now)
    return moved


def go_again(now: datetime | None = None) -> int:
    """Take texts whose lease ran out for unknown, and queue those again that may rather go twice
    than never; how many moved. Asks nobody, so that what is urgent needn't wait for a list."""
    moved = _end_leases(now)
    with connection.cursor() as cursor:
        cursor.execute(_MAY_REPEAT, {"now": now, "most": MOST, "repeats": REPEATS})
        found = cursor.fetchall()
    again = Source.LEASE, Finding.UNANSWERED
    return moved + advance((Report(id_, attempt, *again, wait=0) for id_, attempt in found), now)


def _end_leases(now: datetime | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LEASES_OVER, {"now": now, "most": MOST})
        found = cursor.fetchall()
    return advance(
        (Report(id_, attempt, Source.LEASE, Finding.DOUBTFUL) for id_, attempt in found), now
    )


def _take_doubts(now: datetime | None) -> list[Doubt]:
    quiet = settings.TWILIO_QUIET_SECONDS
    with connection.cursor() as cursor:
        again = LOOKED_AFTER * quiet
        cursor.execute(_TAKE_DOUBTS, {"now": now, "most": MOST, "quiet": quiet, "again": again})
        return [Doubt(*row) for row in cursor.fetchall()]


def _settle_account(
    account: str, doubts: Sequence[Doubt], until: float, now: datetime | None
) -> int:
    if not connection.in_atomic_block:
        connection.close()
    try:
        listed = _listed(account, doubts, until)
    except Unreadable as trouble:
        log.warning("Twilio's list of account %s can't be read: %s", account, trouble)
        # Those that this reading was for: others rest already, and would rest ever longer.
        Sms.objects.filter(state=State.UNKNOWN, id__in=[doubt.id for doubt in doubts]).update(
            checked_at=F("checked_at") + UNREADABLE_PAUSE
        )
        return advance((_found(d, Finding.USE_OVER) for d in doubts if d.over and d.quiet), now)
    ours = _known(message.sid for messages in listed.values() for message in messages)
    reports: list[Report] = []
    absent: list[tuple[Doubt, list[Message]]] = []
    for doubt in doubts:
        unexplained = [
            message
            for message in listed[doubt.to]
            if message.sid not in ours and message.created_at >= doubt.claimed_at - BEFORE
        ]
        same = [message for message in unexplained if digest(message.body) == doubt.body_digest]
        if same:
            reports += _seen(doubt, same[0])
        elif doubt.over and doubt.quiet:
            reports.append(_found(doubt, Finding.USE_OVER))
        elif doubt.quiet:
            absent.append((doubt, unexplained))
    explained, found = _of_others([message for _, others in absent for message in others])
    enough = _counted([d for d, others in absent if {m.sid for m in others} <= explained])
    reports += [*found, *(_found(doubt, Finding.NEVER_TAKEN) for doubt in enough)]
    moved = advance(reports, now)
    heed(reports, now)
    return moved


def _listed(account: str, doubts: Sequence[Doubt], until: float) -> Mapping[str, list[Message]]:
    """What Twilio sent to each number since before it could have been ours. Raises Unreadable."""
    earliest: dict[str, datetime] = {}
    for doubt in doubts:
        since = doubt.claimed_at - BEFORE
        earliest[doubt.to] = min(since, earliest.get(doubt.to, since))
    if len(earliest) <= ONE_BY_ONE:
        return {
            to: [m for m in GATEWAY.messages(account, since, until, to=to) if not m.inbound]
            for to, since in earliest.items()
        }
    listed: defaultdict[str, list[Message]] = defaultdict(list)
    for message in GATEWAY.messages(account, min(earliest.values()), until):
        if not message.inbound:
            listed[message.to].append(message)
    return listed


def _known(sids: Iterable[str]) -> set[str]:
    """Which of these messages we know already, of any attempt of any text."""
    return set(SmsEvent.objects.filter(sid__in=list(sids)).values_list("sid", flat=True))


def _of_others(messages: Sequence[Message]) -> tuple[set[str], list[Report]]:
    """Which of these are of texts of ours that ended without proof, or were claimed again: their
    sids; and what this says of those that ended, for their owners were told that nobody knows.

    Nothing else ever tells us of such a message, and whoever waits for its explanation waits until
    its own use is over.
    """
    of_key: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in messages:
        of_key[message.to, digest(message.body)].append(message)
    explained: set[str] = set()
    reports: list[Report] = []
    rows = Sms.objects.filter(MAY_HAVE_LEFT_ANOTHER, to__in={to for to, _ in of_key})
    for row in rows.order_by("id") if of_key else ():
        its = [m for m in of_key[row.to, row.body_digest] if _in_time(row, m)]
        if row.sid is None and row.state in {State.EXPIRED, State.CANCELLED}:
            its = [message for message in its if message.sid not in explained][:1]
            reports += [report for message in its for report in _seen(row, message)]
        explained.update(message.sid for message in its)
    return explained, reports


def _in_time(row: Sms, message: Message) -> bool:
    """Whether it was made between the queuing and the end of the last lease, as clocks differ."""
    until = row.lease_until
    return until is not None and row.queued_at - BEFORE <= message.created_at <= until + BEFORE


def _seen(text: Doubt | Sms, message: Message) -> list[Report]:
    """It was taken; and what became of it, if Twilio says."""
    found = [Finding.ACCEPTED, evidence_in(message.status, message.error_code)]
    return [
        Report(text.id, text.attempt, Source.LIST, finding, message.sid, message.error_code)
        for finding in dict.fromkeys(found)
        if finding is not None
    ]


def _counted(absent: Sequence[Doubt]) -> list[Doubt]:
    """Count a whole reading without them; those for which it was the last one needed."""
    enough = []
    for doubt in absent:
        # Only if nobody looked in between: two who read at the same time have read once.
        counted = Sms.objects.filter(
            id=doubt.id,
            state=State.UNKNOWN,
            attempt=doubt.attempt,
            checked_at=doubt.checked_at,
            quiet_reads=doubt.quiet_reads,
        ).update(quiet_reads=doubt.quiet_reads + 1)
        if counted and doubt.quiet_reads + 1 >= READINGS:
            enough.append(doubt)
    return enough


def _found(doubt: Doubt, finding: Finding) -> Report:
    return Report(doubt.id, doubt.attempt, Source.LIST, finding, wait=0)


_LEASES_OVER = f"""
    SELECT id, attempt FROM messaging_sms
    WHERE state = 'sending' AND lease_until <= {CLOCK}
    ORDER BY lease_until LIMIT %(most)s
"""  # noqa: S608 - here and below no value is formatted in

_MAY_REPEAT = f"""
    SELECT id, attempt FROM messaging_sms
    WHERE state = 'unknown' AND kind = 'repeat' AND lease_until <= {CLOCK}
        AND attempt - refusals <= %(repeats)s
    ORDER BY lease_until LIMIT %(most)s
"""  # noqa: S608

# checked_at is the mark by which one of several settlers has a text to itself for a while.
_TAKE_DOUBTS = f"""
    UPDATE messaging_sms SET checked_at = {CLOCK}
    WHERE id IN (
        SELECT id FROM messaging_sms
        WHERE state = 'unknown' AND lease_until <= {CLOCK} AND (
            checked_at IS NULL OR checked_at <= {CLOCK} - make_interval(secs => %(again)s))
        ORDER BY lease_until LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING id, attempt, account, "to", body_digest, claimed_at, checked_at, quiet_reads,
        lease_until <= {CLOCK} - make_interval(secs => %(quiet)s), expires_at <= {CLOCK}
"""  # noqa: S608
