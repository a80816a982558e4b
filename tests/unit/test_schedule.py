"""The pure calculation in examples that a person can follow; tests/property holds the rest."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from reminders.dates.schedule import Version, dates_between, local_date, local_instant, next_dose


def of(*days: str) -> list[date]:
    return [date.fromisoformat(day) for day in days]


def test_weekly_then_every_three_weeks() -> None:
    versions = [Version(1, 7, date(2027, 1, 4)), Version(2, 21, date(2027, 2, 1))]
    assert dates_between(versions, date(2027, 1, 1), date(2027, 3, 31)) == of(
        "2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25",
        "2027-02-01", "2027-02-22", "2027-03-15",
    )  # fmt: skip


def test_a_later_decision_that_starts_earlier_replaces_the_one_before_it() -> None:
    versions = [
        Version(1, 7, date(2027, 1, 4)),
        Version(2, 21, date(2027, 3, 1)),
        Version(3, 14, date(2027, 1, 20)),
    ]
    assert dates_between(versions, date(2027, 1, 1), date(2027, 3, 10)) == of(
        "2027-01-04", "2027-01-11", "2027-01-18",
        "2027-01-20", "2027-02-03", "2027-02-17", "2027-03-03",
    )  # fmt: skip


def test_a_pause_leaves_nothing_of_the_plan_before_it() -> None:
    versions = [
        Version(1, 7, date(2027, 1, 4)),
        Version(2, 21, date(2027, 3, 1), holds_from=date(2027, 1, 12)),
    ]
    assert dates_between(versions, date(2027, 1, 1), date(2027, 4, 1)) == of(
        "2027-01-04", "2027-01-11",
        "2027-03-01", "2027-03-22",
    )  # fmt: skip


def test_the_start_of_a_version_belongs_to_it() -> None:
    versions = [Version(1, 7, date(2027, 1, 4)), Version(2, 14, date(2027, 1, 11))]
    found = next_dose(versions, date(2027, 1, 4))
    assert found == (date(2027, 1, 11), versions[1])
    assert next_dose(versions, date(2027, 1, 11)) == (date(2027, 1, 25), versions[1])


@pytest.mark.parametrize(
    ("zone", "day", "hour", "instant"),
    [
        ("Europe/London", "2027-03-28", time(0, 59), "2027-03-28T00:59"),
        ("Europe/London", "2027-03-28", time(1), "2027-03-28T01:00"),  # skipped: two on the wall
        ("Europe/London", "2027-03-28", time(1, 59), "2027-03-28T01:00"),  # skipped
        ("Europe/London", "2027-03-28", time(2), "2027-03-28T01:00"),
        ("Europe/London", "2027-10-31", time(1, 30), "2027-10-31T00:30"),  # the first of two
        ("Europe/London", "2027-10-31", time(2), "2027-10-31T02:00"),
        ("Australia/Lord_Howe", "2027-10-03", time(2, 15), "2027-10-02T15:30"),  # half an hour
        ("Australia/Lord_Howe", "2027-04-04", time(1, 45), "2027-04-03T14:45"),
        ("America/New_York", "2027-03-14", time(2, 30), "2027-03-14T07:00"),
        ("Pacific/Apia", "2027-01-04", time(9), "2027-01-03T20:00"),
    ],
)
def test_a_local_hour_on_days_that_are_hard(zone: str, day: str, hour: time, instant: str) -> None:
    found = local_instant(date.fromisoformat(day), hour, ZoneInfo(zone))
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)


def test_the_date_is_the_one_where_the_patient_is() -> None:
    instant = datetime(2027, 1, 4, 20, tzinfo=UTC)
    assert local_date(instant, ZoneInfo("Pacific/Apia")) == date(2027, 1, 5)
    assert local_date(instant, ZoneInfo("America/New_York")) == date(2027, 1, 4)
