"""What a member may be called: unique however it is written, and nobody's real name or number."""

import unicodedata
from functools import cache
from itertools import pairwise

from accounts.models import User
from accounts.refusals import Conflict, Invalid
from community.members.names import FORMER
from community.members.staff_names import staff_names
from community.models import Persona
from community.moderation.rule_book import current_book
from community.posts.judging import Writing, assess
from community.rules import State
from community.rules.plain import plain

LEAST, MOST = 3, 30
"""Characters."""

MOST_FIGURES = 4
"""A year, not a number to call."""

_ALIKE = str.maketrans("01345678$@!|i", "oleasgtbsalll")
_CAPITALS_ALIKE = str.maketrans("ΗΥΖΜ", "HYZM")  # noqa: RUF001
"""Greek ones that are drawn as a Latin letter, while their small ones are not, or as another."""
_TWO_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"))
"""What is read as another character, so that nobody can pass for somebody else."""

_WITHIN = (
    *FORMER.values(),
    "former member",
    *("moderator", "moderador", "moderateur", "moderatrice", "cymedrolwr", "administrator"),
    *("dosecircle", "helpdesk"),
)
_AT_A_WORD = ("admin", "nhs")
"""Who would be read as somebody else: who has left, who leads here, who helps for the house."""

_TITLES = (
    *("dr", "doctor", "prof", "professor", "nurse", "sister", "matron", "mr", "mrs", "ms", "miss"),
    *("meddyg", "nyrs", "dra", "doctora", "profesor", "enfermera", "enfermero", "senor", "senora"),
    *("docteur", "docteure", "professeur", "infirmier", "infirmiere", "monsieur", "madame", "mme"),
    *("doktor", "schwester", "pfleger", "herr", "frau", "lekarz", "lekarka", "pani", "pan"),
    *("pielegniarka", "pielegniarz"),
)
"""With one of them before it, a surname alone is somebody's name."""


def key_of(pseudonym: str) -> str:
    """What two pseudonyms are compared by: letters and figures alone, case, accents and look-alikes
    folded, those of two letters too."""
    drawn = unicodedata.normalize("NFKD", pseudonym).translate(_CAPITALS_ALIKE)
    key = plain(drawn).letters.translate(_ALIKE)
    for two, one in _TWO_ALIKE:
        key = key.replace(two, one)
    return key


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
    if not LEAST <= len(pseudonym) <= MOST or len(key) < LEAST or _is_odd(pseudonym):
        raise Invalid(
            "pseudonym", f"Choose {LEAST} to {MOST} letters, figures and blanks.", "pseudonym"
        )
    # As they were typed: in the key some figures are letters.
    if assessment.kinds or sum(map(str.isdigit, plain(pseudonym).letters)) > MOST_FIGURES:
        raise Invalid(
            "pseudonym_personal",
            "Choose one without a phone number, an address or other personal data.",
            "pseudonym",
        )
    if assessment.state != State.PUBLISHED or _is_reserved(pseudonym, key):
        raise _refused(crisis=False)
    if _is_own_name(pseudonym, key, of) or _is_of_staff(pseudonym, key):
        raise Invalid(
            "pseudonym_real_name",
            "Choose one that is nobody's real name: not yours, and not one of a care team.",
            "pseudonym",
        )
    return key


def _is_odd(pseudonym: str) -> bool:
    """Whether there is a character in it that nobody sees or that turns others round, or a pile of
    accents: it would be drawn over its neighbours."""
    kinds = [unicodedata.category(char) for char in unicodedata.normalize("NFC", pseudonym)]
    piles = any(one[0] == two[0] == "M" for one, two in pairwise(kinds))
    return piles or any(kind[0] == "C" or kind == "Me" for kind in kinds)


def _refused(*, crisis: bool) -> Invalid:
    message = "Choose another one: the rules don't take it."
    return Invalid("pseudonym_refused", message, "pseudonym", crisis=crisis)


def _is_reserved(pseudonym: str, key: str) -> bool:
    """Whether it would be read as somebody else's."""
    within, at_a_word = _reserved()
    return any(word in key for word in within) or any(
        tail.startswith(at_a_word) for tail in _tails(pseudonym)
    )


@cache
def _reserved() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(map(key_of, _WITHIN)), tuple(map(key_of, _AT_A_WORD))


@cache
def _titles() -> tuple[str, ...]:
    return tuple(map(key_of, _TITLES))


def _tails(pseudonym: str) -> list[str]:
    """The keys of what a pseudonym says from each of its words on: "DrRoe" begins with a title as
    "Dr Roe" does."""
    words = pseudonym.split()
    return [key_of("".join(words[at:])) for at in range(len(words))]


def check_free(key: str) -> None:
    """Nothing, if nobody has a pseudonym that reads like this; Conflict else."""
    if Persona.objects.filter(pseudonym_key=key).exists():
        raise Conflict(
            "pseudonym_taken", "Somebody has this one, or one that looks like it.", "pseudonym"
        )


def _is_own_name(pseudonym: str, key: str, of: User) -> bool:
    """Whether it holds the joiner's first or last name as a word, or all of it anyhow."""
    names = of.name.split()
    words = {key_of(word) for word in pseudonym.split()}
    own = {key_of(name) for name in names if len(key_of(name)) >= LEAST}
    whole = {key_of("".join(names)), key_of("".join(reversed(names)))}
    return bool(words & own) or any(
        name == key or (len(name) >= 2 * LEAST and name in key) for name in whole
    )


def _is_of_staff(pseudonym: str, key: str) -> bool:
    """Whether it holds the whole name of one who works in a clinic ("Dr Jane Roe" and "janeroe"
    too), or a title and their surname."""
    staff = staff_names(key_of)
    pieces = {
        key[first:last]
        for first in range(len(key))
        for last in range(first + 2 * LEAST, len(key) + 1)
    }
    if pieces & staff.whole:
        return True
    words = {key_of(word) for word in pseudonym.split()}
    for tail in _tails(pseudonym):
        for title in _titles():
            rest = tail.removeprefix(title)
            if rest != tail and (
                rest in staff.last
                or (words & staff.last)
                or any(rest[:end] in staff.last for end in range(LEAST, len(rest)))
            ):
                return True
    return False
