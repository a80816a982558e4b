"""The schedule's doors: what is decided, on which state, and what is shown."""

import pytest

from accounts.models import AuditEntry
from messaging.models import Sms
from messaging.states import State
from reminders.models import Schedule
from reminders.planning.steps import plan_doses
from tests.cast import NOW

CHANGE = {"interval_days": 21, "starts_on": "2027-01-18", "reason": "Stable."}


def test_a_schedule_from_its_start_to_its_end(ada, clinician, weekly):
    """Each answer's ETag is what the next decision is made on."""
    shown = clinician.ask("GET", weekly, expect=200)
    assert (shown["status"], shown["planned"]["date"]) == ("running", "2027-01-04")
    assert shown["etag"] == shown.etag

    preview = clinician.ask("POST", f"{weekly}/preview", body=CHANGE, expect=200)
    assert preview["before"][:3] == ["2027-01-04", "2027-01-11", "2027-01-18"]
    assert preview["after"][:4] == ["2027-01-04", "2027-01-11", "2027-01-18", "2027-02-08"]
    assert preview["notice"]["note"] == "The patient would get this text."
    assert preview.etag == shown.etag

    changed = clinician.ask(
        "POST", f"{weekly}/change", body=CHANGE, expect=200, If_Match=preview.etag
    )
    assert [version["interval_days"] for version in changed["schedule"]["versions"]] == [7, 21]
    assert changed["notice"]["body"] == preview["notice"]["body"]
    assert changed["too_late"] == []
    assert changed.etag != preview.etag

    doses = clinician.ask("GET", f"{ada}/doses?weeks=5", expect=200)["results"]
    assert [(dose["date"], dose["interval_days"]) for dose in doses] == [
        ("2027-01-04", 7),
        ("2027-01-11", 7),
        ("2027-01-18", 21),
        ("2027-02-08", 21),
    ]

    paused = clinician.ask(
        "POST",
        f"{weekly}/pause",
        body={"review_on": "2027-02-01"},
        expect=200,
        If_Match=changed.etag,
    )
    assert paused["schedule"]["planned"] is None
    assert clinician.ask("GET", f"{ada}/doses", expect=200)["results"] == []

    resumed = clinician.ask(
        "POST", f"{weekly}/resume", body=CHANGE, expect=200, If_Match=paused.etag
    )
    assert resumed["schedule"]["planned"]["date"] == "2027-01-18"

    stopped = clinician.ask(
        "POST", f"{weekly}/stop", body={"reason": "Over."}, expect=200, If_Match=resumed.etag
    )
    assert stopped["schedule"]["status"] == "stopped"
    assert stopped.etag == clinician.ask("GET", weekly, expect=200).etag


def test_an_act_is_written_down_with_its_request(cast, clinician, ada):
    clinician.ask(
        "POST",
        f"{ada}/schedule",
        body={"interval_days": 7, "starts_on": "2027-01-04", "last_injection_on": "2026-12-28"},
        expect=201,
        X_Request_ID="ward-7.42",
    )
    entry = AuditEntry.objects.get(verb="start")
    assert (entry.request_id, entry.user) == ("ward-7.42", cast.clinician)


@pytest.mark.parametrize("verb", ["change", "pause", "resume", "stop"])
def test_a_decision_names_what_it_was_made_on(verb, weekly, clinician):
    body = {
        "change": CHANGE,
        "resume": CHANGE,
        "pause": {"review_on": "2027-02-01"},
        "stop": {},
    }[verb]
    path = f"{weekly}/{verb}"
    clinician.ask("POST", path, body=body, expect=428, code="if_match_missing")
    for odd in (
        "*", 'W/"abc"', '"a", "b"', "abc", '""', '"', "", '"a b"', '"' + "a" * 101 + '"', '"é"',
    ):  # fmt: skip
        clinician.ask("POST", path, body=body, expect=400, field="If-Match", If_Match=odd)
    stale = clinician.ask(
        "POST", path, body=body, expect=412, code="changed_meanwhile", If_Match='"elsewhere"'
    )
    current = clinician.ask("GET", weekly, expect=200)
    assert stale["current"] == current.body
    assert stale.etag == current.etag
    assert Schedule.objects.get().status == "running"


def test_a_conflict_shows_the_schedule_as_it_is(weekly, clinician):
    etag = clinician.ask("GET", weekly, expect=200).etag
    for path, body in (("", CHANGE), ("/resume", CHANGE)):
        refused = clinician.ask("POST", weekly + path, body=body, expect=409, If_Match=etag)
        assert refused["current"]["status"] == "running"
        assert refused.etag == etag


def test_a_text_that_had_left_is_named(cast, weekly, clinician):
    plan_doses(NOW.replace(hour=9))
    Sms.objects.update(state=State.SENT)
    etag = clinician.ask("GET", weekly, expect=200).etag
    change = {**CHANGE, "starts_on": "2027-01-08"}
    answer = clinician.ask("POST", f"{weekly}/change", body=change, expect=200, If_Match=etag)
    (text,) = answer["too_late"]
    assert (text["about"], text["step"], text["state"]) == ("dose", "day", "sent")
    assert "tell the patient" in answer["too_late_note"]


def test_a_due_dose_waits_and_is_shown(ada, weekly, clinician):
    plan_doses(NOW.replace(hour=9))
    shown = clinician.ask("GET", weekly, expect=200)
    assert [dose["date"] for dose in shown["waiting"]] == ["2027-01-04"]
    first, second, *_ = clinician.ask("GET", f"{ada}/doses", expect=200)["results"]
    assert (first["state"], second["state"]) == ("due", "planned")
    near = {**CHANGE, "starts_on": "2027-01-07"}
    preview = clinician.ask("POST", f"{weekly}/preview", body=near, expect=200)
    assert preview["open_dose"] == "close"
    assert [caution["code"] for caution in preview["cautions"]] == ["gap_short"]
    kept = {**near, "open_dose": "keep"}
    assert clinician.ask("POST", f"{weekly}/preview", body=kept, expect=200)["open_dose"] == "keep"
