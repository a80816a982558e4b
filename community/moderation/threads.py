"""Keeping threads in order: pinned, slowed, closed for replies, moved, put together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict
from community.models import Follow, Notice, Persona, Post, PostState, Space, Thread
from community.moderation.rule_book import current_book
from community.posts import states, visibility
from community.posts.judging import Writing, assess
from community.posts.posting import add_revision, lock_thread
from community.rules import State


def tend(thread_id: UUID, changes: dict[str, Any], actor: audit.Actor) -> Thread:
    """Change how a thread is kept. changes: some of read_only, pinned, slow_seconds (0 to a day).

    Members read a read-only thread, and don't write there; moderators do. Raises NotFound.
    """
    with transaction.atomic():
        thread = lock_thread(thread_id)
        for name, value in changes.items():
            setattr(thread, name, value)
        thread.save(update_fields=list(changes))
        visibility.follow(thread)
        audit.record(actor, "tend_thread", clinic_id=None, subject_id=thread.id, **changes)
    return thread


def move(thread: Thread, opener: Post, space: Space, actor: audit.Actor) -> None:
    """Take a locked thread to another space."""
    _check_opens(opener)
    before = thread.space_id
    thread.space = space
    thread.save(update_fields=["space"])
    visibility.follow(thread)
    audit.record(
        actor, "move_thread", clinic_id=None, subject_id=thread.id, to=str(space.id),
        **{"from": str(before)},
    )  # fmt: skip


def merge(
    thread: Thread,
    opener: Post,
    into: Thread,
    moderator: Persona,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Put a thread that can be seen into another, both locked: its opener becomes a reply there, of
    a new wording that holds its title, judged as any. Raises Conflict."""
    _check_opens(opener)
    if into.id == thread.id or not visibility.is_seen(into):
        raise Conflict("thread", "Choose another thread that can be seen.", "measures")
    old = opener.published
    if old is None or opener.state != PostState.PUBLISHED:
        raise Conflict("not_from_here", "Only a thread that can be seen is put elsewhere.")
    words = Writing("", f"**{old.title}**\n\n{old.body}", old.language, tuple(old.tags))
    assessment = assess(words, current_book(), trusted=True)
    if assessment.state == State.BLOCKED:
        raise Conflict("blocked", "The rules don't take its title and text as a reply.")
    revision = add_revision(opener, moderator, assessment, now)
    opener.opens = False
    opener.save(update_fields=["opens"])
    states.move(opener, PostState.PUBLISHED, actor, now, revision)
    Post.objects.filter(thread=thread).update(thread=into)
    opener.thread = into
    visibility.join(thread, into)
    followers = Follow.objects.filter(thread=thread).values_list("persona_id", flat=True)
    Follow.objects.bulk_create(
        (Follow(thread=into, persona_id=persona_id) for persona_id in followers),
        ignore_conflicts=True,
    )
    Notice.objects.filter(thread=thread).update(thread=into)
    audit.record(actor, "merge_thread", clinic_id=None, subject_id=thread.id, into=str(into.id))


def _check_opens(post: Post) -> None:
    if not post.opens:
        raise Conflict("not_an_opener", "This is a reply: decide on the opening post.", "measures")
