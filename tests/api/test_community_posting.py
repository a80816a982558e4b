"""Writing over HTTP: what becomes of a text is told to its author, and to nobody else."""

from datetime import timedelta

import pytest

from accounts.models import KeptReply
from community.models import Case, Follow, Persona, Post, PostState, Reaction
from tests.api.conftest import here
from tests.cast import NOW
from tests.community import begin, silence

HERE = "/api/v1/community"


@pytest.fixture
def silenced(circle) -> str:
    """Heron is silenced; until when."""
    until = NOW + timedelta(days=1)
    silence(circle, until)
    return until.isoformat().replace("+00:00", "Z")


def test_a_thread_and_a_reply(circle):
    heron, wren = here(circle.heron), here(circle.wren)
    body = {"title": "Nights", "body": "I lie *awake*.", "tags": ["sleep", "sleep"]}
    posted = heron.ask("POST", f"{HERE}/spaces/{circle.sleep.id}/threads", expect=201, body=body)
    assert posted["verdict"] == posted["post"]["state"] == "published"
    assert posted["said"] == {"covered": [], "reasons": [], "advice": False, "help": None}
    thread = posted["post"]["thread"]
    body = {"body": "Me too. Call me on 07700 900123."}
    replied = wren.ask("POST", f"{HERE}/threads/{thread}/replies", expect=201, body=body)
    assert replied["said"]["covered"] == ["phone"]
    mine = wren.ask("GET", f"{HERE}/my-posts/{replied['post']['id']}", expect=200)
    assert mine["seen"] is True
    assert "07700" not in mine["body"]


def test_somebody_in_danger_reads_help_and_that_a_person_was_called(circle):
    heron = here(circle.heron)
    body = {"title": "I can't go on", "body": "I want to kill myself tonight."}
    posted = heron.ask("POST", f"{HERE}/spaces/{circle.sleep.id}/threads", expect=201, body=body)
    help_ = posted["said"]["help"]
    assert {"what": "Samaritans, to talk", "number": "116 123"} in help_["lines"]
    assert "called" in " ".join(help_["words"])
    assert posted["said"]["reasons"] == []
    assert Case.objects.get().crisis


def test_what_the_rules_turn_away_says_why_and_a_person_can_be_asked(circle):
    heron = here(circle.heron)
    body = {"title": "Hm", "body": "I know where you live."}
    posted = heron.ask("POST", f"{HERE}/spaces/{circle.sleep.id}/threads", expect=201, body=body)
    assert posted["verdict"] == "blocked"
    assert posted["said"]["reasons"] == ["Telling somebody to end their life, or threatening them."]
    path = f"{HERE}/posts/{posted['post']['id']}/ask-for-a-person"
    heron.ask("POST", path, expect=428, body={})
    heron.ask("POST", path, expect=412, body={}, If_Match='"9"')
    heron.ask("POST", path, expect=400, code="if_match", body={}, If_Match='"x"')
    stands = heron.ask("POST", path, expect=200, body={}, If_Match='"1"')
    assert (stands["state"], stands.etag) == ("pending", '"2"')
    here(circle.wren).ask("POST", path, expect=404, body={}, If_Match='"2"')


def test_an_edit_goes_by_the_version_and_one_that_waits_leaves_the_post(circle):
    heron = here(circle.heron)
    post = begin(circle.heron, circle.sleep).post
    etag = heron.ask("GET", f"{HERE}/my-posts/{post.id}", expect=200).etag
    body = {"title": "Nights", "body": "See www.example.com for it."}
    path = f"{HERE}/posts/{post.id}"
    edited = heron.ask("PUT", path, expect=200, body=body, If_Match=etag)
    assert (edited["verdict"], edited["post"]["state"]) == ("pending", "published")
    assert edited["said"]["reasons"] == ["It holds a link."]
    heron.ask("PUT", path, expect=412, body=body, If_Match=etag)
    heron.ask("PUT", path, expect=400, body={"body": "No title."}, If_Match=edited.etag)
    mine = heron.ask("GET", f"{HERE}/my-posts", expect=200)["results"]
    assert [(one["number"], one["seen"], one["reasons"]) for one in mine] == [
        (2, False, ["It holds a link."])
    ]
    taken = heron.ask("POST", f"{path}/withdraw", expect=200, body={}, If_Match=edited.etag)
    assert taken["state"] == "withdrawn"
    heron.ask("POST", f"{path}/withdraw", expect=409, body={}, If_Match=taken.etag)


