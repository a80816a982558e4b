"""What members read and write by pages, without a browser."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from community.members.bonds import set_bond
from community.members.house_rules import VERSION
from community.models import (
    BondKind,
    Case,
    Draft,
    Follow,
    LiveText,
    Persona,
    Post,
    PostState,
    Reaction,
    Report,
)
from community.moderation.threads import tend
from community.posts.limits import PER_HOUR
from tests.community import Circle, answer, as_actor, begin, make_circle, silence
from tests.moderating import M, open_case, report, settle
from tests.pages import come_in, text

NOW = timezone.now()
CRY = "I want to kill myself"
HELP = 'class="help"'


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def heron(circle) -> Client:
    return come_in(circle.heron)


def first(page: str, *wanted: str) -> bool:
    """Whether these come in this order."""
    places = [page.index(one) for one in wanted]
    return places == sorted(places)


def test_an_empty_community_says_what_to_do(circle, heron):
    assert "Choose a room and begin a talk" in text(heron)
    assert "Be the first" in text(heron, f"/rooms/{circle.sleep.id}")
    assert "You follow no talk yet" in text(heron, "/feeds/followed")
    assert "Say a few things about you" in text(heron, "/feeds/like")
    assert "You have written nothing yet" in text(heron, "/mine")
    assert "There is no news" in text(heron, "/notices")
    assert "You see everybody" in text(heron, "/settings/hidden")
    assert "You have reported nothing" in text(heron, "/reports")
    thread = begin(circle.wren, circle.sleep).post.thread_id
    assert "A kind word is enough" in text(heron, f"/threads/{thread}")


def test_feeds_rooms_tags_search_and_members_show_what_can_be_seen(circle, heron):
    circle.heron.tags = ["sleep"]
    circle.heron.save()
    post = begin(circle.wren, circle.sleep, "Counting *sheep*.", "Wide awake", tags=("sleep",)).post
    answer(circle.heron, post.thread, "Owls, in my case.")
    paths = ["", "/feeds/new", "/feeds/like", "/tags/sleep", f"/rooms/{circle.sleep.id}"]
    paths += [f"/members/{circle.wren.id}", "/search?words=sheep"]
    paths += ["/search?words=sheep&sort=best"]
    for path in paths:
        page = text(heron, path)
        assert "Wide awake" in page, path
        assert "Counting sheep." in page, path
    assert "Wide awake" not in text(heron, f"/rooms/{circle.work.id}")
    page = text(heron, f"/threads/{post.thread_id}")
    assert "Counting <em>sheep</em>." in page
    assert "Owls, in my case." in page
    assert text(heron, "/feeds/nonsense", 404)
    assert text(heron, "/tags/nonsense", 404)
    assert text(heron, "/?after=nonsense".removeprefix("/"), 404)


def test_pages_joined_are_the_whole_list(circle, heron):
    titles = [f"Number {n:02}" for n in range(25)]
    for title in titles:
        begin(circle.owl, circle.sleep, title=title)
    for path in ("/feeds/new", f"/rooms/{circle.sleep.id}?order=new", f"/members/{circle.owl.id}"):
        page, found = text(heron, path), []
        for _ in range(3):
            found += re.findall(r">(Number \d\d)<", page)
            more = re.search(r'class="button" href="(\?after=[^"]+)"', page)
            if not more:
                break
            following = more[1].replace("&amp;", "&")
            page = text(heron, path.partition("?")[0] + following)
        assert found == titles[::-1], path


def test_what_is_new_is_marked_until_it_was_shown(circle, heron):
    thread = begin(circle.wren, circle.sleep, now=NOW).post.thread_id
    assert 'class="new"' not in text(heron, f"/threads/{thread}")
    answer(circle.wren, thread, "One more.", now=timezone.now())
    assert "1 new" in text(heron)
    assert 'class="new"' in text(heron, f"/threads/{thread}")
    assert "1 new" not in text(heron)


def send(client: Client, path: str, **form: str) -> str:
    """Send a form, and follow; answers the page."""
    answered = client.post(f"/community{path}", form, follow=True)
    assert answered.status_code < 500
    return answered.content.decode()


def test_a_talk_is_begun_and_answered_once_though_sent_twice(circle, heron):
    path = f"/rooms/{circle.sleep.id}/write"
    form = {"title": "Awake", "body": "At **three**.\r\nAgain.", "tags": "sleep", "act": "send",
            "form": "one"}  # fmt: skip
    for _ in range(2):
        page = send(heron, path, **form)
        assert "Others can see it now" in page
    live = LiveText.objects.get()
    assert (live.title, live.body, live.tags) == ("Awake", "At **three**.\nAgain.", ["sleep"])
    reply = {"body": "Me too.", "act": "send", "form": "two"}
    for _ in range(2):
        send(come_in(circle.wren), f"/threads/{live.thread_id}/reply", **reply)
    assert LiveText.objects.filter(opens=False).count() == 1


def test_looking_first_tells_what_is_covered_and_keeps_a_draft(circle, heron):
    path = f"/rooms/{circle.sleep.id}/write"
    body = "Ring me on 07700 900123. You should skip your dose."
    page = send(heron, path, title="Hello", body=body, act="look")
    assert "a phone number" in page
    assert "telling others what to do with their dose" in page
    assert not Post.objects.exists()
    draft = Draft.objects.get()
    assert "07700" not in draft.body
    assert "Hello" in text(heron, "/mine")
    assert draft.body[:8] in text(heron, path)
    send(heron, f"/drafts/{draft.id}/discard")
    assert not Draft.objects.exists()


REFUSALS = ["silenced", "read_only", "rate", "slow"]


@pytest.mark.parametrize("why", REFUSALS)
def test_words_survive_every_refusal(why, circle, heron):
    thread = begin(circle.wren, circle.sleep, now=NOW).post.thread
    if why == "silenced":
        silence(circle, NOW.replace(year=NOW.year + 1), NOW)
    elif why == "read_only":
        tend(thread.id, {"read_only": True}, as_actor(circle.owl))
    elif why == "rate":
        for _ in range(PER_HOUR):
            answer(circle.heron, thread, now=NOW)
    else:
        tend(thread.id, {"slow_seconds": 36_000}, as_actor(circle.owl))
        answer(circle.heron, thread, now=NOW)
    page = send(heron, f"/threads/{thread.id}/reply", body="Keep these words.", act="send")
    assert 'aria-invalid="true"' in page
    assert "Keep these words." in page
    assert Draft.objects.get().body == "Keep these words."
    assert "Keep these words." in text(heron, f"/threads/{thread.id}/reply")


def test_words_for_what_is_gone_or_for_nobody_are_given_back(circle, heron):
    thread = begin(circle.wren, circle.sleep).post
    settle(circle.owl, begin_case(circle, thread), M.REMOVE)
    page = send(heron, f"/threads/{thread.thread_id}/reply", body="Too late?", act="send")
    assert "Too late?" in page
    outside = Client().post(f"/community/threads/{thread.thread_id}/reply", {"body": "And I?"})
    assert outside.status_code == 401
    assert "And I?" in outside.content.decode()


def begin_case(circle: Circle, post: Post) -> Case:
    report(circle.novice, post)
    return open_case(post)


def test_a_cry_for_help_is_answered_with_help_first(circle, heron):
    room = f"/rooms/{circle.sleep.id}/write"
    page = send(heron, room, title="Tonight", body=CRY, act="send")
    assert first(page, HELP, "116 123", "<h1")
    assert "moderators has been called" in page
    assert Case.objects.get(crisis=True).about == circle.heron
    assert CRY not in text(come_in(circle.wren))


def test_help_comes_first_whatever_else_is_wrong(circle, heron):
    thread = begin(circle.wren, circle.sleep).post
    room, reply = f"/rooms/{circle.sleep.id}/write", f"/threads/{thread.thread_id}/reply"
    told = [
        send(heron, room, title="Tonight", body=CRY, act="look"),
        send(heron, room, title="", body=CRY, act="send"),
        send(heron, room, title="x" * 200, body=CRY, act="send"),
        send(heron, reply, body=CRY + " x" * 5_000, act="send"),
        send(heron, f"/threads/{circle.sleep.id}/reply", body=CRY, act="send"),
        send(heron, f"/posts/{thread.id}/report", words=CRY),
        send(heron, f"/posts/{thread.id}/report", words=CRY, reason="other"),
        send(Client(), reply, body=CRY),
    ]
    Persona.objects.update(accepted_rules=VERSION - 1)
    told.append(send(heron, reply, body=CRY, act="send"))
    # Whatever was sent by somebody we know is heard, though only the report was taken.
    assert ["has been called" in page for page in told] == [False, *[True] * 6, False, True]
    assert Case.objects.get(crisis=True).about == circle.heron
    for page in told:
        assert first(page, HELP, "<h1"), page[page.index("<main") :][:400]


def test_what_waits_and_what_is_not_taken_says_why_and_what_next(circle, heron):
    room = f"/rooms/{circle.sleep.id}/write"
    page = send(come_in(circle.novice), room, title="First", body="Hello all.", act="send")
    assert "This is normal for your first posts" in page
    page = send(heron, room, title="Cheap", body="I sell my spare pens, cheap.", act="send")
    post = Post.objects.get(author=circle.heron)
    assert post.state == PostState.BLOCKED
    assert "Selling or buying" in page
    send(heron, f"/mine/{post.id}/ask", seen=str(post.version))
    post.refresh_from_db()
    assert post.state == PostState.PENDING


def test_ones_own_is_changed_and_taken_away_by_what_was_seen_of_it(circle, heron):
    post = begin(circle.heron, circle.sleep, "Old words.").post
    path = f"/mine/{post.id}"
    assert "Old words." in text(heron, f"{path}/change")
    form = {"title": "Nights", "body": "New words.", "seen": str(post.version)}
    page = send(heron, f"{path}/change", **form)
    assert "New words." in page
    page = send(heron, f"{path}/change", **{**form, "body": "Newest words."})
    assert "Something happened to it" in page
    assert "Newest words." in page
    post.refresh_from_db()
    assert "The whole talk goes with it" in text(heron, f"{path}/take-away")
    send(heron, f"{path}/take-away", seen=str(post.version))
    assert not LiveText.objects.exists()
    for other in (path, f"{path}/change", f"{path}/take-away"):
        text(come_in(circle.wren), other, 404)


def test_reactions_are_given_and_taken_back_and_threads_followed(circle, heron):
    post = begin(circle.wren, circle.sleep).post
    page = send(heron, f"/posts/{post.id}/react", give="hugs")
    assert 'name="take" value="hugs" aria-pressed="true"' in page
    send(heron, f"/posts/{post.id}/react", give="same")
    send(heron, f"/posts/{post.id}/react", take="hugs")
    assert list(Reaction.objects.values_list("kind", flat=True)) == ["same"]
    send(heron, f"/threads/{post.thread_id}/follow", follows="yes")
    assert Follow.objects.filter(persona=circle.heron).exists()
    assert "Tell me no more" in text(heron, f"/threads/{post.thread_id}")
    send(heron, f"/threads/{post.thread_id}/follow", follows="no")
    assert not Follow.objects.filter(persona=circle.heron).exists()
    own = begin(circle.heron, circle.sleep).post
    assert "This is your own post" in send(heron, f"/posts/{own.id}/react", give="hugs")


def test_posts_and_people_are_reported_once_and_hidden(circle, heron):
    post = begin(circle.wren, circle.sleep).post
    page = send(heron, f"/posts/{post.id}/report", reason="unkind", words="It hurts.")
    assert "It hurts." in page
    again = send(heron, f"/posts/{post.id}/report", reason="unkind", words="It hurts.")
    assert "You reported this already" in again
    assert "Say what is wrong" in send(heron, f"/members/{circle.wren.id}/report")
    send(heron, f"/members/{circle.wren.id}/report", reason="other")
    assert Report.objects.count() == 2
    send(heron, f"/members/{circle.wren.id}/bond", kind="mute")
    text(heron, f"/threads/{post.thread_id}", 404)
    assert "Wren" in text(heron, "/settings/hidden")
    send(heron, f"/members/{circle.wren.id}/bond", kind="lift")
    text(heron, f"/threads/{post.thread_id}")
    set_bond(circle.wren.id, circle.heron.id, BondKind.BLOCK, as_actor(circle.wren))
    text(heron, f"/members/{circle.wren.id}", 404)
