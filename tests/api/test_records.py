"""Doses recorded by the care team, and what patients wrote, over the API."""

import re
from datetime import date, timedelta

import pytest

from messaging import inbound
from reminders.conversation import hearing
from reminders.doses.noting import Injected, note_injection
from reminders.models import Dose, DoseRecord, Injection, Source
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from tests.api.test_entrance import TOLD_ELSEWHERE
from tests.cast import NOW, Cast

TODAY = NOW.date()


@pytest.fixture
def due(cast: Cast) -> Dose:
    """Ada's dose of today, asked for just now."""
    prescribing.start(cast.ada.id, Decision(7, TODAY), None, cast.actor, NOW)
    Dose.objects.update(next_step_at=NOW)
    plan_doses(NOW)
    return Dose.objects.get(date=TODAY)


def record(ada: str, dose: Dose) -> str:
    return f"{ada}/doses/{dose.id}/record"


def test_a_dose_is_recorded_and_shown_with_its_history(clinician, ada, due):
    told = {
        "told": "taken",
        "taken_on": TODAY.isoformat(),
        "taken_at": "00:00",
        "site": "thigh_left",
        "as_prescribed": True,
    }
    answer = clinician.ask("POST", record(ada, due), body=told, expect=200)
    assert answer["dose"]["state"] == "taken"
    clinician.ask("POST", record(ada, due), body={"told": "skipped", "note": "slip"}, expect=200)
    [planned, dose] = clinician.ask("GET", f"{ada}/doses/history", expect=200)["results"]
    assert (planned["state"], dose["state"]) == ("planned", "skipped")
    assert [(row["number"], row["told"], row["came_by"]) for row in dose["records"]] == [
        (1, "taken", "staff"),
        (2, "skipped", "staff"),
    ]
    assert dose["records"][0]["recorded_by"] == "Clinician"
    assert [row["as_prescribed"] for row in dose["records"]] == [True, None]


def test_repeating_a_request_records_once(clinician, ada, due):
    told = {"told": "taken", "taken_on": TODAY.isoformat()}
    for _ in range(2):
        clinician.ask("POST", record(ada, due), body=told, expect=200, Idempotency_Key="a")
    assert DoseRecord.objects.count() == 1


