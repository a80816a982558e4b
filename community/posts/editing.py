"""Changing one's own text, and taking it away. Each change is a new revision, judged anew; the
approved one stays to be seen meanwhile."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound, Stale
from community.members.locking import lock_persona
from community.models import Case, CaseKind, Persona, Post, PostState, Report, Thread
from community.moderation import cases
from community.moderation.reports import answer_reports, has_undecided
from community.posts import states, visibility
from community.posts.judging import Writing
from community.posts.posting import (
    Posted,
    add_revision,
    assess_for,
    has_to_wait,
    lock_thread,
    publish,
    state_for,
    to_a_person,
    waits_for_a_crisis,
)
from community.posts.refused import not_lost

S = PostState

EDITABLE = frozenset({S.PUBLISHED, S.PENDING, S.BLOCKED, S.CHANGES_REQUESTED, S.HIDDEN})


def edit(
    author_id: UUID, post_id: UUID, writing: Writing, seen: int, actor: audit.Actor, now: datetime
) -> Posted:
    """Write one's own post anew. seen: the post's version that the author changed.

    Raises NotFound for another's, Invalid for a reply with a title, Stale where something happened
    to it meanwhile, Conflict where it can't be changed any more, and as posting does; no draft is
    kept of it, but a sign of danger in it is heard. A post that
    is seen stays as it was until the new wording is; one that waits goes on waiting, for a person
    has begun to look. The new wording of one that is reported waits for the decision.
    """
    with not_lost(author_id, writing, actor, now):
        author, thread, post = lock_own(author_id, post_id)
        check_version(post, seen)
        if post.state not in EDITABLE:
            raise Conflict("not_editable", "This post can't be changed any more.")
        if post.opens != bool(writing.title):
            raise Invalid("title", "A thread has a title, and a reply has none.", "title")
        assessment = assess_for(author, writing, now)
        held = has_to_wait(author, thread.space, thread, assessment, now, again=True)
        held = held or (not post.opens and waits_for_a_crisis(author, thread))
        # What was reported isn't what a person would find, once it has other words.
        held = held or has_undecided(post)
        revision = add_revision(post, author, assessment, now)
        verdict = state_for(assessment, held=held)
        to = _where(S(post.state), verdict)
        if to == S.PUBLISHED == verdict:
            publish(post, thread, revision, actor, now)
        else:
            states.move(post, to, actor, now, post.published)
            if verdict == S.PENDING or to in (S.PENDING, S.HIDDEN):
                to_a_person(post, revision, assessment, actor, now)
        audit.record(
            actor,
            "edit_post",
            clinic_id=None,
            subject_id=post.id,
            revision=str(revision.id),
            verdict=verdict.value,
            digest=revision.digest,
        )
    return Posted(post, revision, assessment, verdict)


def _where(state: PostState, verdict: PostState) -> PostState:
    """Where a post goes for a new wording of it."""
    match state:
        case S.BLOCKED:
            return verdict
        case S.CHANGES_REQUESTED:
            # Somebody asked for the changes, so somebody looks at them.
            return state if verdict == S.BLOCKED else S.PENDING
        case _:
            return state


def withdraw(author_id: UUID, post_id: UUID, seen: int, actor: audit.Actor, now: datetime) -> Post:
    """Take one's own post away; with an opening post the thread goes. It can't be brought back.

    Raises as `edit` does. What waited for a decision about it is closed, but for a sign of danger.
    """
    with transaction.atomic():
        _, thread, post = lock_own(author_id, post_id)
        check_version(post, seen)
        if not states.can_move(post, S.WITHDRAWN):
            raise Conflict("not_withdrawable", "This post has been taken away already.")
        take_away(post, thread, S.WITHDRAWN, actor, now)
    return post


def take_away(post: Post, thread: Thread, to: PostState, actor: audit.Actor, now: datetime) -> None:
    """Take a locked post away for good, at its author's wish."""
    states.move(post, to, actor, now, post.published)
    visibility.refresh(post, thread)
    open_ones = Case.objects.select_for_update().filter(
        post=post, closed_at__isnull=True, crisis=False
    )
    for case in open_ones.exclude(kind=CaseKind.APPEAL):
        cases.close(case, actor, now, why=to.value)
        answer_reports(case, Report.Outcome.WITHDRAWN, now)


def ask_for_a_person(
    author_id: UUID, post_id: UUID, seen: int, actor: audit.Actor, now: datetime
) -> Post:
    """Let a person look at what the rules didn't take. Raises as `edit` does."""
    with transaction.atomic():
        author, _, post = lock_own(author_id, post_id)
        check_version(post, seen)
        if post.state != S.BLOCKED:
            raise Conflict("not_blocked", "The rules have not turned this post away.")
        states.move(post, S.PENDING, actor, now, post.published)
        cases.open_case(CaseKind.REVIEW, post, author, actor, now, asked="author")
    return post


def lock_own(author_id: UUID, post_id: UUID) -> tuple[Persona, Thread, Post]:
    """One's own post with its thread, locked in order; NotFound for another's."""
    author = lock_persona(author_id)
    thread_id = (
        Post.objects.filter(id=post_id, author=author).values_list("thread_id", flat=True).first()
    )
    if thread_id is None:
        raise NotFound("post")
    thread = lock_thread(thread_id)
    post = lock_post(post_id)
    if post.thread_id != thread.id:
        raise Stale("changed_meanwhile", "A moderator has just moved this post: look again.")
    return author, thread, post


def lock_post(post_id: UUID) -> Post:
    """A post, locked after its thread."""
    return (
        Post.objects.select_for_update(no_key=True, of=("self",))
        .select_related("author", "published")
        .get(id=post_id)
    )


def check_version(post: Post, seen: int) -> None:
    """Nothing, if nothing happened to a post since version `seen`; Stale else."""
    if post.version != seen:
        raise Stale(
            "changed_meanwhile",
            "Something happened to this post since you looked. Look at it as it is now.",
        )
