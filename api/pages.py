"""Pages by cursor: a page costs what it shows, and rows that come in between double none.

No COUNT and no OFFSET: the cursor names the last row shown, and the next page begins after it.
"""

import base64
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from api.fields import Strict, Whole

MOST = 200
CURSOR = r"[A-Za-z0-9_-]{22}"

Row = TypeVar("Row", bound=Model)


@extend_schema_field({"type": "string", "pattern": f"^{CURSOR}$"})
class Cursor(serializers.Field[UUID, Any, str, Any]):
    """Where a page begins, as the page before it said: the id of its last row, in base64."""

    default_error_messages = {
        "cursor": "This cursor isn't one. Follow `next` of the page before.",
    }

    def to_internal_value(self, data: Any) -> UUID:
        if not re.fullmatch(CURSOR, data):
            self.fail("cursor")
        return UUID(bytes=base64.urlsafe_b64decode(f"{data}=="))

    def to_representation(self, value: UUID) -> str:
        return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


class Paged(Strict):
    """The query of every list."""

    cursor = Cursor(required=False, help_text="From `next` of the page before; not made by hand.")
    page_size = Whole(1, MOST, in_query=True, default=50, help_text="How many at most.")


def page(
    rows: QuerySet[Row], query: dict[str, Any], request: Request, *, newest_first: bool = True
) -> tuple[list[Row], str | None]:
    """One page of rows in the order of their ids, and the address of the next if there is one.

    `query` is what a Paged took in.
    """
    if cursor := query.get("cursor"):
        rows = rows.filter(id__lt=cursor) if newest_first else rows.filter(id__gt=cursor)
    return cut(
        rows.order_by("-id" if newest_first else "id"),
        query,
        request,
        lambda last: Cursor().to_representation(last.pk),
    )


def cut(
    rows: QuerySet[Row], query: dict[str, Any], request: Request, cursor_at: Callable[[Row], str]
) -> tuple[list[Row], str | None]:
    """The first rows of those that begin where a page does, and the address of the next page."""
    size = query["page_size"]
    found = list(rows[: size + 1])
    if len(found) <= size:
        return found, None
    last = cursor_at(found[size - 1])
    again = {**request.query_params.dict(), "cursor": last}
    return found[:size], request.build_absolute_uri(f"{request.path}?{urlencode(again)}")
