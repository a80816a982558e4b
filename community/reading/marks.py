"""How far a persona has read a thread, how much is new since, and how much they see there: replies,
reactions to them, and since when nothing is new."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery

from accounts.refusals import NotFound
from community.members.bonds import Among, Hidden, unseen_by, without
from community.models import LiveText, LiveThread, Persona, Reaction, ReadMark

MOST = 100
"""Counted no further: "99+"."""

# A count for each of a page's threads that ends early, also where thousands are new.
_NEW = """
    SELECT mark.thread_id, (
        SELECT count(*) FROM (
            SELECT 1 FROM community_livetext live
            WHERE live.thread_id = mark.thread_id AND live.published_at > mark.read_to
                AND live.author_id <> mark.persona_id AND live.author_id <> ALL(%s::uuid[])
            LIMIT %s
        ) new
    )
    FROM community_readmark mark
    WHERE mark.persona_id = %s AND mark.thread_id = ANY(%s::uuid[])
"""


def unread(persona_id: UUID, threads: list[UUID], hidden: Hidden) -> dict[UUID, int]:
    """How many texts of others that a persona sees are new to them in each of some threads, where
    they have read any; at most MOST."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW, [hidden.keys, MOST, persona_id, threads])
        return dict(cursor.fetchall())


def replies_seen(live: Sequence[LiveThread], hidden: Hidden) -> dict[UUID, int]:
    """How many replies a persona sees in each of some threads: all but those by whom a bond hides.
    Only these are counted here, so that it costs nothing to whoever hides nobody."""
    unseen: dict[UUID, int] = {}
    if hidden:
        theirs = LiveText.objects.filter(
            Among("author", hidden), thread__in=[one.thread_id for one in live], opens=False
        )
        unseen = dict(theirs.values_list("thread").annotate(Count("post")))
    return {one.thread_id: one.replies - unseen.get(one.thread_id, 0) for one in live}


def activity_seen(live: Sequence[LiveThread], hidden: Hidden) -> None:
    """Let the instants of some threads' newest texts, as they were read, be those of what a persona
    sees: of whom a bond hides nobody can tell that they wrote. What is stored stays as it is."""
    theirs = {one.thread_id: one for one in live if one.active_by_id in hidden}
    if not theirs:
        return
    threads = LiveThread.objects.filter(thread__in=theirs)
    for thread_id, newest in threads.values_list("thread", Subquery(newest_seen(hidden))):
        theirs[thread_id].active_at = newest


def newest_seen(hidden: Hidden) -> QuerySet[LiveText, datetime]:
    """For a query of LiveThread: when the newest text of each that a persona sees was published. An
    index reads it from the newest on, past no more than those hidden wrote last."""
    texts = without(LiveText.objects.filter(thread=OuterRef("thread_id")), hidden, "author")
    return texts.order_by("-published_at").values_list("published_at", flat=True)[:1]


def reactions_seen(texts: Sequence[LiveText], hidden: Hidden) -> None:
    """Let the counters of some texts, as they were read, be those that a persona sees: without the
    reactions of whom a bond hides. What is stored stays as it is."""
    if not hidden:
        return
    by_post = {text.post_id: text for text in texts}
    theirs = Reaction.objects.filter(Among("persona", hidden), post__in=by_post)
    for post_id, kind, count in theirs.values_list("post", "kind").annotate(Count("id")):
        setattr(by_post[post_id], kind, getattr(by_post[post_id], kind) - count)


def mark_read(me: Persona, thread_id: UUID, post_id: UUID) -> None:
    """A persona has read a thread up to a text. Marks only move forward. Raises NotFound for a text
    that they can't see there."""
    hidden = unseen_by(me.id)
    texts = LiveText.objects.filter(post=post_id, thread=thread_id)
    live = without(texts, hidden, "author", "thread__author").first()
    if live is None:
        raise NotFound("post")
    with transaction.atomic():
        ReadMark.objects.bulk_create(
            [ReadMark(thread_id=thread_id, persona=me, read_to=live.published_at)],
            ignore_conflicts=True,
        )
        ReadMark.objects.filter(thread=thread_id, persona=me, read_to__lt=live.published_at).update(
            read_to=live.published_at
        )
