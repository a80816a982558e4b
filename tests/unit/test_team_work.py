"""What the care team works through on its pages: items, the inbox, and patients."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging import inbound
from messaging.models import Sms
from messaging.states import State
from reminders.conversation import hearing
from reminders.health import blood
from reminders.models import (
    BloodTest,
    Cause,
    Dose,
    Language,
    Outcome,
    Patient,
    Wording,
    WorkItem,
    WorkNote,
)
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.texts import templates
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items
from tests.cast import NOW, Cast, make_patient
from tests.team import at_work

HOUR = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cast's morning, once their hour has come."""
    monkeypatch.setattr("web.team.desk.timezone", SimpleNamespace(now=lambda: HOUR))


@pytest.fixture
def clinician(cast: Cast) -> Client:
    return at_work(cast.clinician)


@pytest.fixture
def coordinator(cast: Cast) -> Client:
    return at_work(cast.coordinator)


@pytest.fixture
def ada(cast: Cast) -> str:
    return f"/team/patients/{cast.ada.id}"


@pytest.fixture
def due(cast: Cast) -> Dose:
    """Ada's dose of today, which waits for an answer: weekly, and the last a week ago."""
    last = NOW.date() - timedelta(days=7)
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), last, cast.actor, NOW)
    plan_doses(NOW + timedelta(minutes=30))
    return Dose.objects.get(state="due")


def found(cast: Cast, cause: Cause = Cause.NO_ANSWER, **facts: str) -> WorkItem:
    open_items([Finding(cast.ada.id, cause, facts)], NOW)
    return WorkItem.objects.get(patient=cast.ada, cause=cause, closed_at=None)


def wrote(cast: Cast, body: str) -> None:
    inbound.store(cast.sender, f"SM{uuid4().hex}", cast.ada.number, body, NOW)
    hearing.hear(NOW)


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# --- Items ----------------------------------------------------------------------------------------


def test_of_two_who_take_an_item_one_has_it_and_the_other_reads_who(cast, clinician, coordinator):
    item = found(cast)
    path = f"/team/items/{item.id}"
    assert clinician.post(f"{path}/take").status_code == 302
    lost = coordinator.post(f"{path}/take")
    assert lost.status_code == 409
    assert "Clinician looks after this item until 10:00" in lost.content.decode()
    assert WorkItem.objects.get().owner == cast.clinician
    assert coordinator.post(f"{path}/close", {"outcome": "done", "times": "1"}).status_code == 409
    assert clinician.post(f"{path}/hand-back").status_code == 302
    assert coordinator.post(f"{path}/take").status_code == 302


def test_what_happened_since_is_read_before_an_item_is_closed(cast, clinician):
    item = found(cast, Cause.UNDELIVERED, text=str(uuid4()))
    seen = {"outcome": "done", "times": "1", "note": "Number is right."}
    open_items([Finding(cast.ada.id, Cause.UNDELIVERED, {"text": str(uuid4())})], NOW)
    lost = clinician.post(f"/team/items/{item.id}/close", seen)
    page = lost.content.decode()
    assert lost.status_code == 409
    assert "Something more has happened" in page
    assert "Number is right." in page
    assert 'name="times" value="2"' in page
    closed = clinician.post(f"/team/items/{item.id}/close", {**seen, "times": "2"})
    assert closed.status_code == 302
    late = clinician.post(f"/team/items/{item.id}/close", {**seen, "times": "2"})
    assert late.status_code == 409
    assert "This item is closed" in late.content.decode()


def test_a_note_is_kept_once_however_often_its_form_is_sent(cast, clinician):
    path = f"/team/items/{found(cast).id}/notes"
    for _ in range(2):
        assert clinician.post(path, {"text": "Rang.", "key": "abc123"}).status_code == 302
    assert WorkNote.objects.filter(kind="note").count() == 1
    assert clinician.post(path, {"text": "Rang again.", "key": "abc123"}).status_code == 302
    assert WorkNote.objects.filter(kind="note").count() == 2
    assert clinician.post(path, {"text": "  "}).status_code == 422


