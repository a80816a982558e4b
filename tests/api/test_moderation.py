"""Reporting, the queue, deciding and appealing over HTTP. The wall is apart."""

import json

import pytest

from community.members.entering import _session
from community.models import Case, LiveText, Persona
from tests.api.client import Caller
from tests.cast import NOW, Cast
from tests.community import Circle, begin, make_circle
from tests.moderating import M, open_case, report, settle

HERE = "/api/v1/community"
CASES = f"{HERE}/moderation/cases"


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def come_in(persona: Persona) -> Caller:
    return Caller(_session(persona, NOW).token)


@pytest.fixture
def heron(circle) -> Caller:
    return come_in(circle.heron)


@pytest.fixture
def wren(circle) -> Caller:
    return come_in(circle.wren)


@pytest.fixture
def owl(circle) -> Caller:
    return come_in(circle.owl)


@pytest.fixture
def lark(circle) -> Caller:
    return come_in(circle.lark)


def hiding(file) -> dict:
    """A ruling that hides what a file is about."""
    return {
        "measures": [{"kind": "hide"}],
        "revision": file["wordings"][-1]["id"],
        "reason": "unkind",
        "words": "Please be kind.",
    }


def test_from_report_to_overturned_appeal(circle, heron, wren, owl, lark):
    post = begin(circle.heron, circle.sleep).post
    said = {"reason": "unkind", "words": "This hurts."}
    made = wren.ask("POST", f"{HERE}/posts/{post.id}/report", expect=201, body=said)
    assert made["help"] is None
    wren.ask("POST", f"{HERE}/posts/{post.id}/report", expect=409, code="reported", body=said)
    (shown,) = owl.ask("GET", CASES, expect=200)["results"]
    path = f"{CASES}/{shown['id']}"
    owl.ask("POST", f"{path}/claim", expect=200, body={})
    lark.ask("POST", f"{path}/claim", expect=409, code="taken", body={})
    file = owl.ask("GET", path, expect=200)
    assert file["reports"][0]["words"] == "This hurts."
    assert file["wordings"][0]["body"] == "I sleep badly after the injection."
    owl.ask("POST", f"{path}/decide", expect=428, body=hiding(file))
    done = owl.ask("POST", f"{path}/decide", expect=200, body=hiding(file), If_Match=file.etag)
    assert done["decision"]["measures"][0]["kind"] == "hide"
    assert not LiveText.objects.exists()
    (mine,) = wren.ask("GET", f"{HERE}/reports", expect=200)["results"]
    assert mine["outcome"] == "upheld"
    (told,) = heron.ask("GET", f"{HERE}/decisions", expect=200)["results"]
    assert "Be kind" in told["reason"]
    assert told["way_to_appeal"]
    against = f"{HERE}/decisions/{told['id']}"
    wren.ask("GET", against, expect=404)
    words = {"words": "It is how I feel."}
    heron.ask("POST", f"{against}/appeal", expect=201, body=words)
    heron.ask("POST", f"{against}/appeal", expect=409, code="appealed", body=words)
    (appealed,) = lark.ask("GET", f"{CASES}?kind=appeal", expect=200)["results"]
    path = f"{CASES}/{appealed['id']}"
    seen = lark.ask("GET", path, expect=200)
    right = {"overturn": True, "words": "You are right."}
    owl.ask("POST", f"{path}/decide-appeal", expect=403, body=right, If_Match=seen.etag)
    lark.ask("POST", f"{path}/decide-appeal", expect=200, body=right, If_Match=seen.etag)
    assert LiveText.objects.filter(post=post).exists()
    now = heron.ask("GET", against, expect=200)
    assert (now["appeal"]["upheld"], now["appeal"]["answer"]) == (True, "You are right.")
    assert now["overturned_at"]


def test_whoever_comes_second_is_shown_what_was_decided(circle, owl, lark):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    path = f"{CASES}/{open_case(post).id}"
    file = owl.ask("GET", path, expect=200)
    owl.ask("POST", f"{path}/decide", expect=200, body=hiding(file), If_Match=file.etag)
    lost = lark.ask("POST", f"{path}/decide", expect=412, body=hiding(file), If_Match=file.etag)
    assert lost["decided"]["by"]["pseudonym"] == "Owl"
    assert lost["decided"] == lark.ask("GET", path, expect=200)["decision"]


