"""Who moderates: leads appoint; the first lead is appointed by whoever runs the service."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, NotFound
from community.models import Persona, PersonaRole
from community.moderation.claiming import hand_all_back


def appoint(persona_id: UUID, role: PersonaRole, actor: audit.Actor, now: datetime) -> Persona:
    """Make somebody a moderator, a lead, or a member again, who leaves their cases to others.

    Raises NotFound, and Conflict for a lead who would change their own role: with nobody left to
    lead, nobody could appoint anybody.
    """
    with transaction.atomic():
        persona = (
            Persona.objects.select_for_update(no_key=True)
            .filter(id=persona_id, left_at__isnull=True)
            .first()
        )
        if persona is None:
            raise NotFound("member")
        if actor.persona_id == persona.id:
            raise Conflict("own_role", "Ask another lead to change your own role.")
        before, persona.role = persona.role, role
        persona.save(update_fields=["role"])
        if role == PersonaRole.MEMBER:
            hand_all_back(persona, actor, now, "role")
        audit.record(
            actor, "appoint", clinic_id=None, subject_id=persona.id, before=before, to=role.value
        )
    return persona
