"""The steps of a dose's reminders, the hours in which they may go, and how many: pure.

Hours and numbers are the law's (FACTS, SMS law and carriers): 8 in the morning to 9 in the evening
where the patient is, unless the patient chose another hour; at most one text a day and three a
week that nobody asked for.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminders.dates.schedule import local_date, local_instant

EARLIEST = time(8)
LATEST = time(21)
SPACING = timedelta(hours=20)
MOST_A_WEEK = 3
LEAST_USE = timedelta(hours=2)
NOTICE_DAYS = 3
LOOK_BACK = timedelta(days=8)
"""How far back texts count for the limits: seven local days, whatever the zone."""


class Step(StrEnum):
    """What was done last for a dose. Values are stored."""

    NONE = ""
    DAY = "day"
    NEXT = "next"
    OVERDUE = "overdue"


DAYS_AFTER = {Step.DAY: 0, Step.NEXT: 1, Step.OVERDUE: 2}
"""Local days after the dose's date. Past two days the team is told and the patient is asked to call
them (FACTS, Missed doses); no date is ever computed for catching up."""

FOLLOWING = {Step.NONE: Step.DAY, Step.DAY: Step.NEXT, Step.NEXT: Step.OVERDUE}


# Of those who are due together most have the same date, hour and zone.
@lru_cache(10_000)
def step_instant(step: Step, dose_date: date, hour: time, zone: ZoneInfo) -> datetime:
    """When a step is due: the patient's hour, so many local days after the dose's date (UTC)."""
    return local_instant(dose_date + timedelta(days=DAYS_AFTER[step]), hour, zone)


@lru_cache(10_000)
def use_ends(step: Step, dose_date: date, hour: time, zone: ZoneInfo) -> datetime:
    """When a step's text is of no use any more: that evening (UTC).

    Nine o'clock, or two hours after the patient's own hour where that is later, but never into
    the next day: "today" would be wrong there.
    """
    day = dose_date + timedelta(days=DAYS_AFTER[step])
    evening = local_instant(day, LATEST, zone)
    midnight = local_instant(day + timedelta(days=1), time(0), zone)
    return min(max(evening, local_instant(day, hour, zone) + LEAST_USE), midnight)


def spaced(at: datetime, others: Sequence[datetime]) -> bool:
    """Whether an instant keeps its distance to all others."""
    return all(abs(at - other) >= SPACING for other in others)


def room(day: date, others: Sequence[date]) -> bool:
    """Whether one more text on a local date leaves three in any seven days.

    `others` holds the local dates of the texts sent, and of those that go before in precedence and
    are still to come. By dates, not hours: a week with a clock change is a week.
    """
    days = sorted([*others, day])
    return all(
        sum(1 for other in days if last - timedelta(days=7) < other <= last) <= MOST_A_WEEK
        for last in days
        if day <= last < day + timedelta(days=7)
    )


def notice_slot(
    now: datetime,
    hour: time,
    zone: ZoneInfo,
    sent: Sequence[datetime],
    planned: Sequence[datetime],
    earliest: time = EARLIEST,
    latest: time = LATEST,
) -> tuple[datetime, datetime] | None:
    """From when to when a notice may leave: at once if the hours and limits allow it, else at the
    patient's hour on one of the following days; None if there is no room.

    `sent` are instants of former texts, `planned` those of reminders to come, which go before;
    `earliest` and `latest` the clinic's hours, within the law's.
    """
    taken = [*sent, *planned]
    dates = [local_date(instant, zone) for instant in taken]
    today = local_date(now, zone)
    # Not in the last hour, for it has to be of some use.
    polite = min(max(hour, earliest), latest.replace(hour=latest.hour - 1))
    candidates = [
        now,
        *(
            local_instant(today + timedelta(days=days), polite, zone)
            for days in range(NOTICE_DAYS + 1)
        ),
    ]
    for at in candidates:
        day = local_date(at, zone)
        first = local_instant(day, earliest, zone)
        last = local_instant(day, latest, zone)
        if at >= now and first <= at < last and spaced(at, taken) and room(day, dates):
            return at, last
    return None
