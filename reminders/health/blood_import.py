"""Blood results from a CSV file: all of them or the good ones, row by row what is wrong, and none
twice, however often the file is sent.

The first line names the columns: reference (the clinic's own number of the patient), test (our name
or its LOINC code), value, unit, taken_on (YYYY-MM-DD), and, if wished, note.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from itertools import islice
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import Clinic
from accounts.refusals import Invalid
from reminders.dates.schedule import local_date
from reminders.health.blood import Entry, check_entry, settle_due
from reminders.health.blood_tests import BY_LOINC, shown
from reminders.models import BloodResult, BloodTest, Patient, ResultSource

NEEDED = ("reference", "test", "value", "unit", "taken_on")
COLUMNS = (*NEEDED, "note")
SEPARATORS = (",", ";", "\t")
"""Whichever the first line has most of: spreadsheets write what their language is used to."""
MOST_ROWS = 20_000
LONGEST_NOTE = 2000
CHUNK = 1000
"""Rows looked up and stored together: memory follows this, the queries are two for each chunk."""

VALUE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Mode(StrEnum):
    """What becomes of the good rows of a file in which some are bad."""

    ALL = "all"  # all rows or none
    GOOD = "good"  # the good ones are stored


@dataclass(frozen=True)
class Problem:
    """What is wrong in a line (counted from 1, the columns' names), in which column ("" for the
    whole line), and what to do."""

    line: int
    field: str
    message: str


@dataclass
class Report:
    """rows: of the file, with the bad ones; new: good, and not there already; repeated: good, but
    there already, or twice in the file; stored: whether the new ones are in now."""

    rows: int = 0
    new: int = 0
    repeated: int = 0
    problems: list[Problem] = field(default_factory=list)
    stored: bool = False


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class _Known:
    """Whom a reference names, and the date where they are."""

    patient_id: UUID
    today: date


_Key = tuple[UUID, str, date, Decimal]


@dataclass(frozen=True)
class _Good:
    patient_id: UUID
    entry: Entry

    @property
    def key(self) -> _Key:
        """What makes two rows the same result: 43 % and 0.43 L/L are one."""
        entry = self.entry
        return _key(self.patient_id, entry.test, entry.taken_on, entry.value, entry.unit)


def _key(patient_id: UUID, test: str, taken_on: date, value: Decimal, unit: str) -> _Key:
    return patient_id, test, taken_on, shown(BloodTest(test), value, unit)


def import_results(
    clinic: Clinic, text: str, mode: Mode, actor: audit.Actor, now: datetime, *, dry_run: bool
) -> Report:
    """Import a CSV file's results for a clinic's patients, in one transaction.

    dry_run: answer what would be done, and do nothing. A result of the same patient, test, date
    and value as one that is there, also one that was corrected since, is not stored again.
    """
    report, seen = Report(), set[_Key]()
    touched = set[UUID]()
    with transaction.atomic():
        known = _patients(clinic, {row.cells["reference"] for row in _rows(text, Report())}, now,
                          locked=not dry_run)  # fmt: skip
        rows = _rows(text, report)
        while chunk := list(islice(rows, CHUNK)):
            good = [found for row in chunk if (found := _read(row, known, report)) is not None]
            new = _not_there(good, seen)
            report.new += len(new)
            report.repeated += len(good) - len(new)
            if not dry_run and not (report.problems and mode == Mode.ALL):
                _store(new, actor, now)
                touched |= {each.patient_id for each in new}
        if dry_run:
            return report
        if report.problems and mode == Mode.ALL:
            transaction.set_rollback(True)
            return report
        settle_due(sorted(touched), now)
        audit.record(
            actor, "import_results", clinic_id=clinic.id, subject_id=clinic.id,
            rows=report.rows, new=report.new, repeated=report.repeated,
            problems=len(report.problems),
        )  # fmt: skip
    report.stored = True
    return report


def _patients(
    clinic: Clinic, references: Collection[str], now: datetime, *, locked: bool
) -> dict[str, _Known]:
    """The clinic's patients with these references, locked in the house's order."""
    patients = Patient.objects.filter(clinic=clinic, reference__in=references).exclude(reference="")
    if locked:
        patients = patients.select_for_update()
    return {
        patient.reference: _Known(patient.id, local_date(now, patient.zone))
        for patient in patients.only("id", "reference", "time_zone").order_by("id")
    }


def _rows(text: str, report: Report) -> Iterator[_Row]:
    """The rows below the columns' names; counts them, and notes what can't be read."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), strict=True, delimiter=separator)
    columns: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = [cell.strip().lower() for cell in cells]
                problems = list(_wrong_columns(at, columns))
                if problems:
                    report.problems += problems
                    return
                continue
            if report.rows == MOST_ROWS:
                mend = f"Send at most {MOST_ROWS} rows at once. From here on nothing was read."
                report.problems.append(Problem(at, "", mend))
                return
            report.rows += 1
            if any("\0" in cell for cell in cells):
                report.problems.append(Problem(at, "", "Leave out the character NUL."))
                continue
            if len(cells) > len(columns):
                mend = "There are more cells than columns: put what holds a separator in quotes."
                report.problems.append(Problem(at, "", mend))
                continue
            cells += [""] * (len(columns) - len(cells))
            yield _Row(at, {c: v.strip() for c, v in zip(columns, cells, strict=True)})
    except csv.Error:
        mend = "This isn't CSV: look at its quotes. From here on nothing was read."
        report.problems.append(Problem(line, "", mend))
    if columns is None:
        report.problems += _wrong_columns(1, [])


