"""Drafts: what somebody is writing survives a closed window, and a refusal. Nobody else sees them.

Personal data is masked in them too, so that it is kept nowhere; a sign of danger shows help, and
calls nobody: it hasn't been said to anybody yet.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.refusals import NotFound
from community.members.bonds import sees
from community.members.locking import lock_persona
from community.models import Draft, LiveThread, Persona, Space, Thread
from community.moderation.rule_book import current_book
from community.posts.judging import Assessment, Writing, assess

MOST = 100
"""Drafts of one member, ours: one writes few things at a time. Those begun first go."""


def save_draft(
    persona_id: UUID,
    writing: Writing,
    now: datetime,
    *,
    space_id: UUID | None = None,
    thread_id: UUID | None = None,
) -> tuple[Draft, Assessment]:
    """Keep what a persona is writing, in a space (a new thread) or a thread (a reply); and what the
    rules would make of it, so that the author is told while writing. Raises NotFound."""
    if thread_id is not None:
        live = LiveThread.objects.filter(thread=thread_id).first()
        if live is None or not sees(persona_id, live.author_id):
            raise NotFound("thread")
    return _keep(persona_id, writing, now, space_id, thread_id)


def keep_draft(
    persona_id: UUID,
    writing: Writing,
    now: datetime,
    *,
    space_id: UUID | None = None,
    thread_id: UUID | None = None,
) -> bool:
    """Keep what was refused, also for a thread that has just gone: the words are their author's.
    Answers whether it could be kept."""
    try:
        _keep(persona_id, writing, now, space_id, thread_id)
    except NotFound:
        return False
    return True


def _keep(
    persona_id: UUID,
    writing: Writing,
    now: datetime,
    space_id: UUID | None,
    thread_id: UUID | None,
) -> tuple[Draft, Assessment]:
    if space_id is not None and not Space.objects.filter(id=space_id).exists():
        raise NotFound("space")
    if thread_id is not None and not Thread.objects.filter(id=thread_id).exists():
        raise NotFound("thread")
    assessment = assess(writing, current_book(), trusted=True)
    kept = assessment.writing
    draft = Draft(
        persona_id=persona_id,
        space_id=space_id,
        thread_id=thread_id,
        title=kept.title,
        body=kept.body,
        tags=list(kept.tags),
        saved_at=now,
    )
    with transaction.atomic():
        lock_persona(persona_id)
        # It is held from here on, so that it is there to be read though it is thrown away or posted
        # at the same moment.
        Draft.objects.bulk_create(
            [draft],
            update_conflicts=True,
            unique_fields=["persona", "thread", "space"],
            update_fields=["title", "body", "tags", "saved_at"],
        )
        saved = Draft.objects.get(persona_id=persona_id, space=space_id, thread=thread_id)
        mine = Draft.objects.filter(persona=persona_id).exclude(id=saved.id)
        beyond = mine.order_by("-id").values_list("id", flat=True)[MOST - 1 :]
        mine.filter(id__in=list(beyond)).delete()
    return saved, assessment


def drafts_of(persona: Persona) -> QuerySet[Draft]:
    """What a persona is writing, begun last first."""
    return Draft.objects.filter(persona=persona).order_by("-id")


def throw_away(persona_id: UUID, draft_id: UUID) -> None:
    """Forget a draft. Raises NotFound."""
    with transaction.atomic():
        deleted, _ = Draft.objects.filter(persona_id=persona_id, id=draft_id).delete()
        if not deleted:
            raise NotFound("draft")
