"""Reading over HTTP: feeds, threads, search and authors, page by page."""

from datetime import timedelta

import pytest

from community.members.bonds import set_bond
from community.models import BondKind, LiveThread, Thread
from community.posts.reacting import follow
from community.tags import of_months
from tests.api.client import Caller
from tests.api.conftest import here
from tests.cast import NOW
from tests.community import answer, as_actor, begin

HERE = "/api/v1/community"


def all_pages(caller: Caller, path: str) -> list[dict]:
    """The results of all pages."""
    found = []
    next_ = path
    while next_:
        page = caller.ask("GET", next_, expect=200)
        found += page["results"]
        next_ = page["next"] and page["next"].removeprefix("http://testserver")
    return found


def minutes(number: int):
    return NOW + timedelta(minutes=number)


@pytest.mark.parametrize("order", ["new", "active"])
@pytest.mark.parametrize(
    "which", ["", "&tag=sleep", "&mine=like", "&mine=followed", "&space={space}"]
)
def test_the_pages_of_a_feed_joined_are_the_feed(circle, order, which):
    circle.wren.tags, circle.wren.interval_days = ["sleep", "mood"], 14
    circle.wren.save()
    threads = [
        begin(
            circle.heron,
            circle.sleep,
            title=f"Night {number}",
            # Three at each instant, so that the key decides too.
            now=minutes(number // 3),
            tags=("sleep", "mood", "two_weekly") if number % 2 else ("sleep",),
        ).post.thread
        for number in range(7)
    ]
    answer(circle.heron, threads[1], now=minutes(30))
    begin(circle.heron, circle.work, title="Of neither tag, and followed by nobody")
    for thread in threads:
        follow(circle.wren.id, thread.id, follows=True, actor=as_actor(circle.wren))
    which = which.format(space=circle.sleep.id)
    path = f"{HERE}/threads?order={order}{which}"
    wren = here(circle.wren)
    whole = wren.ask("GET", path, expect=200)["results"]
    assert len(whole) == (7 if which else 8)
    instant = "published_at" if order == "new" else "active_at"
    assert whole == sorted(whole, key=lambda one: (one[instant], one["thread"]), reverse=True)
    assert all_pages(wren, f"{path}&page_size=2") == whole
    if order == "active":
        assert whole[0]["thread"] == str(threads[1].id)


@pytest.mark.parametrize(
    "which", ["", "&tag=sleep", "&mine=like", "&mine=followed", "&space={space}"]
)
def test_a_threads_place_is_that_of_the_newest_text_its_reader_sees(circle, which):
    """Somebody hidden wrote last in every other thread, here and there before a friend did."""
    circle.wren.tags, circle.wren.interval_days = ["sleep"], 14
    circle.wren.save()
    threads = [
        begin(
            circle.lark, circle.sleep, now=minutes(number // 2), tags=("sleep", "two_weekly")
        ).post.thread
        for number in range(8)
    ]
    for thread in threads:
        follow(circle.wren.id, thread.id, follows=True, actor=as_actor(circle.wren))
    answer(circle.owl, threads[2], now=minutes(20))
    which = which.format(space=circle.sleep.id)
    path, wren = f"{HERE}/threads?order=active{which}", here(circle.wren)
    before = wren.ask("GET", path, expect=200)["results"]
    set_bond(circle.heron.id, circle.wren.id, BondKind.BLOCK, as_actor(circle.heron))
    for number, thread in enumerate(threads[::2]):
        answer(circle.heron, thread, now=minutes(30 - number))
    assert LiveThread.objects.filter(active_by=circle.heron).count() == 4
    assert wren.ask("GET", path, expect=200)["results"] == before
    for size in (1, 2, 3, 7):
        assert all_pages(wren, f"{path}&page_size={size}") == before
    seen_by_all = here(circle.owl).ask("GET", f"{HERE}/threads?order=active", expect=200)
    assert seen_by_all["results"][0]["thread"] == str(threads[0].id)
    shown = wren.ask("GET", f"{HERE}/threads/{threads[2].id}", expect=200)["thread"]
    assert shown["active_at"] == before[0]["active_at"]


def test_pinned_threads_are_above_the_first_page_of_their_space_and_nowhere_twice(circle):
    pinned = begin(circle.heron, circle.sleep, title="Read first").post.thread
    Thread.objects.filter(id=pinned.id).update(pinned=True)
    LiveThread.objects.filter(thread=pinned).update(pinned=True)
    for number in range(3):
        begin(circle.heron, circle.sleep, now=minutes(number))
    wren = here(circle.wren)
    path = f"{HERE}/threads?space={circle.sleep.id}&page_size=2"
    first = wren.ask("GET", path, expect=200)
    assert [one["title"] for one in first["pinned"]] == ["Read first"]
    second = wren.ask("GET", first["next"].removeprefix("http://testserver"), expect=200)
    assert second["pinned"] == []
    assert str(pinned.id) not in {one["thread"] for one in (*first["results"], *second["results"])}
    wren.ask("GET", f"{HERE}/threads?space={pinned.id}", expect=404)
    wren.ask("GET", f"{HERE}/threads?space={pinned.id}&tag=sleep", expect=400, code="one_of")


def test_a_thread_reads_from_its_opening_post_on(circle):
    thread = begin(circle.heron, circle.sleep, "I lie *awake* <b>now</b>.").post.thread
    replies = [
        answer(circle.wren, thread, f"Reply {number}", now=minutes(number // 2)).post
        for number in range(5)
    ]
    wren = here(circle.wren)
    path = f"{HERE}/threads/{thread.id}"
    page = wren.ask("GET", path, expect=200)
    assert page["opener"]["html"] == "<p>I lie <em>awake</em> &lt;b&gt;now&lt;/b&gt;.</p>\n"
    assert page["opener"]["author"]["name"] == "Heron"
    assert [one["id"] for one in page["results"]] == [str(post.id) for post in replies]
    assert all(one["mine"] for one in page["results"])
    assert all_pages(wren, f"{path}?page_size=2") == page["results"]
    assert page.headers["cache-control"] == "no-store"


def test_reactions_are_counted_as_their_reader_sees_them(circle):
    post = begin(circle.heron, circle.sleep).post
    path = f"{HERE}/posts/{post.id}/reactions"
    for caller in (here(circle.wren), here(circle.owl)):
        caller.ask("PUT", path, expect=200, body={"kinds": ["hugs"]})
    lark = here(circle.lark)
    set_bond(circle.lark.id, circle.wren.id, BondKind.MUTE, as_actor(circle.lark))
    got = lark.ask("PUT", path, expect=200, body={"kinds": ["same"]})
    assert (got["hugs"], got["same"]) == (1, 1)
    for surface in ("search?words=sleep", f"members/{circle.heron.id}/texts"):
        [text] = lark.ask("GET", f"{HERE}/{surface}", expect=200)["results"]
        assert text["hugs"] == 1
    set_bond(circle.heron.id, circle.owl.id, BondKind.BLOCK, as_actor(circle.heron))
    thread = f"{HERE}/threads/{post.thread_id}"
    assert here(circle.heron).ask("GET", thread, expect=200)["opener"]["hugs"] == 1
    assert here(circle.eagle).ask("GET", thread, expect=200)["opener"]["hugs"] == 2


def test_experiences_like_mine_are_found_by_all_that_a_profile_says(circle):
    wren = circle.wren
    wren.condition, wren.months, wren.interval_days, wren.tags = "other", 7, 21, ["sleep"]
    wren.save()
    tags = ("other", "under_2_years", "three_weekly", "sleep")
    for tag in (*tags, "under_6_months", "mood"):
        begin(circle.heron, circle.sleep, title=tag, tags=(tag,))
    found = here(wren).ask("GET", f"{HERE}/threads?mine=like", expect=200)["results"]
    assert {one["title"] for one in found} == set(tags)
    assert [of_months(n) for n in (0, 5, 6, 23, 24)] == [
        "under_6_months", "under_6_months", "under_2_years", "under_2_years", "over_2_years",
    ]  # fmt: skip


def test_unread_marks_count_what_others_wrote_since(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    heron, wren = here(circle.heron), here(circle.wren)

    def unread(caller: Caller) -> int | None:
        (entry,) = caller.ask("GET", f"{HERE}/threads", expect=200)["results"]
        return entry["unread"]

    assert unread(wren) is None
    opener = wren.ask("GET", f"{HERE}/threads/{thread.id}", expect=200)["opener"]
    path = f"{HERE}/threads/{thread.id}/read"
    wren.ask("POST", path, expect=204, body={"post": opener["id"]})
    heron.ask("POST", path, expect=204, body={"post": opener["id"]})
    replies = [answer(circle.heron, thread, now=minutes(number)).post for number in (1, 2)]
    assert (unread(wren), unread(heron)) == (2, 0)
    wren.ask("POST", path, expect=204, body={"post": str(replies[1].id)})
    wren.ask("POST", path, expect=204, body={"post": str(replies[0].id)})
    assert unread(wren) == 0
    waits = answer(circle.novice, thread).post
    wren.ask("POST", path, expect=404, body={"post": str(waits.id)})


def test_search_finds_words_in_the_language_of_the_text(circle):
    begin(circle.heron, circle.sleep, "Injecting in the evening.", "Evenings", now=minutes(1))
    begin(circle.heron, circle.sleep, "I injected, injected and injected.", "Twice")
    begin(circle.heron, circle.sleep, "Spritzen am Abend.", "Abends", language="de")
    wren = here(circle.wren)

    def found(query: str) -> list[str]:
        return [one["title"] for one in all_pages(wren, f"{HERE}/search?page_size=1&words={query}")]

    assert found("injection") == ["Evenings", "Twice"]
    assert found("injection -evening") == ["Twice"]
    assert found("%22the evening%22") == ["Evenings"]
    assert found("spritze") == []
    assert found("spritze&language=de") == ["Abends"]
    best = wren.ask("GET", f"{HERE}/search?words=injected&sort=best", expect=200)["results"]
    assert [one["title"] for one in best] == ["Twice", "Evenings"]
    wren.ask("GET", f"{HERE}/search", expect=400, field="words")


def test_an_authors_page_shows_what_can_be_seen(circle):
    for number in range(3):
        begin(circle.heron, circle.sleep, title=f"Night {number}", now=minutes(number))
    begin(circle.heron, circle.sleep, "See www.example.com.", "Waits")
    wren = here(circle.wren)
    path = f"{HERE}/members/{circle.heron.id}/texts"
    titles = [one["title"] for one in all_pages(wren, f"{path}?page_size=2")]
    assert titles == ["Night 2", "Night 1", "Night 0"]
    wren.ask("GET", f"{HERE}/members/{circle.sleep.id}/texts", expect=404)


def test_spaces_are_named_in_the_readers_language(circle):
    circle.sleep.title = {"en": "Sleep", "de": "Schlaf"}
    circle.sleep.save()
    circle.wren.language = "de"
    circle.wren.save()
    listed = here(circle.wren).ask("GET", f"{HERE}/spaces", expect=200)["results"]
    assert [one["title"] for one in listed] == ["Schlaf", "Work"]


@pytest.mark.parametrize("cursor", ["x", "A" * 31, "A" * 31 + "%20"])
def test_a_cursor_that_is_none(circle, cursor):
    here(circle.wren).ask("GET", f"{HERE}/threads?cursor={cursor}", expect=400, field="cursor")


def test_a_cursor_of_ones_own_making_is_read_as_what_it_says(circle):
    begin(circle.heron, circle.sleep)
    wren = here(circle.wren)
    for cursor, shown in (("_" * 32, 1), ("A" * 32, 0)):
        page = wren.ask("GET", f"{HERE}/threads?cursor={cursor}", expect=200)
        assert len(page["results"]) == shown
