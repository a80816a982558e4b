"""Members and moderators at once in one thread, each really committing: figures are right after."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.refusals import Refusal
from community.members.leaving import leave
from community.models import LiveText, LiveThread, Persona, Post, Reaction, ReactionKind
from community.posts.editing import withdraw
from community.posts.reacting import react
from tests.api.test_at_once import at_once
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, make_persona
from tests.moderating import M, open_case, report, settle
from tests.processes import World
from tests.recounting import check_figures

Act = Callable[[], Any]


@pytest.fixture
def circle(world: World) -> Circle:
    return make_circle()


def tried(act: Act) -> Act:
    """Whoever came first may have taken away what another wanted."""

    def run() -> Any:
        try:
            return act()
        except Refusal as refusal:
            return refusal

    return run


def reacts(who: Persona, post: Post, *kinds: ReactionKind) -> Act:
    return tried(lambda: react(who.id, post.id, set(kinds), as_actor(who), NOW))


def writes(who: Persona, opener: Post, now: datetime) -> Act:
    return tried(lambda: answer(who, opener.thread, now=now))


def withdraws(post: Post) -> Act:
    author = as_actor(post.author)
    return tried(lambda: withdraw(post.author_id, post.id, post.version, author, NOW))


@pytest.mark.parametrize("whole", [False, True], ids=["its replies", "the thread itself"])
def test_figures_are_those_of_a_recount_after_any_acts_at_once(circle, whole):
    """Others write, react, take away, hide and leave: a reply, or what they do it all under."""
    others = [make_persona(f"Other {name}", approved=20) for name in "ABCDEF"]
    opener = begin(circle.heron, circle.sleep, tags=("sleep",)).post
    replies = [answer(one, opener.thread, now=NOW + timedelta(minutes=n)).post
               for n, one in enumerate(others)]  # fmt: skip
    at = opener if whole else replies[0]
    for post in (opener, *replies):
        react(circle.lark.id, post.id, set(ReactionKind), as_actor(circle.lark), NOW)
    reported = opener if whole else replies[1]
    report(circle.wren, reported)
    case = open_case(reported)
    gone = Post.objects.get(id=at.id)
    for turn in (10, 11):
        later = NOW + timedelta(minutes=turn)
        acts = [
            *(writes(one, opener, later) for one in (*others[2:5], circle.wren)),
            reacts(circle.wren, at, ReactionKind.HUGS, ReactionKind.SAME),
            reacts(circle.eagle, replies[2], ReactionKind.HUGS),
            reacts(circle.lark, replies[3]),
            withdraws(gone if turn == 10 else Post.objects.get(id=replies[2].id)),
            tried(lambda: settle(circle.owl, case, M.HIDE)),
            tried(lambda: leave(others[5].id, erase=True, actor=as_actor(others[5]), now=NOW)),
        ]  # fmt: skip
        came_to = at_once(*acts)
        assert all(one is None or isinstance(one, Refusal) or one for one in came_to)
        check_figures()
    assert not LiveText.objects.filter(post=at).exists()
    assert LiveThread.objects.exists() != whole
    assert not Reaction.objects.filter(persona=others[5]).exists()
