"""Claiming: which queued texts leave now, by which sender, and for how long they are ours."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, InterfaceError, connection, transaction

from messaging.circuits import OPEN
from messaging.clock import CLOCK
from messaging.connections import READ_SECONDS
from messaging.gateway import Post
from messaging.models import BEFORE_ALL, NO_CLINIC, Lane
from messaging.pace import RATE

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, kw_only=True)
class Claimed(Post):
    """A text that is ours to post, until instants of time.monotonic()."""

    scope: str
    sender_id: UUID
    claimed_at: datetime
    lease_until: float


@dataclass(frozen=True)
class _Ready:
    """A sender that may claim. in_line: it is of the first line, or stands in for it; others:
    another one could do the same."""

    id: UUID
    standby: bool
    in_line: bool
    others: bool


def claim(lane: Lane, now: datetime | None = None) -> list[Claimed]:
    """Take what is due in a lane and may leave now, for each of its senders at its pace. What is
    due to people who said stop is suppressed on the way."""
    with connection.cursor() as cursor:
        cursor.execute(_SENDERS, {"lane": lane, "now": now})
        ready = [_Ready(*row) for row in cursor.fetchall()]
    claimed: list[Claimed] = []
    for sender in ready:
        try:
            claimed += _claim_for(sender, now)
        except (DatabaseError, InterfaceError) as error:
            if not claimed:
                raise
            # What others have claimed already is to be posted, not left to be settled.
            log.warning("Sender %s could not claim: %s", sender.id, type(error).__name__)
            break
    return claimed


def close_useless(now: datetime | None = None) -> None:
    """Expire what is queued and of no use any more. That is news for the owner's domain."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"now": now, "most": 10 * MOST})


def _claim_for(sender: _Ready, now: datetime | None) -> list[Claimed]:
    # Started before the claim is sent, so that a slow answer shortens our time and never Twilio's.
    started = time.monotonic()
    facts: dict[str, Any] = {
        "now": now, "sender": sender.id, "most": MOST, "window": WINDOW, "lease": LEASE,
        "unread": UNREAD_HOLDS, "in_line": sender.in_line, "others": sender.others,
        "standby": sender.standby,
    }  # fmt: skip
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK_PACE, facts)
            found = cursor.fetchone()
            if found is None or found[0] < 1:
                return []
            names = ("segments", "idle", "scope", "lane", "account", "number", "turn", "open")
            facts |= dict(zip(names, found, strict=False))
            if facts["open"]:
                cursor.execute(_LOCK_CIRCUITS, facts)
                if not all(may_probe for (may_probe,) in cursor.fetchall()):
                    return []
                facts |= {"segments": 1, "idle": True}
            cursor.execute(_CLAIM, facts)
            rows = cursor.fetchall()
            if rows:
                facts["taken"] = sum(row[-2] for row in rows)
                facts["turn"] = rows[-1][-1]
                cursor.execute(_RESERVE, facts)
                if facts["open"]:
                    cursor.execute(_PROBE, facts)
    except IntegrityError:
        # Another sender of this account claimed a twin at this very instant: it goes first.
        return []
    return [
        Claimed(
            id=id_,
            attempt=attempt,
            scope=facts["scope"],
            account=facts["account"],
            sender=facts["number"],
            sender_id=sender.id,
            to=to,
            body=body,
            claimed_at=claimed_at,
            use_until=started + left,
            write_before=started + WINDOW,
            lease_until=started + LEASE,
        )
        for id_, attempt, to, body, claimed_at, left, _, _ in rows
    ]


# Neither its own circuit is open nor its account's.
_CLOSED = f"NOT EXISTS {OPEN.format(names='{0}.account, {0}.number')}"

