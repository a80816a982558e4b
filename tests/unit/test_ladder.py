"""The steps of a dose's reminders, the hours in which texts may go, and how many."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.dates.ladder import (
    DAYS_AFTER,
    FOLLOWING,
    SPACING,
    Step,
    notice_slot,
    room,
    spaced,
    step_instant,
    use_ends,
)

LONDON = ZoneInfo("Europe/London")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NINE = time(9)
MONDAY = date(2027, 3, 22)
"""The Monday before the clocks go forward in London, on the 28th at one in the morning."""

zones = st.sampled_from(
    ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
).map(ZoneInfo)
days = st.dates(date(2024, 1, 1), date(2035, 12, 1))
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0))
steps = st.sampled_from([Step.DAY, Step.NEXT, Step.OVERDUE])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "day", "instant"),
    [
        (Step.DAY, date(2027, 1, 4), "2027-01-04 09:00"),
        (Step.NEXT, date(2027, 1, 4), "2027-01-05 09:00"),
        (Step.OVERDUE, date(2027, 1, 4), "2027-01-06 09:00"),
        # The 48 hours are 47 when the clocks go forward: it is the local hour that holds.
        (Step.DAY, date(2027, 3, 27), "2027-03-27 09:00"),
        (Step.NEXT, date(2027, 3, 27), "2027-03-28 08:00"),
        (Step.OVERDUE, date(2027, 3, 27), "2027-03-29 08:00"),
    ],
)
def test_a_step_is_due_at_the_patients_hour(step: Step, day: date, instant: str) -> None:
    assert step_instant(step, day, NINE, LONDON) == utc(instant)


def test_the_steps_follow_each_other_to_the_end() -> None:
    step, seen = Step.NONE, []
    while step in FOLLOWING:
        step = FOLLOWING[step]
        seen.append(step)
    assert seen == [Step.DAY, Step.NEXT, Step.OVERDUE] == sorted(DAYS_AFTER, key=DAYS_AFTER.get)


@pytest.mark.parametrize(
    ("hour", "ends"),
    [
        (time(9), "21:00"),
        (time(0), "21:00"),
        (time(19), "21:00"),
        (time(19, 1), "21:01"),
        (time(21, 30), "23:30"),
        (time(22), "00:00"),
        (time(23, 59), "00:00"),
    ],
)
def test_use_ends_that_evening(hour: time, ends: str) -> None:
    end = use_ends(Step.DAY, date(2027, 1, 4), hour, LONDON)
    day = "2027-01-05" if ends == "00:00" else "2027-01-04"
    assert end == utc(f"{day} {ends}")
    assert use_ends(Step.OVERDUE, date(2027, 1, 4), hour, LONDON) == end + 2 * DAY


@settings(deadline=None)
@given(step=steps, day=days, hour=hours, zone=zones)
def test_a_text_is_of_use_from_its_hour_on_and_never_on_the_next_day(
    step: Step, day: date, hour: time, zone: ZoneInfo
) -> None:
    due, ends = step_instant(step, day, hour, zone), use_ends(step, day, hour, zone)
    assert due < ends
    local = due.astimezone(zone)
    assert local.date() == day + DAYS_AFTER[step] * DAY
    assert (ends - timedelta(microseconds=1)).astimezone(zone).date() == local.date()


# --- limits ------------------------------------------------------------------------------------


def keeps_three_a_week(day: date, others: Sequence[date]) -> bool:
    """Each seven days that hold the new text, counted out."""
    return all(
        sum(1 for other in [*others, day] if 0 <= (other - first).days < 7) <= 3
        for first in (day - offset * DAY for offset in range(7))
    )


def test_room_is_three_in_any_seven_days_for_all_weeks_around() -> None:
    near = [MONDAY + offset * DAY for offset in range(-8, 9) if offset != 0]
    for many in range(6):
        for others in combinations(near, many):
            assert room(MONDAY, others) == keeps_three_a_week(MONDAY, others), others


def test_room_with_two_texts_on_a_date_and_in_any_order() -> None:
    random = Random(4)
    for _ in range(2000):
        others = [MONDAY + random.randint(-9, 9) * DAY for _ in range(random.randint(0, 7))]
        assert room(MONDAY, others) == keeps_three_a_week(MONDAY, others), others


def test_room_in_words() -> None:
    assert room(MONDAY, [])
    assert room(MONDAY, [MONDAY - DAY, MONDAY - 2 * DAY])
    assert not room(MONDAY, [MONDAY - DAY, MONDAY - 2 * DAY, MONDAY - 6 * DAY])
    assert room(MONDAY, [MONDAY - DAY, MONDAY - 2 * DAY, MONDAY - 7 * DAY])
    assert not room(MONDAY, [MONDAY - DAY, MONDAY + DAY, MONDAY + 5 * DAY])


def test_spaced_is_twenty_hours_both_ways() -> None:
    at = utc("2027-03-22 09:00")
    assert spaced(at, [])
    assert spaced(at, [at - SPACING, at + SPACING])
    assert not spaced(at, [at - SPACING + timedelta(seconds=1)])
    assert not spaced(at, [at + SPACING - timedelta(seconds=1)])
    assert not spaced(at, [at])


# --- notices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "hour", "leaves"),
    [
        ("2027-03-22 10:00", NINE, "2027-03-22 10:00"),  # by day: at once
        ("2027-03-22 08:00", NINE, "2027-03-22 08:00"),
        ("2027-03-22 07:59", NINE, "2027-03-22 09:00"),  # before eight: at the patient's hour
        ("2027-03-22 21:00", NINE, "2027-03-23 09:00"),  # by night: the next morning
        ("2027-03-27 23:00", NINE, "2027-03-28 08:00"),  # the clocks went forward in between
        ("2027-03-22 23:00", time(5), "2027-03-23 08:00"),  # an early riser isn't woken by it
        ("2027-03-22 23:00", time(23), "2027-03-23 20:00"),
    ],
)
def test_a_notice_leaves_at_once_or_at_the_next_polite_hour(
    now: str, hour: time, leaves: str
) -> None:
    found = notice_slot(utc(now), hour, LONDON, [], [])
    assert found is not None
    at, ends = found
    assert at == utc(leaves)
    assert ends == at.astimezone(LONDON).replace(hour=21, minute=0).astimezone(UTC)


def test_a_notice_keeps_its_distance_from_reminders_past_and_to_come() -> None:
    now = utc("2027-01-04 10:00")
    assert notice_slot(now, NINE, LONDON, [now - HOUR], []) == (
        utc("2027-01-05 09:00"),
        utc("2027-01-05 21:00"),
    )
    assert notice_slot(now, NINE, LONDON, [], [utc("2027-01-05 05:00")]) == (
        utc("2027-01-06 09:00"),
        utc("2027-01-06 21:00"),
    )


def test_there_is_no_slot_in_a_full_week() -> None:
    now = utc("2027-01-08 10:00")
    sent = [utc(f"2027-01-0{day} 09:00") for day in (5, 6, 7)]
    assert notice_slot(now, NINE, LONDON, sent, []) is None
    # One of the three to come is as good as sent: it goes before.
    assert notice_slot(now, NINE, LONDON, sent[:2], [utc("2027-01-11 09:00")]) is None
    assert notice_slot(now, NINE, LONDON, sent[:2], []) is not None


@settings(deadline=None, max_examples=300)
@given(
    zone=zones,
    hour=hours,
    day=days,
    minute=st.integers(0, 24 * 60 - 1),
    offsets=st.lists(st.integers(-8 * 24, 8 * 24), max_size=5),
)
def test_a_slot_is_polite_and_within_the_limits_and_none_only_if_full(
    zone: ZoneInfo, hour: time, day: date, minute: int, offsets: list[int]
) -> None:
    now = datetime.combine(day, time(), tzinfo=UTC) + timedelta(minutes=minute)
    sent = [now + offset * HOUR for offset in offsets if offset <= 0]
    planned = [now + offset * HOUR for offset in offsets if offset > 0]

    def fits(at: datetime) -> bool:
        local = at.astimezone(zone)
        dates = [other.astimezone(zone).date() for other in [*sent, *planned]]
        return (
            at >= now
            and time(8) <= local.time() < time(21)
            and all(abs(at - other) >= timedelta(hours=20) for other in [*sent, *planned])
            and keeps_three_a_week(local.date(), dates)
        )

    found = notice_slot(now, hour, zone, sent, planned)
    polite = min(max(hour, time(8)), time(20))
    today = now.astimezone(zone).date()
    # None of these hours lies in a gap of these zones, so Python's own arithmetic will do.
    later = [datetime.combine(today + n * DAY, polite, tzinfo=zone) for n in range(4)]
    expected = next((at for at in [now, *later] if fits(at)), None)
    if expected is None:
        assert found is None
        return
    assert found is not None
    at, ends = found
    assert at == expected
    assert at < ends
    assert ends.astimezone(zone).date() == at.astimezone(zone).date()
    assert ends.astimezone(zone).time() == time(21)


def test_a_clinics_hours_are_narrower_than_the_laws():
    morning, evening = utc("2027-01-04 08:30"), utc("2027-01-04 18:30")
    hours = time(10), time(18)
    assert notice_slot(morning, NINE, LONDON, [], [], *hours) == (
        utc("2027-01-04 10:00"),
        utc("2027-01-04 18:00"),
    )
    assert notice_slot(evening, time(20), LONDON, [], [], *hours) == (
        utc("2027-01-05 17:00"),
        utc("2027-01-05 18:00"),
    )