def test_a_repeated_post_is_posted_once_and_its_kept_answer_has_no_text(circle):
    heron = here(circle.heron)
    body = {"title": "Zanzibar", "body": "Zanzibar nights."}
    path = f"{HERE}/spaces/{circle.sleep.id}/threads"
    one, two = (
        heron.ask("POST", path, expect=201, body=body, Idempotency_Key="k") for _ in range(2)
    )
    assert one.body == two.body
    assert Post.objects.count() == 1
    assert "Zanzibar" not in str(KeptReply.objects.get().reply)


def test_a_draft_is_told_what_the_rules_would_say_and_nobody_is_called(circle):
    heron = here(circle.heron)
    path = f"{HERE}/spaces/{circle.sleep.id}/draft"
    body = {"body": "I want to kill myself. My mail is jo@example.com"}
    saved = heron.ask("PUT", path, expect=200, body=body)
    assert saved["said"]["help"]["lines"]
    assert saved["said"]["covered"] == ["email"]
    assert "example.com" not in saved["draft"]["body"]
    assert not Case.objects.exists()
    heron.ask("PUT", path, expect=200, body={"body": "Better."})
    (draft,) = heron.ask("GET", f"{HERE}/drafts", expect=200)["results"]
    assert draft["body"] == "Better."
    discard = f"{HERE}/drafts/{draft['id']}/discard"
    here(circle.wren).ask("POST", discard, expect=404, body={})
    heron.ask("POST", discard, expect=204, body={})
    assert heron.ask("GET", f"{HERE}/drafts", expect=200)["results"] == []


def test_who_is_silenced_keeps_their_words_and_is_told_until_when(circle, silenced):
    heron = here(circle.heron)
    path = f"{HERE}/spaces/{circle.sleep.id}/threads"
    body = {"title": "Nights", "body": "I lie awake."}
    refused = heron.ask("POST", path, expect=403, code="silenced", body=body)
    assert refused["until"] == silenced
    (draft,) = heron.ask("GET", f"{HERE}/drafts", expect=200)["results"]
    assert draft["body"] == "I lie awake."


def test_reactions_are_those_last_chosen_and_are_counted(circle):
    post = begin(circle.heron, circle.sleep).post
    path = f"{HERE}/posts/{post.id}/reactions"
    wren = here(circle.wren)
    wren.ask("PUT", path, expect=200, body={"kinds": ["hugs", "same"]})
    answered = wren.ask("PUT", path, expect=200, body={"kinds": ["hugs", "helped"]})
    assert answered.body == {"hugs": 1, "same": 0, "helped": 1, "mine": ["helped", "hugs"]}
    here(circle.heron).ask("PUT", path, expect=409, code="own_post", body={"kinds": ["hugs"]})
    assert Reaction.objects.count() == 2
    waits = begin(circle.novice, circle.sleep).post
    assert waits.state == PostState.PENDING
    wren.ask("PUT", f"{HERE}/posts/{waits.id}/reactions", expect=404, body={"kinds": ["hugs"]})


