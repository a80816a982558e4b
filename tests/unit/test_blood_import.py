"""Importing blood results: each bad row named, the good ones or none, and none twice."""

import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from reminders.health import blood_import
from reminders.health.blood import Entry, correct_result
from reminders.health.blood_import import Mode, Problem, Report, import_results
from reminders.models import BloodResult, BloodTest, Cause, Patient, Policy, WorkItem
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, Cast, make_patient

HEADER = "reference,test,value,unit,taken_on,note\n"
GOOD = "H-1,haematocrit,0.43,L/L,2027-01-04,\n"


@pytest.fixture
def ada(cast) -> Patient:
    """Ada, with a reference by which the file names her."""
    Patient.objects.filter(id=cast.ada.id).update(reference="H-1")
    return cast.ada


def send(cast: Cast, text: str, mode: Mode = Mode.ALL, *, dry_run: bool = False, now=NOW) -> Report:
    return import_results(cast.clinic, text, mode, cast.actor, now, dry_run=dry_run)


def problems(cast: Cast, text: str) -> list[tuple[int, str]]:
    """Lines and fields of what is wrong; nothing may have been stored."""
    report = send(cast, text)
    assert not report.stored
    assert not BloodResult.objects.exists()
    assert all(problem.message for problem in report.problems)
    return [(problem.line, problem.field) for problem in report.problems]


def test_a_good_file(cast, ada):
    report = send(
        cast,
        "\ufeffTaken_on, reference,VALUE,unit,test\r\n"
        "2027-01-04, H-1 ,43.5,%,4544-3\r\n"
        "\r\n"
        '2026-12-28,H-1,"310",10*9/L,Platelets\r\n'
        ",,,,\r\n",
    )
    assert report == Report(rows=2, new=2, stored=True)
    assert set(BloodResult.objects.values_list("test", "value", "unit", "source")) == {
        ("haematocrit", Decimal("43.5"), "%", "import"),
        ("platelets", Decimal(310), "10*9/L", "import"),
    }
    audited = AuditEntry.objects.get(verb="import_results")
    assert audited.detail == {"rows": 2, "new": 2, "repeated": 0, "problems": 0}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_file_of_a_spreadsheet_of_another_language(cast, ada, separator):
    assert send(cast, (HEADER + GOOD).replace(",", separator)).new == 1


def test_a_dry_run_does_nothing_and_says_the_same(cast, ada):
    text = HEADER + GOOD + GOOD + "H-2,haematocrit,0.43,L/L,2027-01-04,\n"
    dry = send(cast, text, Mode.GOOD, dry_run=True)
    assert not BloodResult.objects.exists()
    assert not AuditEntry.objects.filter(verb="import_results").exists()
    done = send(cast, text, Mode.GOOD)
    assert not dry.stored
    assert done.stored
    assert (dry.rows, dry.new, dry.repeated, dry.problems) == (
        (done.rows, done.new, done.repeated, done.problems)
    )  # fmt: skip
    assert (done.rows, done.new, done.repeated, len(done.problems)) == (3, 1, 1, 1)


def test_a_repeat_imports_nothing_twice_however_it_is_written(cast, ada):
    send(cast, HEADER + GOOD)
    again = send(cast, HEADER + "H-1,4544-3,43,%,2027-01-04,said again\n" + GOOD)
    assert (again.new, again.repeated) == (0, 2)
    (only,) = BloodResult.objects.all()
    correct_result(
        ada.id, only.id, Entry(BloodTest.ALT, Decimal(30), "U/L", NOW.date()), cast.actor, NOW
    )
    assert send(cast, HEADER + GOOD).repeated == 1
    assert BloodResult.objects.count() == 2


def test_another_day_or_another_value_is_another_result(cast, ada):
    rows = GOOD + GOOD.replace("0.43", "0.44") + GOOD.replace("01-04", "01-03")
    assert send(cast, HEADER + rows).new == 3


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("H-2,haematocrit,0.43,L/L,2027-01-04,", "reference"),
        (",haematocrit,0.43,L/L,2027-01-04,", "reference"),
        ("H-1,hct,0.43,L/L,2027-01-04,", "test"),
        ("H-1,,0.43,L/L,2027-01-04,", "test"),
        ('H-1,haematocrit,"0,43",L/L,2027-01-04,', "value"),
        ("H-1,haematocrit,,L/L,2027-01-04,", "value"),
        ("H-1,haematocrit,<0.1,L/L,2027-01-04,", "value"),
        ("H-1,haematocrit,-0.4,L/L,2027-01-04,", "value"),
        ("H-1,haematocrit,\u0664,L/L,2027-01-04,", "value"),
        ("H-1,haematocrit,43,L/L,2027-01-04,", "value"),
        ("H-1,haematocrit,0.43,l/l,2027-01-04,", "unit"),
        ("H-1,haematocrit,0.43,,2027-01-04,", "unit"),
        ("H-1,haematocrit,0.43,L/L,04/01/2027,", "taken_on"),
        ("H-1,haematocrit,0.43,L/L,2027-02-29,", "taken_on"),
        ("H-1,haematocrit,0.43,L/L,2027-01-05,", "taken_on"),
        ("H-1,haematocrit,0.43,L/L,0027-01-04,", "taken_on"),
        ("H-1,haematocrit,0.43,L/L", "taken_on"),
        ("H-1,haematocrit,0.43,L/L,2027-01-04," + "x" * 2001, "note"),
        ("H-1,haematocrit,0.43,L/L,2027-01-04,a,b", ""),
        ("H-1,haematocrit,0.43,L/L,2027-01-04,a\0b", ""),
        ('H-1,haematocrit,0.43,L/L,2027-01-04,"open', ""),
    ],
)
def test_a_bad_row_is_named_and_keeps_the_others_out(cast, ada, row, field):
    two_lines = 'H-1,alt,30,U/L,2027-01-04,"one\ntwo"\n'
    assert problems(cast, f"{HEADER}{two_lines}{row}\n") == [(4, field)]


