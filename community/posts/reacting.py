"""Gentle reactions to a text, and following a thread."""

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q

from accounts import audit
from accounts.refusals import Conflict, NotFound
from community.members.bonds import sees
from community.members.locking import lock_persona
from community.models import Follow, LiveText, LiveThread, NoticeKind, Reaction, ReactionKind
from community.moderation.sanctions import check_may_write
from community.notices.writing import tell


def react(
    persona_id: UUID, post_id: UUID, kinds: Set[ReactionKind], actor: audit.Actor, now: datetime
) -> LiveText:
    """Let a persona's reactions to a text be these, and no others.

    Raises NotFound for a text that they can't see, Conflict for one's own, and Forbidden for
    somebody who is silenced. The author hears of the first.
    """
    with transaction.atomic():
        persona = lock_persona(persona_id)
        check_may_write(persona, now)
        # Its row is what the counters are in, and it is gone while the text can't be seen.
        live = (
            LiveText.objects.select_for_update(no_key=True, of=("self",))
            .select_related("author", "thread")
            .filter(post=post_id)
            .first()
        )
        if live is None or not sees_text(persona_id, live):
            raise NotFound("post")
        if live.author_id == persona_id:
            raise Conflict("own_post", "This is your own post.")
        mine = Reaction.objects.filter(post=post_id, persona=persona)
        mine.exclude(kind__in=kinds).delete()
        Reaction.objects.bulk_create(
            [Reaction(post_id=post_id, persona=persona, kind=kind) for kind in sorted(kinds)],
            ignore_conflicts=True,
        )
        count(live)
        audit.record(actor, "react", clinic_id=None, subject_id=post_id, kinds=sorted(kinds))
        if kinds and sees(live.author_id, persona_id):
            tell(
                live.author,
                NoticeKind.REACTION,
                f"reaction:{post_id}",
                now,
                post_id=post_id,
                thread_id=live.thread_id,
            )
    return live


def count(live: LiveText) -> None:
    """Let the counters of a locked text be what its reactions are."""
    counted = Reaction.objects.filter(post=live.post_id).aggregate(
        **{kind.value: Count("id", filter=Q(kind=kind)) for kind in ReactionKind}
    )
    live.hugs, live.same, live.helped = (counted[kind.value] for kind in ReactionKind)
    live.save(update_fields=[kind.value for kind in ReactionKind])


_FORGET = """
    UPDATE community_livetext live
    SET hugs = live.hugs - gone.hugs, same = live.same - gone.same,
        helped = live.helped - gone.helped
    FROM (
        SELECT post_id, count(*) FILTER (WHERE kind = 'hugs') AS hugs,
               count(*) FILTER (WHERE kind = 'same') AS same,
               count(*) FILTER (WHERE kind = 'helped') AS helped
        FROM community_reaction WHERE persona_id = %s GROUP BY post_id
    ) gone
    WHERE gone.post_id = live.post_id
"""


def forget_reactions(persona_id: UUID) -> None:
    """Take all of a locked persona's reactions back, the threads of the texts locked."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [persona_id])
    Reaction.objects.filter(persona=persona_id).delete()


def my_reactions(persona_id: UUID, post_ids: list[UUID]) -> dict[UUID, list[str]]:
    """How a persona reacted to each of some posts."""
    found: dict[UUID, list[str]] = {}
    rows = Reaction.objects.filter(persona=persona_id, post__in=post_ids).order_by("kind")
    for post_id, kind in rows.values_list("post", "kind"):
        found.setdefault(post_id, []).append(kind)
    return found


def follow(persona_id: UUID, thread_id: UUID, *, follows: bool, actor: audit.Actor) -> None:
    """Hear of replies in a thread from now on, or no more. Raises NotFound for one that they can't
    see; to hear no more of one is possible all the same."""
    with transaction.atomic():
        persona = lock_persona(persona_id)
        mine = Follow.objects.filter(thread=thread_id, persona=persona)
        if follows == mine.exists():
            return
        if follows:
            live = LiveThread.objects.filter(thread=thread_id).first()
            if live is None or not sees(persona_id, live.author_id):
                raise NotFound("thread")
            Follow.objects.create(thread_id=thread_id, persona=persona)
        else:
            mine.delete()
        audit.record(
            actor, "follow" if follows else "unfollow", clinic_id=None, subject_id=thread_id
        )


def sees_text(persona_id: UUID, live: LiveText) -> bool:
    """Whether a persona sees a text: neither its author nor the thread's is hidden from them."""
    return sees(persona_id, live.author_id) and sees(persona_id, live.thread.author_id)
