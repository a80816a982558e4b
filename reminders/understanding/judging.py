"""From the phrases found in a text to what it says, and whether a person must read it."""

from collections.abc import Iterable
from functools import cached_property

from messaging.vocabulary import carrier_word
from reminders.understanding.doses import Doses
from reminders.understanding.meanings import Effect, Match, Meaning, Part, Sign, Understood, When
from reminders.understanding.phrases import Found
from reminders.understanding.times import when_of

_STRAY = 3
_LONG = 30
_DOSE = frozenset({Meaning.TAKEN, Meaning.SKIP, Meaning.LATER})
_PUTS_OFF = frozenset({Meaning.SKIP, Meaning.LATER})
_SHORTCUTS = {"1": Meaning.TAKEN, "2": Meaning.LATER, "3": Meaning.SKIP}
_OF_SIGN = {
    Sign.FEVER: Effect.FLU_LIKE,
    Sign.INFECTION: Effect.INFECTIONS,
    Sign.LOW_MOOD: Effect.MOOD,
    Sign.BEHAVIOUR: Effect.MOOD,
}
_BESIDE_A_DIGIT = ("cue.option", "cue.plain")
"""What may stand beside a digit that answers: "1 week" and "one day" answer nothing."""
_BESIDE_A_YES = ("cue.yes", "cue.the", "cue.greet", "cue.plain", "time.", "site.")
"""What may stand beside a "yes" that answers with a time past or a site."""
_COURTESY = ("cue.greet", "cue.plain", "cue.option")
"""Whose English people of any language write."""
_ASKING = frozenset({Meaning.WHEN, Meaning.HELP, Meaning.CALL_ME, Meaning.STOP})
"""Meanings that a question mark belongs to, or that are asked for politely: "could you stop?"."""


def understand(text: str, language: str, *, digits: bool = False) -> Understood:
    """What a text says. language: the patient's, as in the names of the word files; digits: the
    text before offered 1 taken, 2 later, 3 skip. Never raises, whatever the text holds."""
    reading = Reading(text, language, digits=digits)
    return Understood(
        meanings=tuple(meaning for meaning in Meaning if meaning in reading.meanings),
        urgent=reading.signs,
        human=reading.needs_a_person,
        doubtful=reading.is_doubtful,
        when=reading.when,
        site=reading.site,
        effects=reading.effects,
        matched=tuple(reading.matches()),
    )


