"""Sharing a post of one's own with one's care team: the one way between the two worlds.

This side keeps which post it was, and in which wording. What the other side gets is a random id,
and the words as they can be seen at that moment; it knows no persona, and this side no patient. A
door hands them over. What becomes of the post later changes nothing there: it is taken back by its
author's own act alone, or by their leaving.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.refusals import Conflict, NotFound
from community.members.locking import lock_persona
from community.models import LiveText, Persona, SharedPost
from community.reading.keyset import Place, older


@dataclass(frozen=True)
class Shared:
    """What the care team gets. id: names it on both sides, and nothing else does."""

    id: UUID
    title: str
    body: str


def share(
    persona: Persona,
    post_id: UUID,
    actor: audit.Actor,
    now: datetime,
    *,
    seen: UUID | None = None,
) -> Shared:
    """Share a post of one's own that can be seen. seen: the revision that its author was shown.

    Raises NotFound for any other post, and for who has left; Conflict for one that is shared
    already, and for one that can be seen in another wording than `seen` now.
    """
    with transaction.atomic():
        # Leaving, which takes all back, comes before or after it; and two at once take turns.
        lock_persona(persona.id)
        # Hiding waits: what is shared can be seen.
        live = _live(persona, post_id).select_for_update(no_key=True, of=("self",)).first()
        if live is None:
            raise NotFound("post")
        if seen is not None and live.revision_id != seen:
            raise Conflict("changed_meanwhile", "Its words have changed. Look at them again.")
        if share_of(persona, post_id) is not None:
            raise Conflict("shared", "You share this post already. Take it back first.")
        row = SharedPost.objects.create(
            persona=persona, post_id=post_id, revision_id=live.revision_id, shared_at=now
        )
        _note("share_post", row, actor)
    return Shared(row.id, live.title, live.body)


def shareable(persona: Persona, post_id: UUID) -> LiveText:
    """A post of one's own as it would be shared now. Raises NotFound for any that can't be seen."""
    live = _live(persona, post_id).first()
    if live is None:
        raise NotFound("post")
    return live


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
    """Take back all that one shared, as on leaving; their ids. In the caller's transaction nothing
    more can be shared."""
    with transaction.atomic():
        lock_persona(persona.id)
        rows = SharedPost.objects.select_for_update().filter(persona=persona)
        ids = []
        for row in rows.filter(revoked_at__isnull=True).order_by("id"):
            _revoke(row, actor, now)
            ids.append(row.id)
    return ids


def shares_of(persona: Persona) -> QuerySet[SharedPost]:
    """What one shared, also what was taken back, for a page of it."""
    return SharedPost.objects.filter(persona=persona)


def shared_now(persona: Persona, after: Place | None, most: int) -> list[SharedPost]:
    """What one shares now, with the wording that the care team has, the latest first."""
    rows = shares_of(persona).filter(revoked_at__isnull=True).select_related("revision", "post")
    if after:
        rows = rows.filter(older("shared_at", "id", after))
    return list(rows.order_by("-shared_at", "-id")[:most])


def share_of(persona: Persona, post_id: UUID) -> SharedPost | None:
    """By what one shares a post now; None if one doesn't."""
    return shares_of(persona).filter(post=post_id, revoked_at__isnull=True).first()


def _live(persona: Persona, post_id: UUID) -> QuerySet[LiveText]:
    return LiveText.objects.filter(post=post_id, author=persona)


def _revoke(row: SharedPost, actor: audit.Actor, now: datetime) -> None:
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    _note("revoke_share", row, actor)


def _note(verb: str, row: SharedPost, actor: audit.Actor) -> None:
    """Without the request: the other side's row, which names a user, is of the same one."""
    plain = audit.as_persona(row.persona_id, "") if actor.persona_id else actor
    audit.record(plain, verb, clinic_id=None, subject_id=row.post_id, share=str(row.id))
