"""The page of a thread, and of an author."""

from dataclasses import dataclass
from uuid import UUID

from accounts.refusals import NotFound
from community.members.bonds import sees, unseen_by, without
from community.models import Follow, LiveText, LiveThread, Persona, ReadMark
from community.reading.keyset import Place, newer, older
from community.reading.marks import activity_seen, reactions_seen, replies_seen


@dataclass(frozen=True)
class ThreadPage:
    """A thread as a persona sees it, with the first replies after a place, oldest first, and how
    many there are. mark: the one they left, if any."""

    live: LiveThread
    opener: LiveText
    replies: list[LiveText]
    count: int
    follows: bool
    mark: ReadMark | None


def read_thread(me: Persona, thread_id: UUID, after: Place | None, most: int) -> ThreadPage:
    """A thread; NotFound for one that can't be seen, or whose author is hidden."""
    hidden = unseen_by(me.id)
    opener = (
        without(LiveText.objects.filter(thread=thread_id, opens=True), hidden, "author")
        .select_related("author", "thread__live")
        .first()
    )
    if opener is None:
        raise NotFound("thread")
    replies = (
        without(LiveText.objects.filter(thread=thread_id, opens=False), hidden, "author")
        .select_related("author")
        .order_by("published_at", "post_id")
    )
    if after:
        replies = replies.filter(newer("published_at", "post_id", after))
    live = opener.thread.live
    shown = list(replies[:most])
    reactions_seen([opener, *shown], hidden)
    activity_seen([live], hidden)
    return ThreadPage(
        live=live,
        opener=opener,
        replies=shown,
        count=replies_seen([live], hidden)[thread_id],
        follows=Follow.objects.filter(thread=thread_id, persona=me).exists(),
        mark=ReadMark.objects.filter(thread=thread_id, persona=me).first(),
    )


def read_member(me: Persona, member_id: UUID) -> Persona:
    """Another member, or oneself; NotFound for one who has left or is hidden."""
    member = Persona.objects.filter(id=member_id, left_at__isnull=True).first()
    if member is None or not sees(me.id, member_id):
        raise NotFound("member")
    return member


def texts_of(me: Persona, member_id: UUID, after: Place | None, most: int) -> list[LiveText]:
    """What a member wrote that can be seen, newest first. Raises as read_member."""
    read_member(me, member_id)
    hidden = unseen_by(me.id)
    texts = (
        without(LiveText.objects.filter(author=member_id), hidden, "thread__author")
        .select_related("author")
        .order_by("-published_at", "-post_id")
    )
    if after:
        texts = texts.filter(older("published_at", "post_id", after))
    found = list(texts[:most])
    reactions_seen(found, hidden)
    return found
