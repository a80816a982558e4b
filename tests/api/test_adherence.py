"""What became of doses, over the API: figures, the calendar, the file."""

import csv
from datetime import timedelta
from io import StringIO

import pytest

from reminders.models import Dose, DoseRecord, Patient
from tests.cast import NOW

MONDAY = NOW.date()
COLUMNS = ["patient", "reference", "dose", "date", "interval_days", "became", "taken_on"]


@pytest.fixture
def clinic(cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}"


@pytest.fixture
def taken_late(weekly) -> Dose:
    """Ada's dose of Monday, injected on Thursday."""
    dose = Dose.objects.get()
    Dose.objects.update(state="taken", next_step_at=None)
    DoseRecord.objects.create(
        dose=dose, number=1, told="taken", taken_on=MONDAY + timedelta(days=3), source="staff",
        recorded_at=NOW,
    )  # fmt: skip
    return dose


FIGURES = {
    "due": 1, "on_time": 0, "late": 1, "skipped": 0, "missed_no_answer": 0, "missed_not_asked": 0,
    "unknown": 0,
}  # fmt: skip


def test_figures_and_calendar(ada, clinic, taken_late, clinician):
    period = {"from": "2027-01-01", "to": "2027-01-04", "on_time_days": 1}
    query = "from=2027-01-01&to=2027-01-04"
    answer = clinician.ask("GET", f"{ada}/adherence?{query}", expect=200)
    assert answer.body == {
        **period,
        "figures": FIGURES,
        "calendar": [
            {
                "date": "2027-01-04",
                "became": "late",
                "became_in_words": "Injected late",
                "taken_on": "2027-01-07",
            }
        ],
    }
    whole = clinician.ask("GET", f"{clinic}/adherence?{query}", expect=200)
    assert whole.body == {**period, "figures": FIGURES}


def read(answer) -> list[list[str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "adherence.csv" in answer.headers["content-disposition"]
    return list(csv.reader(StringIO(answer.body, newline="")))


def test_the_file_has_no_names_unless_they_are_asked_for(cast, ada, clinic, taken_late, clinician):
    row = [
        str(cast.ada.id), "", str(taken_late.id), "2027-01-04", "7", "late", "2027-01-07",
    ]  # fmt: skip
    for path in (ada, clinic):
        answer = clinician.ask("GET", f"{path}/adherence.csv", expect=200, Accept="text/csv")
        assert read(answer) == [COLUMNS, row]
        named = clinician.ask("GET", f"{path}/adherence.csv?names=true", expect=200)
        assert read(named) == [
            [*COLUMNS[:2], "name", *COLUMNS[2:]],
            [*row[:2], "Ada Example", *row[2:]],
        ]
        clinician.ask("GET", f"{path}/adherence.csv?names=1", expect=400, field="names")


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(evil, cast, clinic, taken_late, clinician):
    Patient.objects.filter(id=cast.ada.id).update(reference=evil, name=evil)
    _, row = read(clinician.ask("GET", f"{clinic}/adherence.csv?names=true", expect=200))
    assert row[1:3] == [f"'{evil}", f"'{evil}"]


def test_the_file_is_asked_for_as_what_it_is(clinic, clinician):
    clinician.ask("GET", f"{clinic}/adherence.csv", expect=406, Accept="application/pdf")
