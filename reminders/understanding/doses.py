"""Whether what is said to be done is this patient's dose: strict, for a dose is never guessed."""

from reminders.understanding.heard import REACH, Heard
from reminders.understanding.phrases import Found


class Doses(Heard):
    """One text, asked for doses that were taken."""

    def is_taken(self, one: Found) -> bool:
        """Whether a dose was taken, and not another thing, or only wished, asked, put off."""
        if one.language == "any":
            return not any(
                cue.language == self.language for cue in self.of("cue.not", "cue.unreal")
            )
        if self._unreal(one) or self._is_asked(one) or self._is_of_another(one):
            return False
        if any(one.overlaps(other) for other in self.of("say.later", "say.skip")):
            return False
        named = self.places(one.language, "cue.dose")
        return any(at in named for at in range(one.first, one.last)) or self._is_alone(one)

    def _unreal(self, taken: Found) -> bool:
        """Whether a dose is only wished, planned or doubted, or is of something else."""
        if any(
            self._counts(one, taken) or one.last - one.first > 1 for one in self.of("person.unsure")
        ):
            return True
        return any(
            self._counts(one, taken)
            and self.share_clause(one, taken)
            and (one.kind == "cue.other" or 0 <= taken.first - one.first <= REACH)
            for one in self.of("cue.unreal", "cue.unable", "cue.other")
        )

    def _is_of_another(self, taken: Found) -> bool:
        """Whether it is told of somebody else ("she had hers"), not of what they did "for me"; or
        of an overdose on purpose."""
        if any(self.share_clause(one, taken) for one in self.of("urgent.self_harm")):
            return True
        near = {
            one.kind
            for one in self.of("person.someone_else", "cue.for_me")
            if self._counts(one, taken)
            and self.share_clause(one, taken)
            and one.first <= taken.last
        } | {one.kind for one in self.of("cue.for_me") if one.overlaps(taken)}
        return "person.someone_else" in near and "cue.for_me" not in near

    def _counts(self, cue: Found, said: Found) -> bool:
        """Whether a cue is of a language that is spoken here."""
        return cue.language in {self.language, said.language}

    def _is_asked(self, one: Found) -> bool:
        """Whether its clause ends in a question mark."""
        last = max(
            at for at, clause in enumerate(self.clauses) if clause == self.clauses[one.first]
        )
        end = self.tokens[last + 1].start if last + 1 < len(self.tokens) else len(self.text)
        return "?" in self.text[self.tokens[last].end : end]

    def _is_alone(self, one: Found) -> bool:
        """ "done" is an answer, "done my shopping" and "homework done" aren't."""
        if any(self.share_clause(one, other) for other in self.of("say.stop", "say.later")):
            return False
        return all(
            at is None or self._may_stand_beside(at, one.language)
            for at in (
                self._neighbour(one, range(one.first - 1, -1, -1)),
                self._neighbour(one, range(one.last, len(self.tokens))),
            )
        )

    def _neighbour(self, one: Found, places: range) -> int | None:
        """The first token there, in the clause, that is more than an article."""
        for at in places:
            if self.clauses[at] != self.clauses[one.first]:
                return None
            if at not in self.places(one.language, "cue.the"):
                return at
        return None

    def _may_stand_beside(self, at: int, language: str) -> bool:
        """Whether a word beside a dose's can't be what was done in its place: one that is known
        and harmless, or somebody's name."""
        if not self.tokens[at].text[0].isalnum():
            return True
        if at in self.places(language, "cue.turn", "cue.other", "effect.", "urgent."):
            return False
        known = self.is_ordinary(at) or at in self.covered
        return known or at - 1 in self.places(language, "cue.greet")
