"""What a member is called to others, also once they have left."""

from community.models import Persona

FORMER = {
    "en": "a former member",
    "cy": "cyn-aelod",
    "es": "antiguo miembro",
    "fr": "ancien membre",
    "de": "ehemaliges Mitglied",
    "pl": "były członek",
}


def name_of(persona: Persona, language: str) -> str:
    """The pseudonym, or what stands for it in the reader's language."""
    if persona.left_at is None:
        return persona.pseudonym
    return FORMER.get(language, FORMER["en"])
