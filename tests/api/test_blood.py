"""Blood results over the API."""

import pytest

from reminders.models import BloodResult, Patient

RESULT = {"test": "haematocrit", "value": "43.5", "unit": "%", "taken_on": "2027-01-03", "note": ""}

RESULTS = [
    ("test", "hct", "invalid_choice"),
    ("value", "0.43", "implausible"),
    ("value", 43.5, "invalid"),
    ("value", "43,5", "invalid"),
    ("value", "-43", "invalid"),
    ("value", "NaN", "invalid"),
    ("value", "1e9", "invalid"),
    ("value", "43.5\n", "invalid"),
    ("value", "\u0664\u0663", "invalid"),
    ("value", "9999999", "invalid"),
    ("value", None, "null"),
    ("unit", "g/L", "unit"),
    ("unit", "percent", "invalid_choice"),
    ("taken_on", "2027-01-05", "taken_on"),
    ("taken_on", "1949-12-31", "taken_on"),
    ("taken_on", "yesterday", "invalid"),
    ("note", "a\0b", "invalid"),
    ("source", "import", "unknown_field"),
]


@pytest.fixture
def results(ada) -> str:
    return f"{ada}/blood-results"


@pytest.fixture
def imports(cast) -> str:
    Patient.objects.filter(id=cast.ada.id).update(reference="H-1")
    return f"/api/v1/clinics/{cast.clinic.id}/blood-results/import"


def test_a_result_and_its_corrections(results, clinician, coordinator):
    first = coordinator.ask("POST", results, body=RESULT, expect=201)
    assert {name: first[name] for name in RESULT} == RESULT
    assert (first["loinc"], first["came_by"], first["entered_by"]) == (
        ("4544-3", "staff", "Coordinator")
    )  # fmt: skip
    body = {**RESULT, "value": "44"}
    path = f"{results}/{first['id']}/correct"
    second = clinician.ask("POST", path, body=body, expect=201)
    clinician.ask("POST", path, body=body, expect=409, code="corrected_already")
    third = clinician.ask("POST", f"{results}/{second['id']}/take-back", body={}, expect=201)
    assert third["value"] is None
    listed = clinician.ask("GET", results, expect=200)["results"]
    assert [(one["value"], one["corrects"], one["corrected_by"]) for one in listed] == [
        (None, second["id"], None),
        ("44", first["id"], third["id"]),
        ("43.5", None, second["id"]),
    ]
    assert clinician.ask("GET", f"{results}/trend", expect=200)["series"] == []


def test_a_result_that_cannot_be_meant(results, clinician, subtests):
    first = clinician.ask("POST", results, body=RESULT, expect=201)["id"]
    for path in (results, f"{results}/{first}/correct"):
        for field, value, code in RESULTS:
            with subtests.test(path=path, field=field, value=value):
                body = {**RESULT, field: value}
                clinician.ask("POST", path, body=body, expect=400, code=code, field=field)
    assert BloodResult.objects.count() == 1


def test_a_repeated_request_enters_it_once(results, clinician):
    for _ in range(2):
        clinician.ask("POST", results, body=RESULT, expect=201, Idempotency_Key="k")
    assert BloodResult.objects.count() == 1


def test_the_trend_has_the_decisions_beside_the_counts(results, weekly, clinician):
    clinician.ask("POST", results, body=RESULT, expect=201)
    etag = clinician.ask("GET", weekly, expect=200).etag
    decision = {"interval_days": 14, "starts_on": "2027-01-04"}
    clinician.ask("POST", f"{weekly}/change", body=decision, expect=200, If_Match=etag)
    trend = clinician.ask("GET", f"{results}/trend?from=2027-01-01&to=2027-01-31", expect=200)
    (series,) = trend["series"]
    assert (series["test"], series["unit"], series["loinc"]) == ("haematocrit", "L/L", "4544-3")
    (point,) = series["points"]
    assert (point["taken_on"], point["value"]) == ("2027-01-03", "0.435")
    assert [
        (one["number"], one["interval_days"], one["starts_on"], one["schedule_stopped_at"])
        for one in trend["decisions"]
    ] == [(1, 7, "2027-01-04", None), (2, 14, "2027-01-04", None)]


def test_a_file_is_tried_and_then_imported(imports, clinician):
    text = (
        "reference,test,value,unit,taken_on\n"
        "H-1,haematocrit,0.43,L/L,2027-01-03\n"
        "H-1,haematocrit,43,L/L,2027-01-03\n"
    )

    def send(query: str):
        return clinician.ask(
            "POST", f"{imports}?{query}", raw=text.encode(), content_type="text/csv", expect=200
        ).body

    tried = send("dry_run=true&mode=good")
    (problem,) = tried.pop("problems")
    assert (problem["line"], problem["field"]) == (3, "value")
    assert "check the value and its unit" in problem["message"]
    assert tried == {"rows": 2, "new": 1, "repeated": 0, "stored": False}
    assert not send("")["stored"]
    assert not BloodResult.objects.exists()
    assert send("mode=good")["stored"]
    again = send("mode=good")
    assert (again["new"], again["repeated"], BloodResult.objects.count()) == (0, 1, 1)


@pytest.mark.parametrize(
    ("query", "field"), [("dry_run=yes", "dry_run"), ("mode=some", "mode"), ("all=1", "all")]
)
def test_an_import_that_cannot_be_meant(query, field, imports, clinician):
    clinician.ask(
        "POST", f"{imports}?{query}", raw=b"a", content_type="text/csv", expect=400, field=field
    )


def test_files_that_are_none(imports, clinician):
    clinician.ask("POST", imports, raw=b"\xff\xfe", content_type="text/csv", expect=400)
    clinician.ask("POST", imports, raw=b"{}", content_type="application/json", expect=415)
    empty = clinician.ask("POST", imports, raw=b"", content_type="text/csv", expect=200)
    assert not empty["stored"]
    assert empty["problems"]
