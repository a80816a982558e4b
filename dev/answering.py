"""How the story's people answer: what each says about each dose, drawn from the two of them alone,
so that every run is the same.

The product is not imported here: what the texts mean is what their writers mean.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Habit(StrEnum):
    """What somebody does about one dose's text."""

    DONE = "says done"
    NEXT_DAY = "says done the day after"
    AHEAD = "says done before the text"
    LATER = "says later, then done"
    LATER_NEVER = "says later, then nothing"
    SKIPS = "says skip"
    HEADACHE = "says done, with a headache"
    FEVER = "says fever, and done the day after"
    TOO_LATE = "says done after two days"
    NOTHING = "says nothing"


class Word(StrEnum):
    """What one text says. AGAIN: no text, but the reminder that "later" asked for."""

    DONE = "done"
    LATER = "later"
    SKIP = "skip"
    HEADACHE = "headache"
    FEVER = "fever"
    YES = "yes"
    AGAIN = "again"


WORDS: dict[Word, tuple[str, ...]] = {
    Word.DONE: ("done", "Done thanks", "all done x", "DONE!", "Done 👍"),
    Word.LATER: ("later", "2", "remind me later"),
    Word.SKIP: ("skip this week", "3"),
    Word.HEADACHE: ("done but bad headache",),
    Word.FEVER: ("fever since yesterday",),
    Word.YES: ("1",),
}
_OF_A_HUNDRED = {
    Habit.DONE: 55, Habit.NEXT_DAY: 7, Habit.AHEAD: 3, Habit.LATER: 8, Habit.LATER_NEVER: 3,
    Habit.SKIPS: 5, Habit.HEADACHE: 4, Habit.FEVER: 3, Habit.TOO_LATE: 3, Habit.NOTHING: 9,
}  # fmt: skip
_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Said:
    """Something somebody says about the dose of a date, at an instant."""

    at: datetime
    about: date
    word: Word
    body: str = ""


def habit(name: str, day: date) -> Habit:
    """What a person does about the dose of a date."""
    chance = _chance(name, day)
    return chance.choices(list(_OF_A_HUNDRED), list(_OF_A_HUNDRED.values()))[0]


def first_words(name: str, day: date, habit: Habit, asked_at: datetime) -> list[Said]:
    """What they say by themselves; what they answer to our answer is `say`'s."""
    chance = _chance(name, day)
    soon = timedelta(minutes=chance.randrange(4, 75))
    match habit:
        case Habit.DONE:
            plan = [(timedelta(minutes=chance.randrange(3, 170)), Word.DONE)]
        case Habit.NEXT_DAY:
            plan = [(_DAY + soon, Word.DONE)]
        case Habit.AHEAD:
            plan = [(-timedelta(minutes=40), Word.DONE)]
        case Habit.LATER | Habit.LATER_NEVER:
            plan = [(soon, Word.LATER)]
        case Habit.SKIPS:
            plan = [(soon, Word.SKIP)]
        case Habit.HEADACHE:
            plan = [(soon, Word.HEADACHE)]
        case Habit.FEVER:
            plan = [(soon, Word.FEVER), (_DAY + 2 * soon, Word.DONE)]
        case Habit.TOO_LATE:
            plan = [(2 * _DAY + soon, Word.DONE)]
        case Habit.NOTHING:
            plan = []
    return [say(name, day, word, asked_at + after) for after, word in plan]


def say(name: str, day: date, word: Word, at: datetime) -> Said:
    """One text of a person about a dose."""
    return Said(at, day, word, _chance(name, day).choice(WORDS[word]))


def _chance(name: str, day: date) -> random.Random:
    return random.Random(f"{name} {day}")  # noqa: S311 - the same each time, and no secret
