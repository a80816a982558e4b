"""Notices are written in the transaction of what they tell of, and hold its ids alone."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from community.models import Channel, Contact, Follow, Notice, NoticeKind, Persona, Post, Thread

PERSONAL = frozenset(
    {
        NoticeKind.DECISION,
        NoticeKind.REPORT,
        NoticeKind.APPEAL,
        NoticeKind.APPROVED,
        NoticeKind.MOVED,
    }
)
"""What became of somebody's own: it is told whatever they chose."""

TEXT_AFTER = timedelta(minutes=10)
"""How long a text waits, for what is read in the app by then needs none."""


def tell(persona: Persona, kind: NoticeKind, once: str, now: datetime, **about: Any) -> None:
    """Tell one persona of one thing, once. about: fields of Notice."""
    tell_each([Notice(persona=persona, kind=kind, once=once, at=now, **about)], now)


def tell_each(notices: Sequence[Notice], now: datetime) -> None:
    """Tell several personas, each of what is theirs, once."""
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    _text_soon([notice.persona_id for notice in notices], now)


# By one statement, for a thread that many follow is locked meanwhile.
_TELL_FOLLOWERS = """
    INSERT INTO community_notice (id, persona_id, kind, once, thread_id, post_id, facts, at)
    SELECT uuidv7(), follow.persona_id,
           CASE WHEN follow.persona_id = %(began)s THEN 'reply' ELSE 'followed' END,
           %(once)s, %(thread)s, %(post)s, '{}', %(now)s
    FROM community_follow follow
    WHERE follow.thread_id = %(thread)s AND follow.persona_id <> %(wrote)s
    ON CONFLICT (persona_id, once) DO NOTHING
"""


def tell_of_reply(post: Post, thread: Thread, now: datetime) -> None:
    """Tell those who follow a thread of a reply that can be seen for the first time.

    Who doesn't want to see its author isn't told: that is asked when it is shown or sent, for it
    may change until then.
    """
    facts: dict[str, UUID | datetime | str] = {
        "began": thread.author_id,
        "wrote": post.author_id,
        "once": f"reply:{post.id}",
        "thread": thread.id,
        "post": post.id,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TELL_FOLLOWERS, facts)
    following = Follow.objects.filter(thread=thread).exclude(persona=post.author_id)
    _text_soon(following.values("persona"), now)


def _text_soon(personas: Collection[UUID] | QuerySet[Any, Any], now: datetime) -> None:
    """Look soon at those who asked for texts, unless a look is due anyway: so the cost follows what
    there is to tell, not how many want to be told."""
    asked = Contact.objects.filter(
        persona__in=personas,
        channel=Channel.SMS,
        confirmed_at__isnull=False,
        next_at__isnull=True,
    )
    # By id, for two who tell the same people at once would wait for each other else.
    locked = list(asked.select_for_update().order_by("id").values_list("id", flat=True))
    Contact.objects.filter(id__in=locked).update(next_at=now + TEXT_AFTER)
