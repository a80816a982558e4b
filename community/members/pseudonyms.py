"""What a member may be called: unique however it is written, and nobody's real name or number."""

from functools import cache

from accounts.models import User
from accounts.refusals import Conflict, Invalid
from community.members.names import FORMER
from community.models import Persona
from community.moderation.rule_book import current_book
from community.posts.judging import Writing, assess
from community.rules import State
from community.rules.plain import plain

LEAST, MOST = 3, 30
"""Characters."""

_ALIKE = str.maketrans("01345678$@!|i", "oleasgtbsalll")
"""What is read as another character, so that nobody can pass for somebody else."""


def key_of(pseudonym: str) -> str:
    """What two pseudonyms are compared by: letters and figures alone, case, accents and look-alikes
    folded."""
    return plain(pseudonym).letters.translate(_ALIKE)


def check_pseudonym(pseudonym: str, language: str, of: User) -> str:
    """The key of a pseudonym that may be had, not counting whether it is taken; Invalid else.

    of: who joins, whose own name it must not hold. A sign of danger, which `crisis` of the
    refusal's facts tells, is looked for before anything else that could be wrong.
    """
    pseudonym = " ".join(pseudonym.split())
    key = key_of(pseudonym)
    assessment = assess(Writing("", pseudonym, language), current_book(), trusted=True)
    if assessment.crisis:
        raise _refused(crisis=True)
    if not LEAST <= len(pseudonym) <= MOST or len(key) < LEAST:
        raise Invalid(
            "pseudonym", f"Choose {LEAST} to {MOST} letters, figures and blanks.", "pseudonym"
        )
    if assessment.kinds or sum(map(str.isdigit, key)) > 4:
        raise Invalid(
            "pseudonym_personal",
            "Choose one without a phone number, an address or other personal data.",
            "pseudonym",
        )
    if assessment.state != State.PUBLISHED or key in _reserved():
        raise _refused(crisis=False)
    if _holds_a_name(pseudonym, key, of):
        raise Invalid(
            "pseudonym_real_name",
            "Choose one that is nobody's real name: not yours, and not one of a care team.",
            "pseudonym",
        )
    return key


def _refused(*, crisis: bool) -> Invalid:
    message = "Choose another one: the rules don't take it."
    return Invalid("pseudonym_refused", message, "pseudonym", crisis=crisis)


@cache
def _reserved() -> frozenset[str]:
    """What would be read as somebody else: who has left, or who leads here."""
    return frozenset(key_of(name) for name in (*FORMER.values(), "moderator", "admin"))


def check_free(key: str) -> None:
    """Nothing, if nobody has a pseudonym that reads like this; Conflict else."""
    if Persona.objects.filter(pseudonym_key=key).exists():
        raise Conflict(
            "pseudonym_taken", "Somebody has this one, or one that looks like it.", "pseudonym"
        )


def _holds_a_name(pseudonym: str, key: str, of: User) -> bool:
    """Whether it holds the joiner's first or last name, or the whole name of one who works in a
    clinic ("Dr Jane Roe" and "janeroe" too)."""
    words = {key_of(word) for word in pseudonym.split()}
    own = {key_of(word) for word in of.name.split() if len(key_of(word)) >= LEAST}
    if words & own or key_of(of.name) == key:
        return True
    staff = User.objects.filter(memberships__isnull=False).values_list("name", flat=True)
    names = (key_of(name) for name in staff.distinct().iterator())
    return any(len(name) >= 2 * LEAST and name in key for name in names)
