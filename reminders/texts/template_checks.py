"""What a clinic's own text may say: problems keep it from being saved, warnings don't.

Rules of FACTS, SMS law and carriers: the sender named and a contact stated, no link, no personal
data; discreet texts carry no drug and no disease; answers never collide with the carriers' words;
160 characters; a reading age of 9 to 11. No measure of reading age is made for one or two sentences
in six languages, so what is counted is what all of them count: words in a sentence, letters in a
word. A long sentence can always be cut in two, so it is refused; a long word is warned of, for it
may be a ward's name.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from string import Formatter
from typing import Any

from accounts.models import Clinic
from messaging.segments import count_segments
from messaging.vocabulary import carrier_words
from reminders.dates.ladder import Step
from reminders.models import Language, Policy, Wording
from reminders.texts import wording
from reminders.texts.offers import HEARD_AFTER, MEANS, offers, wrong_offers

ONE_TEXT = 160
MOST_CHARACTERS = 480
ALWAYS = frozenset({"clinic", "phone"})
NOT_ALWAYS = frozenset({"every"})

LINK = re.compile(r"://|\bwww\b|[^\W\d_]{2,}\.[^\W\d_]{2,}", re.IGNORECASE)
"""Also two words without a blank after the full stop: phones make a link of them."""
DIGITS = re.compile(r"(?:[0-9][\s().\-/]*){5,}")
"""Five digits and more, however they are grouped, can be called or taken for somebody's number."""
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
QUOTE = r"[\"'\u2018-\u201e\u00ab\u00bb]"


@dataclass(frozen=True)
class Remark:
    """Something to mend, or to think about."""

    code: str
    message: str


@dataclass(frozen=True)
class Checked:
    """shown: the text as a patient may get it, at its longest. price: of all its segments, in
    currency; None where the clinic hasn't said what one costs."""

    problems: list[Remark]
    warnings: list[Remark]
    shown: str
    characters: int
    segments: int
    price: Decimal | None
    currency: str


def kinds() -> list[str]:
    """The built-in texts that a clinic may put its own in the place of."""
    return list(wording.words(Language.ENGLISH)["discreet"])


def check(clinic: Clinic, language: Language, style: Wording, kind: str, body: str) -> Checked:
    """Check a text for one kind, language and wording."""
    body = body.strip()
    named = _names(body)
    if named is None:
        problem = Remark("braces", "Use { and } for placeholders alone, like {clinic}.")
        return Checked([problem], [], "", len(body), 0, None, "")
    problems = [*_placeholders(kind, named)]
    shown = body if problems else _longest(clinic, language, body)
    segments = count_segments(shown)
    problems += _contents(language, style, body)
    problems += [*_digits_mean(kind, language, body), *_long_sentences(language, body)]
    if len(shown) > MOST_CHARACTERS:
        problems.append(Remark("long", f"Shorten it: {len(shown)} characters at its longest."))
    policy = Policy.objects.filter(clinic=clinic).first()
    price = policy.segment_price if policy else None
    return Checked(
        problems=problems,
        warnings=[
            *_cost(shown, segments),
            *_long_words(language, body),
            *_digits_left_out(kind, body),
        ],
        shown=shown,
        characters=len(shown),
        segments=segments,
        price=None if price is None else price * segments,
        currency=policy.currency if policy else "",
    )


def _names(body: str) -> list[str] | None:
    """The placeholders of a text, plain ones alone; None if it can't be filled."""
    try:
        parts = list(Formatter().parse(body))
    except ValueError:
        return None
    found = [part for part in parts if part[1] is not None]
    if any(name == "" or spec or conversion for _, name, spec, conversion in found):
        return None
    return [str(name) for _, name, _, _ in found]


def _placeholders(kind: str, named: list[str]) -> Iterator[Remark]:
    built_in = wording.words(Language.ENGLISH)["discreet"].get(kind)
    of_the_kind = frozenset(_names(built_in) or ()) if built_in else ALWAYS
    known = ", ".join(f"{{{name}}}" for name in sorted(of_the_kind))
    for name in sorted({*named} - of_the_kind):
        yield Remark("placeholder", f"{{{name}}} isn't known here. Known: {known}.")
    for name in sorted(of_the_kind - NOT_ALWAYS - {*named}):
        yield Remark("placeholder_missing", f"{{{name}}} is missing: {_WHY.get(name, name)}.")


_WHY = {
    "clinic": "every text names who it is from",
    "phone": "every text says how to reach you",
    "date": "a late text must not be taken for today's",
}


def _contents(language: Language, style: Wording, body: str) -> Iterator[Remark]:
    plain = re.sub(r"\{[a-z]+\}", " ", body)
    if any(unicodedata.category(letter).startswith("C") for letter in plain):
        yield Remark("characters", "Write it on one line, without characters that don't show.")
    if LINK.search(plain):
        yield Remark("link", "Leave links out, and put a blank after each full stop.")
    if DIGITS.search(unicodedata.normalize("NFKC", plain)):
        yield Remark("digits", "Leave numbers like that out: {phone} and {date} fill them in.")
    if word := _carrier_word_offered(language, plain):
        yield Remark("carrier_word", f"Carriers act on {word}: don't offer it as an answer.")
    if style == Wording.DISCREET and (said := _telling(language, plain)):
        yield Remark("telling", f'A discreet text doesn\'t say "{said}": others may read it.')


