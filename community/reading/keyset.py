"""Where a page begins: after the last row of the page before it, by an instant and a key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

Place = tuple[datetime, UUID]


def older(instant: str, key: str, place: Place) -> Any:
    """The rows that come after a place, newest first, as one comparison of rows, which an index on
    both serves from there on."""
    return TupleLessThan((F(instant), F(key)), place)


def newer(instant: str, key: str, place: Place) -> Any:
    """The rows that come after a place, oldest first."""
    return TupleGreaterThan((F(instant), F(key)), place)