class Reading(Doses):
    """One text while sense is made of it."""

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
        if said := self._said_in(self.language):
            return said
        refused = {one.kind for one in self._mine("say.")}
        for other in ("en", *self.book.languages):
            if other != self.language and (said := self._said_in(other)):
                if any(kind.startswith("say.taken") for kind in refused):
                    said.pop(Meaning.TAKEN, None)
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
        if any(one.overlaps(other) for other in self.of("urgent.self_harm")):
            return False
        if one.kind != "say.stop" and self._is_of_treatment(one):
            return False
        if one.kind == "say.when" and any(one.overlaps(other) for other in self.of("urgent.")):
            return False
        if one.kind == "say.later" and (
            self._is_in_a_question_when(one) or self.of("urgent.self_harm")
        ):
            return False
        if one.kind == "say.stop_alone":
            return all(self.is_ordinary(at) for at in self.clause_of(one))
        if one.kind == "say.when_alone":
            return len(list(self.clause_of(one))) <= 1
        if one.kind == "say.skip_alone":
            beside = list(self.clause_of(one))
            return len(beside) <= 1 and all(map(self.is_ordinary, beside))
        if one.kind in {"say.taken", "say.taken_alone"}:
            return self.is_taken(one)
        return True

    def _is_in_a_question_when(self, one: Found) -> bool:
        """ "When must I do it?" puts nothing off."""
        return any(one.overlaps(other) and other.first < one.first for other in self.of("say.when"))

    def _is_of_treatment(self, one: Found) -> bool:
        """Whether it is only a part of what is said of the treatment ("stop the injections")."""
        treatment = self.of("person.treatment")
        return any(one.overlaps(other) and not one.covers(other) for other in treatment)

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

    @cached_property
    def shortcut(self) -> Meaning | None:
        """What the one digit means that the text is, where digits were offered."""
        numbers = self.book.numbers.get(self.language, {})
        words = {at: one.text for at, one in enumerate(self.tokens) if one.text[0].isalnum()}
        figures = [at for at, word in words.items() if word[0].isdigit() or word in numbers]
        beside = self.places(self.language, *_BESIDE_A_DIGIT) | self.places("en", *_BESIDE_A_DIGIT)
        if not self.digits or len(figures) != 1 or not beside.issuperset(words.keys() - figures):
            return None
        return _SHORTCUTS.get(str(numbers.get(words[figures[0]], words[figures[0]])))

    def _short_answer(self) -> set[Meaning]:
        """A digit that was offered, or a time to come ("tomorrow", "once the kids are in bed") and
        nothing else but why."""
        if self.shortcut:
            return {self.shortcut}
        persons = [one for one in self.of("person.") if self._is_heeded(one)]
        if "?" in self.text or persons or self._mine("cue.not"):
            return set()
        if self._is_a_yes_in_full:
            return {Meaning.TAKEN}
        if self._may_be_past:
            return set()
        opening = [at for at, clause in enumerate(self.clauses) if clause == self.clauses[0]]
        known = all(self.is_ordinary(at) or at in self.covered for at in opening)
        if known and self._is_to_come and not self._mine("cue.other"):
            return {Meaning.LATER}
        greeted = self.places(self.language, "cue.greet")
        once = any(greeted.issuperset(range(one.first)) for one in self._mine("cue.once"))
        return {Meaning.LATER} if once and self.strays < _STRAY else set()

    def _mine(self, *parts: str) -> list[Found]:
        """What counts of these kinds in the patient's language."""
        return [one for one in self.of(*parts) if one.language == self.language]

    # When

    @cached_property
    def _times(self) -> tuple[list[Found], When | None, bool]:
        """The phrases of the language that says most of a time, the patient's first; the time;
        whether they agree."""
        times: dict[str, list[Found]] = {self.language: []}
        for one in self.of("time."):
            times.setdefault(one.language, []).append(one)
        widest = self._widest(max(times.values(), key=self._length))
        return (widest, *when_of(widest))

    @staticmethod
    def _length(times: list[Found]) -> int:
        return len({at for one in times for at in range(one.first, one.last)})

    @staticmethod
    def _widest(times: list[Found]) -> list[Found]:
        """Times without those that share a word with one that is longer."""
        return [
            one
            for one in times
            if not any(
                other.overlaps(one) and other.last - other.first > one.last - one.first
                for other in times
            )
        ]

    @cached_property
    def _is_to_come(self) -> bool:
        _, when, _ = self._times
        if when is None or (when.minutes or 0) < 0 or (when.days or 0) < 0:
            return False
        late = when.part in {Part.AFTERNOON, Part.EVENING, Part.NIGHT}
        return bool(when.minutes or when.days or when.clock or late)

    @property
    def _may_be_past(self) -> bool:
        """ "Yes, at 8", "8 this morning" and "right thigh, at 9" may be of a dose taken."""
        _, when, _ = self._times
        if self.of("site."):
            return True
        late = {Part.AFTERNOON, Part.EVENING, Part.NIGHT}
        if when is None or not when.clock or when.days or when.part in late:
            return False
        return when.part is Part.MORNING or bool(self._mine("cue.yes"))

    @property
    def _is_a_yes_in_full(self) -> bool:
        """ "Yes, an hour ago" and "yes, right thigh", and no word of another thing."""
        _, when, _ = self._times
        past = when is not None and ((when.minutes or 0) < 0 or (when.days or 0) < 0)
        agrees = any(one.first == 0 for one in self._mine("cue.yes"))
        known = self.places(self.language, *_BESIDE_A_YES) | self.places("en", *_COURTESY)
        if not past and not self._mine("site."):
            return False
        words = {at for at, one in enumerate(self.tokens) if one.text[0].isalnum()}
        return agrees and words <= known

    @cached_property
    def when(self) -> When | None:
        return self._times[1] if self.meanings & {Meaning.TAKEN, Meaning.LATER} else None

    @property
    def site(self) -> str:
        """The one site that is named, in words that say nothing else of it."""
        named = {one for one in self._mine("site.") if self._is_plain(one)}
        sites = {one.kind.removeprefix("site.") for one in self.of("site.")}
        return sites.pop() if named and len(sites) == 1 and Meaning.TAKEN in self.meanings else ""

    def _is_plain(self, site: Found) -> bool:
        """Not so "not in the left thigh", nor one that hurts."""
        other = self.of("urgent.", "effect.", "cue.not", "cue.unreal", "person.")
        if any(self.share_clause(one, site) for one in other):
            return False
        return all(self.is_ordinary(at) or at in self.covered for at in self.clause_of(site))

    # Who must read it

    @property
    def needs_a_person(self) -> bool:
        felt = self.signs or self.effects or Meaning.CALL_ME in self.meanings
        return bool(felt) or self.is_doubtful

    @cached_property
    def is_doubtful(self) -> bool:
        """Whether a person must read it for what it leaves open. Signs, effects and the wish to be
        called are clear enough, and leave no doubt on what is said beside them of a dose."""
        if self.carrier:
            return False
        return (
            not self.meanings
            or len(self.meanings & _DOSE) > 1
            or {Meaning.STOP, Meaning.START} <= self.meanings
            or any(self._is_heeded(one) for one in self.of("person."))
            or self._is_denied_somewhere
            or self._is_a_question
            or self._is_at_an_odd_time
            or self._is_beside_a_stray
            or self.strays >= (1 if self._heard_in - {self.language, "any"} else _STRAY)
            or len(self.words) > _LONG
        )

    def _is_heeded(self, one: Found) -> bool:
        """Not so a word that happens to mean something in another language, nor "I want to stop"
        where it goes on "getting texts"."""
        if any(one.overlaps(stop) for stop in self.said.get(Meaning.STOP, ())):
            return False
        mine = {self.language, "any", *self._heard_in}
        return one.language in mine or one.last - one.first > 1

    @property
    def _is_denied_somewhere(self) -> bool:
        """A "not" that nothing explains, or that denies the very thing that is said elsewhere."""
        loose = None in self.denials.values() and not self.meanings <= _PUTS_OFF
        names = {one.kind.partition(".")[2].removesuffix("_alone") for one in self.denied}
        return loose or any(meaning in names for meaning in self.meanings)

    @property
    def _is_a_question(self) -> bool:
        """A question other than for the next date, for who we are, or to be called."""
        behind = [*(token.start for token in self.tokens[1:]), len(self.text)]
        asked = {
            token.sentence
            for token, then in zip(self.tokens, behind, strict=False)
            if "?" in self.text[token.end : then]
        }
        ours = [one for meaning in _ASKING for one in self.said.get(meaning, ())]
        return not asked <= {self.tokens[one.first].sentence for one in ours}

    @property
    def _is_at_an_odd_time(self) -> bool:
        """Taken in the future, skipped till later, put off by days, two times that disagree, or a
        number that isn't one."""
        _, when, agree = self._times
        if not self.meanings & _DOSE:
            return False
        meant = self.of("time.", "effect.", "urgent.")
        known = {at for one in meant for at in range(one.first, one.last)}
        # "38.7" is two tokens.
        known |= {at + 1 for at in known if self.is_fraction(at + 1)}
        taken = Meaning.TAKEN in self.meanings
        figures = {at for at, token in enumerate(self.tokens) if token.text[0].isdigit()}
        if taken:
            figures -= {at for at in figures if ":" in self.tokens[at].text}
        loose = bool(figures - known) and not self.shortcut
        if when is None:
            return loose
        if taken:
            return loose or not agree or (when.minutes or 0) > 0 or (when.days or 0) > 0
        if Meaning.SKIP in self.meanings:
            return self._is_to_come
        put_off = (when.days or 0) > 1 or when.weekday is not None
        return loose or not agree or put_off or (when.minutes or 0) < 0 or (when.days or 0) < 0

    @property
    def _is_beside_a_stray(self) -> bool:
        """A "done" alone, with a word in its clause that nothing is known of: that may be what was
        done."""
        return any(
            one.kind == "say.taken_alone" and any(map(self.is_stray, self.clause_of(one)))
            for one in self.said.get(Meaning.TAKEN, ())
        )

    # Why

    def matches(self) -> Iterable[Match]:
        """All that counts, in order of place; each once, in the patient's language if it can be."""
        if self.carrier:
            yield Match(self.carrier, self.text, 0, len(self.text), "any")
        said = {one for found in self.said.values() for one in found}
        times, _, _ = self._times
        matches: dict[tuple[str, int, int], Match] = {}
        for one in self.of("say.", "effect.", "urgent.", "person.", "time."):
            if one.part == "say" and one not in said and one not in self.denied:
                continue
            if one.part == "time" and one not in times:
                continue
            match = self._match(one)
            place = (match.what, match.start, match.end)
            if place not in matches or one.language == self.language:
                matches[place] = match
        yield from matches.values()

    @property
    def _heard_in(self) -> set[str]:
        return {one.language for found in self.said.values() for one in found}

    def _match(self, one: Found) -> Match:
        start, end = self.tokens[one.first].start, self.tokens[one.last - 1].end
        name = one.kind.removeprefix("say.").removesuffix("_alone")
        what = "when" if one.part == "time" else name
        return Match(what, self.text[start:end], start, end, one.language, one in self.denied)
