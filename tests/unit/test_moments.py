"""A time in a patient's words, on the days on which the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.conversation.moments import when_done, when_wished
from reminders.understanding import When

LONDON = ZoneInfo("Europe/London")
BACK = datetime(2026, 10, 25, 0, 44, tzinfo=UTC)
FORWARD = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("now", [BACK, FORWARD])
def test_in_two_hours_is_two_hours_whatever_the_clocks_do(now: datetime) -> None:
    here, later = now.astimezone(LONDON), now + timedelta(hours=2)
    assert when_wished(None, here, 120).astimezone(UTC) == later
    assert when_wished(When(minutes=120), here, 15).astimezone(UTC) == later


def test_two_hours_ago_is_two_hours_before_whatever_the_clocks_did() -> None:
    after = BACK + timedelta(hours=2, minutes=6)
    day, clock = when_done(When(minutes=-120), after.astimezone(LONDON))
    assert f"{day} {clock}" == "2026-10-25 01:50:00"
