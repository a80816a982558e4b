"""Postgres's clock, compared inside SQL; or an instant, only to play a story as the demo does."""

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

CLOCK = "COALESCE(%(now)s::timestamptz, statement_timestamp())"
"""The instant in raw SQL that takes a parameter `now`."""


def clock(now: datetime | None) -> Combinable:
    """The instant in a query. None: Postgres's own."""
    return Now() if now is None else Value(now, output_field=DateTimeField())


def read_clock() -> datetime:
    """Postgres's instant, for what compares instants in Python: a host's own clock may be off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        instant: datetime = cursor.fetchone()[0]
    return instant


def first_look(tick: str, seconds: float) -> bool:
    """Whether nobody has looked for this tick in so many seconds. Then it is on us."""
    with connection.cursor() as cursor:
        for statement in (_LOOK, _FIRST_LOOK_EVER):
            cursor.execute(statement, {"tick": tick, "seconds": seconds})
            if cursor.rowcount:
                return True
    return False


# One that lies ahead is of a clock that was set back since.
_LOOK = """
    UPDATE messaging_tick SET looked_at = statement_timestamp()
    WHERE name = %(tick)s AND looked_at NOT BETWEEN
        statement_timestamp() - make_interval(secs => %(seconds)s) AND statement_timestamp()
"""
_FIRST_LOOK_EVER = """
    INSERT INTO messaging_tick (id, name, looked_at)
    VALUES (uuidv7(), %(tick)s, statement_timestamp()) ON CONFLICT DO NOTHING
"""
