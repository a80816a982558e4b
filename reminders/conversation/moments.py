"""A time in a patient's own words, laid beside their clock: pure. It says when something was done,
or when a text is wished for; never when to inject."""

from datetime import UTC, date, datetime, time, timedelta

from reminders.understanding import Part, When

PARTS = {
    Part.MORNING: time(9),
    Part.MIDDAY: time(12),
    Part.AFTERNOON: time(15),
    Part.EVENING: time(19),
    Part.NIGHT: time(20, 30),
}
HALF = timedelta(hours=12)


def when_done(when: When | None, now: datetime) -> tuple[date, time | None]:
    """The date and, if it was said, the time of something done; `now` is the patient's own clock.

    Nothing said is today. Never later than now: "at 9", said at noon, was this morning, and said
    at seven in the morning it was last night.
    """
    if when is None:
        return now.date(), None
    if when.minutes is not None:
        then = _after(now, when.minutes)
        return then.date(), then.time().replace(second=0, microsecond=0)
    day = now.date() + timedelta(days=when.days or 0)
    if when.weekday is not None:
        day = now.date() - timedelta(days=(now.weekday() - when.weekday) % 7)
    if when.clock is None:
        return min(day, now.date()), None
    then = datetime.combine(day, when.clock, now.tzinfo)
    if when.either_half and then + HALF <= now and (then + HALF).date() == day:
        # Of two times of day that both lie behind us, nobody knows which: the date alone is kept.
        return day, None
    if then > now and when.days is None and when.weekday is None:
        then -= HALF if when.either_half else timedelta(days=1)
    return (then.date(), then.time()) if then <= now else (now.date(), None)


def when_wished(when: When | None, now: datetime, minutes: int) -> datetime:
    """The instant at which a text is wished for; `minutes` from now if nothing was said."""
    if when is None:
        return _after(now, minutes)
    if when.minutes is not None:
        return _after(now, abs(when.minutes))
    day = now.date() + timedelta(days=max(when.days or 0, 0))
    if when.weekday is not None:
        day = now.date() + timedelta(days=(when.weekday - now.weekday()) % 7)
    clock = when.clock or (PARTS[when.part] if when.part else None)
    if clock is None:
        wished = datetime.combine(day, now.time(), now.tzinfo)
        return wished if wished > now else _after(now, minutes)
    wished = datetime.combine(day, clock, now.tzinfo)
    if wished <= now and when.either_half:
        wished += HALF
    return wished


def _after(now: datetime, minutes: int) -> datetime:
    """So many minutes from now, whatever the clocks do meanwhile: sums of wall times don't know
    of their changes."""
    return (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)
