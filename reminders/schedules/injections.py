"""What is known of a person's injections: by the records of doses, by facts noted beside the plan,
and by what a schedule began with. Those at former clinics are among them."""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from reminders.models import DoseRecord, Injection, Patient, Schedule, Told
from reminders.schedules.formerly import same_person


def held_records(people: list[UUID]) -> QuerySet[DoseRecord]:
    """Of each dose of these people that was injected, the record that holds."""
    later = DoseRecord.objects.filter(dose=OuterRef("dose"), number__gt=OuterRef("number"))
    return DoseRecord.objects.filter(dose__schedule__patient__in=people, told=Told.TAKEN).exclude(
        Exists(later)
    )


def held_facts(people: list[UUID]) -> QuerySet[Injection]:
    """The injections of no dose that hold."""
    return Injection.objects.filter(
        patient__in=people, taken_on__isnull=False, correction__isnull=True
    )


def injections(patient: Patient) -> QuerySet[Injection]:
    """The injections of no dose, all that was noted, the last first, those at former clinics among
    them. `corrected_by` of each is the one that holds instead."""
    found = Injection.objects.filter(patient__in=same_person(patient))
    return found.select_related("recorded_by").annotate(corrected_by=F("correction__id"))


def last_recorded(patient: Patient) -> date | None:
    """The last injection that was recorded or noted."""
    people = same_person(patient)
    days = [
        *held_records(people).order_by("-taken_on").values_list("taken_on", flat=True)[:1],
        *held_facts(people).order_by("-taken_on").values_list("taken_on", flat=True)[:1],
    ]
    return max((day for day in days if day is not None), default=None)


def near_injection(patient: Patient, day: date, besides: Collection[UUID] = ()) -> date | None:
    """Another injection that is known and lies nearer to a day than the clinic's least gap.
    besides: the dose, or the fact, that is being told of."""
    reach = timedelta(days=patient.clinic.least_gap - 1)
    around = (day - reach, day + reach)
    people = same_person(patient)
    told = held_records(people).filter(taken_on__range=around).exclude(dose__in=besides)
    facts = held_facts(people).filter(taken_on__range=around).exclude(id__in=besides)
    before = Schedule.objects.filter(patient__in=people, last_injection_on__range=around)
    known = [
        *told.values_list("taken_on", flat=True),
        *facts.values_list("taken_on", flat=True),
        *before.values_list("last_injection_on", flat=True),
    ]
    near = [other for other in known if other is not None]
    return min(near, key=lambda other: abs(other - day), default=None)


def last_site(patient: Patient, day: date, besides: Collection[UUID] = ()) -> str:
    """Where the last injection by a day went, of those of which that is known; blank if of none.
    besides: the dose, or the fact, that is being told of."""
    people = same_person(patient)
    told = held_records(people).filter(taken_on__lte=day).exclude(dose__in=besides)
    facts = held_facts(people).filter(taken_on__lte=day).exclude(id__in=besides)
    known = [
        *told.exclude(site="").order_by("-taken_on", "-id").values_list("taken_on", "site")[:1],
        *facts.exclude(site="").order_by("-taken_on", "-id").values_list("taken_on", "site")[:1],
    ]
    sites = [(on, site) for on, site in known if on is not None]
    return max(sites, key=lambda found: found[0])[1] if sites else ""
