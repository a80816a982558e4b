"""Claiming: which queued texts leave now, by which sender, and for how long they are ours."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from messaging.clock import CLOCK
from messaging.connections import READ_SECONDS
from messaging.models import Lane

WINDOW = 4.0
"""Seconds in which a claim may be posted. Short, because what was claimed can't be cancelled."""

LEASE = WINDOW + READ_SECONDS + 3.0
"""Seconds that a claim lasts: the last post may start at the end of the window, wait for its
answer, and leaves three seconds to record it. With this, a `repeat` text goes again after 15 s."""

MOST = 500
"""Segments in one claim, whatever the pace: what one dying worker leaves unknown stays few."""

UNREAD_HOLDS = "10 minutes"
"""How long an answer that isn't read yet holds back what the person would get: it may make the
text wrong. Bounded, because a domain that has stopped reading must not stop every reminder."""


@dataclass(frozen=True)
class Claimed:
    """A text that is ours to post, until instants of time.monotonic()."""

    id: UUID
    attempt: int
    scope: str
    account: str
    sender: str
    to: str
    body: str
    claimed_at: datetime
    use_until: float
    write_before: float
    lease_until: float


def claim(lane: Lane, now: datetime | None = None) -> list[Claimed]:
    """Take what is due in a lane and may leave now, for each of its senders at its pace."""
    with connection.cursor() as cursor:
        cursor.execute(_SENDERS, {"lane": lane, "now": now})
        senders = [sender for (sender,) in cursor.fetchall()]
    return [text for sender in senders for text in _claim_for(sender, now)]


def close_useless(now: datetime | None = None) -> None:
    """Expire what is queued and of no use any more, and suppress what is due to people who said
    stop. Both are news for the owner's domain."""
    with connection.cursor() as cursor:
        for statement in (_EXPIRE, _SUPPRESS):
            cursor.execute(statement, {"now": now, "most": 10 * MOST})


def _claim_for(sender_id: UUID, now: datetime | None) -> list[Claimed]:
    # Started before the claim is sent, so that a slow answer shortens our time and never Twilio's.
    started = time.monotonic()
    parameters: dict[str, Any] = {
        "now": now, "sender": sender_id, "most": MOST, "window": WINDOW, "lease": LEASE,
        "unread": UNREAD_HOLDS,
    }  # fmt: skip
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK_PACE, parameters)
            found = cursor.fetchone()
            if found is None or found[0] < 1:
                return []
            names = ("segments", "idle", "scope", "lane", "account", "number")
            parameters |= dict(zip(names, found, strict=True))
            cursor.execute(_CLAIM, parameters)
            rows = cursor.fetchall()
            if rows:
                taken = sum(row[-1] for row in rows)
                cursor.execute(_RESERVE, parameters | {"taken": taken})
    except IntegrityError:
        # Another sender of this account claimed a twin at this very instant: it goes first.
        return []
    return [
        Claimed(
            id=id_,
            attempt=attempt,
            scope=parameters["scope"],
            account=parameters["account"],
            sender=parameters["number"],
            to=to,
            body=body,
            claimed_at=claimed_at,
            use_until=started + left,
            write_before=started + WINDOW,
            lease_until=started + LEASE,
        )
        for id_, attempt, to, body, claimed_at, left, _ in rows
    ]


_SENDERS = f"""
    SELECT id FROM messaging_sender AS sender
    WHERE lane = %(lane)s AND EXISTS (
        SELECT FROM messaging_sms AS sms
        WHERE sms.scope = sender.scope AND sms.lane = sender.lane AND sms.state = 'queued'
            AND sms.available_at <= {CLOCK})
    ORDER BY id
"""  # noqa: S608 - here and below no value is formatted in

