"""Whatever is sent: a clear 4xx that names what to mend, never a 500."""

import json

import pytest
from django.db import OperationalError

from tests.api.test_entrance import ENROLMENT

PATIENTS = "/api/v1/patients"

# A field of an enrolment, a value that can't be meant, and the code of the error.
ENROLMENTS = [
    ("number", "12", "number"),
    ("number", "+44 7911 12345678901", "number"),
    ("number", "not a number", "number"),
    ("number", "+442079460000;ext=5", "number"),
    ("number", "9" * 40, "number"),
    ("number", 447700900002, "invalid"),
    ("number", "9" * 41, "max_length"),
    ("time_zone", "Europe/Londn", "time_zone"),
    ("time_zone", "../../etc/passwd", "time_zone"),
    ("time_zone", "", "invalid"),
    ("language", "xx", "invalid_choice"),
    ("language", ["en"], "invalid_choice"),
    ("language", {"en": 1}, "invalid_choice"),
    ("hour", "25:00", "invalid"),
    ("hour", "09:00:01", "invalid"),
    ("hour", "09:00Z", "invalid"),
    ("hour", "\u0660\u0669:\u0660\u0660", "invalid"),
    ("hour", 9, "invalid"),
    ("wording", None, "null"),
    ("consent_on", "9999-12-31", "consent_ahead"),
    ("consent_on", "0000-01-01", "invalid"),
    ("consent_on", "2027-02-29", "invalid"),
    ("consent_on", "20270101", "invalid"),
    ("consent_on", "2027-W01-1", "invalid"),
    ("consent_on", "2026-12-01T00:00:00", "invalid"),
    ("consent_source", "", "invalid_choice"),
    ("name", "", "invalid"),
    ("name", "   ", "invalid"),
    ("name", "a\nb", "invalid"),
    ("name", "a\n", "invalid"),
    ("name", "a\0b", "invalid"),
    ("name", "a" * 121, "max_length"),
    ("name", None, "null"),
    ("name", True, "invalid"),
    ("clinic", "1", "invalid"),
    ("clinic", 1, "invalid"),
    ("clinic", "{0198c0de-0000-7000-8000-000000000000}", "invalid"),
    ("unknown", 1, "unknown_field"),
    ("id", "0198c0de-0000-7000-8000-000000000000", "unknown_field"),
]

DECISIONS = [
    ("interval_days", 0, "invalid"),
    ("interval_days", -7, "min_value"),
    ("interval_days", 8, "interval_days"),
    ("interval_days", 367, "max_value"),
    ("interval_days", 10**400, "max_value"),
    ("interval_days", 7.5, "invalid"),
    ("interval_days", True, "invalid"),
    ("interval_days", "7", "invalid"),
    ("interval_days", None, "null"),
    ("interval_days", [7], "invalid"),
    ("starts_on", "2027-01-03", "starts_on"),
    ("starts_on", "0001-01-01", "starts_on"),
    ("starts_on", "9999-12-31", "starts_on"),
    ("starts_on", "2028-01-06", "starts_on"),
    ("starts_on", "soon", "invalid"),
    ("starts_on", 20270118, "invalid"),
    ("reason", "a\0b", "invalid"),
    ("reason", "a" * 2001, "max_length"),
    ("reason", None, "null"),
    ("open_dose", "lose", "invalid_choice"),
    ("results", {}, "invalid"),
    ("start_on", "2027-01-18", "unknown_field"),
]

BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b"{} {}",
    b'{"interval_days": NaN}',
    b'{"interval_days": Infinity}',
    b'{"interval_days": 1e400}',
    b'{"interval_days": -1e400}',
    b'{"interval_days": ' + b"9" * 5000 + b"}",
    b'{"reason": "\\ud800"}',
    b'{"\\udc00": 1}',
    b'{"reason": "\xff"}',
    b'{"interval_days": 7, "interval_days": 21}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"\0",
]

QUERIES = [
    ("page_size=0", "page_size"),
    ("page_size=201", "page_size"),
    ("page_size=1.5", "page_size"),
    ("page_size=%D9%A1", "page_size"),
    ("page_size=" + "9" * 5000, "page_size"),
    ("page_size=", "page_size"),
    ("cursor=x", "cursor"),
    ("cursor=" + "A" * 23, "cursor"),
    ("cursor=%00", "cursor"),
    ("cursor=%E2%82%AC", "cursor"),
    ("cursor=", "cursor"),
    ("clinic=1", "clinic"),
    ("clinic=%00", "clinic"),
    ("status=asleep", "status"),
    ("interval_days=x", "interval_days"),
    ("interval_days=0", "interval_days"),
    ("interval=7", "interval"),
    ("search=%00", "search"),
    ("search=", "search"),
    ("search=" + "a" * 201, "search"),
    ("search=a&search=b", "search"),
    ("format=json", "format"),
    ("%00=1", "\0"),
]


def test_an_enrolment_that_cannot_be_meant(cast, clinician, subtests):
    for field, value, code in ENROLMENTS:
        with subtests.test(field=field, value=value):
            body = {**ENROLMENT, "clinic": str(cast.clinic.id), field: value}
            clinician.ask("POST", PATIENTS, body=body, expect=400, code=code, field=field)


