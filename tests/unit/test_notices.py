"""Notices are told as they can be seen at that moment: in the app, by e-mail, by text."""

import re
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.refusals import Invalid
from community.members.bonds import lift_bond, set_bond
from community.models import (
    BondKind,
    Channel,
    Contact,
    Notice,
    NoticeKind,
    Persona,
    Post,
    ReactionKind,
)
from community.notices import telling
from community.notices.wording import FOLDER, words
from community.notices.writing import TEXT_AFTER, tell
from community.posts.reacting import follow, react
from tests.cast import NOW, Cast
from tests.community import Circle, answer, as_actor, begin, make_circle, make_persona
from tests.notices import Go, gone, gone_by_mute, gone_withdrawn


@pytest.fixture
def circle(cast: Cast) -> Circle:
    return make_circle()


def told(persona: Persona) -> list[str]:
    """What a persona reads."""
    persona.refresh_from_db()
    rows = telling.notices_of(persona).order_by("-id")
    return [one.words for one in telling.in_words(list(rows), persona)]


def test_telling_of_a_reply_costs_the_same_however_many_follow(circle):
    costs = []
    for number in (2, 20):
        thread = begin(circle.heron, circle.sleep).post.thread
        for name in range(number):
            persona = make_persona(f"F{number}{name}")
            follow(persona.id, thread.id, follows=True, actor=as_actor(persona))
        Contact.objects.create(persona=persona, channel=Channel.SMS, address=f"+44790{number}",
                               confirmed_at=NOW)  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            answer(circle.wren, thread)
        costs.append(len(asked))
        kinds = Counter(Notice.objects.filter(thread=thread).values_list("kind", flat=True))
        assert kinds == {"reply": 1, "followed": number}
        assert Contact.objects.get(persona=persona).next_at == NOW + TEXT_AFTER
    assert costs[0] == costs[1]


# --- In the app -----------------------------------------------------------------------------------


def test_a_reply_is_told_in_the_readers_words(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.wren, thread)
    assert told(circle.heron) == ["Wren replied in your thread “Nights”."]
    Persona.objects.filter(id=circle.heron.id).update(language="de")
    assert told(circle.heron) == ["Wren hat in deinem Thema „Nights“ geantwortet."]
    assert told(circle.wren) == []


def test_every_language_has_the_same_words():
    def keys(table: dict) -> set[str]:
        places = re.compile(r"\{\w+\}")
        return {
            f"{part}.{name}{sorted(places.findall(text))}"
            for part, rows in table.items()
            for name, text in rows.items()
        }

    languages = sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert languages == ["cy", "de", "en", "es", "fr", "pl"]
    for language in languages:
        assert keys(words(language)) == keys(words("en")), language


@pytest.fixture
def reply(circle):
    """Wren's reply to Heron, of which Heron is told."""
    thread = begin(circle.heron, circle.sleep).post.thread
    return answer(circle.wren, thread)


@gone
def test_what_cant_be_seen_any_more_is_not_told(circle, reply, go: Go):
    assert telling.unread(circle.heron) == 1
    go(circle, reply)
    assert told(circle.heron) == []
    assert telling.unread(circle.heron) == 0


def test_a_mute_that_is_lifted_and_a_block_of_the_threads_author(circle, reply):
    gone_by_mute(circle, reply)
    lift_bond(circle.heron.id, circle.wren.id, as_actor(circle.heron))
    assert len(told(circle.heron)) == 1
    # Lark follows Heron's thread by hand, and Wren replied there.
    tell(circle.lark, NoticeKind.FOLLOWED, "x", NOW, post=reply.post, thread=reply.post.thread)
    assert told(circle.lark) == ["Wren replied in “Nights”, which you follow."]
    set_bond(circle.lark.id, circle.heron.id, BondKind.BLOCK, as_actor(circle.lark))
    assert told(circle.lark) == []


def reacts(persona: Persona, post: Post, *kinds: ReactionKind) -> None:
    react(persona.id, post.id, set(kinds), as_actor(persona), NOW)


def test_a_reaction_that_was_taken_back_is_not_told(circle):
    post = begin(circle.heron, circle.sleep).post
    reacts(circle.wren, post, ReactionKind.HUGS)
    assert told(circle.heron) == ["Somebody reacted to what you wrote in “Nights”."]
    reacts(circle.wren, post)
    assert told(circle.heron) == []


@pytest.mark.parametrize("theirs", [False, True])
def test_a_reaction_of_somebody_who_is_hidden_is_not_told_and_anothers_is(circle, theirs):
    post = begin(circle.heron, circle.sleep).post
    reacts(circle.wren, post, ReactionKind.HUGS)
    one, other = (circle.wren, circle.heron) if theirs else (circle.heron, circle.wren)
    set_bond(one.id, other.id, BondKind.BLOCK, as_actor(one))
    assert told(circle.heron) == []
    reacts(circle.lark, post, ReactionKind.SAME)
    assert len(told(circle.heron)) == 1


def test_what_vanishes_between_asking_and_telling_is_left_out(circle, reply):
    rows = list(telling.notices_of(circle.heron))
    gone_withdrawn(circle, reply)
    assert telling.in_words(rows, circle.heron) == []


def test_reading_marks_all_up_to_one_and_counting_ends_at_99(circle, reply):
    Notice.objects.bulk_create(
        Notice(persona=circle.heron, kind="reply", once=f"n{n}", at=NOW, post=reply.post)
        for n in range(120)
    )
    assert telling.unread(circle.heron) == telling.MANY + 1
    newest = list(telling.notices_of(circle.heron).order_by("-id")[:2])
    telling.mark_read(circle.heron, newest[1].id, NOW)
    assert telling.unread(circle.heron) == 1
    telling.mark_read(circle.wren, newest[0].id, NOW)
    assert telling.unread(circle.heron) == 1


def test_what_is_decided_about_somebody_cant_be_turned_off(circle):
    with pytest.raises(Invalid):
        telling.set_quiet(circle.heron, [NoticeKind.DECISION], as_actor(circle.heron))
    kinds = [NoticeKind.REPLY, NoticeKind.REACTION]
    assert telling.set_quiet(circle.heron, kinds, as_actor(circle.heron)) == ["reaction", "reply"]
    assert telling.set_quiet(circle.heron, [], as_actor(circle.heron)) == []


def test_a_page_of_notices_costs_the_same_however_long(circle, django_assert_num_queries):
    thread = begin(circle.heron, circle.sleep).post.thread
    for n in range(8):
        answer(circle.wren, thread, f"Same for me, {n}.")
    with django_assert_num_queries(3):
        rows = list(telling.notices_of(circle.heron).order_by("-id"))
        assert len(telling.in_words(rows, circle.heron)) == 8