# The lock makes claims of one sender take turns, so that together they keep its pace. `idle`: all
# that was claimed before has left, so that even a text longer than the window may go.
_LOCK_PACE = f"""
    SELECT
        LEAST(%(most)s, GREATEST(
            (next_at <= {CLOCK})::int,
            floor(rate * (%(window)s - GREATEST(0, EXTRACT(EPOCH FROM next_at - {CLOCK}))) + 1e-6)
        ))::int,
        next_at <= {CLOCK}, scope, lane, account, number
    FROM messaging_sender WHERE id = %(sender)s FOR UPDATE
"""  # noqa: S608

# Texts that are skipped for a while (unread answers, twins) stay queued and are looked at again.
_CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT id, "to", body_digest, segments, available_at FROM messaging_sms AS sms
        WHERE scope = %(scope)s AND lane = %(lane)s AND state = 'queued'
            AND available_at <= {CLOCK} AND expires_at > {CLOCK} AND NOT cancel_wished
            AND NOT EXISTS (
                SELECT FROM messaging_optout AS said
                WHERE said.scope = sms.scope AND said.number = sms."to" AND said.opted_out)
            AND (asked_for OR kind = 'repeat' OR NOT EXISTS (
                SELECT FROM messaging_inboundsms AS unread
                WHERE unread.scope = sms.scope AND unread.number = sms."to"
                    AND unread.taken_at IS NULL
                    AND unread.received_at > {CLOCK} - %(unread)s::interval))
            AND NOT EXISTS (
                SELECT FROM messaging_sms AS twin
                WHERE twin.account = %(account)s AND twin."to" = sms."to"
                    AND twin.body_digest = sms.body_digest
                    AND twin.state IN ('sending', 'unknown'))
        ORDER BY available_at, id LIMIT %(segments)s
        FOR UPDATE SKIP LOCKED
    ), single AS (
        SELECT id, segments, available_at,
            row_number() OVER (PARTITION BY "to", body_digest ORDER BY available_at, id) AS twin
        FROM due
    ), paced AS (
        SELECT id, segments, sum(segments) OVER (ORDER BY available_at, id) AS so_far
        FROM single WHERE twin = 1
    )
    UPDATE messaging_sms AS sms SET
        state = 'sending', state_at = {CLOCK}, attempt = attempt + 1, quiet_reads = 0,
        checked_at = NULL, account = %(account)s, sender_id = %(sender)s, claimed_at = {CLOCK},
        post_by = {CLOCK} + make_interval(secs => %(window)s),
        lease_until = {CLOCK} + make_interval(secs => %(lease)s)
    FROM paced
    WHERE sms.id = paced.id AND (
        paced.so_far <= %(segments)s OR (%(idle)s AND paced.so_far = paced.segments))
    RETURNING sms.id, attempt, "to", body, claimed_at,
        EXTRACT(EPOCH FROM expires_at - {CLOCK})::float8, paced.segments
"""  # noqa: S608

_RESERVE = f"""
    UPDATE messaging_sender
    SET next_at = GREATEST(next_at, {CLOCK}) + make_interval(secs => %(taken)s / rate)
    WHERE id = %(sender)s
"""  # noqa: S608

# Rows that somebody holds are left for the next time: nobody waits here, so nobody deadlocks.
_EXPIRE = f"""
    UPDATE messaging_sms SET state = 'expired', state_at = {CLOCK}, untaken = true
    WHERE id IN (
        SELECT id FROM messaging_sms WHERE state = 'queued' AND expires_at <= {CLOCK}
        ORDER BY expires_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
"""  # noqa: S608

_SUPPRESS = f"""
    UPDATE messaging_sms SET state = 'suppressed', state_at = {CLOCK}, untaken = true
    WHERE id IN (
        SELECT sms.id FROM messaging_sms AS sms
        JOIN messaging_optout AS said
            ON said.scope = sms.scope AND said.number = sms."to" AND said.opted_out
        WHERE sms.state = 'queued' AND sms.available_at <= {CLOCK}
        LIMIT %(most)s FOR UPDATE OF sms SKIP LOCKED)
"""  # noqa: S608
