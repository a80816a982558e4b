"""The time that a text names, as the patient said it."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from reminders.understanding.meanings import Part, When
from reminders.understanding.phrases import Found

_NOON = 12
_AFTER_NOON = {Part.AFTERNOON, Part.EVENING, Part.NIGHT}


def when_of(found: Iterable[Found]) -> tuple[When | None, bool]:
    """The time that these phrases name together, and whether they agree with each other."""
    said: dict[str, Any] = {}
    agree = True
    for one in found:
        for name, value in _fields(one.kind.removeprefix("time."), *one.value).items():
            agree = agree and said.get(name, value) == value
            said.setdefault(name, value)
    if not said:
        return None, True
    clock, part = said.get("clock"), said.get("part")
    if clock and said.get("either_half") and part:
        said["either_half"] = False
        if part in _AFTER_NOON and 0 < clock.hour < _NOON and not _small_hours(part, clock):
            said["clock"] = clock.replace(hour=clock.hour + _NOON)
    return When(**said), agree


def _small_hours(part: Part, clock: time) -> bool:
    """ "3 at night" is in the morning; "9 at night" isn't."""
    return part == Part.NIGHT and clock.hour < 5


def _fields(kind: str, value: Any, number: str) -> dict[str, Any]:
    """The fields of When that one phrase fills. Nothing for a number that can't be meant."""
    if kind in {"minutes", "days"}:
        times = int(number) if number.isdigit() else 1
        return {kind: value * times} if times <= 999 else {}
    if kind == "weekday":
        return {"weekday": value}
    if kind == "part":
        return {"part": Part(value)}
    return _clock(value, number)


def _clock(value: Any, number: str) -> dict[str, Any]:
    """A clock time. value: a time of day, or how its number is meant: "either", "am", "pm", "day"
    (of 24 hours), "half_past", "half_to"."""
    if isinstance(value, time):
        return {"clock": value}
    hours, _, minutes = number.replace(".", ":").replace(",", ":").partition(":")
    hour, minute = int(hours or 99), int(minutes or 0)
    if value == "half_past":
        minute = 30
    elif value == "half_to":
        hour, minute = hour - 1 or _NOON, 30
    if hour > 24 or minute > 59:
        return {}
    exact = value in {"am", "pm", "day"} or hour > _NOON or number.startswith("0") or hour == 0
    if value == "pm" and hour < _NOON:
        hour += _NOON
    elif value == "am" and hour == _NOON:
        hour = 0
    return {"clock": time(hour % 24, minute), "either_half": not exact}
