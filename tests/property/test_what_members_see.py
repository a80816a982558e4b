"""Whatever members and moderators do, in whatever order: what a member sees on each surface is what
is published and not hidden from them; figures are those of a recount; pages joined are the whole;
unseen words change no byte that another gets; and erased words are nowhere.

Broken by hand to see that it fails, each within twelve runs: a block that is looked up one way, a
cursor that leaves out ties, counters that aren't counted, drafts or the words of reports that
erasure forgets, a feed that takes its excerpt from the newest wording.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from api.door import Door
from community.members import entering
from community.members.bonds import unseen_by
from community.members.leaving import leave
from community.models import (
    Draft,
    LiveText,
    Persona,
    Post,
    PostState,
    ReadMark,
    Report,
    Revision,
)
from community.posts.editing import edit
from community.reading import feeds, marks, searching, threads
from community.reading.feeds import Order, Wanted
from tests.api.client import Caller
from tests.cast import NOW
from tests.community import as_actor, held
from tests.property.circle_life import MARKS, Life
from tests.recounting import check_figures

HERE = "/api/v1/community"


class Seeing(Life):
    """What one member after the other sees, after each act."""

    def __init__(self) -> None:
        super().__init__()
        self.acts = 0

    @invariant()
    def sees_what_is_published_and_not_hidden(self) -> None:
        if not hasattr(self, "members"):
            return
        self.acts += 1
        me = self.members[self.acts % 3]
        size = 1 + self.acts % 4
        self.shown = {post.id: post for post in published()}
        hidden = {UUID(key) for key in re.findall(r"[\w-]+", unseen_by(me.id).keys)}
        assert hidden == by_hand(me)
        texts = {
            post.id: post
            for post in self.shown.values()
            if not {post.author_id, post.thread.author_id} & hidden
        }
        openers = {post.thread_id: post for post in texts.values() if post.opens}
        match self.acts % 4:
            case 0:
                self._feeds(me, texts, openers, size)
            case 1:
                self._unread(me, hidden)
            case 2:
                self._threads(me, texts, openers, size)
            case 3:
                self._elsewhere(me, texts, hidden, size)

    @invariant()
    def figures_are_those_of_a_recount(self) -> None:
        check_figures()

    def _feeds(
        self, me: Persona, texts: dict[UUID, Post], openers: dict[UUID, Post], size: int
    ) -> None:
        for order in Order:
            whole = self._in_order(order, texts, openers)
            assert self._feed(me, Wanted(order), size) == whole
            space = self.circle.sleep.id
            here = [one for one in whole if openers[one].thread.space_id == space]
            assert self._feed(me, Wanted(order, space=space), size) == here
            for tag in ("sleep", "pv"):
                tagged = [one for one in whole if tag in openers[one].published.tags]
                assert self._feed(me, Wanted(order, tag=tag), size) == tagged
        me.tags, me.interval_days, me.condition = ["sleep", "mood"], 7, "et"
        like = {"sleep", "mood", "weekly", "et"}
        alike = [one for one in whole if like & set(openers[one].published.tags)]
        assert self._feed(me, Wanted(order, like_mine=True), size) == alike

    def _feed(self, me: Persona, wanted: Wanted, size: int) -> list[UUID]:
        instant = wanted.order.instant
        entries = joined(
            lambda after: feeds.feed(me, wanted, after, size),
            lambda entry: (getattr(entry.live, instant), entry.live.thread_id),
        )
        return [entry.live.thread_id for entry in entries if self._is_published(entry.opener)]

    def _unread(self, me: Persona, hidden: set[UUID]) -> None:
        read_to = dict(ReadMark.objects.filter(persona=me).values_list("thread", "read_to"))
        for entry in feeds.feed(me, Wanted(Order.NEW), None, 100):
            thread = entry.live.thread_id
            new = [
                post
                for post in self.shown.values()
                if post.thread_id == thread
                and post.author_id not in {me.id, *hidden}
                and post.published_at > read_to.get(thread, post.published_at)
            ]
            assert entry.unread == (len(new) if thread in read_to else None)

    def _is_published(self, live: LiveText) -> bool:
        """Whether a text that is seen is, word for word, the revision that is published."""
        revision = self.shown[live.post_id].published
        assert revision is not None
        seen = (live.title, live.body, live.tags)
        assert seen == (revision.title, revision.body, revision.tags)
        return True

    def _in_order(
        self, order: Order, texts: dict[UUID, Post], openers: dict[UUID, Post]
    ) -> list[UUID]:
        """Threads as a feed has them, by what its reader sees in them."""
        last: dict[UUID, Any] = {}
        for post in texts.values():
            last[post.thread_id] = max(
                last.get(post.thread_id, post.published_at), post.published_at
            )
        instants = {
            thread: opener.published_at if order is Order.NEW else last[thread]
            for thread, opener in openers.items()
        }
        return sorted(instants, key=lambda thread: (instants[thread], thread), reverse=True)

    def _threads(
        self, me: Persona, texts: dict[UUID, Post], openers: dict[UUID, Post], size: int
    ) -> None:
        for thread in openers:
            replies = joined(
                lambda after, thread=thread: threads.read_thread(me, thread, after, size).replies,
                lambda text: (text.published_at, text.post_id),
            )
            seen = list(replies)
            assert all(map(self._is_published, seen))
            mine = [post for post in texts.values() if post.thread_id == thread and not post.opens]
            mine.sort(key=lambda post: (post.published_at, post.id))
            assert [text.post_id for text in seen] == [post.id for post in mine]
        for post in Post.objects.exclude(thread__in=openers):
            with pytest.raises(threads.NotFound):
                threads.read_thread(me, post.thread_id, None, 1)
            with pytest.raises(threads.NotFound):
                marks.mark_read(me, post.thread_id, post.id)

    def _elsewhere(
        self, me: Persona, texts: dict[UUID, Post], hidden: set[UUID], size: int
    ) -> None:
        def place(text: LiveText) -> Any:
            return text.published_at, text.post_id

        newest = sorted(texts.values(), key=lambda post: (post.published_at, post.id), reverse=True)
        found = joined(
            lambda after: searching.search(me, "morning", "en", searching.Sort.NEWEST, after, size),
            place,
        )
        assert [text.post_id for text in found] == [post.id for post in newest]
        best = searching.search(me, "morning", "en", searching.Sort.BEST, None, 1000)
        assert {text.post_id for text in best} == set(texts)
        for author in self.members:
            if author.id in hidden:
                with pytest.raises(threads.NotFound):
                    threads.texts_of(me, author.id, None, 1)
                continue
            theirs = joined(
                lambda after, author=author: threads.texts_of(me, author.id, after, size), place
            )
            wanted = [post.id for post in newest if post.author_id == author.id]
            assert [text.post_id for text in theirs] == wanted


def joined(page: Callable[[Any], list[Any]], place: Callable[[Any], Any]) -> Iterator[Any]:
    """The rows of all pages; a page is asked for until one is empty."""
    after = None
    while rows := page(after):
        yield from rows
        after = place(rows[-1])


def published() -> list[Post]:
    """The posts that members may see, by their states alone."""
    opener = Post.objects.filter(opens=True, state=PostState.PUBLISHED)
    return list(
        Post.objects.filter(state=PostState.PUBLISHED, thread__in=opener.values("thread"))
        .select_related("thread", "published")
        .order_by("id")
    )


def by_hand(me: Persona) -> set[UUID]:
    """Whom a member doesn't see."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT other_id FROM community_bond WHERE persona_id = %s UNION"
            " SELECT persona_id FROM community_bond WHERE other_id = %s AND kind = 'block'",
            [me.id, me.id],
        )
        return {row[0] for row in cursor.fetchall()}