# One that isn't in line is asked for `repeat` texts in doubt only. OFFSET 0, here and below, keeps
# Postgres from making a join of a look-up, which would read all that is queued.
_SENDERS = f"""
    SELECT id, standby, in_line, others FROM (
        SELECT *,
            NOT standby OR NOT EXISTS (
                SELECT FROM messaging_sender AS first
                WHERE first.scope = sender.scope AND first.lane = sender.lane
                    AND NOT first.standby AND {_CLOSED.format("first")}) AS in_line,
            EXISTS (
                SELECT FROM messaging_sender AS other
                WHERE other.scope = sender.scope AND other.lane = sender.lane
                    AND other.id <> sender.id AND other.slowed_at <= {CLOCK}
                    AND {_CLOSED.format("other")}
                    AND (NOT other.standby OR other.inbound_seen_at IS NOT NULL)) AS others
        FROM messaging_sender AS sender
        WHERE lane = %(lane)s AND slowed_at <= {CLOCK}
            AND (NOT standby OR inbound_seen_at IS NOT NULL)
            AND NOT EXISTS (
                SELECT FROM messaging_circuit AS c
                WHERE c.opened_at IS NOT NULL AND c.probe_at > {CLOCK}
                    AND c.name IN (sender.account, sender.number))) AS sender
    WHERE EXISTS (
        SELECT FROM messaging_sms AS sms
        WHERE sms.scope = sender.scope AND sms.lane = sender.lane AND sms.state = 'queued'
            AND sms.available_at <= {CLOCK} OFFSET 0)
        AND (in_line OR EXISTS (
            SELECT FROM messaging_sms AS sms
            WHERE sms.scope = sender.scope AND sms.lane = sender.lane AND sms.state = 'queued'
                AND sms.kind = 'repeat' AND sms.attempt > sms.refusals OFFSET 0))
    ORDER BY id
"""  # noqa: S608 - here and below no value is formatted in

# The lock makes claims of one sender take turns, so that together they keep its pace. `idle`: all
# that was claimed before has left, so that even a text longer than the window may go. For this
# transaction Postgres is kept from sorting what an index has in order: its statistics may be of a
# night with nothing queued, and it would then read and sort all that is queued for each clinic.
_LOCK_PACE = f"""
    SELECT
        LEAST(%(most)s, GREATEST(
            (next_at <= {CLOCK})::int,
            floor({RATE} * (%(window)s - GREATEST(0, EXTRACT(EPOCH FROM next_at - {CLOCK})))
                + 1e-6)
        ))::int,
        next_at <= {CLOCK}, scope, lane, account, number, turn,
        EXISTS {OPEN.format(names="account, number")},
        set_config('enable_sort', 'off', true)
    FROM messaging_sender WHERE id = %(sender)s FOR UPDATE
"""  # noqa: S608

# One probe at a time, whichever sender of an account makes it.
_LOCK_CIRCUITS = f"""
    SELECT probe_at <= {CLOCK} FROM messaging_circuit
    WHERE opened_at IS NOT NULL AND name IN (%(account)s, %(number)s) ORDER BY name FOR UPDATE
"""  # noqa: S608

# Until its answer is recorded, or it certainly is over. circuits.note says what comes then.
_PROBE = f"""
    UPDATE messaging_circuit
    SET probes = probes + 1, probe_at = {CLOCK} + make_interval(secs => %(lease)s)
    WHERE opened_at IS NOT NULL AND name IN (%(account)s, %(number)s)
"""  # noqa: S608

_CLINIC = f"COALESCE(sms.clinic_id, '{NO_CLINIC}'::uuid)"

NOT_HELD = f"""(sms.asked_for OR sms.kind = 'repeat' OR NOT EXISTS (
        SELECT FROM messaging_inboundsms AS unread
        WHERE unread.scope = sms.scope AND unread.number = sms."to"
            AND unread.taken_at IS NULL AND unread.carrier_word <> 'stop'
            AND unread.received_at > {CLOCK} - %(unread)s::interval))"""
"""That no answer of the person's waits to be read, or none that matters to this text."""

# What may leave by this sender: of no use, unread, cancelled and twins stay for the next time. A
# `repeat` text in doubt goes by another sender where there is one; a standby takes no text that may
# have been asked for at another account.
_MAY_LEAVE = f"""
    sms.scope = %(scope)s AND sms.lane = %(lane)s AND sms.state = 'queued'
    AND sms.available_at <= {CLOCK} AND sms.expires_at > {CLOCK} AND NOT sms.cancel_wished
    AND CASE WHEN sms.kind = 'repeat' AND sms.attempt > sms.refusals
        THEN NOT %(others)s OR sms.sender_id <> %(sender)s
        ELSE %(in_line)s AND NOT (%(standby)s AND sms.requeued) END
    AND {NOT_HELD}
    AND NOT EXISTS (
        SELECT FROM messaging_sms AS twin
        WHERE twin.account = %(account)s AND twin."to" = sms."to"
            AND twin.body_digest = sms.body_digest
            AND twin.state IN ('sending', 'unknown')
        OFFSET 0)
"""

