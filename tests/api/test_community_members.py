"""Members over HTTP: what they say, whom they don't see, their export, and leaving."""

import json
from datetime import timedelta

import pytest

from accounts.models import KeptReply, User
from api.door import Door
from community.members import entering
from community.models import Case, LiveText, Persona, PersonaLink, Post, Reaction
from tests.api.client import Caller, signed_in
from tests.api.conftest import here
from tests.cast import NOW
from tests.community import answer, begin, silence

HERE = "/api/v1/community"


def test_what_a_member_says_of_themselves_is_choices_alone(circle):
    heron = here(circle.heron)
    path = f"{HERE}/me/profile"
    said = {"condition": "pv", "interval_days": 14, "months": 18, "tags": ["sleep"]}
    heron.ask("PATCH", path, expect=200, body=said)
    shown = here(circle.wren).ask("GET", f"{HERE}/members/{circle.heron.id}", expect=200)
    assert shown.body == {"id": str(circle.heron.id), "name": "Heron", "role": "member", **said}
    heron.ask("PATCH", path, expect=200, body={"condition": "", "months": None})
    changed = heron.ask("GET", f"{HERE}/me", expect=200)
    assert (changed["condition"], changed["months"], changed["interval_days"]) == ("", None, 14)
    for field, wrong in {
        "condition": "measles",
        "interval_days": 10,
        "months": 700,
        "tags": ["call me"],
        "language": "xx",
        "time_zone": "Mars/Base",
    }.items():
        heron.ask("PATCH", path, expect=400, body={field: wrong})


@pytest.fixture
def linked(circle) -> User:
    """Heron's user."""
    user = User.objects.create_user("nan@example.org", "x", "Nan Example")
    PersonaLink.objects.create(user=user, persona=circle.heron)
    return user


def test_a_pseudonym_changes_once_in_a_while_under_the_same_rules(circle, linked, monkeypatch):
    heron = here(circle.heron)
    begin(circle.heron, circle.sleep)
    path = f"{HERE}/me/pseudonym"
    for wrong, code, status in (
        ("Nan the Great", "pseudonym_real_name", 400),
        ("Wr3n", "pseudonym_taken", 409),
        ("A former member", "pseudonym_refused", 400),
    ):
        heron.ask("PUT", path, expect=status, code=code, body={"pseudonym": wrong})
    assert not Case.objects.exists()
    heron.ask("PUT", path, expect=200, body={"pseudonym": "Grey Heron"})
    (entry,) = here(circle.wren).ask("GET", f"{HERE}/threads", expect=200)["results"]
    assert entry["author"]["name"] == "Grey Heron"
    again = heron.ask("PUT", path, expect=409, code="renamed_lately", body={"pseudonym": "Egret"})
    assert again["until"] == (NOW + entering.RENAME_AFTER).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    "pseudonym",
    ["I want to kill myself", "Nan wants to die", "I do not want to be alive any more, at all"],
)
def test_a_cry_for_help_in_a_pseudonym_is_heard(circle, linked, pseudonym):
    refused = here(circle.heron).ask(
        "PUT", f"{HERE}/me/pseudonym", expect=400, body={"pseudonym": pseudonym}
    )
    assert refused["help"]["lines"]
    case = Case.objects.get()
    assert (case.crisis, case.about, case.post) == (True, circle.heron, None)


def test_blocking_hides_both_and_muting_one(circle):
    heron, wren = here(circle.heron), here(circle.wren)
    of_heron = begin(circle.heron, circle.sleep).post
    begin(circle.wren, circle.sleep)
    bond = f"{HERE}/members/{circle.wren.id}/bond"

    def see(caller: Caller) -> set[str]:
        entries = caller.ask("GET", f"{HERE}/threads", expect=200)["results"]
        return {entry["author"]["name"] for entry in entries}

    heron.ask("PUT", bond, expect=200, body={"kind": "mute"})
    assert (see(heron), see(wren)) == ({"Heron"}, {"Heron", "Wren"})
    heron.ask("PUT", bond, expect=200, body={"kind": "block"})
    assert (see(heron), see(wren)) == ({"Heron"}, {"Wren"})
    assert heron.ask("GET", f"{HERE}/bonds", expect=200)["results"] == [
        {"member": str(circle.wren.id), "name": "Wren", "kind": "block"}
    ]
    assert wren.ask("GET", f"{HERE}/bonds", expect=200)["results"] == []
    wren.ask("GET", f"{HERE}/members/{circle.heron.id}", expect=404)
    reply = f"{HERE}/threads/{of_heron.thread_id}/replies"
    wren.ask("POST", reply, expect=404, body={"body": "Me too."})
    draft = f"{HERE}/threads/{of_heron.thread_id}/draft"
    wren.ask("PUT", draft, expect=404, body={"body": "Me too."})
    back = f"{HERE}/members/{circle.heron.id}/bond"
    wren.ask("PUT", back, expect=404, body={"kind": "mute"})
    heron.ask("POST", f"{bond}/lift", expect=204, body={})
    assert (see(heron), see(wren)) == ({"Heron", "Wren"}, {"Heron", "Wren"})
    heron.ask("PUT", f"{HERE}/members/{circle.heron.id}/bond", expect=400, body={"kind": "mute"})