def _wrong_columns(line: int, columns: list[str]) -> Iterator[Problem]:
    for name in NEEDED:
        if name not in columns:
            yield Problem(line, name, f"Name this column in the first line: {','.join(COLUMNS)}.")
    for name in sorted(set(columns)):
        if name not in COLUMNS:
            mend = f"There is no such column. Leave it out; known: {', '.join(COLUMNS)}."
            yield Problem(line, name[:40], mend)
        elif columns.count(name) > 1:
            yield Problem(line, name, "Name this column once.")


def _read(row: _Row, known: dict[str, _Known], report: Report) -> _Good | None:
    """A row's result; or None, and what is wrong with it is in the report."""
    cells = row.cells
    patient = known.get(cells["reference"])
    test = _test(cells["test"])
    value = Decimal(cells["value"]) if VALUE.fullmatch(cells["value"]) else None
    taken_on = _day(cells["taken_on"])
    note = cells.get("note", "")
    mends = {
        "reference": patient is None and "No patient of your clinic has this reference.",
        "test": test is None and f"Write one of: {', '.join(BloodTest.values)}.",
        "value": value is None and "Write a number with a decimal point, like 0.43.",
        "taken_on": taken_on is None and "Write a date that exists, like 2027-01-25.",
        "note": len(note) > LONGEST_NOTE and "Shorten it to 2000 characters.",
    }
    wrong = [Problem(row.line, name, mend) for name, mend in mends.items() if mend]
    report.problems += wrong
    if wrong or patient is None or test is None or value is None or taken_on is None:
        return None
    entry = Entry(test, value, cells["unit"], taken_on, note)
    try:
        check_entry(entry, patient.today)
    except Invalid as refusal:
        report.problems.append(Problem(row.line, refusal.field, refusal.message))
        return None
    return _Good(patient.patient_id, entry)


def _test(written: str) -> BloodTest | None:
    name = written.lower()
    return BloodTest(name) if name in BloodTest.values else BY_LOINC.get(written)


def _day(written: str) -> date | None:
    if not DAY.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _not_there(rows: Iterable[_Good], seen: set[_Key]) -> list[_Good]:
    """The rows that are neither stored nor among those `seen`, where they are put; one query."""
    rows = list(rows)
    stored = BloodResult.objects.filter(
        patient__in={row.patient_id for row in rows},
        taken_on__in={row.entry.taken_on for row in rows},
    ).values_list("patient_id", "test", "taken_on", "value", "unit")
    there = {
        _key(patient_id, test, taken_on, value, unit)
        for patient_id, test, taken_on, value, unit in stored
        if value is not None
    }
    new = []
    for row in rows:
        if row.key not in there and row.key not in seen:
            new.append(row)
        seen.add(row.key)
    return new


def _store(rows: Iterable[_Good], actor: audit.Actor, now: datetime) -> None:
    BloodResult.objects.bulk_create(
        BloodResult(
            patient_id=row.patient_id,
            **vars(row.entry),
            source=ResultSource.IMPORT,
            entered_by=actor.user,
            entered_at=now,
        )
        for row in rows
    )
