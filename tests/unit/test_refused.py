"""What is refused is not lost: it is kept as a draft, and a sign of danger in it is heard."""

from datetime import timedelta

import pytest

from accounts.refusals import Conflict, Forbidden, NotFound, Refusal, Stale
from community.members.bonds import set_bond
from community.models import BondKind, Case, Draft, Persona, Post, Revision
from community.posts import drafts
from community.posts.drafts import drafts_of, save_draft
from community.posts.editing import edit, withdraw
from community.posts.limits import PER_HOUR
from community.posts.posting import open_thread
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, silence, wrote

CRY = "I want to kill myself tonight"


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def heard(persona: Persona) -> Case:
    """The case about somebody whose words could not be taken."""
    case = Case.objects.get(about=persona, post=None)
    assert case.crisis
    assert case.next_page_at is not None
    assert "kill myself" in case.events.get(kind="opened").text
    return case


def refuse(verb, *args, kind: type[Refusal] = Refusal) -> Refusal:
    with pytest.raises(kind) as refused:
        verb(*args)
    return refused.value


def test_a_reply_to_a_thread_that_has_just_gone_is_kept(circle):
    post = begin(circle.heron, circle.sleep).post
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    refusal = refuse(answer, circle.wren, post.thread, "My long words", kind=NotFound)
    assert Draft.objects.get(persona=circle.wren).body == "My long words"
    assert refusal.message.endswith("Your words are kept as a draft.")
    assert "help" not in refusal.facts


def test_who_is_told_that_words_are_kept_finds_them(circle):
    silence(circle, NOW + timedelta(days=1))
    refusal = refuse(begin, circle.heron, circle.sleep, "Long words", kind=Forbidden)
    assert "kept as a draft" in refusal.message
    assert Draft.objects.get(persona=circle.heron, space=circle.sleep).body == "Long words"


def test_an_edit_is_not_kept_and_says_no_such_thing(circle):
    post = begin(circle.heron, circle.sleep).post
    for n in range(PER_HOUR - 1):
        answer(circle.heron, post.thread, f"Word {n}")
    writing = wrote("Other words", "Nights")
    refusal = refuse(
        edit, circle.heron.id, post.id, writing, post.version, as_actor(circle.heron), NOW
    )
    assert refusal.code == "rate"
    assert "draft" not in refusal.message
    later = NOW + timedelta(hours=1)
    edit(circle.heron.id, post.id, writing, post.version, as_actor(circle.heron), later)


def test_a_cry_for_help_in_a_thread_that_is_gone_hidden_or_blocked_is_heard(circle):
    post = begin(circle.heron, circle.sleep).post
    set_bond(circle.heron.id, circle.wren.id, BondKind.BLOCK, as_actor(circle.heron))
    refusal = refuse(answer, circle.wren, post.thread, CRY, kind=NotFound)
    assert refusal.facts["help"].lines
    heard(circle.wren)
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    assert refuse(answer, circle.novice, post.thread, CRY, kind=NotFound).facts["help"].words
    heard(circle.novice)


def test_a_cry_for_help_in_an_edit_that_cant_be_is_heard(circle):
    post = begin(circle.heron, circle.sleep).post
    actor = as_actor(circle.heron)
    args = (circle.heron.id, post.id)
    for writing, seen, kind in (
        (wrote(CRY, "Nights"), 99, Stale),
        (wrote(CRY), post.version, Refusal),
    ):
        refusal = refuse(edit, *args, writing, seen, actor, NOW, kind=kind)
        assert refusal.facts["help"].lines
    heard(circle.heron)
    withdraw(*args, post.version, actor, NOW)
    version = Post.objects.get(id=post.id).version
    refusal = refuse(edit, *args, wrote(CRY, "Nights"), version, actor, NOW, kind=Conflict)
    assert (refusal.code, bool(refusal.facts["help"].lines)) == ("not_editable", True)
    not_mine = refuse(
        edit, circle.wren.id, post.id, wrote(CRY, "T"), 1, as_actor(circle.wren), NOW, kind=NotFound
    )
    assert not_mine.facts["help"].lines
    heard(circle.wren)


def test_a_cry_for_help_in_a_space_that_isnt_there_is_heard(circle):
    args = (circle.heron.id, circle.heron.id, wrote(CRY, "Tonight"), as_actor(circle.heron), NOW)
    assert refuse(open_thread, *args, kind=NotFound).facts["help"].lines
    heard(circle.heron)


def test_under_new_house_rules_nothing_is_published_but_a_cry_for_help_waits_for_a_person(circle):
    Persona.objects.filter(id=circle.heron.id).update(accepted_rules=0)
    assert refuse(begin, circle.heron, circle.sleep, kind=Forbidden).code == "house_rules"
    posted = begin(circle.heron, circle.sleep, CRY)
    assert (posted.post.state, posted.crisis) == ("pending", True)
    assert Case.objects.get(post=posted.post).crisis


def test_past_the_limit_further_cries_come_to_one_case(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    for n in range(PER_HOUR - 1):
        answer(circle.heron, thread, f"{CRY} {n}")
    posts = Post.objects.count()
    for n in range(PER_HOUR + 3):
        refusal = refuse(answer, circle.heron, thread, f"{CRY}, again {n}", kind=Conflict)
        assert refusal.code == "rate"
        assert refusal.facts["help"].lines
    assert Post.objects.count() == posts
    events = Case.objects.get(about=circle.heron, post=None).events
    assert events.count() == PER_HOUR, "and no more words than that are kept in an hour"
    assert Revision.objects.filter(by=circle.heron).count() == PER_HOUR


@pytest.mark.parametrize("where", ["read_only", "space_closed"])
def test_where_nobody_writes_an_edit_publishes_nothing(circle, where):
    post = begin(circle.heron, circle.sleep).post
    if where == "read_only":
        post.thread.read_only = True
        post.thread.save()
    else:
        circle.sleep.closed = True
        circle.sleep.save()
    actor = as_actor(circle.heron)
    writing = wrote("Another text", "Nights")
    refusal = refuse(edit, circle.heron.id, post.id, writing, post.version, actor, NOW)
    assert refusal.code == where
    assert refuse(answer, circle.wren, post.thread).code == where


def test_drafts_are_capped_and_those_begun_first_go(circle, monkeypatch):
    monkeypatch.setattr(drafts, "MOST", 3)
    threads = [begin(circle.heron, circle.sleep, now=NOW).post.thread for _ in range(4)]
    for thread in threads:
        save_draft(circle.wren.id, wrote("Half a word"), NOW, thread_id=thread.id)
    kept = [draft.thread_id for draft in drafts_of(circle.wren)]
    assert kept == [thread.id for thread in reversed(threads[1:])]


def test_a_moderator_answers_somebody_in_danger_at_once(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.heron, thread, CRY)
    assert answer(circle.wren, thread, "Hold on.").verdict == "pending"
    assert answer(circle.owl, thread, "We are here. Please call them.").verdict == "published"
    answer(circle.owl, thread, CRY)
    assert answer(circle.owl, thread, "It was nothing.").verdict == "pending"
    assert answer(circle.lark, thread, "We are here for you too.").verdict == "published"
