"""Importing a clinic's patients: what a file may be, what is said of its rows, what comes of it."""

from datetime import date, time, timedelta

import pytest

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid
from reminders.models import (
    Dose,
    Import,
    ImportMode,
    ImportPart,
    ImportProblem,
    Patient,
    ScheduleVersion,
)
from reminders.patients import enrolling, importing
from reminders.patients.import_file import read_parts
from reminders.patients.import_rows import judge
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, make_patient
from tests.imports import GOOD, counts, file_of

# What a cell holds, and what the report must say: the field, and a word of the mend.
BAD = [
    ("name", "", "name", "Write"),
    ("name", "x" * 121, "name", "120"),
    ("name", "a\nb", "name", "one line"),
    ("name", '=HYPERLINK(""x"")', "name", "formula"),
    ("name", "@SUM(A1)", "name", "formula"),
    ("reference", "", "reference", "own number"),
    ("reference", "x" * 41, "reference", "40"),
    ("number", "", "number", "phone"),
    ("number", "12", "number", "country"),
    ("number", "4.479E+11", "number", "country"),
    ("time_zone", "Lundon", "time_zone", "Europe/London"),
    ("language", "Klingon", "language", "en"),
    ("hour", "25:00", "hour", "09:00"),
    ("hour", "9", "hour", "09:00"),
    ("hour", "09:00:30", "hour", "09:00"),
    ("wording", "loud", "wording", "discreet"),
    ("consent_on", "01/12/2026", "consent_on", "2027-01-25"),
    ("consent_on", "2027-02-29", "consent_on", "2027-01-25"),
    ("consent_on", "2027-02-01", "consent_on", "future"),
    ("consent_source", "dreamt", "consent_source", "written"),
    ("interval_days", "8", "interval_days", "7, 14, 21"),
    ("interval_days", "two weeks", "interval_days", "whole number"),
    ("interval_days", "", "interval_days", "days between"),
    ("starts_on", "", "starts_on", "first injection"),
    ("starts_on", "2027-01-03", "starts_on", "from today"),
    ("starts_on", "2029-01-03", "starts_on", "within a year"),
    ("last_injection_on", "2027-01-05", "last_injection_on", "past"),
]
UNREADABLE = [
    ("", "column_missing"),
    ("name,reference\nBo,1\n", "column_missing"),
    (file_of({}).replace("wording", "colour"), "column"),
    (file_of({}).replace("wording", "name"), "column_twice"),
    (file_of({}).replace('"en"', '"en'), "csv"),
    (file_of({}).partition("\n")[0], "empty"),
    (file_of({"name": "a\0b"}), "nul"),
    (file_of({}) + "\n" * 5_000_000, "too_long"),
    (file_of({}) + ("x\n" * 20_001), "too_many"),
]


def upload(cast, text: str) -> Import:
    return importing.upload(cast.clinic, text, cast.actor, NOW)


def work(now=NOW) -> None:
    while importing.take_imports(now):
        pass


def checked(cast, text: str) -> Import:
    file = upload(cast, text)
    work()
    file.refresh_from_db()
    assert file.state == "checked"
    return file


def imported(cast, text: str, mode=ImportMode.GOOD, now=NOW) -> Import:
    file = checked(cast, text)
    importing.confirm(file.id, mode, cast.actor, now)
    work(now)
    file.refresh_from_db()
    return file


def problems(file: Import) -> list[tuple[int, str, str]]:
    return list(file.problems.order_by("id").values_list("line", "field", "message"))


@pytest.mark.parametrize(("text", "code"), UNREADABLE, ids=[code for _, code in UNREADABLE])
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(cast, text, code):
    with pytest.raises(Invalid) as refusal:
        upload(cast, text)
    assert refusal.value.code == code
    assert not Import.objects.exists()


@pytest.mark.parametrize(("field", "cell", "named", "mend"), BAD)
def test_the_report_names_line_field_and_mend(cast, field, cell, named, mend):
    file = checked(cast, file_of({"reference": "H-0"}, {field: cell}, {"reference": "H-3"}))
    assert counts(file) == {"rows": 3, "good": 2, "there": 0, "bad": 1, "done": 3}
    ((line, where, message),) = problems(file)
    assert (line, where) == (3, named)
    assert mend in message
    if len(cell) > 2:
        assert cell not in message, "the report repeats nothing about a patient"


