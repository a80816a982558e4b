"""Holding a persona while something of theirs is written."""

from uuid import UUID

from accounts.refusals import NotFound
from community.models import Persona


def lock_persona(persona_id: UUID) -> Persona:
    """The persona, locked. The order of locks is persona, thread, post, case; rows by id.

    Raises NotFound for one who has left, be it a moment ago: nothing is written of theirs any more,
    for nobody would erase it.
    """
    persona = Persona.objects.select_for_update(no_key=True).get(id=persona_id)
    check_is_here(persona)
    return persona


def check_is_here(persona: Persona) -> None:
    """Nothing, unless a locked persona has left; NotFound then."""
    if persona.left_at is not None:
        raise NotFound("member")
