"""Sharing a post of one's own with one's care team: the one way between the two worlds.

This side keeps which post it was. What the other side gets is a random id, and the words as they
can be seen at that moment; it knows no persona, and this side no patient. A door hands them over.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.refusals import Conflict, NotFound
from community.models import LiveText, Persona, SharedPost


@dataclass(frozen=True)
class Shared:
    """What the care team gets. id: names it on both sides, and nothing else does."""

    id: UUID
    title: str
    body: str


def share(persona: Persona, post_id: UUID, actor: audit.Actor, now: datetime) -> Shared:
    """Share a post of one's own that can be seen. Raises NotFound for any other, and Conflict for
    one that is shared already."""
    with transaction.atomic():
        # Two at once take turns, and hiding waits: what is shared can be seen.
        live = (
            LiveText.objects.select_for_update(no_key=True, of=("self",))
            .filter(post=post_id, author=persona)
            .first()
        )
        if live is None:
            raise NotFound("post")
        if SharedPost.objects.filter(post=post_id, revoked_at__isnull=True).exists():
            raise Conflict("shared", "You share this post already. Take it back first.")
        row = SharedPost.objects.create(persona=persona, post_id=post_id, shared_at=now)
        _note("share_post", row, actor)
    return Shared(row.id, live.title, live.body)


def revoke(persona: Persona, share_id: UUID, actor: audit.Actor, now: datetime) -> None:
    """Take back what one shared, whatever became of the post. Raises NotFound for another's, and
    for what was taken back already."""
    with transaction.atomic():
        rows = SharedPost.objects.select_for_update().filter(persona=persona)
        row = rows.filter(id=share_id, revoked_at__isnull=True).first()
        if row is None:
            raise NotFound("share")
        _revoke(row, actor, now)


def revoke_all(persona: Persona, actor: audit.Actor, now: datetime) -> list[UUID]:
    """Take back all that one shared, as on leaving; their ids."""
    with transaction.atomic():
        rows = SharedPost.objects.select_for_update().filter(persona=persona)
        ids = []
        for row in rows.filter(revoked_at__isnull=True).order_by("id"):
            _revoke(row, actor, now)
            ids.append(row.id)
    return ids


def shares_of(persona: Persona) -> QuerySet[SharedPost]:
    """What one shared, also what was taken back, for a page of it."""
    return SharedPost.objects.filter(persona=persona)


def _revoke(row: SharedPost, actor: audit.Actor, now: datetime) -> None:
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    _note("revoke_share", row, actor)


def _note(verb: str, row: SharedPost, actor: audit.Actor) -> None:
    """Without the request: the other side's row, which names a user, is of the same one."""
    plain = audit.as_persona(row.persona_id, "") if actor.persona_id else actor
    audit.record(plain, verb, clinic_id=None, subject_id=row.post_id, share=str(row.id))
