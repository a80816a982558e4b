"""Dates of injections and the instants of their reminders: pure, without Django or a database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Version:
    """One decision on a schedule: from `starts_on`, an injection every `interval_days`.

    `holds_from`: the first date of which earlier versions give nothing any more; None is
    `starts_on`. It is earlier after a pause, and where an old date would come too near the new.
    """

    number: int
    interval_days: int
    starts_on: date
    holds_from: date | None = None


@dataclass(frozen=True)
class Stretch:
    """The dates that one version gives: from `first`, up to but without `end` (None: open)."""

    version: Version
    first: date
    end: date | None


def stretches(versions: Sequence[Version]) -> list[Stretch]:
    """Which version gives the dates of when, in order.

    On a date holds the greatest number that holds from it or earlier: a later decision replaces
    every earlier one from there, also one that was to start after it.
    """
    found: list[Stretch] = []
    end: date | None = None
    for version in sorted(versions, key=lambda version: version.number, reverse=True):
        if end is None or version.starts_on < end:
            found.append(Stretch(version, version.starts_on, end))
        held = version.holds_from or version.starts_on
        end = held if end is None else min(end, held)
    return found[::-1]


def dose_dates(versions: Sequence[Version], after: date) -> Iterator[tuple[date, Version]]:
    """The dates of injections after a date, rising, each with the version that gives it.

    Endless while the last version holds, as the treatment is (FACTS): take what is needed.
    """
    for stretch in stretches(versions):
        interval = stretch.version.interval_days
        passed = max(0, (after - stretch.first).days // interval + 1)
        day = stretch.first + timedelta(days=passed * interval)
        while stretch.end is None or day < stretch.end:
            yield day, stretch.version
            day += timedelta(days=interval)


def next_dose(versions: Sequence[Version], after: date) -> tuple[date, Version] | None:
    """The first date of an injection after a date, with its version; None without a version."""
    return next(islice(dose_dates(versions, after), 1), None)


def dates_between(versions: Sequence[Version], first: date, last: date) -> list[date]:
    """The dates of injections from `first` to `last`, both included."""
    found = []
    for day, _ in dose_dates(versions, first - timedelta(days=1)):
        if day > last:
            break
        found.append(day)
    return found


@lru_cache(10_000)
def local_instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local wall time.

    A time that a clock change skips is the first real minute after the gap; one that it repeats is
    the first of the two. (Converting by way of UTC would land an hour after the gap.)
    """
    early, late = (
        datetime.combine(day, hour, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for fold in (1, 0)
    )
    if early < late:
        return _first_after_gap(early, late, zone)
    return late


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The date on the wall at an instant."""
    return instant.astimezone(zone).date()


def _first_after_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The minute in which the zone's offset changes, between two instants around the change."""
    offset = before.astimezone(zone).utcoffset()
    minutes = int((after - before).total_seconds() // 60)
    low, high = 0, minutes
    while low < high:
        middle = (low + high) // 2
        instant = before + timedelta(minutes=middle)
        if instant.astimezone(zone).utcoffset() == offset:
            low = middle + 1
        else:
            high = middle
    return before + timedelta(minutes=low)
