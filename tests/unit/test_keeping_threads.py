"""Keeping threads in order: pins, and what becomes of what readers had in a thread that goes into
another."""

from datetime import timedelta

import pytest

from accounts.refusals import Conflict
from community.models import (
    Draft,
    Follow,
    LiveText,
    LiveThread,
    MeasureKind,
    Post,
    ReadMark,
    Thread,
)
from community.moderation.threads import MOST_PINNED, tend
from community.notices import telling
from community.posts.drafts import save_draft
from community.posts.reacting import follow
from community.reading.marks import mark_read
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, wrote
from tests.moderating import measure, open_case, report, settle

M = MeasureKind


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def pin(circle: Circle, thread: Thread, pinned: bool = True) -> None:
    tend(thread.id, {"pinned": pinned}, as_actor(circle.owl))


def minutes(number: int):
    return NOW + timedelta(minutes=number)


def test_a_space_has_few_pinned_threads(circle):
    threads = [begin(circle.heron, circle.sleep).post.thread for _ in range(MOST_PINNED + 1)]
    for thread in threads[:-1]:
        pin(circle, thread)
    with pytest.raises(Conflict) as refused:
        pin(circle, threads[-1])
    assert refused.value.code == "many_pinned"
    pin(circle, threads[0])  # it is already
    pin(circle, begin(circle.heron, circle.work).post.thread)
    pin(circle, threads[0], pinned=False)
    pin(circle, threads[-1])


def moved(circle: Circle, post: Post) -> None:
    report(circle.novice, post)
    settle(circle.owl, open_case(post), measure(M.MOVE, space=circle.work.id), reason="")


def merged(circle: Circle, post: Post, into: Thread) -> None:
    report(circle.wren, post)
    settle(circle.owl, open_case(post), measure(M.MERGE, thread=into.id), reason="")


def test_a_pin_doesnt_go_along_to_another_space(circle):
    post = begin(circle.heron, circle.sleep).post
    pin(circle, post.thread)
    moved(circle, post)
    live = LiveThread.objects.get()
    assert (live.space, live.pinned) == (circle.work, False)


def told(circle: Circle) -> list[str]:
    rows = telling.notices_of(circle.heron).order_by("id")
    return [one.words for one in telling.in_words(list(rows), circle.heron)]


def test_its_author_is_told_where_a_thread_went(circle):
    post = begin(circle.heron, circle.sleep, title="Nights").post
    moved(circle, post)
    assert told(circle) == ["A moderator moved your thread “Nights” to another room."]
    other = begin(circle.wren, circle.work, title="Days").post.thread
    merged(circle, post, other)
    said = "A moderator put your thread into another. It is now a reply in “Days”."
    assert told(circle)[1] == said


def test_what_readers_had_in_a_thread_goes_with_it(circle):
    post = begin(circle.heron, circle.sleep, title="Nights").post
    into = begin(circle.wren, circle.work, title="Days").post.thread
    days = LiveText.objects.get(thread=into)
    later = answer(circle.heron, into, now=minutes(9)).post
    for persona in (circle.lark, circle.eagle):
        save_draft(persona.id, wrote("About nights."), NOW, thread_id=post.thread_id)
        mark_read(persona, post.thread_id, post.id)
    save_draft(circle.eagle.id, wrote("About days."), NOW, thread_id=into.id)
    mark_read(circle.eagle, into.id, later.id)
    follow(circle.eagle.id, post.thread_id, follows=True, actor=as_actor(circle.eagle))
    merged(circle, post, into)
    drafts = Draft.objects.filter(thread=into)
    assert dict(drafts.values_list("persona__pseudonym", "body")) == {
        "Lark": "About nights.",
        "Eagle": "About days.\n\nAbout nights.",
    }
    # What was unread in either is unread.
    marks = ReadMark.objects.filter(thread=into).values_list("persona", "read_to")
    assert dict(marks) == {
        circle.lark.id: days.published_at,
        circle.eagle.id: days.published_at,
    }
    assert Follow.objects.filter(thread=into, persona=circle.eagle).exists()
    for model in (Draft, Follow, ReadMark):
        assert not model.objects.filter(thread=post.thread_id).exists()
