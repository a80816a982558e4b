"""Postgres's clock, compared inside SQL; or an instant, only to play a story as the demo does."""

from datetime import datetime

from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

CLOCK = "COALESCE(%(now)s::timestamptz, statement_timestamp())"
"""The instant in raw SQL that takes a parameter `now`."""


def clock(now: datetime | None) -> Combinable:
    """The instant in a query. None: Postgres's own."""
    return Now() if now is None else Value(now, output_field=DateTimeField())
