"""Posting: what is seen, what waits, what isn't taken, and what a cry for help does."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts.refusals import Conflict, Invalid, NotFound, Stale
from community.models import (
    Case,
    Draft,
    Follow,
    LiveText,
    LiveThread,
    Notice,
    Post,
    PostState,
    Revision,
)
from community.posts.editing import ask_for_a_person, edit, withdraw
from community.posts.limits import PER_HOUR
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, seen, wrote


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def held_by_the_database() -> None:
    """Ask the deferred checks now; they would be asked at the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_trusted_members_thread_is_seen_at_once(circle):
    posted = begin(circle.heron, circle.sleep, tags=("sleep",))
    assert posted.verdict == PostState.PUBLISHED
    live = LiveText.objects.get(post=posted.post)
    assert (live.title, live.tags, live.revision) == ("Nights", ["sleep"], posted.revision)
    assert LiveThread.objects.get(thread=posted.post.thread).replies == 0
    held_by_the_database()


def test_a_new_members_post_waits_for_a_person(circle):
    posted = begin(circle.novice, circle.sleep)
    assert posted.post.state == PostState.PENDING
    assert not seen(posted.post)
    case = Case.objects.get(post=posted.post)
    assert (case.kind, case.crisis, case.next_page_at) == ("review", False, None)
    held_by_the_database()


