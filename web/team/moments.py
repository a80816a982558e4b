"""Dates and times as the people of a clinic write them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import phonenumbers
from babel.core import Locale
from babel.dates import format_skeleton, format_time
from babel.localedata import locale_identifiers

from accounts.models import Clinic

LATELY = 200
"""Days within which a date needs no year."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class When:
    """now: the instant of the request. In English, as it is written in the clinic's country."""

    clinic: Clinic
    now: datetime

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.clinic.time_zone)

    @cached_property
    def locale(self) -> Locale:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(self.clinic.phone))
        name = f"en_{country}"
        return Locale.parse(name if name in locale_identifiers() else "en_GB")

    @cached_property
    def today(self) -> date:
        """The date where the clinic is."""
        return self.now.astimezone(self.zone).date()

    def day(self, day: date) -> str:
        """Like Mon 4 Jan, with the year if that isn't plain."""
        near = abs((day - self.today).days) < LATELY
        return format_skeleton("MMMEd" if near else "yMMMEd", day, locale=self.locale)

    def month(self, day: date) -> str:
        """Like January 2027."""
        return format_skeleton("yMMMM", day, locale=self.locale)

    def time(self, at: datetime) -> str:
        """The wall time where the clinic is."""
        return format_time(at.astimezone(self.zone), "short", locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Like today 14:05, or Mon 4 Jan, 14:05."""
        day = at.astimezone(self.zone).date()
        near = {0: "today", -1: "yesterday", 1: "tomorrow"}.get((day - self.today).days)
        return f"{near} {self.time(at)}" if near else f"{self.day(day)}, {self.time(at)}"

    def ago(self, at: datetime) -> str:
        """How long ago, in the unit that tells enough: 5 min, 3 h, 2 days."""
        passed = max(self.now - at, timedelta())
        if passed < HOUR:
            return f"{passed // MINUTE} min"
        if passed < 2 * DAY:
            return f"{passed // HOUR} h"
        return f"{passed // DAY} days"