def _digits_mean(kind: str, language: Language, body: str) -> Iterator[Remark]:
    """A digit that a text about a dose offers has to say what it does: whoever answers it means the
    words beside it."""
    if kind not in HEARD_AFTER:
        return
    for digit in wrong_offers(body, language):
        means = MEANS[digit].value
        yield Remark(
            "digit_means", f'{digit} is heard as "{means}". Write that after it, as in "1 done".'
        )


def _digits_left_out(kind: str, body: str) -> Iterator[Remark]:
    if kind == Step.DAY and {digit for digit, _ in offers(body)} != set(MEANS):
        yield Remark(
            "digits_left_out",
            "It doesn't offer 1, 2 and 3. Without any of them a digit isn't understood as an "
            "answer.",
        )


def _telling(language: Language, plain: str) -> str:
    """The first word that tells what the text is about, as it is written there."""
    stems = (*_book("every")["telling"], *_book(language)["telling"])
    for found in re.finditer(r"[\w-]+", plain):
        if f"{_bare(found[0])} ".startswith(stems):
            return found[0]
    # Spelt out to get by, as in i.n.j.e.c.t.
    run_together = re.sub(r"[^\w\s]|_", "", _bare(plain)).split()
    return next((word for word in run_together if f"{word} ".startswith(stems)), "")


def _carrier_word_offered(language: Language, plain: str) -> str:
    """A carrier's word in capitals or quotes, or soon after a word that asks for an answer."""
    words, ask = "|".join(sorted(carrier_words())), "|".join(_book(language)["answer"])
    for pattern, text in (
        (rf"\b({words})\b", plain),
        (rf"(?i){QUOTE}({words}){QUOTE}", plain),
        (rf"(?i)\b(?:{ask})\w*\W+(?:\w+\W+)?({words})\b", _bare(plain)),
    ):
        if found := re.search(pattern, text):
            return found[1].upper()
    return ""


def _cost(shown: str, segments: int) -> Iterator[Remark]:
    if segments > 1:
        yield Remark("segments", f"At its longest it is sent, and paid for, as {segments} texts.")
    if len(shown) > ONE_TEXT:
        yield Remark("characters", f"At its longest it has {len(shown)} characters: 160 is best.")


def _long_sentences(language: Language, body: str) -> Iterator[Remark]:
    if longest := long_sentence(language, body):
        yield Remark("reading", f"A sentence has {longest} words. Make two of it.")


def long_sentence(language: str, body: str) -> int:
    """How many words the longest sentence has, where that is more than a patient should have to
    read; 0 where none is too long. All that patients read keeps to it (tests/unit/test_wording)."""
    parts = re.split(r"[.:;!?]", _plain_words(body))
    longest = max(len(WORD.findall(part)) for part in parts)
    return longest if longest > _book(language)["sentence"] else 0


def _long_words(language: Language, body: str) -> Iterator[Remark]:
    most = _book(language)["word"]
    hard = [word for word in WORD.findall(_plain_words(body)) if len(word) > most]
    if hard:
        yield Remark("reading", f"Long words are hard to read: {', '.join(hard[:5])}.")


def _plain_words(body: str) -> str:
    """A text whose placeholders are read as one word each."""
    return re.sub(r"\{[a-z_]+\}", "x", body)


def _longest(clinic: Clinic, language: Language, body: str) -> str:
    """The text as long as it can become, so that nobody is surprised by a September."""
    values = {
        "clinic": clinic.name,
        # From abroad it is written with its country.
        "phone": wording.callable_from(clinic.phone, _ABROAD[clinic.phone.startswith("+1")]),
        **_longest_of(language),
    }
    return Formatter().vformat(body, (), _Kept(values))


class _Kept(dict[str, Any]):
    """A placeholder that a kind has beside the usual ones stands for itself."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


_ABROAD = {False: "+12125550123", True: "+447911123456"}


@cache
def _longest_of(language: str) -> dict[str, str]:
    first = date(2028, 1, 1)
    days = (wording.written(language, first + timedelta(days=n)) for n in range(366))
    return {
        "date": max(days, key=len),
        "every": max((wording.every(language, days) for days in (365, 364, 7)), key=len),
    }


def _bare(text: str) -> str:
    """Lower case, without accents, look-alike forms or characters of no width."""
    apart = unicodedata.normalize("NFKD", text.casefold()).replace("ł", "l")
    return "".join(letter for letter in apart if unicodedata.category(letter) not in {"Mn", "Cf"})


@cache
def _book(name: str) -> dict[str, Any]:
    return tomllib.loads((wording.FOLDER / "checks" / f"{name}.toml").read_text(encoding="utf-8"))