def test_what_is_missing_is_named(cast, clinician, subtests):
    whole = {**ENROLMENT, "clinic": str(cast.clinic.id)}
    for field in whole:
        with subtests.test(field=field):
            body = {name: value for name, value in whole.items() if name != field}
            clinician.ask("POST", PATIENTS, body=body, expect=400, code="required", field=field)


@pytest.mark.parametrize("path", ["preview", "change"])
def test_a_decision_that_cannot_be_meant(path, weekly, clinician, subtests):
    etag = clinician.ask("GET", weekly, expect=200).etag
    for field, value, code in DECISIONS:
        with subtests.test(field=field, value=value):
            clinician.ask(
                "POST",
                f"{weekly}/{path}",
                body={"interval_days": 14, "starts_on": "2027-01-18", field: value},
                expect=400,
                code=code,
                field=field,
                If_Match=etag,
            )


@pytest.mark.parametrize("day", ["2027-01-04", "0001-01-01", "9999-12-31"])
def test_a_pause_without_a_review_ahead(day, weekly, clinician):
    etag = clinician.ask("GET", weekly, expect=200).etag
    clinician.ask(
        "POST", f"{weekly}/pause", body={"review_on": day}, expect=400, field="review_on",
        If_Match=etag,
    )  # fmt: skip


def test_an_earlier_injection_that_is_to_come(ada, clinician):
    body = {
        "interval_days": 7, "starts_on": "2027-01-18", "last_injection_on": "2027-01-05"
    }  # fmt: skip
    clinician.ask("POST", f"{ada}/schedule", body=body, expect=400, field="last_injection_on")


@pytest.mark.parametrize("path", ["{ada}/schedule/preview", PATIENTS, "/api/v1/sign-in"])
def test_a_body_that_is_no_object_in_json(path, ada, clinician, subtests):
    for raw in BODIES:
        with subtests.test(raw=raw[:30]):
            clinician.ask("POST", path.format(ada=ada), raw=raw, expect=400)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", ""],
)
def test_a_body_of_another_type(content_type, ada, clinician):
    clinician.ask("PATCH", ada, raw=b"a=b", content_type=content_type, expect=415)


@pytest.mark.parametrize("charset", ["rot13", "base64", "utf-16", "latin-1", "nonsense"])
def test_json_is_utf_8_whatever_it_says_of_itself(charset, ada, clinician):
    name = json.dumps({"name": "Zoë"}, ensure_ascii=False).encode()
    answer = clinician.ask(
        "PATCH", ada, raw=name, content_type=f"application/json; charset={charset}", expect=200
    )
    assert answer["name"] == "Zoë"


def test_a_query_that_cannot_be_meant(clinician, subtests):
    for query, field in QUERIES:
        with subtests.test(query=query[:30]):
            clinician.ask("GET", f"{PATIENTS}?{query}", expect=400, field=field)


@pytest.mark.parametrize("weeks", ["0", "53", "-1", "twelve", "1e1", "%00"])
def test_weeks_that_cannot_be_meant(weeks, ada, weekly, clinician):
    clinician.ask("GET", f"{ada}/doses?weeks={weeks}", expect=400, field="weeks")


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v2/patients", "/api/v1/patients/", "/api/v1/patients/1", "/api/v1/",
     "/api/v1/patients/%00", "/api/v1/patients/%FF", "/api/%0d%0a", "/api/v1/" + "9" * 9000,
     "/api/v1/patients/../../etc"],
)  # fmt: skip
def test_an_address_that_is_not_there(path, clinician):
    clinician.ask("GET", path, expect=404, code="not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_is_not_there(method, ada, clinician):
    refused = clinician.ask(method, ada, expect=405)
    assert refused.headers["allow"] == "GET, HEAD, PATCH"


def test_an_answer_that_cannot_be_given(ada, clinician):
    clinician.ask("GET", ada, expect=406, Accept="text/html")


@pytest.mark.parametrize("path", [PATIENTS, "/api/v1/twilio/inbound", "/api/v1/sign-in", "/api/no"])
def test_ten_megabytes(path, clinician):
    clinician.ask("POST", path, raw=b"x" * 10_000_000, expect=413, code="too_long")


def test_a_host_that_is_not_ours(clinician):
    clinician.ask("GET", PATIENTS, expect=400, Host="evil.example")


@pytest.mark.parametrize("name", ["", "a b", "a" * 65, "a\nb", "é", "<script>"])
def test_a_request_id_that_is_not_sane_is_replaced(name, clinician):
    given = clinician.ask("GET", "/api/v1/me", expect=200, X_Request_ID=name)
    assert len(given.headers["x-request-id"]) == 32


def test_a_fault_of_ours_tells_nothing_but_where_to_look(clinician, monkeypatch):
    def break_down(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("api.sign_in.memberships_of", break_down)
    fault = clinician.ask("GET", "/api/v1/me", expect=500, code="fault")
    assert "secret" not in json.dumps(fault.body)


def test_a_database_that_does_not_answer(anonymous, monkeypatch):
    def refuse(*_: object) -> None:
        raise OperationalError("server closed the connection: secret words")

    with monkeypatch.context() as broken:
        broken.setattr("api.health.connection.cursor", refuse)
        answer = anonymous.ask("GET", "/health", expect=503, code="unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "secret" not in json.dumps(answer.body)