def test_all_that_is_wrong_with_a_line_is_said_at_once(cast):
    file = checked(cast, file_of({"name": "", "hour": "9", "number": "1"}))
    assert [field for _, field, _ in problems(file)] == ["name", "number", "hour"]


def test_a_reference_twice_in_a_file_names_the_first_line(cast):
    file = checked(cast, file_of({}, {"reference": "H-2"}, {"name": "Another"}))
    ((line, field, message),) = problems(file)
    assert (line, field) == (4, "reference")
    assert "Line 2" in message


def test_a_cell_too_many_is_not_passed_over(cast):
    file = checked(cast, file_of({}).rstrip("\n") + ",surplus\n")
    assert [(line, field) for line, field, _ in problems(file)] == [(2, "")]


def test_a_phone_of_another_clinics_patient_is_a_problem_that_does_not_say_whose(cast):
    make_patient(cast.other_clinic, cast.stranger, number="07700 900002")
    file = checked(cast, file_of({}))
    assert [(line, field) for line, field, _ in problems(file)] == [(2, "number")]
    assert "clinic" not in problems(file)[0][2]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_as_spreadsheets_write_it(cast, separator, ends, mark):
    names = "Name;Reference;NUMBER;Language;Hour;Consent on;consent-source;;"
    rows = [
        '"Bo ""B"" Example";  H-1 ;07700 900002;English;9:00:00;2026-12-01;Written;;',
        ";;;;;;;;",
    ]
    text = mark + ends.join([names, *rows, ""]).replace(";", separator)
    file = imported(cast, text, ImportMode.ALL)
    assert counts(file) == {"rows": 1, "good": 1, "there": 0, "bad": 0, "done": 1}
    patient = Patient.objects.get(reference="H-1")
    assert (patient.name, patient.number) == ('Bo "B" Example', "+447700900002")
    assert (patient.hour, patient.language, patient.wording, patient.time_zone) == (
        time(9), "en", "discreet", cast.clinic.time_zone,
    )  # fmt: skip
    assert not Dose.objects.exists()


def test_lines_are_counted_as_the_file_has_them(cast):
    file = checked(cast, file_of({"name": "two\nlines"}, {"reference": "H-2", "hour": "9"}))
    assert [line for line, _, _ in problems(file)] == [2, 4]


def test_what_comes_of_a_row_is_what_enrolling_and_starting_by_hand_make(cast):
    imported(cast, file_of({}), ImportMode.ALL)
    by_hand = enrolling.enrol(
        cast.clinic,
        enrolling.Enrolment(
            "Bo Example",
            "07700 900002",
            "Europe/London",
            "en",
            time(9),
            date(2026, 12, 1),
            "written",
        ),
        cast.actor,
        NOW,
    )
    decision = Decision(14, date(2027, 1, 11))
    prescribing.start(by_hand.id, decision, date(2026, 12, 28), cast.actor, NOW)
    by_file = Patient.objects.get(reference="H-1")
    kept = {"id", "created_at", "search", "reference", "patient_id", "schedule_id", "version_id"}

    def stored(patient):
        dose = Dose.objects.select_related("schedule", "version").get(schedule__patient=patient)
        return [
            {name: value for name, value in vars(row).items() if name not in kept | {"_state"}
             and not name.startswith("_")}
            for row in (Patient.objects.get(id=patient.id), dose.schedule, dose.version, dose)
        ]  # fmt: skip

    assert stored(by_file) == stored(by_hand)
    verbs = AuditEntry.objects.filter(subject_id__in=[by_file.id, by_hand.id])
    assert list(verbs.values_list("verb", "user")) == [("enrol", cast.clinician.id)] * 2


def test_reminders_of_the_imported_go_out(cast):
    imported(cast, file_of({"starts_on": "2027-01-04"}), ImportMode.ALL)
    assert plan_doses(NOW.replace(hour=9)) == 1
    assert Dose.objects.filter(state="due").count() == 1


