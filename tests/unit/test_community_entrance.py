"""Who comes in to the community's pages, how, and that nothing there joins a user and a persona."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone

from accounts.models import AuditEntry, User
from community.members import entering
from community.members.house_rules import VERSION
from community.models import LiveText, Persona, PersonaSession
from reminders.patients import signing_in
from tests.api.test_entrance import routes
from tests.cast import Cast
from tests.community import Circle, begin, make_circle
from tests.moderating import M, open_case, report, settle
from tests.pages import come_in, text

NOW = timezone.now()
JOINING = {"pseudonym": "Blue Heron", "language": "en", "time_zone": "Europe/London",
           "accepts": str(VERSION)}  # fmt: skip
CRY = "I want to kill myself"


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def ada(cast: Cast) -> Client:
    """Ada, signed in by phone."""
    signing_in.invite(cast.ada.id, cast.actor, NOW)
    client = Client()
    client.force_login(signing_in.PatientLogin.objects.get(patient=cast.ada).user)
    return client


def join(client: Client, **other: str) -> Persona:
    """Join by pages, and be in."""
    assert client.post("/me/community").headers["Location"] == "/me/community/join"
    joined = client.post("/me/community/join", {**JOINING, **other})
    assert joined.headers["Location"] == "/community", joined.content
    return Persona.objects.get(pseudonym=other.get("pseudonym", "Blue Heron"))


def test_from_ones_own_pages_into_the_community_and_out(ada):
    assert "Open the community" in ada.get("/me").content.decode()
    shown = ada.get("/me/community/join").content.decode()
    assert "Tell what happened to you" in shown
    persona = join(ada)
    cookie = ada.cookies["community"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        "/community",
        True,
        "Strict",
    )
    assert cookie["expires"]
    assert "Hello, Blue Heron" in text(ada)
    out = ada.post("/community/go-out")
    assert "You are out" in out.content.decode()
    assert not PersonaSession.objects.filter(persona=persona).exists()
    assert out.cookies["community"].value == ""
    ada.cookies["community"] = cookie.value
    assert "Come in first" in text(ada)
    assert ada.post("/me/community").headers["Location"] == "/community"
    assert "Hello, Blue Heron" in text(ada)


def test_the_cookie_is_for_secure_connections_where_the_session_is(ada, settings):
    settings.SESSION_COOKIE_SECURE = True
    join(ada)
    assert ada.cookies["community"]["secure"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"pseudonym": ""}, "Type a made-up name"),
        ({"pseudonym": "Jo"}, "Choose 3 to 30 letters"),
        ({"pseudonym": "Call 07700900123"}, "without a number"),
        ({"pseudonym": "Sunny Clinician"}, "real name"),
        ({"pseudonym": "Heron"}, "Somebody has this name"),
        ({"accepts": ""}, "read the house rules"),
        ({"accepts": str(VERSION + 1)}, "read the house rules"),
        ({"time_zone": "Nowhere"}, "Choose a time zone"),
        ({"time_zone": ""}, "Choose a time zone"),
    ],
)
def test_what_cant_be_is_said_in_plain_words(sent, words, ada, circle):
    answer = ada.post("/me/community/join", {**JOINING, **sent})
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize("sent", [{}, {"accepts": ""}, {"pseudonym": CRY + " x" * 400}])
def test_a_name_that_is_a_cry_for_help_is_answered_with_help_first(sent, ada):
    page = ada.post("/me/community/join", {**JOINING, "pseudonym": CRY, **sent}).content.decode()
    assert page.index('class="help"') < page.index("<h1")
    assert "116 123" in page


def test_a_member_may_rename_and_is_heard(ada):
    persona = join(ada)
    page = ada.post("/community/settings/name", {"pseudonym": CRY}).content.decode()
    assert page.index('class="help"') < page.index("<h1")
    assert ada.post("/community/settings/name", {"pseudonym": "Grey Heron"}).status_code == 302
    again = ada.post("/community/settings/name", {"pseudonym": "Third Heron"}).content.decode()
    assert "a short time ago" in again
    persona.refresh_from_db()
    assert persona.pseudonym == "Grey Heron"


def test_strangers_are_led_to_the_sign_in_and_everybody_to_the_way_in(client, db):
    for path in ("/me/community", "/me/community/join"):
        assert client.get(path).headers["Location"].startswith("/sign-in?next=")
    assert client.post("/me/community/appeal").headers["Location"].startswith("/sign-in")
    page = text(client)
    assert "/me/community" in page


def addresses() -> list[str]:
    """Every address of the community's pages, with somebody's key where one is wanted."""
    key = "0198c0de-0000-7000-8000-000000000000"
    found = [path for path, pattern in routes(get_resolver(), "/")
             if getattr(pattern.callback, "for_personas", "")]  # fmt: skip
    assert len(found) > 40
    return [re.sub("<str:[^>]+>", "new", re.sub("<uuid:[^>]+>", key, path)) for path in found]


def test_no_page_of_the_community_asks_who_is_signed_in(ada, cast):
    """With both cookies, as a browser sends them: not a query to sessions or users."""
    join(ada)
    session = dict(Session.objects.values_list("session_key", "session_data"))
    asked: list[str] = []
    for path in addresses():
        for ask in (ada.get, ada.post):
            if path.endswith(("/go-out", "/settings/name", "/leave")) and ask == ada.post:
                continue
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = ask(path)
            assert answer.status_code in (200, 302, 401, 403, 404, 405, 409, 422), path
            if hasattr(answer, "streaming_content"):
                answer.getvalue()
            asked += [query["sql"] for query in queries]
            assert "sessionid" not in answer.cookies, path
    tables = "accounts_user|django_session|reminders_|community_personalink"
    assert [sql for sql in asked if re.search(tables, sql)] == []
    assert dict(Session.objects.values_list("session_key", "session_data")) == session


def test_no_audit_row_or_request_has_a_user_and_a_persona(ada):
    persona = join(ada)
    room = make_circle().sleep
    ada.post(f"/community/rooms/{room.id}/write", {"title": "A", "body": "Hello.", "act": "send"})
    ada.post("/community/go-out")
    ada.post("/me/community")
    theirs = AuditEntry.objects.filter(persona_id=persona.id)
    assert {"join", "post", "go_out", "enter"} <= set(theirs.values_list("verb", flat=True))
    assert not theirs.filter(user__isnull=False).exists()
    named = set(theirs.values_list("request_id", flat=True)) - {""}
    of_users = AuditEntry.objects.filter(user__isnull=False)
    assert named.isdisjoint(of_users.values_list("request_id", flat=True))


def test_a_token_that_is_no_good_opens_nothing(circle):
    begin(circle.wren, circle.sleep, title="Private matters")
    late, forged = come_in(circle.heron), Client()
    PersonaSession.objects.update(expires_at=NOW - timedelta(seconds=1))
    forged.cookies["community"] = "0" * 64
    strange = Client()
    strange.cookies["community"] = "é \x01"
    for client in (late, forged, strange, Client()):
        for path in addresses():
            for ask in (client.get, client.post):
                page = ask(path)
                assert page.status_code in (200, 401, 405), path
                assert b"Private matters" not in page.content
                assert page.status_code == 405 or b"Come in first" in page.content, path


def test_pages_are_kept_by_nobody_discreet_and_forms_need_their_proof(circle):
    circle.heron.tags = ["sleep"]
    post = begin(circle.heron, circle.sleep, "Quillons", "Quillons").post
    heron = come_in(circle.heron)
    paths = [f"/community/threads/{post.thread_id}", f"/community/mine/{post.id}",
             f"/community/rooms/{circle.sleep.id}", *addresses()]  # fmt: skip
    for path in paths:
        page = heron.get(path)
        if page.status_code not in (302, 405):
            assert page.headers["Cache-Control"] == "private, no-store", path
            title = re.search("<title>(.*)</title>", page.content.decode())
            assert title, path
            assert "Quillons" not in title[1]
            assert "Heron" not in title[1]
            assert "<script" not in page.content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["community"] = heron.cookies["community"].value
    form = {"title": "A", "body": "Hello.", "act": "send"}
    assert strict.post(f"/community/rooms/{circle.sleep.id}/write", form).status_code == 403
    assert LiveText.objects.count() == 1


def test_changed_house_rules_come_before_all_else(circle):
    Persona.objects.update(accepted_rules=VERSION - 1)
    heron = come_in(circle.heron)
    assert heron.get("/community").headers["Location"] == "/community/rules"
    assert "The house rules have changed" in text(heron, "/rules")
    assert "116 123" in text(heron, "/help")
    assert heron.post("/community/rules", {"accepts": "0"}).status_code == 409
    heron.post("/community/rules", {"accepts": str(VERSION)})
    assert "Hello, Heron" in text(heron)


def test_the_suspended_read_why_and_appeal_and_nothing_else(ada, circle):
    persona = join(ada)
    Persona.objects.filter(id=persona.id).update(
        approved_posts=9, joined_at=NOW - timedelta(days=9)
    )
    persona.refresh_from_db()
    post = begin(persona, circle.sleep, now=NOW).post
    report(circle.wren, post, now=NOW)
    ruled = settle(circle.owl, open_case(post), M.HIDE, M.SUSPEND, now=NOW)
    assert "Come in first" in text(ada)
    refused = ada.post("/me/community")
    assert refused.status_code == 403
    assert "You can read why" in refused.content.decode()
    assert ada.post("/me/community/appeal").headers["Location"] == "/community/decisions"
    for path in ("/community", "/community/mine", f"/community/threads/{post.thread_id}"):
        assert ada.get(path).headers["Location"] == "/community/decisions"
    page = text(ada, f"/decisions/{ruled.id}")
    assert "Be kind" in page
    assert "/community/mine" not in page
    lost = ada.post(f"/community/threads/{post.thread_id}/reply", {"body": CRY}).content.decode()
    assert lost.index('class="help"') < lost.index("<h1")
    ada.post(f"/community/decisions/{ruled.id}", {"words": "It was my own experience."})
    assert "Another moderator will look at it" in text(ada, f"/decisions/{ruled.id}")


def test_signing_out_of_ones_own_pages_takes_the_cookie_too(ada):
    join(ada)
    out = ada.post("/sign-out")
    assert out.cookies["community"].value == ""
    assert out.cookies["community"]["path"] == "/community"
    assert User.objects.filter(phone__isnull=False).exists()


def test_nobody_asks_for_very_many_pages(circle, monkeypatch):
    monkeypatch.setattr("web.community.door.PER_MINUTE", 2)
    monkeypatch.setattr("web.community.door.timezone.now", lambda: NOW)
    heron = come_in(circle.heron)
    told = [heron.get("/community/rules").status_code for _ in range(3)]
    assert told == [200, 200, 429]
    room = f"/community/rooms/{circle.sleep.id}/write"
    page = heron.post(room, {"title": "A", "body": CRY, "act": "send"}, follow=False)
    assert page.headers["Location"].startswith("/community/help")


def test_joining_needs_the_one_entering_place(ada, cast):
    join(ada)
    bo = Client()
    bo.force_login(cast.clinician)
    assert bo.post("/me/community").headers["Location"] == "/me/community/join"
    with pytest.raises(entering.NotJoined):
        entering.enter(cast.clinician, NOW)
