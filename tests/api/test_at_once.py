"""Two people at once, in a database in which both really commit."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections

from accounts.models import Role
from accounts.sign_in import NotSignedIn, TooMany, sign_in
from dev.api_client import ApiClient, Refused
from messaging.models import Sms
from reminders.models import Patient, Schedule, ScheduleVersion
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.api.client import Answer, over_http, signed_in
from tests.api.test_entrance import ENROLMENT
from tests.cast import NOW, PASSWORD, make_user
from tests.processes import World


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all these at the same moment; answers what each came to."""
    together = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            together.wait(10)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def ask(caller: Any, path: str, body: Any, **headers: str) -> Callable[[], Answer]:
    """Ask without expecting: which of two wins is for them to find out."""
    sent = {"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: caller.send("POST", path, json.dumps(body).encode(), dict(sent))


@pytest.fixture
def two(world):
    """Two clinicians of Ada's clinic, and the path of her schedule, which runs."""
    cast = world.cast
    second = make_user("second@example.org", cast.clinic, Role.CLINICIAN)
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    callers = [signed_in(user) for user in (cast.clinician, second)]
    return callers, f"/api/v1/patients/{cast.ada.id}/schedule"


@pytest.mark.parametrize("second", ["change", "pause", "stop"])
def test_of_two_who_decide_at_once_one_wins_and_the_other_is_shown_what_holds(two, second):
    (one, other), path = two
    etag = one.ask("GET", path, expect=200).etag
    bodies = {
        "change": {"interval_days": 21, "starts_on": "2027-01-18"},
        "pause": {"review_on": "2027-02-01"},
        "stop": {},
    }
    won, lost = sorted(
        at_once(
            ask(one, f"{path}/change", {"interval_days": 14, "starts_on": "2027-01-18"},
                If_Match=etag),
            ask(other, f"{path}/{second}", bodies[second], If_Match=etag),
        ),
        key=lambda answer: answer.status,
    )  # fmt: skip
    assert (won.status, lost.status) == (200, 412)
    assert lost["code"] == "changed_meanwhile"
    assert lost["current"] == one.ask("GET", path, expect=200).body == won["schedule"]
    assert lost.etag == won.etag
    # The other decides anew, on what they were shown.
    if won["schedule"]["status"] == "running":
        other.ask("POST", f"{path}/stop", body={}, expect=200, If_Match=lost.etag)


def test_one_request_sent_twice_at_once_acts_once(two):
    (one, _), path = two
    etag = one.ask("GET", path, expect=200).etag
    change = ask(
        one, f"{path}/change", {"interval_days": 14, "starts_on": "2027-01-18"},
        If_Match=etag, Idempotency_Key="k",
    )  # fmt: skip
    answers = at_once(change, change, change)
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[0].body == answers[1].body == answers[2].body
    assert ScheduleVersion.objects.count() == 2
    assert Sms.objects.count() == 1


def test_two_clinics_cannot_enrol_one_number_at_once(world):
    cast = world.cast
    ours, theirs = signed_in(cast.clinician), signed_in(cast.stranger)
    answers = at_once(
        ask(ours, "/api/v1/patients", {**ENROLMENT, "clinic": str(cast.clinic.id)}),
        ask(theirs, "/api/v1/patients", {**ENROLMENT, "clinic": str(cast.other_clinic.id)}),
    )
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert Patient.objects.filter(number="+447700900002").count() == 1


def test_two_who_start_one_schedule_at_once(world):
    caller = signed_in(world.cast.clinician)
    path = f"/api/v1/patients/{world.cast.ada.id}/schedule"
    start = ask(caller, path, {"interval_days": 7, "starts_on": "2027-01-04"})
    answers = at_once(start, start)
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert Schedule.objects.count() == 1


def test_attempts_at_once_are_all_counted(world, monkeypatch):
    monkeypatch.setattr("accounts.sign_in.MOST_OF_EMAIL", 3)

    def attempt() -> str:
        try:
            sign_in("nobody@example.org", "wrong", "203.0.113.1", "test", NOW)
        except (NotSignedIn, TooMany) as refusal:
            return type(refusal).__name__
        return "signed in"

    assert sorted(at_once(*[attempt] * 8)) == ["NotSignedIn"] * 3 + ["TooMany"] * 5


def test_over_http(world):
    """The same by way of a web process, with its own clock and its own limits."""
    cast = world.cast
    world.start_web()
    caller = signed_in(cast.clinician, over_http(world.web_url))
    today = datetime.now(UTC).date()
    path = f"/api/v1/patients/{cast.ada.id}/schedule"
    start = {"interval_days": 7, "starts_on": f"{today + timedelta(days=3)}"}
    caller.ask("POST", path, body=start, expect=201)
    etag = caller.ask("GET", path, expect=200).etag
    change = {"interval_days": 14, "starts_on": f"{today + timedelta(days=10)}"}
    answers = at_once(*[ask(caller, f"{path}/change", change, If_Match=etag)] * 4)
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    caller.ask("POST", path, raw=b"x" * 10_000_000, expect=413, code="too_long")
    in_pieces = requests.post(world.web_url + path, data=iter([b"{}"]), timeout=10)
    assert (in_pieces.status_code, in_pieces.json()["code"]) == (411, "length_required")
    caller.ask("GET", "/health", expect=200)
    _as_the_demo_asks(world, today)
    assert "Traceback" not in world.logs()


def _as_the_demo_asks(world: World, today: date) -> None:
    """By the client with which the demo's check plays staff."""
    cast = world.cast
    # As the web's settings hash it, and quickly.
    cast.clinician.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1)
    cast.clinician.save()
    with pytest.raises(Refused) as refused:
        ApiClient(world.web_url, cast.clinician.email, "wrong")
    assert (refused.value.status, refused.value.code) == (401, "not_signed_in")
    client = ApiClient(world.web_url, cast.clinician.email, PASSWORD)
    assert (client.user, client.clinic) == (str(cast.clinician.id), str(cast.clinic.id))
    bo = client.enrol(
        name="Bo Example", number="+447700900002", time_zone="Europe/London", language="en",
        hour=time(9), consent_on=today - timedelta(days=7),
    )  # fmt: skip
    first, second = today + timedelta(days=3), today + timedelta(days=10)
    seen = client.start(bo, 7, first, "First.")["schedule"]["etag"]
    assert client.preview_change(bo, 21, second, "Stable.")["before"][1] == second.isoformat()
    done = client.change_interval(bo, 21, second, "Stable.", seen=seen)
    assert [version["interval_days"] for version in done["schedule"]["versions"]] == [7, 21]
    with pytest.raises(Refused) as refused:
        client.change_interval(bo, 21, second, "Stable.", seen=seen)
    assert (refused.value.status, refused.value.code) == (412, "changed_meanwhile")
    dates = [dose["date"] for dose in client.doses_to_come(bo, weeks=12)]
    assert dates[:2] == [first.isoformat(), second.isoformat()]
    assert [dose["state"] for dose in client.doses_of_the_past(bo)] == ["planned"]
    assert [text["step"] for text in client.texts(bo)] == ["changed"]
    client.set_rota([{"user": client.user, "rung": 1, "number": "+447700900091"}])
    assert client.worklist("urgent_sign") == []
