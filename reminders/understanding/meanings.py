"""What a patient's text can say: the shapes that `understand` answers in. Pure, nothing stored."""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum


class Meaning(StrEnum):
    """What a text asks or tells. Several may hold."""

    TAKEN = "taken"
    SKIP = "skip"
    LATER = "later"
    WHEN = "when"
    SIDE_EFFECT = "side_effect"
    CALL_ME = "call_me"
    HELP = "help"
    STOP = "stop"
    START = "start"


class Sign(StrEnum):
    """A sign to tell the doctor of at once (FACTS: EU leaflet's list, and signs of infection)."""

    FEVER = "fever"  # or chills
    INFECTION = "infection"
    CHEST_PAIN = "chest_pain"
    COUGH = "cough"
    HEARTBEAT = "heartbeat"
    BREATHING = "breathing"
    CONFUSION = "confusion"
    STOMACH_PAIN = "stomach_pain"
    BLEEDING = "bleeding"  # blood in stool, black stools, nosebleed
    EYESIGHT = "eyesight"
    LOW_MOOD = "low_mood"
    BEHAVIOUR = "behaviour"
    SELF_HARM = "self_harm"


class Effect(StrEnum):
    """The nine common side effects of the diary, in the order of FACTS, and any other."""

    APPETITE = "appetite"
    TIREDNESS = "tiredness"
    INFECTIONS = "infections"
    SLEEP = "sleep"
    MOOD = "mood"
    HEADACHE = "headache"
    DIARRHOEA = "diarrhoea"
    SICKNESS = "sickness"
    FLU_LIKE = "flu_like"
    OTHER = "other"


class Part(StrEnum):
    """A part of the day, as people name it."""

    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


@dataclass(frozen=True)
class When:
    """A time in the patient's own words. It is relative to their local clock when the text came;
    whoever reads it resolves it. What isn't said is None.

    minutes: from then, less than 0 for "an hour ago". days: from then, 0 today, -1 yesterday.
    weekday: 0 Monday to 6 Sunday; the one before for a dose that was taken, else the one after.
    clock: as said; either_half: it may as well mean 12 hours later ("at 9").
    """

    minutes: int | None = None
    days: int | None = None
    weekday: int | None = None
    part: Part | None = None
    clock: time | None = None
    either_half: bool = False


@dataclass(frozen=True)
class Match:
    """One thing that was found. what: a meaning, "urgent.SIGN", "effect.EFFECT", "when", or
    "person.CAUSE" for what only a person can judge. text is body[start:end]."""

    what: str
    text: str
    start: int
    end: int
    language: str
    negated: bool = False


@dataclass(frozen=True)
class Understood:
    """What a text says. meanings empty: not understood. urgent holds signs that were denied too:
    their match says negated. human: a person must read it. doubtful: for another reason than signs,
    effects or the wish to be called, so that what it says of a dose isn't sure. when: the time of
    TAKEN or LATER. site: where TAKEN says it was injected, as models.Site names it, or ""."""

    meanings: tuple[Meaning, ...] = ()
    urgent: tuple[Sign, ...] = ()
    human: bool = True
    doubtful: bool = True
    when: When | None = None
    site: str = ""
    effects: tuple[Effect, ...] = ()
    matched: tuple[Match, ...] = ()
