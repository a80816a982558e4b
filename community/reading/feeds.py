"""Feeds: the threads of all spaces, of one, of a tag, or like one's own, new or active first.

A page costs what it shows, be it the first or a deep one: each order is an index's.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from accounts.refusals import NotFound
from community.members.bonds import unseen_by
from community.models import Follow, LiveTag, LiveText, LiveThread, Persona, Space
from community.reading.keyset import Place, older
from community.reading.marks import replies_seen, unread
from community.tags import OF_DAYS, of_months


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
    if tags := _tags(me, wanted):
        keys = _tagged(tags, hidden, wanted.order, after, most)
        return entries(me, keys, wanted.order, hidden)
    if wanted.like_mine:
        return []
    threads = LiveThread.objects.exclude(author__in=hidden)
    if wanted.space:
        threads = threads.filter(space=wanted.space, pinned=False)
    if wanted.followed:
        mine = Follow.objects.filter(persona=me)
        threads = threads.filter(thread__in=mine.values("thread"))
    instant = wanted.order.instant
    if after:
        threads = threads.filter(older(instant, "thread_id", after))
    found = threads.order_by(f"-{instant}", "-thread_id").values_list("thread", flat=True)
    return entries(me, list(found[:most]), wanted.order, hidden)


def pinned(me: Persona, space: UUID, order: Order) -> list[Entry]:
    """A space's pinned threads: a few, by moderators' choice."""
    hidden = unseen_by(me.id)
    threads = LiveThread.objects.filter(space=space, pinned=True).exclude(author__in=hidden)
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


def _tagged(
    tags: list[str], hidden: list[UUID], order: Order, after: Place | None, most: int
) -> list[UUID]:
    """The first threads with any of some tags: of each as many as could be shown, then of these."""
    instant = order.instant
    several: list[QuerySet[LiveTag, tuple[UUID, object]]] = []
    for tag in tags:
        rows = LiveTag.objects.filter(tag=tag).exclude(thread__author__in=hidden)
        if after:
            rows = rows.filter(older(instant, "thread_id", after))
        ordered = rows.order_by(f"-{instant}", "-thread_id").values_list("thread_id", instant)
        several.append(ordered[:most])
    first, *others = several
    together = first.union(*others).order_by(f"-{instant}", "-thread_id") if others else first
    return [thread for thread, _ in together[:most]]


def entries(me: Persona, keys: list[UUID], order: Order, hidden: list[UUID]) -> list[Entry]:
    """Some threads as a feed shows them, in its order."""
    openers = LiveText.objects.filter(thread__in=keys, opens=True).select_related("author")
    by_thread = {opener.thread_id: opener for opener in openers}
    new = unread(me.id, keys, hidden)
    found = LiveThread.objects.filter(thread__in=keys).order_by(f"-{order.instant}", "-thread_id")
    live = list(found)
    replies = replies_seen(live, hidden)
    return [
        Entry(one, by_thread[one.thread_id], replies[one.thread_id], new.get(one.thread_id))
        for one in live
        if one.thread_id in by_thread
    ]
