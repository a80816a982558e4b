"""The pace of a sender: segments a second, slowed down when Twilio says so, and recovering."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from messaging.clock import CLOCK

SLOWEST = 1 / 32
"""No sender is slowed below this part of its rate: it would never find out that it may go on."""

DOUBLES_AFTER = 30.0
"""Seconds in which a sender that was slowed down recovers from any part to twice as much."""

RATE = f"""(rate * LEAST(1, slowed_to * power(2, LEAST(
    20, GREATEST(0, EXTRACT(EPOCH FROM {CLOCK} - slowed_at)::float8 / {DOUBLES_AFTER})))))"""
"""A sender's present pace, in SQL that takes `now`."""


def slow_down(sender_id: UUID, wait: float, now: datetime | None) -> None:
    """Let a sender wait so many seconds, and leave with half its present pace from then on. One
    that waits already goes on waiting as long as it was ever told, and isn't slowed down again: the
    answers to one claim come in several parts."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SLOW_DOWN,
            {"sender": sender_id, "wait": wait, "slowest": SLOWEST, "now": now},
        )


_SLOW_DOWN = f"""
    UPDATE messaging_sender SET
        slowed_to = CASE WHEN slowed_at > {CLOCK} THEN slowed_to
            ELSE GREATEST(%(slowest)s, {RATE} / rate / 2) END,
        slowed_at = GREATEST(slowed_at, {CLOCK} + make_interval(secs => %(wait)s))
    WHERE id = %(sender)s
"""  # noqa: S608 - no value is formatted in
