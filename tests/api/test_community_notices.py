"""Notices over HTTP: told, counted, read, turned off; and where else a member hears."""

import re

import pytest

from community.models import Contact, MeasureKind
from messaging.models import Sms
from tests.api.conftest import here
from tests.community import answer, begin
from tests.moderating import open_case, report, settle

HERE = "/api/v1/community"


@pytest.fixture
def replied(circle):
    """Wren's reply to Heron's thread."""
    return answer(circle.wren, begin(circle.heron, circle.sleep).post.thread)


def test_a_notice_is_told_counted_and_read(circle, replied):
    heron = here(circle.heron)
    [told] = heron.ask("GET", f"{HERE}/notices", expect=200)["results"]
    assert told["words"] == "Wren replied in your thread “Nights”."
    assert (told["kind"], told["post"], told["read_at"], told["decision"]) == (
        "reply", str(replied.post.id), None, None,
    )  # fmt: skip
    assert heron.ask("GET", f"{HERE}/notices/unread", expect=200).body == {
        "unread": 1, "more": False,
    }  # fmt: skip
    heron.ask("POST", f"{HERE}/notices/read", expect=204, body={"up_to": told["id"]})
    assert heron.ask("GET", f"{HERE}/notices/unread", expect=200)["unread"] == 0
    assert here(circle.wren).ask("GET", f"{HERE}/notices", expect=200)["results"] == []


def test_pages_go_on_where_they_ended(circle, replied):
    for n in range(3):
        answer(circle.wren, replied.post.thread, f"And {n}.")
    heron, found, path = here(circle.heron), [], f"{HERE}/notices?page_size=2"
    while path:
        page = heron.ask("GET", path, expect=200)
        found += [row["id"] for row in page["results"]]
        path = page["next"] and page["next"].partition("testserver")[2]
    assert len(found) == 4
    assert found == sorted(found, reverse=True)


def test_kinds_are_turned_off_and_some_cant_be(circle, replied):
    heron = here(circle.heron)
    path = f"{HERE}/notices/kinds"
    assert heron.ask("GET", path, expect=200)["quiet"] == []
    assert heron.ask("PUT", path, expect=200, body={"quiet": ["reply"]})["quiet"] == ["reply"]
    assert heron.ask("GET", f"{HERE}/notices", expect=200)["results"] == []
    heron.ask("PUT", path, expect=400, field="quiet", body={"quiet": ["decision"]})


def test_texts_are_asked_for_confirmed_and_turned_off(circle, cast):
    heron = here(circle.heron)
    wanted = {"channel": "sms", "address": "+44 7700 900401"}
    heron.ask("POST", f"{HERE}/contacts/ask", expect=400, field="address",
              body={**wanted, "address": "07700"})  # fmt: skip
    heron.ask("POST", f"{HERE}/contacts/ask", expect=409, code="no_mail",
              body={"channel": "mail", "address": "heron@example.org"})  # fmt: skip
    [asked] = heron.ask("POST", f"{HERE}/contacts/ask", expect=200, body=wanted)["results"]
    assert (asked["address"], asked["confirmed_at"]) == ("+447700900401", None)
    code = re.findall(r"\d{6}", Sms.objects.get().body)[0]
    given = {"channel": "sms", "code": "x"}
    heron.ask("POST", f"{HERE}/contacts/confirm", expect=400, field="code", body=given)
    given = {"channel": "sms", "code": code}
    [sure] = heron.ask("POST", f"{HERE}/contacts/confirm", expect=200, body=given)["results"]
    assert sure["confirmed_at"] == "2027-01-04T08:30:00Z"
    assert here(circle.wren).ask("GET", f"{HERE}/contacts", expect=200)["results"] == []
    off = heron.ask("POST", f"{HERE}/contacts/turn-off", expect=200, body={"channel": "sms"})
    assert off["results"] == []
    assert Contact.objects.get().address == ""
    heron.ask("POST", f"{HERE}/contacts/turn-off", expect=404, body={"channel": "sms"})


def test_a_decision_is_told_with_its_reason_and_the_way_to_appeal(circle):
    posted = begin(circle.heron, circle.sleep)
    report(circle.wren, posted.post)
    settle(circle.owl, open_case(posted.post), MeasureKind.REMOVE, words="It named a nurse.")
    notices = here(circle.heron).ask("GET", f"{HERE}/notices", expect=200)["results"]
    [told] = [row for row in notices if row["kind"] == "decision"]
    assert told["words"] == "A moderator decided about something you wrote. You can read why."
    decision = told["decision"]
    assert decision["measures"][0]["kind"] == "remove"
    assert decision["words"] == "It named a nurse."
    assert decision["reason"]
    assert "appeal" in decision["way_to_appeal"]
    assert decision["appeal_until"] > "2027-01-04"
    [heard] = here(circle.wren).ask("GET", f"{HERE}/notices", expect=200)["results"]
    assert heard["words"].startswith("You reported something. A moderator looked at it and did")
    whole = str(notices) + str(heard)
    assert str(circle.owl.id) not in whole
    assert "Owl" not in whole
    assert str(circle.wren.id) not in str(told)
