"""When members hear from us outside the app, by their own clocks: never at night."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST, LAST = 8, 21
"""Texts go from the one hour to the other (FACTS, SMS law)."""


def awake_until(zone: str, now: datetime) -> datetime | None:
    """When today's hours for texts end, if it is within them; None else."""
    local = now.astimezone(ZoneInfo(zone))
    if not FIRST <= local.hour < LAST:
        return None
    return local.replace(hour=LAST, minute=0, second=0, microsecond=0).astimezone(UTC)


def next_hour(zone: str, hour: int, after: datetime, days: int = 0) -> datetime:
    """The first instant at which it is this hour there, after another and `days` later."""
    local = after.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=days)
    at = datetime.combine(day, time(hour), ZoneInfo(zone))
    if at.astimezone(UTC) <= after:
        at = datetime.combine(day + timedelta(days=1), time(hour), ZoneInfo(zone))
    return at.astimezone(UTC)
