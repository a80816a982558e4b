"""Drafts: what somebody is writing survives a closed window, and a refusal. Nobody else sees them.

Personal data is masked in them too, so that it is kept nowhere; a sign of danger shows help, and
calls nobody: it hasn't been said to anybody yet.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.refusals import NotFound
from community.members.bonds import sees
from community.models import Draft, LiveThread, Persona, Space
from community.moderation.rule_book import current_book
from community.posts.judging import Assessment, Writing, assess


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
    if space_id is not None and not Space.objects.filter(id=space_id).exists():
        raise NotFound("space")
    if thread_id is not None:
        live = LiveThread.objects.filter(thread=thread_id).first()
        if live is None or not sees(persona_id, live.author_id):
            raise NotFound("thread")
    assessment = assess(writing, current_book(), trusted=True)
    kept = assessment.writing
    Draft.objects.bulk_create(
        [
            Draft(
                persona_id=persona_id,
                space_id=space_id,
                thread_id=thread_id,
                title=kept.title,
                body=kept.body,
                tags=list(kept.tags),
                saved_at=now,
            )
        ],
        update_conflicts=True,
        unique_fields=["persona", "thread", "space"],
        update_fields=["title", "body", "tags", "saved_at"],
    )
    draft = Draft.objects.get(persona_id=persona_id, space=space_id, thread=thread_id)
    return draft, assessment


def keep_draft(
    persona_id: UUID,
    writing: Writing,
    now: datetime,
    *,
    space_id: UUID | None = None,
    thread_id: UUID | None = None,
) -> None:
    """Keep what was refused, if it can be: the refusal says so."""
    try:
        save_draft(persona_id, writing, now, space_id=space_id, thread_id=thread_id)
    except NotFound:
        return


def drafts_of(persona: Persona) -> list[Draft]:
    """What a persona is writing, the newest first. One writes few things at a time."""
    return list(Draft.objects.filter(persona=persona).order_by("-saved_at"))


def throw_away(persona_id: UUID, draft_id: UUID) -> None:
    """Forget a draft. Raises NotFound."""
    with transaction.atomic():
        deleted, _ = Draft.objects.filter(persona_id=persona_id, id=draft_id).delete()
        if not deleted:
            raise NotFound("draft")
