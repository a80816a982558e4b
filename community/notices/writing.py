"""Notices are written in the transaction of what they tell of, and hold its ids alone."""

from datetime import datetime
from typing import Any

from community.models import Follow, Notice, NoticeKind, Persona, Post, Thread


def tell(persona: Persona, kind: NoticeKind, once: str, now: datetime, **about: Any) -> None:
    """Tell one persona of one thing, once. about: fields of Notice."""
    Notice.objects.bulk_create(
        [Notice(persona=persona, kind=kind, once=once, at=now, **about)], ignore_conflicts=True
    )


def tell_of_reply(post: Post, thread: Thread, now: datetime) -> None:
    """Tell those who follow a thread of a reply that can be seen for the first time.

    Who doesn't want to see its author isn't told: that is asked when it is shown or sent, for it
    may change until then.
    """
    followers = Follow.objects.filter(thread=thread).exclude(persona=post.author_id)
    Notice.objects.bulk_create(
        (
            Notice(
                persona_id=persona_id,
                kind=(NoticeKind.REPLY if persona_id == thread.author_id else NoticeKind.FOLLOWED),
                once=f"reply:{post.id}",
                thread=thread,
                post=post,
                at=now,
            )
            for persona_id in followers.values_list("persona_id", flat=True)
        ),
        ignore_conflicts=True,
    )