def test_an_export_has_all_that_is_ones_own(circle):
    post = begin(circle.heron, circle.sleep, "Zanzibar é nights.").post
    answer(circle.wren, post.thread, "Wren's words.")
    waits = begin(circle.heron, circle.sleep, "See www.example.com.", "Waits").post
    heron = here(circle.heron)
    heron.ask("PUT", f"{HERE}/spaces/{circle.sleep.id}/draft", expect=200, body={"body": "Unsaid"})
    exported = heron.ask("GET", f"{HERE}/me/export", expect=200)
    body = exported.body if isinstance(exported.body, dict) else json.loads(exported.body)
    assert body["profile"]["pseudonym"] == "Heron"
    assert [(one["post"], one["state"], one["is_published"]) for one in body["texts"]] == [
        (str(post.id), "published", True),
        (str(waits.id), "pending", False),
    ]
    assert body["texts"][0]["body"] == "Zanzibar é nights."
    assert body["drafts"][0]["body"] == "Unsaid"
    assert "Wren" not in json.dumps(body)
    assert set(body) == {
        *("made_at", "profile", "texts", "drafts", "reactions", "follows", "read", "bonds"),
        *("contacts", "notices", "decisions", "sanctions", "appeals", "reports", "shared"),
        "quiet",
    }


def test_who_leaves_is_a_former_member_in_the_readers_language(circle, linked):
    post = begin(circle.heron, circle.sleep).post
    heron, wren = here(circle.heron), here(circle.wren)
    heron.ask("POST", f"{HERE}/leave", expect=204, body={"posts": "keep"})
    heron.ask("GET", f"{HERE}/me", expect=401)
    circle.wren.language = "fr"
    circle.wren.save()
    opener = wren.ask("GET", f"{HERE}/threads/{post.thread_id}", expect=200)["opener"]
    assert opener["author"] == {"id": None, "name": "ancien membre", "role": "member"}
    wren.ask("GET", f"{HERE}/members/{circle.heron.id}", expect=404)
    wren.ask("GET", f"{HERE}/members/{circle.heron.id}/texts", expect=404)
    assert not PersonaLink.objects.filter(user=linked).exists()


def test_who_leaves_may_have_all_erased(circle, linked):
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.wren, thread)
    other = begin(circle.wren, circle.sleep).post
    answer(circle.heron, other.thread, now=NOW + timedelta(minutes=1))
    heron, wren = here(circle.heron), here(circle.wren)
    reactions = f"{HERE}/posts/{other.id}/reactions"
    heron.ask("PUT", reactions, expect=200, body={"kinds": ["hugs"]})
    heron.ask(
        "POST",
        f"{HERE}/threads/{other.thread_id}/replies",
        expect=201,
        body={"body": "Kept?"},
        Idempotency_Key="k",
    )
    heron.ask("POST", f"{HERE}/leave", expect=204, body={"posts": "erase"})
    entries = wren.ask("GET", f"{HERE}/threads", expect=200)["results"]
    assert [(entry["replies"], entry["thread"]) for entry in entries] == [(0, str(other.thread_id))]
    assert entries[0]["active_at"] == entries[0]["published_at"]
    assert LiveText.objects.get().hugs == 0
    assert not Reaction.objects.exists()
    assert not KeptReply.objects.exists()
    assert set(Post.objects.filter(author=circle.heron).values_list("state", flat=True)) == {
        "erased"
    }


def test_a_sanction_is_not_ended_by_leaving_and_joining(circle, linked, monkeypatch):
    silence(circle, NOW + timedelta(days=1))
    here(circle.heron).ask("POST", f"{HERE}/leave", expect=204, body={"posts": "erase"})
    joining = {"pseudonym": "Egret", "language": "en", "time_zone": "Europe/London", "accepts": 1}
    user = signed_in(linked)
    user.ask("POST", f"{HERE}/join", expect=403, code="silenced", body=joining)
    monkeypatch.setattr(Door, "now", NOW + timedelta(days=2))
    user.ask("POST", f"{HERE}/join", expect=201, body=joining)
    assert Persona.objects.filter(pseudonym="Egret").exists()


def test_a_moderator_who_leaves_hands_back_what_they_had(circle):
    post = begin(circle.heron, circle.sleep, "I want to kill myself.").post
    case = Case.objects.get(post=post)
    case.owner, case.owned_until = circle.owl, NOW + timedelta(hours=1)
    case.acknowledged_by, case.acknowledged_at = circle.owl, NOW
    case.held_until = case.next_page_at = NOW + timedelta(minutes=30)
    case.save()
    here(circle.owl).ask("POST", f"{HERE}/leave", expect=204, body={"posts": "keep"})
    case.refresh_from_db()
    assert (case.owner, case.held_until, case.next_page_at) == (None, None, NOW)
