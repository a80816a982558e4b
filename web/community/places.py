"""Where a page of a list begins: after the last row of the page before, by an instant and a key, or
by a key alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from community.reading.keyset import Place

SIZE = 20
"""Rows of a page."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

Row = TypeVar("Row")
Kept = TypeVar("Kept", bound=Model)


def after(request: HttpRequest) -> Place | None:
    """The place in ?after=…; 404 for what isn't one."""
    given = request.GET.get("after")
    return read_place(given) if given else None


def read_place(given: str) -> Place:
    """A place as `write_place` wrote it; 404 for what isn't one."""
    since, _, key = given.partition(".")
    if not (since.isdecimal() and since.isascii() and len(since) < 20):
        raise Http404
    try:
        return EPOCH + timedelta(microseconds=min(int(since), LAST)), UUID(key)
    except ValueError:
        raise Http404 from None


def write_place(place: Place) -> str:
    """A place for an address."""
    instant, key = place
    return f"{(instant - EPOCH) // timedelta(microseconds=1)}.{key}"


def cut(rows: Sequence[Row], place: Callable[[Row], Place]) -> tuple[Sequence[Row], str]:
    """The rows of a page, of which one more was asked for, and where the next page begins; "" if
    there is none."""
    if len(rows) <= SIZE:
        return rows, ""
    return rows[:SIZE], write_place(place(rows[SIZE - 1]))


def by_key(rows: QuerySet[Kept], request: HttpRequest) -> tuple[list[Kept], str]:
    """A page of rows by their keys, the newest first, and where the next begins."""
    key = read_key(request)
    found = list((rows.filter(pk__lt=key) if key else rows).order_by("-pk")[: SIZE + 1])
    return found[:SIZE], str(found[SIZE - 1].pk) if len(found) > SIZE else ""


def read_key(request: HttpRequest) -> UUID | None:
    """The key in ?after=…; 404 for what isn't one."""
    given = request.GET.get("after")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise Http404 from None