def test_a_reply_counts_moves_the_thread_up_and_tells_its_author(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    later = NOW + timedelta(hours=1)
    posted = answer(circle.wren, thread, now=later)
    live = LiveThread.objects.get(thread=thread)
    assert (live.replies, live.active_at) == (1, later)
    notice = Notice.objects.get(persona=circle.heron)
    assert (notice.kind, notice.post) == ("reply", posted.post)
    assert not Notice.objects.filter(persona=circle.wren).exists()
    held_by_the_database()


def test_a_sign_of_danger_opens_a_case_that_pages_and_shows_its_author_help(circle):
    posted = begin(circle.heron, circle.sleep, "I want to kill myself tonight.", "I can't go on")
    assert posted.crisis
    assert posted.post.state == PostState.PENDING
    case = Case.objects.get(post=posted.post)
    assert (case.kind, case.urgency, case.crisis, case.next_page_at) == ("crisis", 0, True, NOW)


def test_replies_to_somebody_in_danger_wait(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.heron, thread, "I want to kill myself.")
    posted = answer(circle.wren, thread, "Do it then.")
    assert posted.verdict == PostState.PENDING


def test_personal_data_is_nowhere(circle):
    posted = begin(
        circle.heron,
        circle.sleep,
        "Call me on 07700 900123 or &#48;7700 9&#48;0456, jo@example.org",
        "I am jo@example.com",
    )
    assert set(posted.assessment.kinds) >= {"phone", "email"}
    revision = Revision.objects.get(post=posted.post)
    assert revision.masked
    for text in (revision.title, revision.body, LiveText.objects.get(post=posted.post).body):
        assert "example" not in text
        assert "0123" not in text.replace(" ", "")
        assert "0456" not in text.replace(" ", "")


def test_what_the_rules_block_is_stored_and_can_be_looked_at_by_a_person(circle):
    posted = begin(circle.heron, circle.sleep, "I know where you live.")
    assert posted.post.state == PostState.BLOCKED
    assert not Case.objects.exists()
    ask_for_a_person(
        circle.heron.id, posted.post.id, posted.post.version, as_actor(circle.heron), NOW
    )
    assert Case.objects.get().post == posted.post


def test_an_edit_that_waits_leaves_the_approved_text(circle):
    post = begin(circle.heron, circle.sleep).post
    edited = edit(
        circle.heron.id,
        post.id,
        wrote("See https://pills.example/buy now", "Nights"),
        post.version,
        as_actor(circle.heron),
        NOW,
    )
    assert edited.verdict == PostState.PENDING
    assert LiveText.objects.get(post=post).body == "I sleep badly after the injection."
    assert Post.objects.get(id=post.id).state == PostState.PUBLISHED
    assert Case.objects.get(post=post).kind == "review"
    held_by_the_database()


def test_an_edit_that_is_taken_replaces_the_text(circle):
    post = begin(circle.heron, circle.sleep).post
    edit(circle.heron.id, post.id, wrote("Better now.", "Nights"), 2, as_actor(circle.heron), NOW)
    live = LiveText.objects.get(post=post)
    assert (live.body, live.edited) == ("Better now.", True)
    held_by_the_database()


def test_two_who_edit_at_once_are_told(circle):
    post = begin(circle.heron, circle.sleep).post
    edit(circle.heron.id, post.id, wrote("A", "T"), post.version, as_actor(circle.heron), NOW)
    with pytest.raises(Stale):
        edit(circle.heron.id, post.id, wrote("B", "T"), post.version, as_actor(circle.heron), NOW)


def test_withdrawing_an_opener_takes_the_thread_from_sight(circle):
    post = begin(circle.heron, circle.sleep).post
    reply = answer(circle.wren, post.thread).post
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    assert not seen(post)
    assert not seen(reply)
    with pytest.raises(NotFound):
        answer(circle.wren, post.thread)
    held_by_the_database()


def test_nobody_changes_anothers_post(circle):
    post = begin(circle.heron, circle.sleep).post
    with pytest.raises(NotFound):
        withdraw(circle.wren.id, post.id, post.version, as_actor(circle.wren), NOW)


def test_a_refused_text_is_kept_as_a_draft(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    thread.read_only = True
    thread.save()
    with pytest.raises(Conflict):
        answer(circle.wren, thread, "My long words")
    assert Draft.objects.get(persona=circle.wren, thread=thread).body == "My long words"


def test_too_much_in_an_hour_is_refused_but_a_cry_for_help_is_heard(circle):
    thread = begin(circle.wren, circle.sleep).post.thread
    for n in range(PER_HOUR):
        answer(circle.heron, thread, f"Word {n}", NOW + timedelta(seconds=n))
    with pytest.raises(Conflict):
        answer(circle.heron, thread, "One more")
    posted = answer(circle.heron, thread, "I want to kill myself")
    assert posted.crisis
    assert posted.post.state == PostState.PENDING
    assert Case.objects.get(post=posted.post).crisis


def hide_behind_its_back(post: Post) -> None:
    LiveText.objects.filter(post=post).delete()
    held_by_the_database()


def place_behind_its_back(post: Post, by: dict[str, object]) -> None:
    LiveThread.objects.filter(thread=post.thread).update(**by)
    held_by_the_database()


def test_the_database_refuses_what_is_live_and_not_published(circle):
    post = begin(circle.heron, circle.sleep).post
    with pytest.raises(IntegrityError), transaction.atomic():
        hide_behind_its_back(post)
    for of_another in ({"active_by": circle.wren}, {"active_at": NOW - timedelta(days=1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            place_behind_its_back(post, of_another)
    with pytest.raises(IntegrityError), transaction.atomic():
        Revision.objects.filter(post=post).update(body="Something else")


def test_who_begins_a_thread_follows_it(circle):
    post = begin(circle.heron, circle.sleep).post
    assert Follow.objects.filter(thread=post.thread, persona=circle.heron).exists()


@pytest.mark.parametrize(
    "body", ["\u200b", "\u2800 \u3164", "&nbsp;", "[](x)", "***", "> ", "- ", "[a]: b", "&#8203;"]
)
def test_a_text_in_which_there_is_nothing_to_see_is_not_taken(circle, body):
    thread = begin(circle.wren, circle.sleep).post.thread
    with pytest.raises(Invalid) as refused:
        answer(circle.heron, thread, body)
    assert (refused.value.code, refused.value.field) == ("nothing_seen", "body")
    with pytest.raises(Invalid):
        begin(circle.heron, circle.sleep, title="\u200b\u2800")
    assert Post.objects.filter(author=circle.heron).count() == 0


@pytest.mark.parametrize("body", ["\u2764\ufe0f", "^^", "5", "`a`", "!", "\u00bf?"])
def test_little_is_enough(circle, body):
    thread = begin(circle.wren, circle.sleep).post.thread
    assert seen(answer(circle.heron, thread, body).post)


def test_a_cry_for_help_over_nothing_is_heard(circle):
    with pytest.raises(Invalid) as refused:
        begin(circle.heron, circle.sleep, "&nbsp;", "I want to die")
    assert refused.value.facts["help"]
    assert Case.objects.get(about=circle.heron).crisis
