"""Columns of values for `unnest`: what is done for each dose and each text goes to Postgres as a
few long parameters.

Not by psycopg's own lists: it adapts and quotes each element by itself, which takes longer than
what Postgres then does with it.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID


def array(values: Iterable[Any]) -> str:
    """Values as Postgres writes an array of them, for a parameter that is cast to its type: UUIDs,
    dates, aware instants, figures, booleans, text, None. Not for lists of lists."""
    return "{" + ",".join(map(_element, values)) + "}"


def columns(rows: Sequence[Any], names: Iterable[str]) -> dict[str, Any]:
    """These attributes of rows, an array of each."""
    return {name: array([getattr(row, name) for row in rows]) for name in names}


def _element(value: Any) -> str:
    if isinstance(value, str):
        # Also what is an enumeration's; always quoted, for it may be empty, or say NULL.
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, UUID):
        # Without its hyphens, which take longer to write than all the rest.
        return value.hex
    return "NULL" if value is None else str(value)
