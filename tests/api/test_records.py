"""Doses recorded by the care team, and what patients wrote, over the API."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from messaging import inbound
from reminders import hearing, prescribing
from reminders.effects import Decision
from reminders.models import Dose, DoseRecord
from reminders.planning import plan_doses
from tests.api.client import signed_in
from tests.cast import Cast


@pytest.fixture
def due(cast: Cast) -> Dose:
    """Ada's dose of today, asked for just now."""
    now = timezone.now()
    prescribing.start(cast.ada.id, Decision(7, today()), None, cast.actor, now)
    Dose.objects.update(next_step_at=now)
    plan_doses(now)
    return Dose.objects.get(date=today())


def today() -> date:
    return datetime.now(UTC).date()


def record(ada: str, dose: Dose) -> str:
    return f"{ada}/doses/{dose.id}/record"


def test_a_dose_is_recorded_and_shown_with_its_history(clinician, ada, due):
    told = {
        "told": "taken",
        "taken_on": today().isoformat(),
        "taken_at": "00:00",
        "site": "thigh_left",
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


def test_repeating_a_request_records_once(clinician, ada, due):
    told = {"told": "taken", "taken_on": today().isoformat()}
    for _ in range(2):
        clinician.ask("POST", record(ada, due), body=told, expect=200, Idempotency_Key="a")
    assert DoseRecord.objects.count() == 1


def test_a_second_injection_close_by_needs_a_yes(clinician, ada, due):
    told = {"told": "taken", "taken_on": today().isoformat()}
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
    ],
)
def test_what_cannot_be_is_refused_with_its_field(clinician, ada, due, told, field):
    clinician.ask("POST", record(ada, due), body=told, expect=400, field=field)


def test_who_may_record(cast, ada, due, clinician, coordinator, stranger, anonymous):
    told, path = {"told": "skipped"}, record(ada, due)
    anonymous.ask("POST", path, body=told, expect=401)
    stranger.ask("POST", path, body=told, expect=404)
    signed_in(cast.admin).ask("POST", path, body=told, expect=403)
    coordinator.ask("POST", path, body=told, expect=200)
    clinician.ask("POST", path, body=told, expect=200)


def test_a_dose_of_another_patient_is_not_found(clinician, ada, due):
    other = f"{ada}/doses/{due.schedule_id}/record"
    clinician.ask("POST", other, body={"told": "skipped"}, expect=404)


def test_what_the_patient_wrote_is_shown_with_what_we_made_of_it(cast, clinician, ada, due):
    now = timezone.now()
    for n, body in enumerate(["fever since yesterday", "done"]):
        at = now + timedelta(seconds=n)
        assert inbound.store(cast.sender, f"SM{n:032}", cast.ada.number, body, at)
    hearing.hear(now + timedelta(seconds=5))
    latest, first = clinician.ask("GET", f"{ada}/answers", expect=200)["results"]
    assert (latest["body"], latest["handled"], latest["dose"]) == ("done", "recorded", str(due.id))
    assert (first["urgent"], first["handled"]) == (["fever"], "to_read")
    items = clinician.ask("GET", "/api/v1/worklist?cause=urgent_sign", expect=200)["results"]
    assert [item["facts"]["text"] for item in items] == [first["text"]]
