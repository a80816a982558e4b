"""What recording a dose and noting an injection of none have in common: what is refused, what is
cautioned, and what somebody has to look at."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.models import Cause, DoseRecord, Injection, Patient, Site, Told, WorkNote
from reminders.policies import policy_of
from reminders.schedules.effects import Caution
from reminders.schedules.injections import last_site
from reminders.understanding import understand
from reminders.worklist.items import Finding, settle_items


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


def settle_as_prescribed(patient: Patient, now: datetime) -> None:
    """Close what says that an injection was not as prescribed, once a correction says of each that
    it names that it was, or that it was none. One of which nobody says it any more stays."""
    named: dict[str, set[str]] = {"dose": set(), "injection": set()}
    for facts in WorkNote.objects.filter(
        item__patient=patient, item__cause=Cause.NOT_AS_PRESCRIBED, item__closed_at=None
    ).values_list("facts", flat=True):
        for kind in named.keys() & facts.keys():
            named[kind].add(facts[kind])
    in_doubt = Q(as_prescribed=False) | Q(as_prescribed=None)
    later = DoseRecord.objects.filter(dose=OuterRef("dose"), number__gt=OuterRef("number"))
    records = DoseRecord.objects.filter(in_doubt, dose__id__in=named["dose"], told=Told.TAKEN)
    facts_in_doubt = Injection.objects.filter(
        Q(id__in=named["injection"]) | Q(corrects__id__in=named["injection"]),
        in_doubt,
        taken_on__isnull=False,
        correction__isnull=True,
    )
    if not (records.exclude(Exists(later)).exists() or facts_in_doubt.exists()):
        because = "What was recorded is corrected."
        settle_items([patient.id], [Cause.NOT_AS_PRESCRIBED], now, because=because)
