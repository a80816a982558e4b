"""The facts of worklist items in words: they hold ids, dates and plain figures, and no texts."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from messaging.in_words import FAULT_IN_WORDS
from messaging.vocabulary import fault_of
from reminders.models import Severity, SideEffect, Told
from web.team.moments import When

SIGNS = {
    "fever": "fever or chills",
    "infection": "signs of an infection",
    "chest_pain": "chest pain",
    "cough": "a cough that stays",
    "heartbeat": "irregular heartbeat",
    "breathing": "trouble breathing",
    "confusion": "confusion",
    "stomach_pain": "stomach pain",
    "bleeding": "bleeding",
    "eyesight": "eyesight",
    "low_mood": "low mood",
    "behaviour": "change of behaviour",
    "self_harm": "self-harm",
}
"""Each urgent sign, in short."""
NOTICES = {
    "changed": "the plan was changed",
    "paused": "the plan was paused",
    "resumed": "the plan goes on",
    "stopped": "the plan has ended",
    "moved": "the plan was changed",
}
EVENTS = {"blood_result": "A blood result was entered."}


def in_words(facts: Mapping[str, Any], when: When) -> list[str]:
    """A sentence for each fact that a person can use; ids lead on, and are links elsewhere."""
    found = [say(facts, when) for name, say in _SAYINGS.items() if name in facts]
    return [sentence for sentence in found if sentence]


def _day(value: Any, when: When) -> str:
    """A date, or the date of an instant, as facts hold them."""
    try:
        return when.day(date.fromisoformat(str(value)[:10]))
    except ValueError:
        return str(value)


def _signs(facts: Mapping[str, Any], when: When) -> str:
    denied = set(facts.get("denied", ()))
    named = [
        SIGNS.get(sign, sign) + (" (denied)" if sign in denied else "") for sign in facts["signs"]
    ]
    return f"Signs: {', '.join(named)}."


def _injections(facts: Mapping[str, Any], when: When) -> str:
    other = _day(facts["other"], when)
    if "taken_on" in facts:
        return f"Injections told of on {_day(facts['taken_on'], when)} and on {other}."
    return f"An injection on {other} is recorded close to it."


def _date(facts: Mapping[str, Any], when: When) -> str:
    of_a_dose = "effect" not in facts
    return f"{'Dose of' if of_a_dose else 'On'} {_day(facts['date'], when)}."


def _effect(facts: Mapping[str, Any], when: When) -> str:
    known = facts["effect"] in SideEffect.values
    named = SideEffect(facts["effect"]).label if known else str(facts["effect"])
    level = facts.get("severity")
    said = Severity(level).label.lower() if level in Severity.values else "not said how bad"
    return f"{named}: {said}."


def _rhythm(facts: Mapping[str, Any], when: When) -> str:
    since = _day(facts["since"], when)
    if "days" in facts:
        return f"Counted from {since}; your clinic's rhythm is {facts['days']} days."
    at = datetime.fromisoformat(facts["since"])
    return f"Waiting at another clinic since {when.moment(at)}."


_SAYINGS: dict[str, Callable[[Mapping[str, Any], When], str]] = {
    "signs": _signs,
    "date": _date,
    "other": _injections,
    "taken_on": lambda facts, when: (
        "" if "other" in facts else f"Injected on {_day(facts['taken_on'], when)}."
    ),
    "effect": _effect,
    "error": lambda facts, when: FAULT_IN_WORDS[fault_of(facts["error"])] if facts["error"] else "",
    "on": lambda facts, when: f"Since {_day(facts['on'], when)}.",
    "notice": lambda facts, when: (
        f"The text said that {NOTICES.get(facts['notice'], 'something changed')}."
    ),
    "since": _rhythm,
    "told": lambda facts, when: f"Recorded since: {Told(facts['told']).label.lower()}.",
    "agreed_on": lambda facts, when: f"They agreed to texts on {_day(facts['agreed_on'], when)}.",
    "because": lambda facts, when: str(facts["because"]),
    "event": lambda facts, when: EVENTS.get(facts["event"], ""),
}
