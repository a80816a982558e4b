"""What became of the doses of a period: figures, a calendar, and rows for a file.

A dose belongs to the period in which its own date lies, wherever the injection was. It counts when
it was asked for or answered: planned ones aren't due yet, and cancelled ones (by a change, a pause,
a stop) never were. Each that counts is exactly one of:

- **on time**: injected by `Policy.on_time_days` whole days after its date; ahead of it counts too.
- **late**: injected after that.
- **skipped**: left out, and said so.
- **missed, no answer**: asked for, and nothing was heard within 48 hours.
- **missed, not asked**: our text didn't reach the patient, or there was none. It is no fault of
  theirs.
- **unknown**: still open; or missed while nobody knows whether our text arrived; or injected
  without a record that says when.

The record that holds is the one with the greatest number; what the dose is is its state. How many
days are on time is the clinic's choice and no clinical figure.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from accounts.models import Clinic
from messaging import outbox
from reminders.models import Dose, DoseRecord, DoseState, Missed, Patient
from reminders.policies import policy_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Judgement(TypedDict):
    """What `_judged` adds to a dose."""

    became: str
    taken_on: date | None


COUNTED = (DoseState.DUE, DoseState.TAKEN, DoseState.SKIPPED, DoseState.MISSED)
CHUNK = 2000
"""Rows of a file fetched at once: its memory follows this, not the clinic."""


class Became(StrEnum):
    """What became of a dose, as the module says."""

    ON_TIME = "on_time"
    LATE = "late"
    SKIPPED = "skipped"
    NO_ANSWER = "missed_no_answer"
    NOT_ASKED = "missed_not_asked"
    UNKNOWN = "unknown"


IN_WORDS: dict[Became, str] = {
    Became.ON_TIME: "Injected on time",
    Became.LATE: "Injected late",
    Became.SKIPPED: "Left out",
    Became.NO_ANSWER: "Missed: no answer",
    Became.NOT_ASKED: "Missed: our text did not arrive",
    Became.UNKNOWN: "Not known",
}


@dataclass(frozen=True)
class Figures:
    """How many doses were due, and what became of them: the others add up to `due`."""

    due: int
    on_time: int
    late: int
    skipped: int
    missed_no_answer: int
    missed_not_asked: int
    unknown: int


@dataclass(frozen=True)
class Day:
    """One dose in the calendar. on: its date; taken_on: when it was injected, if it was."""

    on: date
    became: Became
    taken_on: date | None


@dataclass(frozen=True)
class Row:
    """One dose in a file. interval_days: of the decision that gave it."""

    patient_id: UUID
    reference: str
    name: str
    dose_id: UUID
    on: date
    interval_days: int
    became: Became
    taken_on: date | None


def calendar(patient: Patient, since: date, until: date) -> list[Day]:
    """Each dose of a patient in a period, by date."""
    doses = _judged(patient, since, until).order_by("date")
    return [
        Day(on, Became(became), taken_on)
        for on, became, taken_on in doses.values_list("date", "became", "taken_on")
    ]


def figures_of(days: list[Day]) -> Figures:
    """The figures of a calendar."""
    return _figures(Counter(day.became for day in days))


def clinic_figures(clinic: Clinic, since: date, until: date) -> Figures:
    """The figures of all patients of a clinic in a period, counted by the database."""
    counts = _judged(clinic, since, until).order_by().values("became").annotate(number=Count("id"))
    return _figures(Counter({Became(row["became"]): row["number"] for row in counts}))


def rows(whose: Patient | Clinic, since: date, until: date) -> Iterator[Row]:
    """The doses of a patient or a clinic in a period, by date, read as they are asked for."""
    doses = _judged(whose, since, until).select_related("schedule__patient", "version")
    for dose in doses.order_by("date", "id").iterator(chunk_size=CHUNK):
        patient = dose.schedule.patient
        yield Row(
            patient_id=patient.id,
            reference=patient.reference,
            name=patient.name,
            dose_id=dose.id,
            on=dose.date,
            interval_days=dose.version.interval_days,
            became=Became(dose.became),
            taken_on=dose.taken_on,
        )


def _figures(counts: Counter[Became]) -> Figures:
    return Figures(due=counts.total(), **{each.value: counts[each] for each in Became})


def _judged(
    whose: Patient | Clinic, since: date, until: date
) -> "QuerySet[WithAnnotations[Dose, Judgement]]":
    """The doses that count, each with what it `became`, and `taken_on` of the record that holds."""
    doses = Dose.objects.filter(date__range=(since, until), state__in=COUNTED)
    if isinstance(whose, Patient):
        doses, policy = doses.filter(schedule__patient=whose), policy_of(whose.clinic_id)
    else:
        doses, policy = doses.filter(schedule__patient__clinic=whose), policy_of(whose.id)
    latest = DoseRecord.objects.filter(dose=OuterRef("pk")).order_by("-number")
    last_on_time = ExpressionWrapper(F("date") + policy.on_time_days, DateField())
    in_doubt = Exists(outbox.in_doubt().filter(about_id=OuterRef("pk")))
    return doses.annotate(
        taken_on=Case(
            When(state=DoseState.TAKEN, then=Subquery(latest.values("taken_on")[:1])),
            output_field=DateField(),
        ),
        became=Case(
            When(taken_on__lte=last_on_time, then=Value(Became.ON_TIME)),
            When(taken_on__isnull=False, then=Value(Became.LATE)),
            When(state=DoseState.SKIPPED, then=Value(Became.SKIPPED)),
            When(missed_because=Missed.NO_ANSWER, then=Value(Became.NO_ANSWER)),
            When(Q(missed_because=Missed.NOT_ASKED) & ~in_doubt, then=Value(Became.NOT_ASKED)),
            default=Value(Became.UNKNOWN),
            output_field=CharField(),
        ),
    )
