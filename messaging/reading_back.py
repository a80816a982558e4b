"""Reading back what we were not told: reports and inbound texts that were lost while our web was
down. Twilio's own retries end within 15 seconds."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F

from messaging.clock import CLOCK, clock
from messaging.evidence import Report, Source, advance
from messaging.gateway import Message, Unreadable
from messaging.inbound import heed, store
from messaging.models import InboundSms, Sender
from messaging.provider import GATEWAY
from messaging.vocabulary import evidence_in

log = logging.getLogger(__name__)

MOST = 100
"""Texts that are asked after one by one; if there are more, one reading of the list serves all of
the last hours."""

MOST_LISTED = 20_000
BATCH = 1000
LISTED = "6 hours"
"""How far back a list is read: what is older among thousands that are younger costs more pages than
calls of its own."""

PATIENCE = 10.0
"""Seconds for the answers: others of this queue wait for us. Who wasn't asked is asked later."""

LONGEST_READING = 30.0
"""Seconds for a whole list. One that takes longer is begun again, and may not hold up the rest."""

SILENT = "10 minutes"
"""After so long without a word a text is asked after; then after nearly twice as long each time,
for most of those that stay silent have a carrier that never reports."""

GIVEN_UP = "3 days"
"""After this nobody asks any more."""

CLOCKS_DIFFER = timedelta(minutes=5)
INBOUND_EVERY = timedelta(minutes=5)
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True)
class _Silent:
    """A text that Twilio took, without a last word; ours to ask after for a while."""

    id: UUID
    attempt: int
    account: str
    sid: str
    claimed_at: datetime


def read_back(now: datetime | None = None) -> int:
    """Ask after texts without a last word, and for inbound texts we may have missed; how many
    texts moved or came.

    now: None: Postgres's clock; an instant only to play a story, as the demo's check does.
    """
    return _read_reports(now) + _read_inbound(now)


def _read_reports(now: datetime | None) -> int:
    """Those that wait longest first, until none waits or our time is over."""
    until, moved, full = time.monotonic() + PATIENCE, 0, True
    while full and time.monotonic() < until:
        silent = _take_silent(MOST, now)
        moved += _fetch(silent, until, now)
        full = len(silent) == MOST
        if full:
            moved += _read_list(_take_silent(MOST_LISTED, now, listed=LISTED), now)
    return moved


def _take_silent(most: int, now: datetime | None, listed: str = GIVEN_UP) -> list[_Silent]:
    facts = {"now": now, "most": most, "silent": SILENT, "given_up": GIVEN_UP, "listed": listed}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_SILENT, facts)
        return [_Silent(*row) for row in cursor.fetchall()]


def _fetch(silent: Sequence[_Silent], until: float, now: datetime | None) -> int:
    if not silent:
        return 0
    if not connection.in_atomic_block:
        connection.close()
    found = GATEWAY.fetch_all([(text.account, text.sid) for text in silent], until=until)
    told = [
        (text, message) for text, message in zip(silent, found, strict=True) if message is not None
    ]
    return _take(told, now)


def _read_list(silent: Sequence[_Silent], now: datetime | None) -> int:
    """Find all of these in their accounts' lists."""
    of_account: defaultdict[str, dict[str, _Silent]] = defaultdict(dict)
    for text in silent:
        of_account[text.account][text.sid] = text
    moved = 0
    for account, of_sid in of_account.items():
        if not connection.in_atomic_block:
            connection.close()
        since = min(text.claimed_at for text in of_sid.values()) - CLOCKS_DIFFER
        try:
            listed = GATEWAY.messages(account, since, time.monotonic() + LONGEST_READING)
        except Unreadable as trouble:
            log.warning("Reports of account %s can't be read back: %s", account, trouble)
            continue
        told = [(of_sid[message.sid], message) for message in listed if message.sid in of_sid]
        for start in range(0, len(told), BATCH):
            moved += _take(told[start : start + BATCH], now)
    return moved


def _take(told: Iterable[tuple[_Silent, Message]], now: datetime | None) -> int:
    found = list(_reports(told))
    moved = advance(found, now)
    heed(found, now)
    return moved


def _reports(told: Iterable[tuple[_Silent, Message]]) -> Iterator[Report]:
    """What was read of these texts; nothing of statuses that we don't know."""
    for text, message in told:
        finding = evidence_in(message.status, message.error_code)
        if finding is not None:
            yield Report(
                text.id, text.attempt, Source.FETCH, finding, message.sid, message.error_code
            )


def _read_inbound(now: datetime | None) -> int:
    due = list(
        Sender.objects.annotate(clock=clock(now))
        .filter(inbound_read_at__lte=F("clock") - INBOUND_EVERY)
        .order_by("id")
    )
    return sum(_read_inbound_of(sender, sender.clock) for sender in due)


def _read_inbound_of(sender: Sender, begun: datetime) -> int:
    """Store what Twilio has for one sender since the last whole reading, begun now."""
    if not connection.in_atomic_block:
        connection.close()
    try:
        listed = GATEWAY.messages(
            sender.account,
            sender.inbound_read_at - OVERLAP,
            time.monotonic() + LONGEST_READING,
            to=sender.number,
        )
    except Unreadable as trouble:
        log.warning("Inbound texts of sender %s can't be read: %s", sender.id, trouble)
        return 0
    known = set(
        InboundSms.objects.filter(sid__in=[message.sid for message in listed]).values_list(
            "sid", flat=True
        )
    )
    came = sum(
        store(sender, message.sid, message.sender, message.body, message.created_at)
        for message in reversed(listed)
        if message.inbound and message.sid not in known
    )
    # Only now, so that a reading that failed is done again; later ones never go back.
    Sender.objects.filter(id=sender.id, inbound_read_at__lt=begun).update(inbound_read_at=begun)
    return came


# checked_at says when a text is as good as just heard of, so that what is due stands first in the
# index, whatever its interval; after the last time it says never.
# The attempt is that of the message: it may be an earlier one, while the last is in doubt.
_TAKE_SILENT = f"""
    UPDATE messaging_sms SET checked_at = CASE
        WHEN 2 * ({CLOCK} - state_at) - %(silent)s::interval < %(given_up)s::interval
        THEN {CLOCK} + GREATEST('0', {CLOCK} - state_at - 2 * %(silent)s::interval)
        ELSE state_at + interval '100 years' END
    WHERE id IN (
        SELECT id FROM messaging_sms
        WHERE state IN ('accepted', 'sent') AND sid IS NOT NULL
            AND GREATEST(checked_at, state_at) BETWEEN
                {CLOCK} - %(given_up)s::interval AND {CLOCK} - %(silent)s::interval
            AND state_at > {CLOCK} - %(given_up)s::interval
            AND claimed_at > {CLOCK} - %(listed)s::interval
        ORDER BY GREATEST(checked_at, state_at) LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING id, COALESCE((
            SELECT max(event.attempt) FROM messaging_smsevent AS event
            WHERE event.sms_id = messaging_sms.id AND event.sid = messaging_sms.sid), attempt),
        account, sid, claimed_at
"""  # noqa: S608 - no value is formatted in
