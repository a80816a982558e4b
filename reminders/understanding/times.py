"""The time that a text names, as the patient said it."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from reminders.understanding.meanings import Part, When
from reminders.understanding.phrases import Found

_NOON = 12
_SAID_FIRST = {"past", "to"}
_SAID_LAST = {"plus": "past", "less": "to"}
_MINUTES = {"5", "10", "15", "20", "25"}
"""Minutes that people say before an hour; "2 to 3" is another thing."""
_BESIDE = {"half_past": 30, "half_to": 30, "quarter_past": 15, "quarter_to": 15}
_AFTER_NOON = {Part.AFTERNOON, Part.EVENING, Part.NIGHT}


def when_of(found: Iterable[Found]) -> tuple[When | None, bool]:
    """The time that these phrases name together, and whether they agree with each other."""
    said: dict[str, Any] = {}
    agree = True
    for one in found:
        fields = _fields(one.kind.removeprefix("time."), *one.value)
        if said.get("either_half") and _same_hand(said["clock"], fields.get("clock")):
            said |= fields
        elif not (fields.get("either_half") and _same_hand(fields["clock"], said.get("clock"))):
            agree = agree and all(said.get(name, value) == value for name, value in fields.items())
            said = fields | said
    if not said:
        return None, True
    clock, part = said.get("clock"), said.get("part")
    if clock and said.get("either_half") and part:
        said["either_half"] = False
        if part in _AFTER_NOON and 0 < clock.hour < _NOON and not _small_hours(part, clock):
            said["clock"] = clock.replace(hour=clock.hour + _NOON)
    return When(**said), agree


def _same_hand(one: time, other: time | None) -> bool:
    """Whether a dial shows both alike: 7.30 and 19.30."""
    return other is not None and (one.hour % _NOON, one.minute) == (
        other.hour % _NOON,
        other.minute,
    )


def _small_hours(part: Part, clock: time) -> bool:
    """ "3 at night" is in the morning; "9 at night" isn't."""
    return part == Part.NIGHT and clock.hour < 5


def _fields(kind: str, value: Any, *numbers: str) -> dict[str, Any]:
    """The fields of When that one phrase fills. Nothing for a number that can't be meant."""
    number = numbers[0] if numbers else ""
    if kind in {"minutes", "days"}:
        times = int(number) if number.isdigit() else 1
        return {kind: value * times} if times <= 999 else {}
    if kind == "weekday":
        return {"weekday": value}
    if kind == "part":
        return {"part": Part(value)}
    return _clock(value, *numbers)


def _clock(value: Any, *numbers: str) -> dict[str, Any]:
    """A clock time. value: a time of day, or how its number is meant: "either", "am", "pm", "day"
    (of 24 hours), "half_past", "half_to", "quarter_past", "quarter_to"; of two numbers "past" and
    "to" (minutes, then hour), "plus" and "less" (hour, then minutes)."""
    if isinstance(value, time):
        return {"clock": value}
    if value in _SAID_LAST:
        value, numbers = _SAID_LAST[value], numbers[::-1]
    if value == "day" and len(numbers) > 1:
        numbers = (":".join(numbers[:2]),)
    if not numbers or (value in _SAID_FIRST and numbers[0] not in _MINUTES):
        return {}
    number = numbers[0] if value in {"either", "am", "pm", "day"} else numbers[-1]
    hours, _, minutes = number.replace(".", ":").replace(",", ":").partition(":")
    hour, minute = int(hours or 99), int(minutes or 0)
    beside = int(numbers[0]) if value in _SAID_FIRST else _BESIDE.get(value, 0)
    if value in {"past", "half_past", "quarter_past"}:
        minute = beside
    elif value in {"to", "half_to", "quarter_to"}:
        hour, minute = hour - 1 or _NOON, 60 - beside
    if hour > 24 or minute > 59:
        return {}
    exact = value in {"am", "pm", "day"} or hour > _NOON or number.startswith("0") or hour == 0
    if value == "pm" and hour < _NOON:
        hour += _NOON
    elif value == "am" and hour == _NOON:
        hour = 0
    return {"clock": time(hour % 24, minute), "either_half": not exact}
