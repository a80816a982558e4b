"""Posting: a thread or a reply goes through the rules, and is seen, waits, or isn't taken, in one
transaction with the case that it may open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import audit
from accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from community.members.bonds import sees
from community.members.house_rules import check_has_accepted
from community.members.locking import lock_persona
from community.models import (
    CaseKind,
    Draft,
    Follow,
    Persona,
    PersonaRole,
    Post,
    PostState,
    Revision,
    Space,
    Thread,
)
from community.moderation.cases import in_crisis, in_danger, open_case
from community.moderation.rule_book import current_book
from community.moderation.sanctions import check_may_write
from community.notices.writing import tell_of_reply
from community.posts import states, visibility
from community.posts.judging import Assessment, Writing, assess
from community.posts.limits import TOO_MUCH, check_limits
from community.posts.markdown import to_plain
from community.posts.refused import not_lost
from community.posts.trust import is_trusted
from community.rules import State
from messaging.letters import is_blank

STATE_OF = {
    State.PUBLISHED: PostState.PUBLISHED,
    State.PENDING: PostState.PENDING,
    State.BLOCKED: PostState.BLOCKED,
}


@dataclass(frozen=True)
class Posted:
    """What became of a text. verdict: of this wording; the post itself may stay where it was.
    crisis: its author is to see help at once."""

    post: Post
    revision: Revision
    assessment: Assessment
    verdict: PostState

    @property
    def crisis(self) -> bool:
        return self.assessment.crisis


def open_thread(
    author_id: UUID, space_id: UUID, writing: Writing, actor: audit.Actor, now: datetime
) -> Posted:
    """Begin a thread in a space, with a title.

    Raises NotFound for a space that isn't there, Conflict for one that is closed or for too much
    in an hour, and Forbidden for somebody who is silenced or hasn't accepted the present house
    rules; the words are then kept as a draft. A text with a sign of danger is taken all the same,
    and waits for a person; where it can't be, it is heard (posts/refused.py).
    """
    with not_lost(author_id, writing, actor, now, space_id=space_id):
        author = lock_persona(author_id)
        space = Space.objects.filter(id=space_id).first()
        if space is None:
            raise NotFound("space")
        assessment = assess_for(author, writing, now)
        held = has_to_wait(author, space, None, assessment, now)
        thread = Thread.objects.create(space=space, author=author, opened_at=now)
        posted = _store(author, thread, assessment, actor, now, opens=True, held=held)
        Follow.objects.create(thread=thread, persona=author)
        Draft.objects.filter(persona=author, space=space).delete()
    return posted


def reply(
    author_id: UUID, thread_id: UUID, writing: Writing, actor: audit.Actor, now: datetime
) -> Posted:
    """Reply in a thread that can be seen. Raises as open_thread does, Conflict also for a thread
    that is read-only or in slow mode. Where somebody may be in danger replies of members wait for
    a person; a moderator's don't, unless it is they themselves."""
    with not_lost(author_id, writing, actor, now, thread_id=thread_id):
        author = lock_persona(author_id)
        thread = lock_thread(thread_id)
        if not visibility.is_seen(thread) or not sees(author_id, thread.author_id):
            raise NotFound("thread")
        assessment = assess_for(author, writing, now)
        held = has_to_wait(author, thread.space, thread, assessment, now)
        held = held or waits_for_a_crisis(author, thread)
        posted = _store(author, thread, assessment, actor, now, opens=False, held=held)
        Draft.objects.filter(persona=author, thread=thread).delete()
    return posted


def lock_thread(thread_id: UUID) -> Thread:
    """The thread, locked; NotFound if there is none."""
    thread = Thread.objects.select_for_update(no_key=True).filter(id=thread_id).first()
    if thread is None:
        raise NotFound("thread")
    return thread


def assess_for(author: Persona, writing: Writing, now: datetime) -> Assessment:
    """The rules' word on what somebody writes now. Raises Invalid for what shows nothing."""
    for field in ("title", "body"):
        text = getattr(writing, field)
        if text and is_blank(to_plain(text) if field == "body" else text):
            raise Invalid("nothing_seen", "Nobody would see anything of it. Write words.", field)
    return assess(writing, current_book(), trusted=is_trusted(author, now))


