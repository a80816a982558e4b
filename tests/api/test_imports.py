"""Importing patients over the API."""

import pytest

from reminders.models import Patient
from reminders.patients import importing
from tests.api.client import Caller
from tests.cast import NOW
from tests.imports import file_of

WITHOUT_SCHEDULE = dict.fromkeys(("interval_days", "starts_on", "last_injection_on"), "")


@pytest.fixture
def path(cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}/imports"


def send(caller: Caller, path: str, text: str, expect: int = 201, **headers):
    return caller.ask(
        "POST", path, raw=text.encode(), content_type="text/csv", expect=expect, **headers
    )


def work() -> None:
    while importing.take_imports(NOW):
        pass


def test_from_a_file_to_patients(cast, clinician, path):
    sent = send(clinician, path, file_of({}, {"reference": "H-2", "hour": "9"}))
    where = sent.headers["location"]
    assert (sent["state"], sent["rows"]) == ("checking", 2)
    clinician.ask("POST", f"{where}/confirm", body={"mode": "good"}, expect=409, code="checking")
    work()
    found = clinician.ask("GET", where, expect=200)
    assert (found["state"], found["good"], found["bad"]) == ("checked", 1, 1)
    problems = clinician.ask("GET", f"{where}/problems", expect=200)["results"]
    assert [(p["line"], p["field"]) for p in problems] == [(3, "hour")]
    clinician.ask(
        "POST", f"{where}/confirm", body={"mode": "all"}, expect=409, code="rows_bad", field="mode"
    )
    clinician.ask("POST", f"{where}/confirm", body={"mode": "good"}, expect=200)
    work()
    assert clinician.ask("GET", where, expect=200)["state"] == "done"
    assert Patient.objects.filter(reference="H-1").exists()
    (listed,) = clinician.ask("GET", path, expect=200)["results"]
    assert listed["id"] == sent["id"]


def test_a_repeated_upload_with_a_key_makes_one_file(clinician, path):
    first, second = (send(clinician, path, file_of({}), Idempotency_Key="one") for _ in range(2))
    assert first.body == second.body
    assert len(clinician.ask("GET", path, expect=200)["results"]) == 1


def test_the_problems_come_in_pages(clinician, path):
    rows = [{"reference": f"H-{n}", "hour": "9"} for n in range(7)]
    where = send(clinician, path, file_of(*rows)).headers["location"]
    work()
    lines, page = [], f"{where}/problems?page_size=3"
    while page:
        answer = clinician.ask("GET", page, expect=200)
        lines += [problem["line"] for problem in answer["results"]]
        page = answer["next"] and answer["next"].removeprefix("http://testserver")
    assert lines == list(range(2, 9))


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "column_missing"),
        ("name,Größe\n".encode("latin-1"), 400, "parse_error"),
        (b"a\x00b", 400, "nul"),
        (b"x" * 5_500_000, 400, "too_long"),
        (b"x" * 6_500_000, 413, "too_long"),
    ],
)
def test_what_is_no_file(clinician, path, raw, status, code):
    clinician.ask("POST", path, raw=raw, content_type="text/csv", expect=status, code=code)


def test_a_file_in_json_is_refused(clinician, path):
    clinician.ask("POST", path, body={"text": file_of({})}, expect=415)


# What a clinician, a coordinator and an admin of the clinic, a patient of it, and a clinician of
# another are told.
@pytest.mark.parametrize(
    ("verb", "schedules", "told"),
    [
        ("upload", True, (201, 201, 201, 403, 404)),
        ("list", True, (200, 200, 200, 403, 404)),
        ("read", True, (200, 200, 200, 403, 404)),
        ("problems", True, (200, 200, 200, 403, 404)),
        ("confirm", True, (200, 403, 403, 403, 404)),
        ("confirm", False, (200, 200, 200, 403, 404)),
    ],
)
def test_who_may_import(
    cast, path, verb, schedules, told, anonymous, clinician, coordinator, admin, patient, stranger
):
    text = file_of({} if schedules else WITHOUT_SCHEDULE)
    people = (clinician, coordinator, admin, patient, stranger)
    for caller, status in ((anonymous, 401), *zip(people, told, strict=True)):
        file = importing.upload(cast.clinic, text, cast.actor, NOW)
        work()
        where = f"/api/v1/imports/{file.id}"
        if verb == "upload":
            send(caller, path, text, expect=status)
        elif verb == "list":
            caller.ask("GET", path, expect=status)
        elif verb == "read":
            caller.ask("GET", where, expect=status)
        elif verb == "problems":
            caller.ask("GET", f"{where}/problems", expect=status)
        else:
            caller.ask("POST", f"{where}/confirm", body={"mode": "good"}, expect=status)
