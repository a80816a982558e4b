"""From the phrases found in a text to what it says, and whether a person must read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from messaging.vocabulary import carrier_word
from reminders.understanding.letters import Token, tokens_of
from reminders.understanding.meanings import Effect, Match, Meaning, Part, Sign, Understood, When
from reminders.understanding.phrases import Found, find
from reminders.understanding.times import when_of
from reminders.understanding.words import Book, book

_REACH = 5
_BEHIND = 2
_STRAY = 3
_LONG = 30
_DOSE = frozenset({Meaning.TAKEN, Meaning.SKIP, Meaning.LATER})
_SHORTCUTS = {"1": Meaning.TAKEN, "2": Meaning.LATER, "3": Meaning.SKIP}
_OF_SIGN = {
    Sign.FEVER: Effect.FLU_LIKE,
    Sign.INFECTION: Effect.INFECTIONS,
    Sign.LOW_MOOD: Effect.MOOD,
    Sign.BEHAVIOUR: Effect.MOOD,
}
_CARELESS = frozenset({Meaning.WHEN, Meaning.HELP})
"""Meanings that a question mark belongs to."""


def understand(text: str, language: str, *, digits: bool = False) -> Understood:
    """What a text says. language: the patient's, as in the names of the word files; digits: the
    text before offered 1 taken, 2 later, 3 skip. Never raises, whatever the text holds."""
    reading = Reading(text, language, digits=digits)
    return Understood(
        meanings=tuple(meaning for meaning in Meaning if meaning in reading.meanings),
        urgent=reading.signs,
        human=reading.needs_a_person,
        when=reading.when,
        effects=reading.effects,
        matched=tuple(reading.matches()),
    )


@dataclass
class Reading:
    """One text while it is being read."""

    text: str
    language: str
    digits: bool

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
        """What counts: a phrase that is a part of a longer one doesn't, but signs and effects do."""
        return [
            one
            for one in self.all_found
            if one.kind.startswith(("urgent.", "effect."))
            or not any(other.covers(one) for other in self.all_found if self._may_cover(other))
        ]

    def _may_cover(self, other: Found) -> bool:
        return not other.kind.startswith(("urgent.", "effect.", "time.", "person.double"))

    def of(self, *parts: str) -> list[Found]:
        return [one for one in self.found if one.kind.startswith(parts)]

    # What is denied

    @cached_property
    def denials(self) -> dict[Found, Found | None]:
        """Each "not", and what it denies: the next thing said after it, else the one just before."""
        things = self.of("say.", "effect.", "urgent.")
        return {one: self._denied_by(one, things) for one in self.of("cue.not")}

    def _denied_by(self, no: Found, things: list[Found]) -> Found | None:
        ahead = [
            one
            for one in things
            if 0 <= one.first - no.last <= _REACH and self._share_clause(no, one)
        ]
        behind = [
            one
            for one in things
            if 0 <= no.first - one.last <= _BEHIND and self._share_clause(no, one)
        ]
        if ahead:
            return min(ahead, key=lambda one: (one.first, -one.last))
        return max(behind, key=lambda one: one.last, default=None)

    def _share_clause(self, one: Found, other: Found) -> bool:
        return self.tokens[one.first].clause == self.tokens[other.first].clause

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
                    if one.first >= no.last and self._share_clause(no, one)
                }
        return denied

    # What is meant

    @cached_property
    def carrier(self) -> Meaning | None:
        """The carrier word that the text is, pictures and spaces within it aside."""
        for body in (self.text, " ".join(self.words), "".join(self.words)):
            if word := carrier_word(body):
                return Meaning(word.value)
        return None

    @cached_property
    def said(self) -> dict[Meaning, list[Found]]:
        """What is meant, in the patient's language; in another where that one says nothing."""
        others = [other for other in ("en", *self.book.languages) if other != self.language]
        for language in (self.language, *others):
            if said := self._said_in(language):
                return said
        return {}

    def _said_in(self, language: str) -> dict[Meaning, list[Found]]:
        said: dict[Meaning, list[Found]] = {}
        for one in self.of("say."):
            name = one.kind.removeprefix("say.")
            if one.language in {language, "any"} and one not in self.denied and self._stands(one):
                said.setdefault(Meaning(name.removesuffix("_alone")), []).append(one)
        pictures = said.get(Meaning.TAKEN, [])
        if len(said) > 1 and all(one.language == "any" for one in pictures):
            said.pop(Meaning.TAKEN, None)
        return said

    def _stands(self, one: Found) -> bool:
        """Whether a phrase means what it says where it stands."""
        if one.kind == "say.taken" and one.language == "any":
            return not self.of("cue.not", "cue.unreal")
        if one.kind in {"say.taken", "say.taken_alone"} and self._unreal(one):
            return False
        if one.kind.startswith("say.stop_alone"):
            return all(self._is_ordinary(at) for at in self._clause_of(one))
        return not one.kind.endswith("_alone") or self._has_no_object(one)

    def _unreal(self, taken: Found) -> bool:
        """Whether a dose is only wished, planned or doubted, or is of something else."""
        return any(
            self._share_clause(one, taken)
            and (one.kind == "cue.other" or 0 <= taken.first - one.first <= _REACH)
            for one in self.of("cue.unreal", "cue.other")
        )

    def _has_no_object(self, one: Found) -> bool:
        """ "done" is an answer, "done my shopping" isn't."""
        clause = self.tokens[one.first].clause
        for at in range(one.last, len(self.tokens)):
            if self.tokens[at].clause != clause:
                return True
            if not any(no.first <= at < no.last for no in self.of("cue.the")):
                return self._is_ordinary(at) or at in self.covered
        return True

    def _clause_of(self, one: Found) -> Iterable[int]:
        clause = self.tokens[one.first].clause
        inside = range(one.first, one.last)
        return (
            at
            for at, token in enumerate(self.tokens)
            if token.clause == clause and at not in inside
        )

    def _is_ordinary(self, at: int) -> bool:
        word = self.tokens[at].text
        return (
            not word[0].isalnum()
            or word in self.book.ordinary
            or not self.book.ordinary.isdisjoint(self.book.known(word))
        )

    @cached_property
    def covered(self) -> set[int]:
        """The tokens that are part of a phrase."""
        return {at for one in self.all_found for at in range(one.first, one.last)}

    @cached_property
    def strays(self) -> int:
        """Words that nothing is known of."""
        count = len(self.tokens)
        return sum(not self._is_ordinary(at) and at not in self.covered for at in range(count))

    @cached_property
    def signs(self) -> tuple[Sign, ...]:
        names = {one.kind.removeprefix("urgent.") for one in self.of("urgent.")}
        return tuple(sign for sign in Sign if sign in names)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        felt = [one for one in self.of("effect.", "urgent.") if one not in self.denied]
        names = {one.kind.partition(".")[2] for one in felt}
        names |= {_OF_SIGN.get(sign, Effect.OTHER) for sign in Sign if sign in names}
        return tuple(effect for effect in Effect if effect in names)

    @cached_property
    def meanings(self) -> frozenset[Meaning]:
        felt = {Meaning.SIDE_EFFECT} if self.effects else set()
        if self.carrier:
            return frozenset({self.carrier, *felt})
        said = set(self.said)
        if not said and not felt:
            said |= self._short_answer()
        return frozenset(said | felt)

    def _short_answer(self) -> set[Meaning]:
        """A digit that was offered, or a time to come and nothing else."""
        words = [at for at in range(len(self.tokens)) if not self._is_ordinary(at)]
        if self.digits and len(words) == 1:
            word = self.tokens[words[0]].text
            number = str(self.book.numbers.get(self.language, {}).get(word, word))
            return {_SHORTCUTS[number]} if number in _SHORTCUTS else set()
        whole = all(at in self.covered for at in words)
        if whole and self._is_to_come and not self.of("person.", "cue.", "say."):
            return {Meaning.LATER}
        return set()

    # When

    @cached_property
    def _named_time(self) -> tuple[When | None, bool]:
        """Of the languages that name one, the one that says most; the patient's first."""
        times = self.of("time.")
        languages = sorted(
            {one.language for one in times},
            key=lambda name: (
                -sum(one.last - one.first for one in times if one.language == name),
                name != self.language,
            ),
        )
        return (
            when_of(self._widest([one for one in times if one.language == languages[0]]))
            if languages
            else (None, True)
        )

    @staticmethod
    def _widest(times: list[Found]) -> list[Found]:
        """Times without those that are a part of another."""
        return [one for one in times if not any(other.covers(one) for other in times)]

    @cached_property
    def _is_to_come(self) -> bool:
        when, _ = self._named_time
        if when is None or (when.minutes or 0) < 0 or (when.days or 0) < 0:
            return False
        late = when.part in {Part.AFTERNOON, Part.EVENING, Part.NIGHT}
        return bool(when.minutes or when.days or when.clock or late)

    @cached_property
    def when(self) -> When | None:
        return self._named_time[0] if self.meanings & {Meaning.TAKEN, Meaning.LATER} else None

    # Who must read it

    @cached_property
    def needs_a_person(self) -> bool:
        if self.signs or self.effects:
            return True
        if self.carrier:
            return False
        return (
            not self.meanings
            or Meaning.CALL_ME in self.meanings
            or len(self.meanings & _DOSE) > 1
            or {Meaning.STOP, Meaning.START} <= self.meanings
            or bool(self.of("person."))
            or self._is_denied_somewhere
            or self._is_a_question
            or self._is_at_an_odd_time
            or self.strays >= _STRAY
            or len(self.words) > _LONG
        )

    @property
    def _is_denied_somewhere(self) -> bool:
        """A "not" that nothing explains, or that denies the very thing that is said elsewhere."""
        loose = any(target is None for target in self.denials.values())
        names = {one.kind.partition(".")[2].removesuffix("_alone") for one in self.denied}
        return loose or any(meaning in names for meaning in self.meanings)

    @property
    def _is_a_question(self) -> bool:
        """A question other than for the next date or for who we are."""
        return ("?" in self.text and not self.meanings <= _CARELESS | {Meaning.TAKEN}) or (
            "?" in self.text and self.meanings == {Meaning.TAKEN}
        )

    @property
    def _is_at_an_odd_time(self) -> bool:
        """Taken in the future, put off by days, two times at once, or a number that isn't one."""
        when, agree = self._named_time
        if not self.meanings & {Meaning.TAKEN, Meaning.LATER}:
            return False
        times = {at for one in self.of("time.") for at in range(one.first, one.last)}
        loose = any(
            token.text[0].isdigit() and at not in times for at, token in enumerate(self.tokens)
        ) and not (self.digits and len(self.words) == 1)
        if when is None:
            return loose
        if Meaning.TAKEN in self.meanings:
            return loose or not agree or (when.minutes or 0) > 0 or (when.days or 0) > 0
        put_off = (when.days or 0) > 1 or when.weekday is not None
        return loose or not agree or put_off or (when.minutes or 0) < 0 or (when.days or 0) < 0

    # Why

    def matches(self) -> Iterable[Match]:
        """All that was found, in order of place."""
        for one in self.of("say.", "effect.", "urgent.", "person.", "time."):
            start, end = self.tokens[one.first].start, self.tokens[one.last - 1].end
            part, _, name = one.kind.partition(".")
            what = {"say": name.removesuffix("_alone"), "time": "when"}.get(part, one.kind)
            yield Match(what, self.text[start:end], start, end, one.language, one in self.denied)
