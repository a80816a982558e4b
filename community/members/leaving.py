"""Leaving: the posts stay as a former member's, or all that was written is erased."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import KeptReply
from community.members.entering import forget_user
from community.members.locking import lock_persona
from community.models import (
    Appeal,
    Bond,
    Case,
    CaseEvent,
    CaseKind,
    Contact,
    Decision,
    Draft,
    Duty,
    Follow,
    Notice,
    Persona,
    PersonaRole,
    PersonaSession,
    Post,
    PostState,
    Quiet,
    Reaction,
    ReadMark,
    Report,
    Revision,
    Thread,
)
from community.moderation import cases
from community.moderation.claiming import hand_all_back
from community.moderation.reports import answer_reports
from community.posts import states, visibility
from community.posts.reacting import forget_reactions
from messaging import forgetting


def leave(persona_id: UUID, *, erase: bool, actor: audit.Actor, now: datetime) -> None:
    """Leave for good. Nothing leads from the persona to anybody any more, nor says their name.

    erase: also all words of theirs, and those of moderators about them, wherever they are; a thread
    that they opened goes with its opening post. A sanction that holds is not ended by leaving: they
    join again when it is over. A case of somebody who may be in danger stays for a person to close.
    """
    with transaction.atomic():
        persona = lock_persona(persona_id)
        if erase:
            _erase_posts(persona, actor, now)
            _blank_words(persona)
        hand_all_back(persona, actor, now, "left")
        _forget(persona)
        forget_user(persona, now)
        persona.pseudonym, persona.pseudonym_key, persona.left_at = "", None, now
        persona.role, persona.condition, persona.tags = PersonaRole.MEMBER, "", []
        persona.interval_days = persona.months = None
        persona.save()
        audit.record(actor, "leave", clinic_id=None, subject_id=persona_id, erased=erase)


def _erase_posts(persona: Persona, actor: audit.Actor, now: datetime) -> None:
    """Erase all posts of a locked persona, and take their reactions to others' back."""
    touched = Q(id__in=Post.objects.filter(author=persona).values("thread")) | Q(
        id__in=Reaction.objects.filter(persona=persona).values("post__thread")
    )
    list(Thread.objects.select_for_update(no_key=True).filter(touched).order_by("id"))
    posts = list(Post.objects.select_for_update(no_key=True).filter(author=persona).order_by("id"))
    visibility.take_all_away(posts)
    states.erase_all([post for post in posts if post.state != PostState.ERASED], actor, now)
    open_ones = Case.objects.select_for_update().filter(
        post__author=persona, closed_at__isnull=True, crisis=False
    )
    for case in open_ones.exclude(kind=CaseKind.APPEAL).order_by("id"):
        cases.close(case, actor, now, why=PostState.ERASED.value)
        answer_reports(case, Report.Outcome.WITHDRAWN, now)
    Revision.objects.filter(post__author=persona).update(title="", body="", tags=[], hits=[])
    forget_reactions(persona.id)


def _blank_words(persona: Persona) -> None:
    """Blank every word by a persona, and about them, that isn't a post. Which columns there are is
    listed in tests/unit/test_erasure.py."""
    Report.objects.filter(Q(reporter=persona) | Q(about=persona)).update(words="")
    CaseEvent.objects.filter(case__about=persona).update(text="")
    Decision.objects.filter(about=persona).update(words="")
    Appeal.objects.filter(by=persona).update(words="", answer="")


def _forget(persona: Persona) -> None:
    """Forget what only they had: where to reach them, what they were writing and reading."""
    for model in (PersonaSession, Contact, Draft, Follow, ReadMark, Notice, Bond, Duty, Quiet):
        model.objects.filter(persona=persona).delete()
    # What went to their phone says nothing, but whose phone it is.
    forgetting.forget_of(persona.id)
    KeptReply.objects.filter(owner_id=persona.id).delete()
