"""The words of each language, read from words/, in the form that texts are compared with.

A phrase is written as items with spaces between: a word; "stem*" for all that begins so; "a/b" for
either; "{group}" for any of a group; "x?" for one that may be missing; "#" for a number; "~" for
up to three words that don't matter; "a & b" for both near each other in any order.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from messaging.letters import fold, is_slip, shortened, tokens_of

FOLDER = Path(__file__).parent / "words"
_LOOSE = 3
_NEAR = 5
_LONG_STEM = 5
_RUN = range(8, 17)
"""Letters of words written as one."""
_WAYS = 40
"""Most ways to write a phrase that are looked for as one word."""


@dataclass(frozen=True, slots=True)
class Step:
    """One word of a phrase. keys: any of them; gap: words that may stand before it."""

    keys: frozenset[str]
    gap: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a run of words means. kind: "say.taken", "urgent.fever", "time.days"; value: of a
    time."""

    kind: str
    language: str
    steps: tuple[Step, ...]
    value: Any = None


@dataclass
class Book:
    """All languages' phrases, by the keys that they begin with."""

    languages: tuple[str, ...] = ()
    starts: dict[str, list[tuple[Phrase, int]]] = field(default_factory=lambda: defaultdict(list))
    keys: set[str] = field(default_factory=set)
    urgent: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    ordinary: set[str] = field(default_factory=set)
    common: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    spelt: set[str] = field(default_factory=set)
    """Words that are meant as they are, though a letter would make them one that counts."""
    slips: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def known(self, word: str) -> frozenset[str]:
        """The keys of a word: itself and the stems that it begins with, where some phrase or
        list holds them."""
        keys = {word, *(f"{word[:end]}*" for end in range(2, len(word) + 1))}
        if word[:1].isdigit():
            keys.add("#")
        return frozenset(keys & self.keys)

    def meant(self, word: str) -> Iterator[str]:
        """Words that this one may be a slip of the finger for."""
        for short in shortened(word):
            for other in self.slips.get(short, ()):
                if is_slip(word, other):
                    yield other

    def add(self, phrase: Phrase) -> None:
        for at, step in enumerate(phrase.steps):
            for key in step.keys:
                self.starts[key].append((phrase, at))
            if not step.optional:
                break
        everything = {key for step in phrase.steps for key in step.keys}
        self.keys |= everything
        if phrase.kind.startswith("urgent."):
            self.urgent |= {key for key in everything if len(key.rstrip("*")) >= _LONG_STEM}
            if len(phrase.steps) == 1:
                self.alone |= everything & self.urgent
            elif glued := _glued(phrase):
                self.add(Phrase(phrase.kind, phrase.language, (Step(glued),)))


def _glued(phrase: Phrase) -> frozenset[str]:
    """A sign of few words as one, for whoever leaves the spaces out: "killmyself"."""
    ways = prod(len(step.keys) for step in phrase.steps)
    if ways > _WAYS or any(step.optional for step in phrase.steps):
        return frozenset()
    runs = map("".join, product(*(step.keys for step in phrase.steps)))
    return frozenset(run for run in runs if run.isalpha() and len(run) in _RUN)


@cache
def book() -> Book:
    """Every language's file, read once."""
    found = Book()
    paths = sorted(FOLDER.glob("*.toml"))
    found.languages = tuple(path.stem for path in paths)
    for path in paths:
        _read(found, path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    for word in found.keys | found.ordinary:
        for short in shortened(word.rstrip("*")) if _may_slip(word) else ():
            found.slips[short].add(word.rstrip("*"))
    return found


def _may_slip(word: str) -> bool:
    return len(word) >= (6 if word.endswith("*") else 4) and word.rstrip("*").isalpha()


def _read(found: Book, language: str, data: dict[str, Any]) -> None:
    groups = {name: _words(text) for name, text in data.get("groups", {}).items()}
    numbers = {fold(word): value for word, value in data.get("numbers", {}).items()}
    groups["#"] = frozenset({"#", *numbers})
    found.numbers[language] = numbers
    found.keys |= groups["#"]
    for word in _words(data.get("ordinary", "")):
        (found.keys if word.endswith("*") else found.ordinary).add(word)
        found.keys.add(word)
        found.ordinary.add(word)
        found.common[language].add(word)
    found.spelt |= _words(data.get("spelt", ""))
    for part in ("say", "effect", "urgent", "person", "cue", "site"):
        for name, phrases in data.get(part, {}).items():
            for written in _phrases(phrases):
                for steps in _compiled(written, groups):
                    found.add(Phrase(f"{part}.{name}", language, steps))
    for name, entries in data.get("time", {}).items():
        for phrases, value in entries.items():
            for written in _phrases(phrases):
                for steps in _compiled(written, groups):
                    found.add(Phrase(f"time.{name}", language, steps, value))


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(text).split())


def _phrases(text: str) -> list[str]:
    return [written.strip() for written in text.replace("\n", ",").split(",") if written.strip()]


def _compiled(written: str, groups: dict[str, frozenset[str]]) -> Iterator[tuple[Step, ...]]:
    """The steps of a phrase as written; two ways round for one with "&"."""
    sides = [_steps(side, groups) for side in written.split("&")]
    if len(sides) == 1:
        yield tuple(sides[0])
        return
    for first, then in (sides, sides[::-1]):
        yield (*first, Step(then[0].keys, _NEAR, then[0].optional), *then[1:])


def _steps(written: str, groups: dict[str, frozenset[str]]) -> list[Step]:
    steps, gap = [], 0
    for item in written.split():
        if item == "~":
            gap = _LOOSE
            continue
        optional = item.endswith("?")
        for keys in _item(item.rstrip("?"), groups):
            steps.append(Step(keys, gap, optional))
            gap = 0
    return steps


def _item(item: str, groups: dict[str, frozenset[str]]) -> list[frozenset[str]]:
    """Its keys. A word that is written with an apostrophe may be two."""
    keys: set[str] = set()
    parts = item.split("/")
    for part in parts:
        if part == "#" or part.startswith("{"):
            keys |= groups[part.strip("{}")]
        elif part.endswith("*"):
            keys.add(fold(part))
        else:
            words = [token.text for token in tokens_of(part)]
            if len(words) != 1 and len(parts) == 1:
                return [frozenset({word}) for word in words]
            keys |= set(words)
    return [frozenset(keys)]
