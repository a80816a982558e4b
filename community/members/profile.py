"""What a member chooses to say of themselves: choices only, no words of their own."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction

from accounts import audit
from accounts.refusals import Invalid
from community.members.entering import LANGUAGES
from community.members.locking import lock_persona
from community.models import Condition, Persona
from community.tags import OF_DAYS, SIDE_EFFECTS

MOST_MONTHS = 600


@dataclass(frozen=True)
class Profile:
    """condition: blank if they don't say; interval_days, months on treatment: null if they don't.
    tags: side effects that they know."""

    condition: str
    interval_days: int | None
    months: int | None
    tags: tuple[str, ...]
    language: str
    time_zone: str


def profile_of(persona: Persona) -> Profile:
    """What a persona says now."""
    return Profile(
        persona.condition,
        persona.interval_days,
        persona.months,
        tuple(persona.tags),
        persona.language,
        persona.time_zone,
    )


def say(persona_id: UUID, said: Profile, actor: audit.Actor) -> Persona:
    """Let a member's profile be this. Raises Invalid for what isn't one of the choices."""
    _check(said)
    with transaction.atomic():
        persona = lock_persona(persona_id)
        for name, value in vars(said).items():
            setattr(persona, name, list(value) if name == "tags" else value)
        persona.save(update_fields=list(vars(said)))
        audit.record(actor, "say", clinic_id=None, subject_id=persona_id)
    return persona


def _check(said: Profile) -> None:
    wrong = {
        "condition": said.condition not in ("", *Condition.values),
        "interval_days": said.interval_days is not None and said.interval_days not in OF_DAYS,
        "months": said.months is not None and not 0 <= said.months <= MOST_MONTHS,
        "tags": not set(said.tags) <= set(SIDE_EFFECTS),
        "language": said.language not in LANGUAGES,
        "time_zone": said.time_zone not in available_timezones(),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise Invalid(field, "This isn't one of the choices.", field)
