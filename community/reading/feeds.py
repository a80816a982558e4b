"""Feeds: the threads of all spaces, of one, of a tag, or like one's own, new or active first.

A page costs what it shows, be it the first or a deep one: each order is an index's. But for whom
somebody is hidden by a bond a thread's place among the active ones is that of the newest text they
see: what those hidden wrote last is looked for apart, and set in where it belongs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet, Subquery

from accounts.refusals import NotFound
from community.members.bonds import Among, Hidden, unseen_by, without
from community.models import Follow, LiveTag, LiveText, LiveThread, Persona, Space
from community.reading.keyset import Place, older
from community.reading.marks import activity_seen, newest_seen, replies_seen, unread
from community.tags import OF_DAYS, of_months

Row = TypeVar("Row", LiveThread, LiveTag)


class Order(StrEnum):
    """new: begun last first. active: with the newest text first."""

    NEW = "new"
    ACTIVE = "active"

    @property
    def instant(self) -> str:
        return "published_at" if self is Order.NEW else "active_at"


@dataclass(frozen=True)
class Wanted:
    """Which threads. tag, like_mine, followed: at most one of them, in all spaces."""

    order: Order
    space: UUID | None = None
    tag: str = ""
    like_mine: bool = False
    followed: bool = False


@dataclass(frozen=True)
class Entry:
    """A thread in a feed. replies: those that its reader sees. unread: texts since it was read to,
    at most marks.MOST; null if never."""

    live: LiveThread
    opener: LiveText
    replies: int
    unread: int | None


def feed(me: Persona, wanted: Wanted, after: Place | None, most: int) -> list[Entry]:
    """The first threads after a place that a persona sees. In a space without the pinned ones, and
    NotFound if there is no such space."""
    hidden = unseen_by(me.id)
    if wanted.space and not Space.objects.filter(id=wanted.space).exists():
        raise NotFound("space")
    tags = _tags(me, wanted)
    if wanted.like_mine and not tags:
        return []
    threads = without(LiveThread.objects.all(), hidden, "author")
    if tags:
        threads = threads.filter(tags__overlap=tags)
    if wanted.space:
        threads = threads.filter(space=wanted.space, pinned=False)
    if wanted.followed:
        mine = Follow.objects.filter(persona=me)
        threads = threads.filter(thread__in=mine.values("thread"))
    aside = threads.none()
    if wanted.order is Order.ACTIVE and hidden:
        aside = threads.filter(Among("active_by", hidden))
        threads = without(threads, hidden, "active_by")
    if tags:
        places = _tagged(tags, hidden, wanted.order, after, most)
    else:
        places = list(_first(threads, wanted.order.instant, after, most))
    places += _out_of_order(aside, hidden, after, places, most)
    # Somebody hidden may have written between the two looks: a thread is found by both then.
    keys = [thread for _, thread in sorted(set(places), reverse=True)[:most]]
    return entries(me, keys, wanted.order, hidden)


def pinned(me: Persona, space: UUID, order: Order) -> list[Entry]:
    """A space's pinned threads: a few, by moderators' choice."""
    hidden = unseen_by(me.id)
    threads = without(LiveThread.objects.filter(space=space, pinned=True), hidden, "author")
    return entries(me, list(threads.values_list("thread", flat=True)), order, hidden)


def like(me: Persona) -> list[str]:
    """The tags of a persona's own experience: what they chose to say of it."""
    interval = OF_DAYS.get(me.interval_days or 0, "")
    since = "" if me.months is None else of_months(me.months)
    return sorted({*me.tags, interval, since, me.condition} - {""})


def _tags(me: Persona, wanted: Wanted) -> list[str]:
    if wanted.like_mine:
        return like(me)
    return [wanted.tag] if wanted.tag else []


def _first(
    rows: QuerySet[Row], instant: str, after: Place | None, most: int
) -> QuerySet[Row, Place]:
    """The first places after one, newest first."""
    if after:
        rows = rows.filter(older(instant, "thread_id", after))
    ordered = rows.order_by(f"-{instant}", "-thread_id")
    return ordered.values_list(instant, "thread_id")[:most]


def _tagged(
    tags: list[str], hidden: Hidden, order: Order, after: Place | None, most: int
) -> list[Place]:
    """The first places with any of some tags: of each as many as could be shown, then of these."""
    unseen = ["thread__author", "thread__active_by"][: 1 + (order is Order.ACTIVE)]
    several = [
        _first(
            without(LiveTag.objects.filter(tag=tag), hidden, *unseen), order.instant, after, most
        )
        for tag in tags
    ]
    first, *others = several
    together = first.union(*others).order_by(f"-{order.instant}", "-thread_id") if others else first
    return list(together[:most])


def _out_of_order(
    aside: QuerySet[LiveThread],
    hidden: Hidden,
    after: Place | None,
    others: list[Place],
    most: int,
) -> list[Place]:
    """The first places of threads in which somebody hidden wrote last: those of the newest text
    that is seen. That one lies between the first text and the last: on a page none belongs that was
    begun after it, nor, if it is full, one that was active before it.
    """
    if after:
        aside = aside.filter(published_at__lte=after[0])
    if len(others) == most:
        aside = aside.filter(active_at__gte=others[-1][0])
    placed = aside.annotate(seen_at=Subquery(newest_seen(hidden)))
    return list(_first(placed, "seen_at", after, most))


def entries(me: Persona, keys: list[UUID], order: Order, hidden: Hidden) -> list[Entry]:
    """Some threads as a feed shows them, in its order."""
    openers = LiveText.objects.filter(thread__in=keys, opens=True).select_related("author")
    by_thread = {opener.thread_id: opener for opener in openers}
    new = unread(me.id, keys, hidden)
    live = list(LiveThread.objects.filter(thread__in=keys))
    activity_seen(live, hidden)
    live.sort(key=lambda one: (getattr(one, order.instant), one.thread_id), reverse=True)
    replies = replies_seen(live, hidden)
    return [
        Entry(one, by_thread[one.thread_id], replies[one.thread_id], new.get(one.thread_id))
        for one in live
        if one.thread_id in by_thread
    ]