class Unseen(Life):
    """At the end: other words where nobody sees them change nothing that another member gets."""

    def at_the_end(self) -> None:
        if not hasattr(self, "members"):
            return
        # Whatever happened, there are unseen wordings of what is seen.
        for author in self.members:
            for post in Post.objects.filter(author=author, state=PostState.PUBLISHED)[:3]:
                writing = self._writing(author, "waits", "T" if post.opens else "")
                self._try(edit, author.id, post.id, writing, post.version)
        me = self.members[next(self.number) % 3]
        caller = Caller(entering._session(me, self.now).token)
        unseen = Revision.objects.exclude(post__author=me).exclude(
            id__in=LiveText.objects.values("revision")
        )
        bodies = list(unseen.values_list("body", flat=True))
        before = everything(caller, me)
        with connection.cursor() as cursor:
            # Past the guards, as no code of ours can go.
            cursor.execute("SET LOCAL session_replication_role = replica")
            unseen.update(title="Other", body="Other words. " * 9, hits=[], digest="0")
            Draft.objects.exclude(persona=me).update(body="Other words.")
            Report.objects.exclude(reporter=me).update(words="Other words.")
            cursor.execute("SET LOCAL session_replication_role = origin")
        assert everything(caller, me) == before
        seen = json.dumps(before)
        assert [body for body in bodies if body in seen] == []


def everything(caller: Caller, me: Persona) -> dict[str, Any]:
    """Every byte that a member can get by asking for what there is."""
    threads_there = Post.objects.values_list("thread", flat=True).distinct()
    paths = [
        *("threads?order=new", "threads", "threads?tag=sleep", "threads?mine=followed", "spaces"),
        *("search?words=morning", "search?words=morning&sort=best", "search?words=other"),
        *("my-posts", "drafts", "bonds", "decisions", "reports", "me", "me/export"),
        *(f"threads/{thread}" for thread in threads_there),
        *(f"members/{other}/texts" for other in Persona.objects.values_list("id", flat=True)),
    ]
    return {path: bytes_of(caller, path) for path in paths}


def bytes_of(caller: Caller, path: str) -> Any:
    headers = {"Authorization": f"Bearer {caller.token}", "X-Request-ID": "same"}
    answer = caller.send("GET", f"{HERE}/{path}", b"", headers)
    assert answer.status in (200, 404), (path, answer)
    return answer.status, dict(answer.headers), answer.body


class Erasing(Life):
    """At the end: a member leaves and has all erased, and their words are nowhere."""

    def at_the_end(self) -> None:
        if not hasattr(self, "members"):
            return
        for me in self.members:
            mark = MARKS[me.pseudonym]
            assert held(mark) or not Revision.objects.filter(by=me).exists()
            leave(me.id, erase=True, actor=as_actor(me), now=self.now)
            assert held(mark) == {}
            assert held(me.pseudonym) == {}
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("life", "runs", "steps"), [(Seeing, 6, 20), (Unseen, 3, 20), (Erasing, 6, 20)]
)
def test_what_members_see(db, monkeypatch, life, runs, steps):
    monkeypatch.setattr(Door, "now", NOW)
    hard = max(1, settings.default.max_examples // 100)
    run_state_machine_as_test(
        life, settings=settings(max_examples=runs * hard, stateful_step_count=steps)
    )
