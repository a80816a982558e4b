"""Which phrases stand in a text, and where. Work is bounded by the text's length."""

from dataclasses import dataclass
from typing import Any

from messaging.letters import Token, respelt
from reminders.understanding.words import Book, Phrase, Step

_FEWEST, _MOST = 5, 16
"""Letters of an urgent word that is looked for inside others and across spaces."""


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase that stands at tokens[first:last]."""

    kind: str
    language: str
    first: int
    last: int
    value: Any = None

    @property
    def part(self) -> str:
        """The part of the file that it is from: say, effect, urgent, person, cue or time."""
        return self.kind.partition(".")[0]

    def overlaps(self, other: "Found") -> bool:
        """Whether they share a token."""
        return self.first < other.last and other.first < self.last

    def covers(self, other: "Found") -> bool:
        """Whether the other is a strict part of it."""
        mine, its = self.last - self.first, other.last - other.first
        return self.first <= other.first and other.last <= self.last and its < mine


def find(tokens: list[Token], book: Book) -> list[Found]:
    """All phrases in all languages, in order of place."""
    keys = [_keys(token.text, book) for token in tokens]
    ends = _hidden(tokens, keys, book)
    found = set()
    for at, here in enumerate(keys):
        for key in here:
            for phrase, step in book.starts.get(key, ()):
                last = _last(phrase, step, at, tokens, keys)
                if last:
                    last = ends.get(last - 1, last) if phrase.kind.startswith("urgent.") else last
                    value = _value(phrase, tokens[at:last], book)
                    found.add(Found(phrase.kind, phrase.language, at, last, value))
    return sorted(found, key=lambda one: (one.first, one.last, one.kind, one.language))


def _keys(word: str, book: Book) -> set[str]:
    """The keys of a word; of one that is in no list, those of what it may be meant for."""
    keys = set(book.known(word))
    if not keys and word in book.spelt:
        return {word}
    if word not in keys:
        for other in respelt(word):
            keys |= book.known(other)
    if not keys:
        for other in book.meant(word):
            keys |= book.known(other) or {f"{other}*"} & book.keys
    return keys


def _hidden(tokens: list[Token], keys: list[set[str]], book: Book) -> dict[int, int]:
    """Adds the keys of urgent words that are spaced out, split in two, or run into others, to the
    token that each begins at. Answers behind which token those of several tokens end."""
    ends = {}
    for at, token in enumerate(tokens):
        joined = token.text
        for place in range(at + 1, min(at + _MOST, len(tokens))):
            then = tokens[place].text
            apart = tokens[place].clause != token.clause and len(then) > 1
            if apart or len(joined) + len(then) > _MOST or not then.isalpha():
                break
            joined += then
            if len(joined) >= _FEWEST and not _plain(then, keys[at], book):
                urgent = book.known(joined) & book.urgent
                if not urgent <= keys[at]:
                    ends[at] = place + 1
                    keys[at] |= urgent
        if len(token.text) > _FEWEST and not keys[at]:
            keys[at] |= _within(token.text, book)
    return ends


def _within(word: str, book: Book) -> set[str]:
    """The urgent words that stand somewhere in a longer one."""
    found = set()
    for start in range(len(word) - _FEWEST + 1):
        for end in range(start + _FEWEST, min(start + _MOST, len(word)) + 1):
            found |= {word[start:end], f"{word[start:end]}*"} & book.alone
    return found


def _plain(then: str, first: set[str], book: Book) -> bool:
    """Whether two whole words only happen to make a third: both are words of their own."""
    return bool(first) and len(then) > 3 and bool(book.known(then))


def _last(
    phrase: Phrase, step: int, at: int, tokens: list[Token], keys: list[set[str]]
) -> int | None:
    """Behind the phrase that has its step at this token: the longest way, or None."""
    here: Step = phrase.steps[step]
    if here.keys.isdisjoint(keys[at]):
        return None
    best = at + 1 if all(rest.optional for rest in phrase.steps[step + 1 :]) else None
    for ahead in range(step + 1, len(phrase.steps)):
        then = phrase.steps[ahead]
        for place in range(at + 1, min(at + 2 + then.gap, len(tokens))):
            if not _together(phrase, then, tokens[at], tokens[place]):
                break
            last = _last(phrase, ahead, place, tokens, keys)
            if last and (best is None or last > best):
                best = last
        if not then.optional:
            break
    return best


def _together(phrase: Phrase, then: Step, one: Token, other: Token) -> bool:
    """Signs and effects that need not stand word by word may reach across commas."""
    if then.gap and phrase.kind.startswith(("urgent.", "effect.")):
        return one.sentence == other.sentence
    return one.clause == other.clause


def _value(phrase: Phrase, span: list[Token], book: Book) -> Any:
    """A time's value and the numbers in it: (60, "2") for "in 2 hours", at 60 minutes each, and
    ("past", "10", "6") for "ten past six"."""
    if phrase.value is None:
        return None
    numbers = book.numbers[phrase.language]
    said = (token.text if token.text[0].isdigit() else numbers.get(token.text) for token in span)
    return (phrase.value, *(str(number) for number in said if number is not None))
