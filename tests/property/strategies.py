"""What the property tests draw from, and dates worked out by other means than the product's."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, rrule
from hypothesis import strategies as st

from reminders.dates.schedule import Version

ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Pacific/Apia",
)
FIRST, LAST = date(2024, 1, 1), date(2035, 12, 31)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(FIRST, LAST)
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))


@st.composite
def version_lists(draw, starts=days, most: int = 6) -> list[Version]:
    """Decisions in the order in which they were made; each may start before or after the former,
    and may end what was before it some days before it starts."""
    intervals = st.sampled_from([7, 14, 21]) | st.integers(1, 60)
    near = st.integers(-40, 90)
    found: list[Version] = []
    for number in range(1, draw(st.integers(1, most)) + 1):
        start = draw(starts)
        if found and draw(st.booleans()):
            # Near the former, or the later would mostly be either all or nothing.
            start = min(max(found[-1].starts_on + draw(near) * DAY, FIRST), LAST)
        holds_from = draw(st.none() | st.integers(0, 40).map(lambda days: start - days * DAY))  # noqa: B023
        found.append(Version(number, draw(intervals), start, holds_from))
    return found


def expected_dates(versions: Sequence[Version], first: date, last: date) -> dict[date, int]:
    """Dates of injections from `first` to `last` with the number of the version that gives each.

    By dateutil's rrule: each version's own rule, up to the day before the earliest date from which
    a decision that came later holds.
    """
    found = {}
    for version in versions:
        later = [other for other in versions if other.number > version.number]
        held = [other.holds_from or other.starts_on for other in later]
        until = min([last, *(day - DAY for day in held)])
        rule = rrule(
            DAILY,
            interval=version.interval_days,
            dtstart=datetime.combine(version.starts_on, time()),
            until=datetime.combine(until, time()),
        )
        for at in rule:
            if at.date() >= first:
                assert at.date() not in found, "two versions hold on one date"
                found[at.date()] = version.number
    return dict(sorted(found.items()))


@cache
def clock_changes(zone: str) -> tuple[datetime, ...]:
    """The UTC minutes at which a zone's offset changes in our years, found by looking."""
    where = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(where).utcoffset()

    found = []
    at = datetime(FIRST.year, 1, 1, tzinfo=UTC)
    while at.year <= LAST.year:
        later = at + timedelta(hours=6)
        if offset(at) != offset(later):
            minute = at
            while offset(minute) == offset(at):
                minute += MINUTE
            found.append(minute)
        at = later
    return tuple(found)


def walk(day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Each UTC minute of two and a half days around a date, with the wall's time then (naive)."""
    start = datetime.combine(day, time(), tzinfo=UTC) - timedelta(hours=16)
    minutes = [start + minute * MINUTE for minute in range(60 * 60)]
    return [(at, at.astimezone(zone).replace(tzinfo=None, fold=0)) for at in minutes]


def expected_instant(walked: Sequence[tuple[datetime, datetime]], wanted: datetime) -> datetime:
    """The first real minute in which the wall shows the wanted time, or a later one if none does.

    Whatever the clocks do: the wall's time before a gap is below all that the gap skips, and before
    a repeated hour it is below all that is repeated.
    """
    return next(at for at, wall in walked if wall >= wanted)