# `due` asks for each by its key alone and looks at its state when it has it: with the state asked
# for, too, Postgres may rather walk an index of all that is queued.
# Clinics take turns, beginning with the one after that served last: `walk` steps along the index
# from clinic to clinic, as far as there is room, past the last (null) to the first. Each gets its
# share, the longest due first, and the shares are filled in rounds.
_CLAIM = f"""
    WITH RECURSIVE walk(place, clinic, lapped) AS (
        SELECT 0, %(turn)s::uuid, false
      UNION ALL
        SELECT walk.place + (next.clinic IS NOT NULL)::int, next.clinic,
            walk.lapped OR next.clinic IS NULL
        FROM walk LEFT JOIN LATERAL (
            SELECT {_CLINIC} AS clinic FROM messaging_sms AS sms
            WHERE {_CLINIC} > COALESCE(walk.clinic, '{BEFORE_ALL}') AND {_MAY_LEAVE}
            ORDER BY 1 LIMIT 1) AS next ON true
        WHERE walk.place < %(segments)s AND (NOT walk.lapped OR next.clinic <= %(turn)s)
    ), share AS MATERIALIZED (
        SELECT ceil(%(segments)s::float8 / GREATEST(1, max(place)))::int AS most FROM walk
    ), shared AS MATERIALIZED (
        SELECT own.id, own.round, walk.place, walk.clinic
        FROM walk, LATERAL (
            SELECT id, row_number() OVER (ORDER BY available_at, id) AS round
            FROM (
                SELECT sms.id, sms.available_at FROM messaging_sms AS sms
                WHERE {_CLINIC} = walk.clinic AND {_MAY_LEAVE}
                ORDER BY sms.available_at, sms.id LIMIT (SELECT most FROM share)) AS longest
        ) AS own
        WHERE walk.place > 0 AND walk.clinic IS NOT NULL
        ORDER BY own.round, walk.place LIMIT %(segments)s
    ), due AS MATERIALIZED (
        SELECT sms.id, sms."to", sms.body_digest, sms.segments,
            shared.round, shared.place, shared.clinic,
            NOT sms.last_word AND EXISTS (
                SELECT FROM messaging_optout AS said
                WHERE said.scope = sms.scope AND said.number = sms."to" AND said.opted_out
                OFFSET 0) AS stopped
        FROM shared, LATERAL (
            SELECT * FROM messaging_sms WHERE id = shared.id OFFSET 0 FOR UPDATE SKIP LOCKED
        ) AS sms
        WHERE sms.state = 'queued' AND NOT sms.cancel_wished
    ), suppressed AS (
        UPDATE messaging_sms AS sms SET state = 'suppressed', state_at = {CLOCK}, untaken = true
        FROM due WHERE sms.id = due.id AND due.stopped
    ), single AS (
        SELECT *, row_number() OVER (PARTITION BY "to", body_digest ORDER BY round, place) AS twin
        FROM due WHERE NOT stopped
    ), paced AS (
        SELECT *, sum(segments) OVER (ORDER BY round, place) AS so_far FROM single WHERE twin = 1
    ), claimed AS (
        UPDATE messaging_sms AS sms SET
            state = 'sending', state_at = {CLOCK}, attempt = attempt + 1, quiet_reads = 0,
            checked_at = NULL, account = %(account)s, sender_id = %(sender)s,
            claimed_at = {CLOCK}, post_by = {CLOCK} + make_interval(secs => %(window)s),
            lease_until = {CLOCK} + make_interval(secs => %(lease)s)
        FROM paced
        WHERE sms.id = paced.id AND (
            paced.so_far <= %(segments)s OR (%(idle)s AND paced.so_far = paced.segments))
        RETURNING sms.id, attempt, sms."to", body, claimed_at,
            EXTRACT(EPOCH FROM expires_at - {CLOCK})::float8 AS "left",
            paced.segments, paced.clinic, paced.round, paced.place
    )
    SELECT id, attempt, "to", body, claimed_at, "left", segments, clinic
    FROM claimed ORDER BY round, place
"""  # noqa: S608

_RESERVE = f"""
    UPDATE messaging_sender
    SET turn = %(turn)s,
        next_at = GREATEST(next_at, {CLOCK}) + make_interval(secs => %(taken)s / {RATE})
    WHERE id = %(sender)s
"""  # noqa: S608

# Rows that somebody holds are left for the next time: nobody waits here, so nobody deadlocks.
_EXPIRE = f"""
    UPDATE messaging_sms SET state = 'expired', state_at = {CLOCK}, untaken = true
    WHERE id IN (
        SELECT id FROM messaging_sms WHERE state = 'queued' AND expires_at <= {CLOCK}
        ORDER BY expires_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
"""  # noqa: S608
