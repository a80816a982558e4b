"""Keeping threads in order: pinned, slowed, closed for replies, moved, put together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Concat

from accounts import audit
from accounts.refusals import Conflict
from community.models import (
    Draft,
    Follow,
    Notice,
    Persona,
    Post,
    PostState,
    ReadMark,
    Space,
    Thread,
)
from community.moderation.rule_book import current_book
from community.posts import states, visibility
from community.posts.judging import Writing, assess
from community.posts.posting import add_revision, lock_thread
from community.rules import State

MOST_PINNED = 5
"""Pinned threads of a space, which all stand on its first page; ours."""


def tend(thread_id: UUID, changes: dict[str, Any], actor: audit.Actor) -> Thread:
    """Change how a thread is kept. changes: some of read_only, pinned, slow_seconds (0 to a day).

    Members read a read-only thread, and don't write there; moderators do. Raises NotFound, and
    Conflict where many threads are pinned already.
    """
    with transaction.atomic():
        thread = lock_thread(thread_id)
        if changes.get("pinned") and not thread.pinned:
            _check_room(thread)
        for name, value in changes.items():
            setattr(thread, name, value)
        thread.save(update_fields=list(changes))
        visibility.follow(thread)
        audit.record(actor, "tend_thread", clinic_id=None, subject_id=thread.id, **changes)
    return thread


def _check_room(thread: Thread) -> None:
    """Nothing, if one more thread of a space may be pinned; Conflict else. The space is locked, so
    that two at once are counted one after the other."""
    Space.objects.select_for_update(no_key=True).get(id=thread.space_id)
    others = Thread.objects.filter(space=thread.space_id, pinned=True)
    if others[MOST_PINNED - 1 : MOST_PINNED].exists():
        raise Conflict(
            "many_pinned", f"{MOST_PINNED} threads are pinned there already. Unpin one first."
        )


def move(thread: Thread, opener: Post, space: Space, actor: audit.Actor) -> None:
    """Take a locked thread to another space, where it isn't pinned."""
    _check_opens(opener)
    before = thread.space_id
    thread.space, thread.pinned = space, False
    thread.save(update_fields=["space", "pinned"])
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
    a new wording that holds its title, judged as any. What readers had there (who follows it, what
    they are writing, how far they have read) goes along. Raises Conflict."""
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
    _take_along(thread, into)
    Notice.objects.filter(thread=thread).update(thread=into)
    audit.record(actor, "merge_thread", clinic_id=None, subject_id=thread.id, into=str(into.id))


def _take_along(thread: Thread, into: Thread) -> None:
    """Let what readers had in a thread be in another. Who had both keeps both: two drafts are one,
    and what was unread in either is unread."""
    kept: tuple[type[Follow | Draft | ReadMark], ...] = (Follow, Draft, ReadMark)
    for model in kept:
        there = model.objects.filter(thread=into).values_list("persona_id", flat=True)
        model.objects.filter(thread=thread).exclude(persona__in=there).update(thread=into)
    theirs = {"thread": thread, "persona": OuterRef("persona")}
    both = Draft.objects.filter(thread=into).annotate(
        more=Subquery(Draft.objects.filter(**theirs).values("body")[:1])
    )
    both.filter(more__isnull=False).update(
        body=Concat("body", Value("\n\n"), "more", output_field=TextField())
    )
    read = ReadMark.objects.filter(thread=into).annotate(
        less=Subquery(ReadMark.objects.filter(**theirs).values("read_to")[:1])
    )
    read.filter(less__lt=F("read_to")).update(read_to=F("less"))
    for model in kept:
        model.objects.filter(thread=thread).delete()


def _check_opens(post: Post) -> None:
    if not post.opens:
        raise Conflict("not_an_opener", "This is a reply: decide on the opening post.", "measures")