def test_every_fault_of_a_row_is_named(cast, ada):
    assert problems(cast, HEADER + "H-2,hct,x,L/L,soon,\n") == [
        (2, "reference"), (2, "test"), (2, "value"), (2, "taken_on"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("", ["reference", "test", "value", "unit", "taken_on"]),
        ("reference,test,value,taken_on\n", ["unit"]),
        ("reference,test,value,unit,taken_on,name\n", ["name"]),
        ("reference,test,value,unit,taken_on,unit\n", ["unit"]),
        ('"reference\n', [""]),
    ],
)
def test_columns_that_cannot_be_meant(cast, ada, header, fields):
    found = problems(cast, header + GOOD if header else "")
    assert [field for _, field in found][: len(fields)] == fields


def test_too_many_rows_are_refused_together(cast, ada, monkeypatch):
    monkeypatch.setattr(blood_import, "MOST_ROWS", 2)
    assert problems(cast, HEADER + GOOD * 3) == [(4, "")]


def test_another_clinics_patient_has_no_such_reference(cast):
    theirs = make_patient(cast.other_clinic, cast.stranger, number="+447700900077")
    Patient.objects.filter(id=theirs.id).update(reference="H-1")
    assert problems(cast, HEADER + GOOD) == [(2, "reference")]


def test_an_import_closes_what_says_that_a_result_is_due(cast, ada):
    Policy.objects.create(clinic=cast.clinic, result_days=28)
    prescribing.start(ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    later = NOW + timedelta(days=40)
    sweep(later)
    due = WorkItem.objects.get(cause=Cause.RESULT_DUE)
    send(cast, HEADER + GOOD, now=later)  # too old to close it
    due.refresh_from_db()
    assert due.closed_at is None
    send(cast, HEADER + GOOD.replace("01-04", "02-10"), now=later)
    due.refresh_from_db()
    assert due.closed_at == later


# --- A big file -----------------------------------------------------------------------------------

ROWS, BAD_EACH = 5000, 20


@pytest.fixture
def many(cast) -> list[str]:
    """References of 500 patients."""
    patients = [
        Patient(
            clinic=cast.clinic, name="Many Example", reference=f"M-{n}", number=f"+4477001{n:05}",
            time_zone="Europe/London", language="en", hour="09:00", consent_on="2026-01-05",
            consent_source="written",
        )
        for n in range(500)
    ]  # fmt: skip
    Patient.objects.bulk_create(patients)
    return [patient.reference for patient in patients]


def big_file(references: list[str], rows: int = ROWS) -> tuple[str, list[int]]:
    """A file of so many rows, and the lines of the bad ones: each twentieth."""
    lines, bad = [HEADER], []
    for n in range(rows):
        day = NOW.date() - timedelta(days=7 * (n // len(references)))
        value = "43" if n % BAD_EACH == 7 else f"0.{430 + n % 20}"
        if value == "43":
            bad.append(n + 2)
        lines.append(f"{references[n % len(references)]},haematocrit,{value},L/L,{day},\n")
    return "".join(lines), bad


def test_five_thousand_rows_with_bad_ones_among_them(cast, many):
    text, bad = big_file(many)
    nothing = send(cast, text, Mode.ALL)
    assert not nothing.stored
    assert not BloodResult.objects.exists()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        report = send(cast, text, Mode.GOOD)
    assert report.stored
    assert (report.rows, report.new, report.repeated) == (ROWS, ROWS - len(bad), 0)
    assert [problem.line for problem in report.problems] == bad
    assert {(problem.field, type(problem)) for problem in report.problems} == {("value", Problem)}
    assert BloodResult.objects.count() == ROWS - len(bad)
    assert len(queries) < 30, "a query for each row?"

    again = send(cast, text, Mode.GOOD)
    assert (again.new, again.repeated) == (0, ROWS - len(bad))
    assert BloodResult.objects.count() == ROWS - len(bad)


def test_memory_follows_the_chunk_and_not_the_file(cast, many):
    def peak(rows: int) -> int:
        """Beyond the text itself and what has to be remembered of each row, in bytes a row."""
        text, _ = big_file(many, rows)
        tracemalloc.start()
        try:
            send(cast, text, Mode.GOOD, dry_run=True)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1000)
    few, more = peak(2000), peak(10_000)
    assert more - few < 8000 * 1000, (few, more)
