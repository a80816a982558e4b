"""Silence, and what an alarm is: texts wait that may leave, and nobody sends them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from messaging.clock import CLOCK

SILENCE = 90.0
"""Seconds of waiting that are an alarm. Looked at every 30, an alarm comes within two minutes."""


@dataclass(frozen=True)
class Alarm:
    """What somebody has to be woken for. name: a stable word for programs. seconds: for how long it
    has been so. what: the id of what it is about, or words."""

    name: str
    seconds: float
    what: str


def silent_for(now: datetime | None = None) -> float:
    """For how many seconds a text has been due in some lane in which nothing was claimed.

    0 while each lane's texts leave, however many wait for their turn: a sender's `next_at` is never
    before its last claim. A text that waits for an answer to be read isn't due; one of somebody who
    said stop isn't either.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SILENT_FOR, {"now": now})
        [seconds] = cursor.fetchone() or [0.0]
    return float(seconds)


_SILENT_FOR = f"""
    SELECT COALESCE(max(EXTRACT(EPOCH FROM {CLOCK} - GREATEST(lane.oldest, (
        SELECT max(sender.next_at) FROM messaging_sender AS sender
        WHERE sender.scope = lane.scope AND sender.lane = lane.lane)))), 0)::float8
    FROM (
        SELECT scope, lane, min(available_at) AS oldest FROM messaging_sms AS sms
        WHERE state = 'queued' AND available_at <= {CLOCK} AND expires_at > {CLOCK}
            AND NOT EXISTS (
                SELECT FROM messaging_optout AS said
                WHERE said.scope = sms.scope AND said.number = sms."to" AND said.opted_out)
            AND NOT EXISTS (
                SELECT FROM messaging_inboundsms AS unread
                WHERE unread.scope = sms.scope AND unread.number = sms."to"
                    AND unread.taken_at IS NULL)
        GROUP BY scope, lane) AS lane
    WHERE lane.oldest < {CLOCK}
"""  # noqa: S608 - no value is formatted in
