"""A clinic's file of patients, as spreadsheets write it: read into rows, none of them judged yet.

What makes the file as a whole unreadable is refused at once; what is wrong in a row is found by
import_rows.py and reported by its line.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from accounts.refusals import Invalid

MOST_ROWS = 20_000
MOST_CHARACTERS = 5_000_000
PART = 500
"""Rows that are held, checked and stored at once, however many a file has."""

NEEDED = ("name", "reference", "number", "language", "hour", "consent_on", "consent_source")
OF_THE_SCHEDULE = ("interval_days", "starts_on", "last_injection_on")
COLUMNS = (*NEEDED, "time_zone", "wording", *OF_THE_SCHEDULE)
SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class ImportRow:
    """line: where it begins in the file. cells: by column, without blanks around. surplus: it has
    more cells than the file has columns. again: the earlier line with this reference, if any."""

    line: int
    cells: dict[str, str]
    surplus: bool = False
    again: int | None = None

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def starts(self) -> bool:
        """Whether it is to start a schedule."""
        return any(self.cells.get(column) for column in OF_THE_SCHEDULE)


def read_parts(text: str) -> Iterator[list[ImportRow]]:
    """The rows of a file, in parts. Raises Invalid for a file that can't be read as a whole.

    Comma, semicolon or tab, whichever the first line has most of; quotes; any line ends; a byte
    order mark. Blank lines are passed over.
    """
    if len(text) > MOST_CHARACTERS:
        raise _unreadable("too_long", f"Send at most {MOST_CHARACTERS} characters: split the file.")
    if "\0" in text:
        raise _unreadable("nul", "The file holds NUL characters. Save it as CSV UTF-8.")
    rows = _rows(text.removeprefix("\ufeff"))
    while part := list(islice(rows, PART)):
        yield part


def _rows(text: str) -> Iterator[ImportRow]:
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines_of: dict[str, int] = {}
    count = 0
    try:
        columns = _columns(next(reader, []))
        begins = reader.line_num + 1
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            row = _row(line, columns, [cell.strip() for cell in cells], lines_of)
            if row is None:
                continue
            count += 1
            if count > MOST_ROWS:
                raise _unreadable("too_many", f"Send at most {MOST_ROWS} rows: split the file.")
            yield row
    except csv.Error:
        raise _unreadable(
            "csv", f"The file can't be read near line {reader.line_num}: look for a stray quote."
        ) from None
    if not count:
        raise _unreadable("empty", "The file has no rows below its first line.")


def _row(
    line: int, columns: list[str], cells: list[str], lines_of: dict[str, int]
) -> ImportRow | None:
    if not any(cells):
        return None
    named = dict(zip(columns, cells, strict=False))
    reference = named.get("reference", "")
    first = lines_of.setdefault(reference, line) if reference else line
    return ImportRow(
        line, named, surplus=any(cells[len(columns) :]), again=first if first != line else None
    )


def _columns(first: list[str]) -> list[str]:
    """The names in the first line, in any case and with blanks for underscores."""
    names = [re.sub(r"[\s-]+", "_", name.strip().casefold()) for name in first]
    while names and not names[-1]:
        names.pop()
    known = ", ".join(COLUMNS)
    for number, name in enumerate(names, 1):
        if name not in COLUMNS:
            raise _unreadable("column", f"Column {number} has no name known here. Known: {known}.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _unreadable("column_twice", f"The column {twice[0]} is there twice.")
    if missing := [name for name in NEEDED if name not in names]:
        raise _unreadable("column_missing", f"The first line lacks: {', '.join(missing)}.")
    return names


def _unreadable(code: str, message: str) -> Invalid:
    return Invalid(code, message, "file")