def test_the_same_file_again_imports_nothing_and_says_who_is_there(cast):
    text = file_of({}, {"reference": "H-2"})
    assert imported(cast, text).good == 2
    again = imported(cast, text)
    assert counts(again) == {"rows": 2, "good": 0, "there": 2, "bad": 0, "done": 2}
    assert Patient.objects.filter(clinic=cast.clinic).exclude(id=cast.ada.id).count() == 2
    assert ScheduleVersion.objects.count() == 2


def test_a_reference_with_other_facts_is_a_problem_and_changes_nobody(cast):
    imported(cast, file_of({}))
    file = imported(cast, file_of({"hour": "10:00", "name": "Someone Else"}))
    assert [(line, field) for line, field, _ in problems(file)] == [(2, "name"), (2, "hour")]
    assert Patient.objects.get(reference="H-1").hour == time(9)


def test_a_patient_without_the_schedule_that_the_file_names_is_a_problem(cast):
    without = dict.fromkeys(("interval_days", "starts_on", "last_injection_on"), "")
    imported(cast, file_of(without))
    file = checked(cast, file_of({}))
    assert [(line, field) for line, field, _ in problems(file)] == [(2, "starts_on")]
    assert checked(cast, file_of(without)).there == 1


def test_all_or_none_takes_none_where_one_is_bad(cast):
    file = checked(cast, file_of({}, {"reference": "H-2", "hour": "9"}))
    with pytest.raises(Conflict) as refusal:
        importing.confirm(file.id, ImportMode.ALL, cast.actor, NOW)
    assert refusal.value.code == "rows_bad"
    work()
    assert list(Patient.objects.all()) == [cast.ada]


def test_what_became_bad_since_the_check_keeps_all_out_and_is_said(cast):
    tomorrow = NOW + timedelta(days=1)
    file = imported(
        cast,
        file_of({}, {"reference": "H-2", "starts_on": NOW.date().isoformat()}),
        ImportMode.ALL,
        now=tomorrow,
    )
    assert (file.state, file.good, file.bad, file.mode) == ("checked", 1, 1, "")
    assert [(line, field) for line, field, _ in problems(file)] == [(3, "starts_on")]
    assert list(Patient.objects.all()) == [cast.ada]


def test_it_is_confirmed_once_and_only_when_checked(cast):
    file = upload(cast, file_of({}))
    for state in ("checking", "importing"):
        if state == "importing":
            work()
            importing.confirm(file.id, ImportMode.ALL, cast.actor, NOW)
        with pytest.raises(Conflict) as refusal:
            importing.confirm(file.id, ImportMode.ALL, cast.actor, NOW)
        assert refusal.value.code == state


def test_a_file_that_fails_thrice_is_left_and_holds_up_no_other(cast, monkeypatch):
    judge = importing.judge

    def fail_for_the_first(clinic, rows, actor, now):
        assert rows[0].cells["reference"] != "H-1", "a fault of ours"
        return judge(clinic, rows, actor, now)

    monkeypatch.setattr(importing, "judge", fail_for_the_first)
    file, other = upload(cast, file_of({})), upload(cast, file_of({"reference": "H-2"}))
    work()
    file.refresh_from_db()
    other.refresh_from_db()
    assert (file.state, other.state, file.trouble) == ("failed", "checked", 3)
    assert not file.parts.exists()


def test_a_file_is_kept_no_longer_than_it_is_needed(cast):
    file = checked(cast, file_of({}))
    importing.forget_unconfirmed(NOW + timedelta(days=6))
    assert ImportPart.objects.exists()
    importing.forget_unconfirmed(NOW + timedelta(days=8))
    file.refresh_from_db()
    assert file.state == "failed"
    imported(cast, file_of({}))
    assert not ImportPart.objects.exists()
    assert not ImportProblem.objects.filter(message__contains=GOOD["name"]).exists()


def test_judging_asks_the_same_few_queries_however_many_rows(cast, django_assert_max_num_queries):

    for count in (5, 400):
        rows = next(read_parts(file_of(*({"reference": f"H-{n}"} for n in range(count)))))
        with django_assert_max_num_queries(3):
            assert len(judge(cast.clinic, rows, cast.actor, NOW).new) == count
