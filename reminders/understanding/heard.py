"""What stands in a text, before anything is made of it: phrases, clauses, and what is denied."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from messaging.letters import Token, tokens_of
from reminders.understanding.phrases import Found, find
from reminders.understanding.words import Book, book

_COVERS_NOTHING = (
    *("urgent.", "effect.", "time.", "site.", "person.double", "person.someone_else"),
    *("cue.harmless", "cue.for_me", "cue.yes"),
)
REACH = 5
"""Words between a "not" and what it denies."""
_BEHIND = 2
_SHORT = 2
"""Letters of a "not" that means too much else in other languages to count by itself."""


@dataclass
class Heard:
    """One text as it was heard. language: the patient's."""

    text: str
    language: str
    digits: bool = False
    _kinds: dict[tuple[str, ...], list[Found]] = field(default_factory=dict)
    _held_places: dict[tuple[str, ...], set[int]] = field(default_factory=dict)

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens_of(self.text)

    @cached_property
    def book(self) -> Book:
        return book()

    @cached_property
    def words(self) -> list[str]:
        """The words and numbers, without pictures."""
        return [token.text for token in self.tokens if token.text[0].isalnum()]

    @cached_property
    def all_found(self) -> list[Found]:
        return find(self.tokens, self.book)

    @cached_property
    def found(self) -> list[Found]:
        """What counts, in order of place. A phrase that is a part of a longer one doesn't, but for
        signs, which do but within "blood test" and the like, and effects, which do but within "no
        side effects" and the like."""
        by_all = self._covering(lambda one: not one.kind.startswith(_COVERS_NOTHING))
        by_cues = self._covering(
            lambda one: one.kind.startswith("cue.") and one.kind not in {"cue.for_me", "cue.yes"}
        )
        by_whole = self._covering(
            lambda one: not one.kind.startswith(_COVERS_NOTHING) and not self._goes_on(one)
        )
        by_harmless = self._covering(lambda one: one.kind == "cue.harmless")
        by: dict[str, Callable[[Found], bool]] = {
            "cue.not": by_whole,
            "urgent": by_harmless,
            "effect": by_cues,
            "person.double": by_cues,
            "site": lambda _: False,
            "person.unsure": by_cues,
            "person.someone_else": by_cues,
            "cue.for_me": lambda _: False,
            "cue.yes": lambda _: False,
        }
        return [
            one
            for one in self.all_found
            if not by.get(one.part, by.get(one.kind, by_all))(one) and not self._is_misheard(one)
        ]

    def _is_misheard(self, one: Found) -> bool:
        """Whether a word of another language is an everyday one of the patient's ("mal" in a German
        text), or only a slip for one. Not so signs: whatever may be one is."""
        if one.part not in {"say", "effect", "person"} or one.language in {self.language, "any"}:
            return False
        words = [self.tokens[at].text for at in range(one.first, one.last)]
        if len(words) == 1 and words[0] in self.book.common[self.language]:
            return True
        return not all(self.book.known(word) for word in words)

    def _goes_on(self, one: Found) -> bool:
        """Whether a sign begins in a harmless phrase and ends behind it: "no pain" in the chest."""
        ends = (self._ends_of_signs.get(at, 0) for at in range(one.first, one.last))
        return one.kind == "cue.plain" and max(ends) > one.last

    @cached_property
    def _ends_of_signs(self) -> dict[int, int]:
        """Behind which token the longest sign ends that begins at each."""
        signs = [one for one in self.all_found if one.part == "urgent"]
        return {one.first: one.last for one in sorted(signs, key=lambda one: one.last)}

    def _covering(self, counts: Callable[[Found], bool]) -> Callable[[Found], bool]:
        """Tells of a phrase whether it is a strict part of another of those that count."""
        at, before = [0] * len(self.tokens), [0] * (len(self.tokens) + 1)
        for one in self.all_found:
            if counts(one):
                at[one.first] = max(at[one.first], one.last)
        for place, last in enumerate(at):
            before[place + 1] = max(before[place], last)
        return lambda one: before[one.first] >= one.last or at[one.first] > one.last

    def of(self, *parts: str) -> list[Found]:
        """What counts of these kinds, or of all kinds that begin so."""
        if parts not in self._kinds:
            self._kinds[parts] = [one for one in self.found if one.kind.startswith(parts)]
        return self._kinds[parts]

    # What is denied

    @cached_property
    def denials(self) -> dict[Found, Found | None]:
        """Each "not" and what it denies: the next thing said, else, at a clause's end, the last."""
        things = [one for one in self.of("say.", "effect.", "urgent.") if one.kind != "say.later"]
        own = {at for one in self.of("effect.", "urgent.") for at in range(one.first, one.last)}
        nots = [one for one in self.of("cue.not") if one.first not in own]
        found = {one: self._denied_by(one, things) for one in nots}
        mine = self.places(self.language, "cue.not")
        return {
            one: target
            for one, target in found.items()
            if target
            or one.language == self.language
            or (len(self.tokens[one.first].text) > _SHORT and one.first not in mine)
        }

    def _denied_by(self, no: Found, things: list[Found]) -> Found | None:
        things = [one for one in things if no.language in {self.language, one.language}]
        ahead = [
            one
            for one in things
            if 0 <= one.first - no.last <= REACH and self.share_clause(no, one)
        ]
        if ahead:
            return min(ahead, key=lambda one: (one.first, -one.last))
        if no.last < len(self.tokens) and self.clauses[no.last] == self.clauses[no.first]:
            return None
        behind = [
            one
            for one in things
            if 0 <= no.first - one.last <= _BEHIND and self.share_clause(no, one)
        ]
        return max(behind, key=lambda one: one.last, default=None)

    def share_clause(self, one: Found, other: Found) -> bool:
        return self.clauses[one.first] == self.clauses[other.first]

    @cached_property
    def clauses(self) -> list[int]:
        """The clause of each token: a "but" begins a new one, as a comma does."""
        buts = {one.first for one in self.of("cue.but")}
        return [
            token.clause + sum(first <= at for first in buts)
            for at, token in enumerate(self.tokens)
        ]

    @cached_property
    def denied(self) -> set[Found]:
        """What is denied, with all said in the same place or listed behind it in the clause."""
        denied: set[Found] = set()
        for no, target in self.denials.items():
            if target is None:
                continue
            denied |= {
                one
                for one in self.of("say.", "effect.", "urgent.")
                if one.first < target.last and target.first < one.last
            }
            if not target.kind.startswith("say."):
                denied |= {
                    one
                    for one in self.of("effect.", "urgent.")
                    if one.first >= no.last and self.share_clause(no, one)
                }
        return denied

    # Places

    def places(self, language: str, *parts: str) -> set[int]:
        """The tokens that a language's phrases of these kinds stand at."""
        asked = (language, *parts)
        if asked not in self._held_places:
            self._held_places[asked] = {
                at
                for one in self.all_found
                if one.language == language and one.kind.startswith(parts)
                for at in range(one.first, one.last)
            }
        return self._held_places[asked]

    def clause_of(self, one: Found) -> Iterable[int]:
        here, inside = self.clauses[one.first], range(one.first, one.last)
        return (at for at, clause in enumerate(self.clauses) if clause == here and at not in inside)

    def is_ordinary(self, at: int) -> bool:
        word = self.tokens[at].text
        return (
            not word[0].isalnum()
            or word in self.book.ordinary
            or not self.book.ordinary.isdisjoint(self.book.known(word))
        )

    def is_fraction(self, at: int) -> bool:
        """Whether the token here goes on the number before it: the 7 of "38.7"."""
        if at >= len(self.tokens) or not self.tokens[at].text.isdigit():
            return False
        before = self.tokens[at - 1]
        between = self.text[before.end : self.tokens[at].start]
        return before.text.isdigit() and between in {".", ","}

    @cached_property
    def covered(self) -> set[int]:
        """The tokens that are part of a phrase."""
        return {at for one in self.all_found for at in range(one.first, one.last)}

    @cached_property
    def strays(self) -> int:
        """Words that nothing is known of."""
        return sum(map(self.is_stray, range(len(self.tokens))))

    def is_stray(self, at: int) -> bool:
        return not self.is_ordinary(at) and at not in self.covered
