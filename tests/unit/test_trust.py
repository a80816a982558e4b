"""Whose posts wait, how much one may write, at the figures' edges; and what Markdown becomes."""

from datetime import timedelta

import pytest

from accounts.refusals import Conflict, Forbidden
from community.models import Case
from community.moderation.measures import MeasureKind
from community.posts.editing import edit
from community.posts.limits import HOUR, PER_HOUR
from community.posts.markdown import to_html, to_plain
from community.posts.trust import APPROVED_POSTS, MEMBER_FOR
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, seen, silence, wrote
from tests.moderating import settle

SECOND = timedelta(seconds=1)


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def test_three_approved_posts_and_two_days_make_trust(circle):
    novice = circle.novice
    for n in range(APPROVED_POSTS):
        post = begin(novice, circle.sleep, f"Word {n}").post
        assert post.state == "pending", "not yet"
        settle(circle.owl, Case.objects.get(post=post), MeasureKind.APPROVE)
        novice.refresh_from_db()
    assert novice.approved_posts == APPROVED_POSTS
    almost = NOW + MEMBER_FOR - SECOND
    assert begin(novice, circle.sleep, now=almost).post.state == "pending"
    assert begin(novice, circle.sleep, now=NOW + MEMBER_FOR).post.state == "published"


def test_two_days_alone_make_none(circle):
    later = NOW + 10 * MEMBER_FOR
    assert begin(circle.novice, circle.sleep, now=later).post.state == "pending"


def test_slow_mode_is_a_wait_between_ones_own_replies(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    thread.slow_seconds = 600
    thread.save()
    first = answer(circle.wren, thread).post
    with pytest.raises(Conflict) as refused:
        answer(circle.wren, thread, now=NOW + timedelta(seconds=599))
    assert (refused.value.code, refused.value.facts["until"]) == (
        "slow_mode", NOW + timedelta(seconds=600),
    )  # fmt: skip
    changed = wrote("The same, better said.")
    edit(circle.wren.id, first.id, changed, first.version, as_actor(circle.wren), NOW + SECOND)
    assert seen(answer(circle.owl, thread).post), "moderators don't wait"
    assert seen(answer(circle.wren, thread, now=NOW + timedelta(seconds=600)).post)


def test_edits_count_for_the_limit_of_an_hour(circle):
    post = begin(circle.heron, circle.sleep).post
    for n in range(PER_HOUR - 1):
        post.refresh_from_db()
        actor, writing = as_actor(circle.heron), wrote(f"Word {n}", "Nights")
        edit(circle.heron.id, post.id, writing, post.version, actor, NOW)
    post.refresh_from_db()
    args = (circle.heron.id, post.id, wrote("More", "Nights"), post.version, actor)
    with pytest.raises(Conflict, match="a lot in an hour"):
        edit(*args, NOW + HOUR - SECOND)
    edit(*args, NOW + HOUR)


def test_somebody_silenced_is_heard_and_not_seen(circle):
    thread = begin(circle.wren, circle.sleep).post.thread
    silence(circle, NOW + timedelta(days=1))
    with pytest.raises(Forbidden):
        answer(circle.heron, thread, "I only want to say hello.")
    posted = answer(circle.heron, thread, "I want to kill myself")
    assert (posted.crisis, posted.post.state, seen(posted.post)) == (True, "pending", False)
    case = Case.objects.get(post=posted.post)
    assert (case.crisis, case.next_page_at) == (True, NOW)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("![a cat](https://x.example/cat.png)", ""),
        ("<img src=x onerror=alert(1)>", "&lt;img"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("[press](javascript:alert(1))", "press"),
        ("[press](https://x.example 'title')", "press"),
        ("<https://x.example>", "https://x.example"),
        ('<b onclick="x()">bold</b>', "&lt;b"),
        ("**bold** and *so*", "<strong>bold</strong> and <em>so</em>"),
        ("> said\n\n- one\n- two", "<blockquote>"),
        ("# Loud", "# Loud"),
    ],
)
def test_markdown_becomes_words_and_nothing_that_loads_leads_or_runs(source, shown):
    html = to_html(source)
    assert shown in html
    for never in ("<img", "<script", "<a", "href", 'src="', "<b ", "<h1", "<iframe", "<style"):
        assert never not in html
    assert "<strong" not in to_plain(source)
