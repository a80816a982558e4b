"""Silence, and what an alarm is: texts wait that may leave, and none is taken; people wrote, and
nobody reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Min

from messaging.claim import NOT_HELD, UNREAD_HOLDS
from messaging.clock import CLOCK
from messaging.models import InboundSms

SILENCE = 90.0
"""Seconds of waiting that are an alarm. Looked at every 30, an alarm comes within two minutes."""

OFTEN = 5.0
"""Seconds for which a sender's last mark of a text that was taken does."""


@dataclass(frozen=True)
class Alarm:
    """What somebody has to be woken for. name: a stable word for programs. seconds: for how long it
    has been so. what: the id of what it is about, or words."""

    name: str
    seconds: float
    what: str


def silent_for(now: datetime | None = None) -> float:
    """For how many seconds a lane has had something to send while Twilio took none of its texts.

    0 while each lane's texts are taken, however many wait for their turn. What was refused and
    waits to be tried again counts from its first refusal: a lane of which every text is refused is
    silent, though it is busy. What somebody's unread answer holds back isn't due (as the claim has
    it, for so long); what is for somebody who said stop isn't either.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SILENT_FOR, {"now": now, "unread": UNREAD_HOLDS})
        [seconds] = cursor.fetchone() or [0.0]
    return float(seconds)


def note_taken(senders: Collection[UUID], now: datetime | None) -> None:
    """Note that Twilio took texts from these senders: not more often than tells, for each claim
    locks their rows, and not waiting for one that does."""
    if senders:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE_TAKEN, {"now": now, "senders": list(senders), "often": OFTEN})


def unheard_for(now: datetime) -> float:
    """For how many seconds the text that somebody wrote first, of those that nobody has read, has
    waited; 0 if none does."""
    waiting = InboundSms.objects.filter(taken_at__isnull=True)
    oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


# Of the texts that were refused the one that was most often stands for all: only its events are
# looked up.
_SILENT_FOR = f"""
    WITH waiting AS MATERIALIZED (
        SELECT sms.id, scope, lane, available_at, refusals FROM messaging_sms AS sms
        WHERE state = 'queued' AND (available_at <= {CLOCK} OR refusals > 0)
            AND expires_at > {CLOCK} AND {NOT_HELD}
            AND (sms.last_word OR NOT EXISTS (
                SELECT FROM messaging_optout AS said
                WHERE said.scope = sms.scope AND said.number = sms."to" AND said.opted_out))
    ), refused AS (
        SELECT DISTINCT ON (scope, lane) scope, lane, (
            SELECT min(event.created_at) FROM messaging_smsevent AS event
            WHERE event.sms_id = waiting.id) AS since
        FROM waiting WHERE refusals > 0 ORDER BY scope, lane, refusals DESC, id
    ), lane AS (
        SELECT scope, lane, LEAST(
            min(available_at) FILTER (WHERE available_at <= {CLOCK}), min(refused.since)) AS since
        FROM waiting LEFT JOIN refused USING (scope, lane)
        GROUP BY scope, lane
    )
    SELECT COALESCE(max(EXTRACT(EPOCH FROM {CLOCK} - GREATEST(since, (
        SELECT max(sender.taken_at) FROM messaging_sender AS sender
        WHERE sender.scope = lane.scope AND sender.lane = lane.lane)))), 0)::float8
    FROM lane WHERE since < {CLOCK}
"""  # noqa: S608 - no value is formatted in

_NOTE_TAKEN = f"""
    UPDATE messaging_sender SET taken_at = {CLOCK}
    WHERE id IN (
        SELECT id FROM messaging_sender
        WHERE id = ANY(%(senders)s)
            AND taken_at NOT BETWEEN {CLOCK} - make_interval(secs => %(often)s) AND {CLOCK}
        FOR UPDATE SKIP LOCKED)
"""  # noqa: S608