def test_the_queue_by_pages_is_the_queue(circle, owl):
    for number in range(5):
        begin(circle.novice, circle.sleep, title=f"T{number}")
    begin(circle.wren, circle.sleep, "I want to kill myself.")
    whole = owl.ask("GET", CASES, expect=200)["results"]
    found, following = [], f"{CASES}?page_size=2"
    while following:
        page = owl.ask("GET", following, expect=200)
        found += page["results"]
        following = page["next"] and page["next"].replace("http://testserver", "")
    assert found == whole
    assert [case["kind"] for case in found] == ["crisis"] + ["review"] * 5


def test_members_and_users_have_no_business_there(circle, heron, clinician):
    for path in (CASES, f"{HERE}/moderation/board", f"{HERE}/moderation/choices"):
        heron.ask("GET", path, expect=403, code="role")
        clinician.ask("GET", path, expect=401)
    heron.ask("GET", f"{HERE}/figures", expect=200)


def test_reporters_and_authors_learn_nothing_of_each_other_or_who_decided(circle, heron, wren):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post, words="Please look.")
    settle(circle.owl, open_case(post), M.HIDE, M.WARN)
    of_the_author = [
        heron.ask("GET", f"{HERE}/{path}", expect=200).body
        for path in ("decisions", f"my-posts/{post.id}", "my-posts", "reports")
    ]
    of_the_reporter = [wren.ask("GET", f"{HERE}/{path}", expect=200).body for path in ("reports",)]
    for secret in (str(circle.wren.id), "Wren", "Please look", str(circle.owl.id), "Owl"):
        assert secret not in json.dumps(of_the_author)
    for secret in (str(circle.owl.id), "Owl", "hide", "warn"):
        assert secret not in json.dumps(of_the_reporter).lower().replace("owl", "Owl")


def test_a_sign_of_danger_in_a_report_or_an_appeal_shows_help(circle, heron, wren):
    post = begin(circle.heron, circle.sleep).post
    said = {"reason": "other", "words": "I want to kill myself."}
    answered = wren.ask("POST", f"{HERE}/posts/{post.id}/report", expect=201, body=said)
    assert answered["help"]["lines"][0]["number"] == "116 123"
    decision = settle(circle.owl, open_case(post), M.HIDE)
    path = f"{HERE}/decisions/{decision.id}/appeal"
    answered = heron.ask("POST", path, expect=201, body={"words": "I want to kill myself."})
    assert answered["help"]["words"]


def test_the_suspended_read_why_and_appeal_and_nothing_else(cast: Cast, clinician):
    joined = clinician.ask(
        "POST", f"{HERE}/join", expect=201,
        body={"pseudonym": "Blue Heron", "language": "en", "time_zone": "Europe/London",
              "accepts": 1},
    )  # fmt: skip
    owl = make_circle().owl
    caller = Caller(joined["token"])
    reporter = Persona.objects.get(pseudonym="Wren")
    persona = Persona.objects.get(pseudonym="Blue Heron")
    said = {"reason": "unkind"}
    come_in(reporter).ask("POST", f"{HERE}/members/{persona.id}/report", expect=201, body=said)
    settle(owl, Case.objects.get(about=persona), M.SUSPEND)
    caller.ask("GET", f"{HERE}/me", expect=401)
    clinician.ask("POST", f"{HERE}/enter", expect=403, code="suspended")
    token = clinician.ask("POST", f"{HERE}/enter-to-appeal", expect=200)["token"]
    narrow = Caller(token)
    narrow.ask("GET", f"{HERE}/me", expect=401)
    narrow.ask("GET", f"{HERE}/my-posts", expect=401)
    (told,) = narrow.ask("GET", f"{HERE}/decisions", expect=200)["results"]
    path = f"{HERE}/decisions/{told['id']}/appeal"
    narrow.ask("POST", path, expect=201, body={"words": "Please look again."})


def test_threads_are_kept_and_moderators_choose_from_what_there_is(circle, owl):
    thread = begin(circle.heron, circle.sleep).post.thread_id
    kept = owl.ask(
        "PATCH", f"{HERE}/moderation/threads/{thread}", expect=200,
        body={"pinned": True, "closed": True, "slow_seconds": 60},
    )  # fmt: skip
    assert (kept["pinned"], kept["closed"], kept["slow_seconds"]) == (True, True, 60)
    owl.ask("PATCH", f"{HERE}/moderation/threads/{thread}", expect=400, body={})
    choices = owl.ask("GET", f"{HERE}/moderation/choices", expect=200)
    assert {"kind", "goes_with", "begins_at", "kind_in_words"} == set(choices["measures"][0])
    assert choices["reasons"][-1]["key"] == "own"