def test_following_and_no_more(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    path = f"{HERE}/threads/{thread.id}/follow"
    wren = here(circle.wren)
    for follows in (True, True, False, False):
        wren.ask("PUT", path, expect=200, body={"follows": follows})
        assert Follow.objects.filter(persona=circle.wren).exists() == follows
    waits = begin(circle.novice, circle.sleep).post
    path = f"{HERE}/threads/{waits.thread_id}/follow"
    wren.ask("PUT", path, expect=404, body={"follows": True})


def test_a_refused_text_is_kept_though_its_request_may_be_repeated(circle, silenced):
    heron = here(circle.heron)
    path = f"{HERE}/spaces/{circle.sleep.id}/threads"
    body = {"title": "Nights", "body": "My long words."}
    repeated = {"body": body, "Idempotency_Key": "k-1"}
    refused = heron.ask("POST", path, expect=403, code="silenced", **repeated)
    assert "kept as a draft" in refused["detail"]
    drafts = heron.ask("GET", f"{HERE}/drafts", expect=200)["results"]
    assert [draft["body"] for draft in drafts] == ["My long words."]
    assert not KeptReply.objects.exists(), "it may be tried again"
    heron.ask("POST", path, expect=403, code="silenced", **repeated)


CRY = "I want to kill myself tonight"


def is_heard(refused, circle) -> None:
    """A refusal shows help, and a case about who wrote calls a person."""
    assert refused["help"]["lines"]
    case = Case.objects.get(about=circle.heron, post=None)
    assert case.crisis
    assert "kill myself" in case.events.get(kind="opened").text


@pytest.mark.parametrize(
    ("verb", "wrong", "expect"),
    [
        ("begin", {"body": f"{CRY}. {'x' * 10_001}"}, 400),
        ("begin", {"title": "x" * 121}, 400),
        ("begin", {"tags": ["nonsense"]}, 400),
        ("begin", {"languages": "en"}, 400),
        ("answer", {"language": "xx"}, 400),
        ("edit", {"title": ""}, 400),
        ("edit", {}, 428),
        ("report", {"reason": "nonsense"}, 400),
        ("rename", {"pseudonym": f"{CRY} {'x' * 60}", "body": 3}, 400),
        ("appeal", {"title": "x"}, 400),
    ],
)
def test_a_cry_for_help_in_a_request_that_cant_be_meant_is_heard(circle, verb, wrong, expect):
    post = begin(circle.heron, circle.sleep).post
    method, path, words = {
        "begin": ("POST", f"spaces/{circle.sleep.id}/threads", {"title": "T", "body": CRY}),
        "answer": ("POST", f"threads/{post.thread_id}/replies", {"body": CRY}),
        "edit": ("PUT", f"posts/{post.id}", {"title": "T", "body": CRY}),
        "report": ("POST", f"posts/{post.id}/report", {"reason": "unkind", "words": CRY}),
        "rename": ("PUT", "me/pseudonym", {}),
        "appeal": ("POST", f"decisions/{post.id}/appeal", {"words": CRY}),
    }[verb]
    body = {**words, **wrong}
    is_heard(here(circle.heron).ask(method, f"{HERE}/{path}", expect=expect, body=body), circle)


def test_a_key_that_was_used_for_other_words_stops_no_cry_for_help(circle):
    heron = here(circle.heron)
    path = f"{HERE}/spaces/{circle.sleep.id}/threads"
    body = {"title": "Nights", "body": "Calm."}
    heron.ask("POST", path, expect=201, body=body, Idempotency_Key="k")
    again = {"title": "Nights", "body": CRY}
    is_heard(heron.ask("POST", path, expect=409, body=again, Idempotency_Key="k"), circle)


def test_under_new_house_rules_words_are_judged_before_they_are_refused(circle):
    heron = here(circle.heron)
    post = begin(circle.wren, circle.sleep).post
    mine = begin(circle.heron, circle.sleep).post
    Persona.objects.filter(id=circle.heron.id).update(accepted_rules=0)
    for method, path, body in (
        ("POST", f"spaces/{circle.sleep.id}/threads", {"title": "T", "body": "Hi"}),
        ("POST", f"threads/{post.thread_id}/replies", {"body": "Hi"}),
        ("POST", f"posts/{post.id}/report", {"reason": "unkind"}),
        ("POST", f"members/{circle.wren.id}/report", {"reason": "unkind"}),
        ("PUT", f"posts/{mine.id}", {"title": "T", "body": "Hi"}),
        ("GET", "threads", None),
    ):
        match = {"If_Match": '"2"'} if path.endswith(str(mine.id)) else {}
        heron.ask(method, f"{HERE}/{path}", expect=403, code="house_rules", body=body, **match)
    body = {"title": "T", "body": CRY}
    posted = heron.ask("POST", f"{HERE}/spaces/{circle.sleep.id}/threads", expect=201, body=body)
    assert posted["post"]["state"] == "pending"
    assert posted["said"]["help"]["lines"]
    assert Case.objects.get(about=circle.heron).crisis
