"""What recording a dose and noting an injection of none have in common: what is refused, what is
cautioned, and what somebody has to look at."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.models import Cause, Patient, Site
from reminders.policies import policy_of
from reminders.schedules.effects import Caution
from reminders.schedules.injections import last_site
from reminders.understanding import understand
from reminders.worklist.items import Finding


def check_injection(day: date, site: str, patient: Patient, now: datetime) -> None:
    """Refuse, with Invalid, a date still to come, and a site that the clinic doesn't use."""
    if day > local_date(now, patient.zone):
        raise Invalid("injection_ahead", "This date is still to come.", "taken_on")
    if site and site not in policy_of(patient.clinic_id).sites:
        raise Invalid("site", "Your clinic doesn't use this site.", "site")


def check_near(near: date | None, day: date, *, confirmed: bool) -> None:
    """Refuse, with Conflict (second_dose_close), another injection close by that nobody has
    confirmed: an overdose must not be a slip."""
    if near is not None and not confirmed:
        raise Conflict(
            "second_dose_close",
            f"An injection on {near.isoformat()} is recorded, which is "
            f"{abs(day - near).days} days from this one. "
            "If both are true, confirm it.",
            "taken_on",
            other=near,
        )


def same_site(
    site: str, patient: Patient, day: date, besides: Collection[UUID] = ()
) -> list[Caution]:
    """A new site each time (FACTS, EU leaflet)."""
    if not site or last_site(patient, day, besides) != site:
        return []
    where = Site(site).label
    return [Caution("same_site", f"{where} was the last site too. A new one each time is better.")]


def signs_in(note: str, patient: Patient) -> list[str]:
    """The urgent signs in what was written, also denied ones: found as in a text."""
    return [sign.value for sign in understand(note, patient.language).urgent]


def findings(
    patient: Patient,
    facts: dict[str, Any],
    signs: list[str],
    *,
    taken_on: date | None = None,
    near: date | None = None,
    as_prescribed: bool | None = None,
) -> list[Finding]:
    """What has to be looked at of an injection that was told of. facts: which it is; signs: urgent
    ones in what was written of it; near: another one close by."""
    found = []
    if signs:
        found.append(Finding(patient.id, Cause.URGENT_SIGN, {**facts, "signs": signs}))
    if taken_on is not None and near is not None:
        both = {"taken_on": taken_on.isoformat(), "other": near.isoformat()}
        found.append(Finding(patient.id, Cause.SECOND_DOSE, facts | both))
    if taken_on is not None and as_prescribed is False:
        day = {"taken_on": taken_on.isoformat()}
        found.append(Finding(patient.id, Cause.NOT_AS_PRESCRIBED, facts | day))
    return found
