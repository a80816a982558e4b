"""Reading back what we were not told: reports and inbound texts that were lost while our web was
down. Twilio's own retries end within 15 seconds."""

import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F

from messaging.clock import CLOCK, clock
from messaging.evidence import Report, Source, advance
from messaging.gateway import Message, Unreadable
from messaging.inbound import store
from messaging.models import InboundSms, Sender
from messaging.provider import GATEWAY
from messaging.vocabulary import evidence_in

log = logging.getLogger(__name__)

MOST = 100
PATIENCE = 10.0
"""Seconds for the answers: others of this queue wait for us. Who wasn't asked is asked later."""

LONGEST_READING = 30.0
"""Seconds for a whole list. One that takes longer is begun again, and may not hold up the rest."""

SILENT = "10 minutes"
"""After so long without a word, and again after as long, a text is asked after."""

GIVEN_UP = "3 days"
"""Carriers that report nothing leave a text `sent` for ever: after this nobody asks any more."""

INBOUND_EVERY = timedelta(minutes=5)
OVERLAP = timedelta(hours=1)


def read_back(now: datetime | None = None) -> int:
    """Ask after texts without a last word, and for inbound texts we may have missed; how many
    texts moved or came.

    now: None: Postgres's clock; an instant only to play a story, as the demo's check does.
    """
    return _read_reports(now) + _read_inbound(now)


def _read_reports(now: datetime | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_SILENT, {"now": now, "most": MOST, "silent": SILENT, "given_up": GIVEN_UP}
        )
        silent = cursor.fetchall()
    if not silent:
        return 0
    if not connection.in_atomic_block:
        connection.close()
    wanted = [(account, sid) for _, _, account, sid in silent]
    found = GATEWAY.fetch_all(wanted, until=time.monotonic() + PATIENCE)
    reports = (
        _report(sms_id, attempt, message)
        for (sms_id, attempt, _, _), message in zip(silent, found, strict=True)
        if message is not None
    )
    return advance((report for report in reports if report), now)


def _report(sms_id: UUID, attempt: int, message: Message) -> Report | None:
    finding = evidence_in(message.status, message.error_code)
    if finding is None:
        return None
    return Report(sms_id, attempt, Source.FETCH, finding, message.sid, message.error_code)


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


_TAKE_SILENT = f"""
    UPDATE messaging_sms SET checked_at = {CLOCK}
    WHERE id IN (
        SELECT id FROM messaging_sms
        WHERE state IN ('accepted', 'sent') AND sid IS NOT NULL
            AND state_at <= {CLOCK} - %(silent)s::interval
            AND state_at > {CLOCK} - %(given_up)s::interval
            AND (checked_at IS NULL OR checked_at <= {CLOCK} - %(silent)s::interval)
        ORDER BY state_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING id, attempt, account, sid
"""  # noqa: S608 - no value is formatted in