def has_to_wait(
    author: Persona,
    space: Space,
    thread: Thread | None,
    assessment: Assessment,
    now: datetime,
    *,
    again: bool = False,
) -> bool:
    """Whether it has to wait for another reason than the rules': somebody who may not write now, or
    not here, is heard all the same where they may be in danger. Raises Forbidden and Conflict else;
    also for a further cry past the limit of an hour, which comes to the case that is open.

    thread: null for a new one. again: a new wording of what is there, for which slow mode is none.
    """
    held = False
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_has_accepted(author.accepted_rules),
        lambda: check_may_write(author, now),
        lambda: _check_open(author, space, thread),
        lambda: check_limits(author, None if again else thread, now),
    )
    for check in checks:
        try:
            check()
        except (Conflict, Forbidden) as refusal:
            further = refusal.code == TOO_MUCH and in_danger(author.id)
            if further or not assessment.crisis:
                raise
            held = True
    return held


def _check_open(author: Persona, space: Space, thread: Thread | None) -> None:
    """Nothing, if a space and a thread of it take words; Conflict else."""
    if space.closed:
        raise Conflict("space_closed", "Nobody can write in this space now.")
    if thread is not None and thread.read_only and author.role == PersonaRole.MEMBER:
        raise Conflict("read_only", "This thread is closed for replies.")


def waits_for_a_crisis(author: Persona, thread: Thread) -> bool:
    """Whether a reply in a thread waits because somebody there may be in danger. Moderators are
    there to answer; but nobody is one for themselves."""
    if author.role != PersonaRole.MEMBER:
        return in_danger(author.id)
    return in_crisis(thread.id, thread.author_id)


def _store(
    author: Persona,
    thread: Thread,
    assessment: Assessment,
    actor: audit.Actor,
    now: datetime,
    *,
    opens: bool,
    held: bool,
) -> Posted:
    state = state_for(assessment, held=held)
    post = Post.objects.create(
        thread=thread,
        author=author,
        opens=opens,
        # It is moved once its revision is there, which names it.
        state=PostState.BLOCKED if state == PostState.BLOCKED else PostState.PENDING,
        state_at=now,
        latest=0,
        crisis=assessment.crisis,
    )
    revision = add_revision(post, author, assessment, now)
    audit.record(
        actor,
        "post",
        clinic_id=None,
        subject_id=post.id,
        state=post.state,
        revision=str(revision.id),
        digest=revision.digest,
    )
    if state == PostState.PUBLISHED:
        publish(post, thread, revision, actor, now)
    if state == PostState.PENDING:
        to_a_person(post, revision, assessment, actor, now)
    return Posted(post, revision, assessment, state)


def state_for(assessment: Assessment, *, held: bool) -> PostState:
    """Where a text comes to. held: it waits whatever the rules say, but what they block stays
    blocked, unless a person has to read it for another's safety."""
    state = STATE_OF[assessment.state]
    if assessment.crisis or (held and state == PostState.PUBLISHED):
        return PostState.PENDING
    return state


def to_a_person(
    post: Post, revision: Revision, assessment: Assessment, actor: audit.Actor, now: datetime
) -> None:
    """A case for a wording that waits; before all others where somebody may be in danger."""
    kind = CaseKind.CRISIS if assessment.crisis else CaseKind.REVIEW
    rules = sorted({hit["rule"] for hit in assessment.hits})
    open_case(kind, post, post.author, actor, now, revision=str(revision.id), rules=rules)


def publish(
    post: Post, thread: Thread, revision: Revision, actor: audit.Actor, now: datetime
) -> None:
    """Let a revision of a locked post be seen, and tell those who follow, the first time."""
    first = post.published_at is None
    if first:
        post.published_at = now
    states.move(post, PostState.PUBLISHED, actor, now, revision)
    appeared = visibility.refresh(post, thread)
    if first and appeared and not post.opens:
        tell_of_reply(post, thread, now)


def add_revision(post: Post, by: Persona, assessment: Assessment, now: datetime) -> Revision:
    """Store one wording of a locked post, masked, with what the rules made of it."""
    post.latest += 1
    post.crisis = post.crisis or assessment.crisis
    post.save(update_fields=["latest", "crisis"])
    writing = assessment.writing
    return Revision.objects.create(
        post=post,
        number=post.latest,
        by=by,
        language=writing.language,
        title=writing.title,
        body=writing.body,
        tags=list(writing.tags),
        verdict=assessment.state.value,
        crisis=assessment.crisis,
        advice=assessment.advice,
        masked=bool(assessment.kinds),
        hits=assessment.hits,
        rulebook=assessment.rulebook,
        digest=assessment.digest,
        at=now,
    )