def test_the_list_goes_by_urgency_and_age_and_its_filters_are_links(cast, clinician, monkeypatch):
    bo = make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
    open_items([Finding(bo.id, Cause.REVIEW_DUE)], NOW)
    open_items([Finding(bo.id, Cause.CALL_ME)], NOW + timedelta(minutes=1))
    found(cast)
    wrote(cast, "fever and chest pain")
    page = text(clinician, "/team")
    causes = re.findall(r'<h3><a href="[^"]+">([^<]+)</a>', page)
    assert causes[0] == "The patient wrote of an urgent sign"
    assert causes[-1] == "A pause is due for review"
    assert "Signs: fever or chills, chest pain." in page
    assert "fever and chest pain" in page
    counts = re.findall(r"<b>(\d)</b> (Now|Today|When there is time)", page)
    assert {label: int(number) for number, label in counts}["Now"] == 1
    only = text(clinician, "/team?urgency=2")
    assert re.findall(r'<h3><a href="[^"]+">([^<]+)</a>', only) == ["A pause is due for review"]
    assert "Nothing here with these filters" in text(clinician, "/team?mine=yes")
    for odd in ("urgency=7", "cause=none", "mine=no", "after=1.x"):
        assert clinician.get(f"/team?{odd}").status_code == 404
    monkeypatch.setattr("web.team.worklist.MOST", 2)
    seen: list[str] = []
    path = "/team"
    while path:
        page = text(clinician, path)
        seen += re.findall(r'<h3><a href="([^"]+)">', page)
        following = re.search(r'class="button" href="(/team\?[^"]+)">More', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == len(causes)


def test_the_inbox_has_words_answer_and_item(cast, clinician):
    assert "Nothing to read" in text(clinician, "/team/inbox")
    wrote(cast, "is it ok to fly to Spain?")
    item = WorkItem.objects.get(cause=Cause.TEXT_TO_READ)
    page = text(clinician, "/team/inbox")
    assert "is it ok to fly to Spain?" in page
    assert "We answered:" in page
    assert f"/team/items/{item.id}" in page
    attending.close(item.id, Outcome.DONE, "", cast.actor, NOW)
    assert "Nothing to read" in text(clinician, "/team/inbox")


# --- Patients -------------------------------------------------------------------------------------


def test_a_name_that_is_searched_for_is_in_no_address(cast, clinician):
    make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
    led = clinician.post("/team/patients", {"words": "Ada"}).headers["Location"]
    assert re.fullmatch(r"/team/patients\?search=[\w-]+", led)
    page = text(clinician, led)
    assert "Ada Example" in page
    assert "Bo Example" not in page
    assert "Nobody found" in text(clinician, led + "&status=paused")
    assert clinician.get("/team/patients?search=gone").headers["Location"] == "/team/patients"
    assert clinician.post("/team/patients", {"words": "x" * 201}).status_code == 422


def test_the_chart_holds_each_result_and_each_decision_and_so_does_its_table(
    cast, ada, due, clinician
):
    for day, value in ((1, "0.47"), (3, "0.45")):
        entry = blood.Entry(BloodTest.HAEMATOCRIT, Decimal(value), "L/L", date(2027, 1, day))
        blood.enter_result(cast.ada.id, entry, cast.actor, NOW)
    later = Decision(14, date(2027, 1, 18))
    prescribing.change_interval(cast.ada.id, later, read_plan(cast.ada).token, cast.actor, NOW)
    page = text(clinician, ada)
    data = re.search(r'<script id="blood-data" type="application/json">(.*?)</script>', page)
    assert data
    drawn = json.loads(data[1])
    [series] = drawn["series"]
    assert (series["name"], series["y"]) == ("Haematocrit", [0.47, 0.45])
    assert [mark["words"] for mark in drawn["marks"]] == ["every week", "every 2 weeks"]
    table = page[page.index("As a table") :]
    for words in ("0.47", "0.45", "every week", "every 2 weeks"):
        assert words in table
    assert "onclick" not in page
    assert " style=" not in page


def test_a_checked_text_goes_once_and_one_that_was_too_late_is_corrected(cast, ada, due, clinician):
    assert "There is no text to send" in text(clinician, f"{ada}/message")
    draft = templates.Draft(
        Language.ENGLISH, Wording.DISCREET, "message:closed",
        "{clinic}: we are closed on Friday. Questions? Call {phone}.",
    )  # fmt: skip
    templates.save(cast.clinic, draft, cast.actor, NOW)
    assert "we are closed on Friday. Questions? Call 020 7946 0000" in text(
        clinician, f"{ada}/message"
    )
    assert clinician.post(f"{ada}/message", {}).status_code == 422
    for _ in range(2):
        clinician.post(f"{ada}/message", {"kind": "message:closed", "key": "once"})
    assert Sms.objects.filter(dedup_key__startswith="message:").count() == 1
    Sms.objects.filter(dedup_key__startswith="dose:").update(state=State.DELIVERED)
    token = read_plan(cast.ada).token
    prescribing.pause(cast.ada.id, date(2027, 2, 1), "", token, cast.actor, HOUR)
    wrong = Sms.objects.get(dedup_key=f"dose:{due.id}:day")
    page = text(clinician, f"{ada}/conversation")
    assert f'name="text" value="{wrong.id}"' in page
    answer = clinician.post(f"{ada}/corrections", {"text": str(wrong.id)})
    assert answer.status_code in (302, 409)
    told = Sms.objects.filter(dedup_key=f"correction:{wrong.id}").exists()
    assert told == (answer.status_code == 302)
    assert clinician.post(f"{ada}/corrections", {"text": "nonsense"}).status_code == 409


def test_consent_is_withdrawn_and_the_page_says_so(cast, ada, due, clinician):
    assert clinician.post(f"{ada}/consent").status_code == 302
    page = text(clinician, ada)
    assert "No texts go to this number since" in page
    assert "Withdraw consent" not in page
    assert WorkItem.objects.filter(cause=Cause.CONSENT_MISSING).exists()


def test_a_patient_whom_another_clinic_took_over_can_be_read_and_not_changed(cast, ada, clinician):
    Patient.objects.filter(id=cast.ada.id).update(left_at=NOW, number="")
    page = text(clinician, ada)
    assert "Another clinic took this patient over" in page
    for verb in ("change", "message", "consent", "pause"):
        assert f"{ada}/{verb}" not in page


def test_more_rows_ask_the_database_no_more_often(cast, ada, due, clinician):
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert clinician.get(path).status_code == 200
        return len(queries)

    def live(number: int) -> None:
        name, phone = f"P{number} Example", f"+4477009001{number:02}"
        other = make_patient(cast.clinic, cast.clinician, name=name, number=phone)
        inbound.store(cast.sender, f"SM{uuid4().hex}", phone, "is it ok to fly?", NOW)
        wrote(cast, f"is it ok to fly on the {number + 1}th?")
        open_items([Finding(other.id, Cause.UNDELIVERED, {"text": str(uuid4())})], NOW)

    paths = ["/team", "/team/inbox", "/team/patients", ada, f"{ada}/conversation", f"{ada}/doses"]
    live(0)
    few = {path: asked(path) for path in paths}
    for number in range(1, 6):
        live(number)
    plan_doses(NOW + timedelta(days=7, hours=1))
    assert {path: asked(path) for path in paths} == few


def test_missing_consent_is_not_closed_by_hand_and_the_page_says_what_closes_it(cast, clinician):
    item = found(cast, Cause.CONSENT_MISSING, on="2027-01-04")
    page = text(clinician, f"/team/items/{item.id}")
    assert "enter the new date of consent, or let them text START" in page
    assert f"/team/items/{item.id}/close" not in page
    sent = {"outcome": "done", "times": "1"}
    assert clinician.post(f"/team/items/{item.id}/close", sent).status_code == 409