def test_a_second_injection_close_by_needs_a_yes(clinician, ada, due):
    told = {"told": "taken", "taken_on": TODAY.isoformat()}
    clinician.ask("POST", record(ada, due), body=told, expect=200)
    following = Dose.objects.get(state="planned")
    path = record(ada, following)
    clinician.ask("POST", path, body=told, expect=409, code="second_dose_close", field="taken_on")
    clinician.ask("POST", path, body={**told, "confirmed": True}, expect=200)
    [item] = clinician.ask("GET", "/api/v1/worklist", expect=200)["results"]
    assert item["cause"] == "second_dose"


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({}, "told"),
        ({"told": "taken"}, "taken_on"),
        ({"told": "eaten"}, "told"),
        ({"told": "taken", "taken_on": "2099-01-01"}, "taken_on"),
        ({"told": "taken", "taken_on": "4 January"}, "taken_on"),
        ({"told": "taken", "taken_on": "2027-01-04", "site": "navel"}, "site"),
        ({"told": "taken", "taken_on": "2027-01-04", "confirmed": "yes"}, "confirmed"),
        ({"told": "taken", "dose": 1}, "dose"),
        ({"told": "taken", "taken_on": "2027-01-04", "as_prescribed": "yes"}, "as_prescribed"),
        ({"told": "skipped", "as_prescribed": True}, "as_prescribed"),
        ({"told": "skipped", "taken_on": "2027-01-04"}, "taken_on"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(clinician, ada, due, told, field):
    clinician.ask("POST", record(ada, due), body=told, expect=400, field=field)


# Method, path, body; then what a clinician, a coordinator and an admin of Ada's clinic, Ada
# herself, and a clinician of another clinic, are told. Nobody without a token gets past 401.
OF_DOSES = re.compile("/record$|/injections")
INJECTED = {"taken_on": "2026-12-28", "site": "thigh_left", "as_prescribed": True}
DOORS = [
    ("POST", "{ada}/doses/{dose}/record", {"told": "skipped"}, 200, 200, 403, 403, 404),
    ("GET", "{ada}/injections", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/injections", INJECTED, 409, 201, 403, 403, 404),
    ("POST", "{ada}/injections/{injection}/correct", INJECTED, 409, 201, 403, 403, 404),
    ("POST", "{ada}/injections/{injection}/take-back", {}, 409, 201, 403, 403, 404),
]


def test_the_table_leaves_out_no_door():
    places = {
        "{ada}": "/api/v1/patients/<uuid:patient_id>",
        "{dose}": "<uuid:dose_id>",
        "{injection}": "<uuid:injection_id>",
    }
    named = set()
    for _, path, *_ in DOORS:
        for name, place in places.items():
            path = path.replace(name, place)
        named.add(path)
    assert named == {path for path in TOLD_ELSEWHERE if OF_DOSES.search(path)}


@pytest.mark.parametrize(
    ("who", "place"),
    [("anonymous", 0), ("stranger", 7), ("patient", 6), ("admin", 5), ("clinician", 3)],
)
@pytest.mark.parametrize("row", DOORS, ids=[f"{method} {path}" for method, path, *_ in DOORS])
def test_what_each_is_told(row, who, place, cast, ada, due, coordinator, request):
    """The coordinator comes before the clinician, whose repetition is refused."""
    method, path, body, *_ = row
    first = note_injection(
        cast.ada.id, Injected(date(2026, 12, 14)), Source.STAFF, cast.actor, NOW
    ).injection
    path = path.format(ada=ada, dose=due.id, injection=first.id)
    if who == "clinician":
        coordinator.ask(method, path, body=body, expect=row[4])
    before = DoseRecord.objects.count(), Injection.objects.count()
    expected = row[place] if place else 401
    request.getfixturevalue(who).ask(method, path, body=body, expect=expected)
    if expected >= 400:
        assert (DoseRecord.objects.count(), Injection.objects.count()) == before


def test_an_injection_of_a_closed_dose_is_noted_corrected_and_listed(cast, clinician, ada, due):
    token = read_plan(cast.ada).token
    prescribing.stop(cast.ada.id, "", token, cast.actor, NOW)
    told = {"told": "taken", "taken_on": TODAY.isoformat()}
    clinician.ask("POST", record(ada, due), body=told, expect=409, code="dose_closed")
    path = f"{ada}/injections"
    sent = {"taken_on": TODAY.isoformat(), "site": "thigh_left", "as_prescribed": False}
    for _ in range(2):
        made = clinician.ask("POST", path, body=sent, expect=201, Idempotency_Key="a")
    assert made["cautions"] == []
    first = made["injection"]
    assert {name: first[name] for name in sent} == sent
    assert (first["came_by"], first["recorded_by"]) == ("staff", "Clinician")
    clinician.ask("POST", path, body=sent, expect=409, code="second_dose_close", field="taken_on")
    correction = {**sent, "site": "thigh_right", "as_prescribed": None}
    where = f"{path}/{first['id']}/correct"
    second = clinician.ask("POST", where, body=correction, expect=201)["injection"]
    latest, former = clinician.ask("GET", path, expect=200)["results"]
    assert latest == second
    assert (latest["corrects"], former["corrected_by"]) == (first["id"], second["id"])
    schedule = clinician.ask("GET", f"{ada}/schedule", expect=200)
    assert schedule["last_injection_on"] == TODAY.isoformat()
    [item] = clinician.ask("GET", "/api/v1/worklist", expect=200)["results"]
    assert item["cause"] == "not_as_prescribed"


def test_a_dose_that_waits_is_recorded_there(clinician, ada, due):
    body = {"taken_on": TODAY.isoformat()}
    answer = clinician.ask("POST", f"{ada}/injections", body=body, expect=409, code="dose_there")
    assert answer["dose"] == str(due.id)


def test_a_dose_of_another_patient_is_not_found(clinician, ada, due):
    other = f"{ada}/doses/{due.schedule_id}/record"
    clinician.ask("POST", other, body={"told": "skipped"}, expect=404)


def test_what_the_patient_wrote_is_shown_with_what_we_made_of_it(cast, clinician, ada, due):
    for n, body in enumerate(["fever since yesterday", "done"]):
        at = NOW + timedelta(seconds=n)
        assert inbound.store(cast.sender, f"SM{n:032}", cast.ada.number, body, at)
    hearing.hear(NOW + timedelta(seconds=5))
    latest, first = clinician.ask("GET", f"{ada}/answers", expect=200)["results"]
    assert (latest["body"], latest["handled"], latest["dose"]) == ("done", "recorded", str(due.id))
    assert (first["urgent"], first["handled"]) == (["fever"], "to_read")
    items = clinician.ask("GET", "/api/v1/worklist?cause=urgent_sign", expect=200)["results"]
    assert [item["facts"]["text"] for item in items] == [first["text"]]
