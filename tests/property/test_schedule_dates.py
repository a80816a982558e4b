"""The pure calculation of dates and instants, against dateutil and against walking through time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from hypothesis import example, given
from hypothesis import strategies as st

from reminders.dates.schedule import (
    Version,
    dates_between,
    dose_dates,
    local_date,
    local_instant,
    next_dose,
    stretches,
)
from tests.property.strategies import (
    DAY,
    MINUTE,
    ZONES,
    clock_changes,
    days,
    expected_dates,
    expected_instant,
    hours,
    version_lists,
    walk,
    zones,
)

WEEKLY_THEN_EARLIER = [
    Version(1, 7, date(2027, 1, 4)),
    Version(2, 21, date(2027, 3, 1)),
    Version(3, 14, date(2027, 2, 1)),
]
"""The third decision starts before the second, so the second never holds."""

PAUSED_THEN_EARLIER = [
    Version(1, 7, date(2027, 1, 4)),
    Version(2, 21, date(2027, 3, 1), holds_from=date(2027, 1, 20)),
    Version(3, 14, date(2027, 2, 10)),
]
"""The second was decided after a pause and never holds, but the pause stays what it was."""


# --- dates -------------------------------------------------------------------------------------


@given(versions=version_lists(), first=days, length=st.integers(0, 800))
@example(versions=WEEKLY_THEN_EARLIER, first=date(2027, 1, 1), length=200)
@example(versions=PAUSED_THEN_EARLIER, first=date(2027, 1, 1), length=200)
def test_dates_are_those_of_rrule(versions: list[Version], first: date, length: int) -> None:
    last = first + length * DAY
    expected = expected_dates(versions, first, last)
    assert dates_between(versions, first, last) == list(expected)


@given(version_lists())
def test_dates_over_all_years_are_those_of_rrule(versions: list[Version]) -> None:
    first, last = date(2023, 12, 1), date(2036, 1, 31)
    assert dates_between(versions, first, last) == list(expected_dates(versions, first, last))


@given(versions=version_lists(), after=days)
@example(versions=WEEKLY_THEN_EARLIER, after=date(2027, 1, 31))
@example(versions=WEEKLY_THEN_EARLIER, after=date.min)
def test_the_three_ways_to_ask_agree(versions: list[Version], after: date) -> None:
    found = list(islice(dose_dates(versions, after), 8))
    last = found[-1][0]
    expected = expected_dates(versions, after + DAY, last)
    assert [(day, version.number) for day, version in found] == list(expected.items())
    assert dates_between(versions, after + DAY, last) == list(expected)
    assert next_dose(versions, after) == found[0]
    for earlier, later in pairwise(found):
        assert earlier[0] < later[0]
        assert next_dose(versions, earlier[0]) == later
        assert next_dose(versions, later[0] - DAY) == later


@given(versions=version_lists(), day=days)
def test_on_a_date_holds_the_greatest_number_that_holds_from_it(
    versions: list[Version], day: date
) -> None:
    latest = max(
        (version for version in versions if (version.holds_from or version.starts_on) <= day),
        key=lambda version: version.number,
        default=None,
    )
    holding = [
        stretch.version
        for stretch in stretches(versions)
        if stretch.first <= day and (stretch.end is None or day < stretch.end)
    ]
    # Between the date from which it holds and its own start there is nothing.
    assert holding == ([latest] if latest and latest.starts_on <= day else [])


@given(versions=version_lists(), day=days)
def test_a_later_decision_leaves_every_date_before_it_holds(
    versions: list[Version], day: date
) -> None:
    *former, latest = versions
    held = latest.holds_from or latest.starts_on
    first = date(2023, 1, 1)
    assert dates_between(versions, first, held - DAY) == (
        dates_between(former, first, held - DAY) if former else []
    )
    assert dates_between(versions, held, latest.starts_on - DAY) == []
    since = dates_between(versions, held, latest.starts_on + 400 * DAY)
    assert since == dates_between([latest], latest.starts_on, latest.starts_on + 400 * DAY)
    assert since[0] == latest.starts_on


@given(versions=version_lists(), data=st.data())
def test_the_order_in_which_versions_are_given_is_nothing(versions: list[Version], data) -> None:
    shuffled = data.draw(st.permutations(versions))
    assert stretches(shuffled) == stretches(versions)


def test_without_a_version_there_is_no_dose() -> None:
    assert next_dose([], date(2027, 1, 4)) is None
    assert dates_between([], date(2027, 1, 4), date(2035, 1, 4)) == []


# --- instants ----------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_of_every_day_with_a_clock_change(zone: str) -> None:
    where = ZoneInfo(zone)
    changes = clock_changes(zone)
    twice_a_year = {"Europe/London", "America/New_York", "Australia/Lord_Howe"}
    assert len(changes) == (24 if zone in twice_a_year else 0)
    skipped = repeated = 0
    for change in changes:
        day = local_date(change, where)
        skipped_today, repeated_today = check_a_whole_day(day, where)
        skipped += skipped_today
        repeated += repeated_today
    size = 30 if zone == "Australia/Lord_Howe" else 60
    assert skipped == repeated == len(changes) // 2 * size


@pytest.mark.parametrize(
    ("zone", "day", "skipped"),
    [
        # Before 2024, and hard: the gap begins at midnight, and a date that never was.
        ("America/Sao_Paulo", date(2018, 11, 4), 60),
        ("America/Sao_Paulo", date(2019, 2, 16), 0),
        ("Pacific/Apia", date(2011, 12, 30), 24 * 60),
        ("Pacific/Apia", date(2012, 4, 1), 0),
        ("Africa/Casablanca", date(2026, 2, 15), 0),
    ],
)
def test_stranger_days(zone: str, day: date, skipped: int) -> None:
    assert check_a_whole_day(day, ZoneInfo(zone))[0] == skipped


def check_a_whole_day(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """All minutes of a day against the walk; answers how many are skipped and how many repeated."""
    walked = walk(day, zone)
    shown: dict[datetime, list[datetime]] = {}
    for at, wall in walked:
        shown.setdefault(wall, []).append(at)
    skipped = repeated = 0
    former = None
    for minute in range(24 * 60):
        wanted = datetime.combine(day, time()) + minute * MINUTE
        instant = local_instant(day, wanted.time(), zone)
        assert instant.tzinfo is UTC
        if wanted in shown:
            assert instant == shown[wanted][0], wanted
            repeated += len(shown[wanted]) == 2
        else:
            assert instant == expected_instant(walked, wanted), wanted
            # The first minute after the gap: the clock has just jumped.
            before = (instant - MINUTE).astimezone(zone)
            assert before.utcoffset() != instant.astimezone(zone).utcoffset()
            skipped += 1
        assert former is None or former <= instant, "a later hour is never earlier"
        former = instant
    return skipped, repeated


@given(zone=zones, day=days, hour=hours)
@example(zone=ZoneInfo("Europe/London"), day=date(2027, 3, 28), hour=time(1, 30))
@example(zone=ZoneInfo("Europe/London"), day=date(2027, 10, 31), hour=time(1, 30))
@example(zone=ZoneInfo("Australia/Lord_Howe"), day=date(2027, 10, 3), hour=time(2, 15))
def test_any_instant_is_the_first_minute_that_shows_the_hour(
    zone: ZoneInfo, day: date, hour: time
) -> None:
    wanted = datetime.combine(day, hour)
    assert local_instant(day, hour, zone) == expected_instant(walk(day, zone), wanted)
    assert local_date(local_instant(day, hour, zone), zone) == day


near_changes = st.sampled_from(
    [(zone, change) for zone in ZONES for change in clock_changes(zone)]
).flatmap(
    lambda found: st.tuples(
        st.just(found[0]),
        st.integers(-180, 180).map(lambda minutes: found[1] + minutes * MINUTE),
    )
)


@given(near_changes)
def test_gaps_and_folds_are_where_dateutil_sees_them(near: tuple[str, datetime]) -> None:
    name, instant = near
    zone, other = ZoneInfo(name), tz.gettz(name)
    wall = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    for wanted in (wall, wall + timedelta(hours=1), wall - timedelta(hours=1)):
        found = local_instant(wanted.date(), wanted.time(), zone)
        seen = found.astimezone(zone).replace(tzinfo=None, fold=0)
        assert (seen == wanted) == tz.datetime_exists(wanted, other)
        if tz.datetime_exists(wanted, other):
            assert found == wanted.replace(tzinfo=other, fold=0).astimezone(UTC)
        else:
            # dateutil moves on by the gap's whole length; we go as soon as there is a minute.
            moved = tz.resolve_imaginary(wanted.replace(tzinfo=other)).astimezone(UTC)
            assert moved - timedelta(hours=1) <= found <= moved
        if tz.datetime_ambiguous(wanted, other):
            assert found < wanted.replace(tzinfo=other, fold=1).astimezone(UTC)


@given(versions=version_lists(), zone=zones, hour=hours, first=days)
def test_the_local_hour_holds_for_every_dose(
    versions: list[Version], zone: ZoneInfo, hour: time, first: date
) -> None:
    dates = [day for day, _ in islice(dose_dates(versions, first), 60)]
    instants = [local_instant(day, hour, zone) for day in dates]
    for day, instant in zip(dates, instants, strict=True):
        seen = instant.astimezone(zone)
        assert seen.date() == day
        if tz.datetime_exists(datetime.combine(day, hour), zone):
            assert seen.time() == hour
    for earlier, later in pairwise(instants):
        assert earlier < later


@given(zone=zones, hour=hours, day=days)
def test_instants_rise_with_days(zone: ZoneInfo, hour: time, day: date) -> None:
    between = local_instant(day + DAY, hour, zone) - local_instant(day, hour, zone)
    assert timedelta(hours=22) <= between <= timedelta(hours=26)
