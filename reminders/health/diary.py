"""The side-effect diary: what patients feel, how bad it is, and since when.

No entry is scored or judged. What a patient tells goes to the worklist, and so does the worst;
urgent signs among it (fever and chills, low mood, and the others of FACTS) get an urgent item.

Fever is among "like flu", and low mood among changes of mood: whoever chooses one of these two is
heard as telling of that sign, always, however mild they say it is. A false alarm costs a call.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Max, QuerySet
from django.db.models.functions import TruncWeek

from accounts import audit
from accounts.refusals import Conflict, Invalid
from reminders.dates.schedule import local_date
from reminders.doses.injection_checks import signs_in
from reminders.models import (
    Answer,
    Cause,
    Patient,
    Severity,
    SideEffect,
    SideEffectEntry,
    Source,
)
from reminders.schedules.plan import lock_patient
from reminders.understanding import Sign
from reminders.worklist.items import Finding, open_items

OLDEST = timedelta(days=366)
"""How long ago a date may lie: what is older is a slip of the keys, or belongs in the notes."""

MAY_BE: dict[SideEffect, Sign] = {
    SideEffect.FLU_LIKE: Sign.FEVER,
    SideEffect.MOOD: Sign.LOW_MOOD,
}
"""Effects of the list that hold an urgent sign (FACTS: fever is both)."""


@dataclass(frozen=True)
class Kept:
    """An entry, and the urgent signs in it, by name: what was told, written, or may be among the
    effect. Whoever reads the answer is shown the fixed safety words for them."""

    entry: SideEffectEntry
    signs: list[str]


@dataclass(frozen=True)
class Week:
    """One week of one effect. starts_on: its Monday; worst: 0 to 3, None if no entry says."""

    starts_on: date
    worst: int | None
    entries: int


@dataclass(frozen=True)
class EffectTrend:
    """One effect's weeks that have entries, rising."""

    effect: SideEffect
    weeks: list[Week]


def note_side_effect(
    patient_id: UUID,
    effect: SideEffect,
    severity: Severity | None,
    on_date: date,
    note: str,
    source: Source,
    actor: audit.Actor,
    now: datetime,
    answer: Answer | None = None,
    corrects: UUID | None = None,
    signs: Collection[str] = (),
) -> Kept:
    """Add an entry to a patient's diary.

    severity: None only for a text that doesn't say. answer: the text it came by. corrects: the
    entry in whose place this one holds. signs: the urgent signs that were told with it, as names.
    Those in the words of a note, and those that the effect may be, are found here; those in a text
    were found, and answered, when it was heard.

    The team is told of it on the worklist if the patient tells it or it is the worst, and at once
    if there are signs. Raises Invalid, naming the field, or Conflict for a correction
    of what has been corrected already.
    """
    if severity is None and source != Source.TEXT:
        raise Invalid("severity", "Say how bad it is, from 0 to 3.", "severity")
    with transaction.atomic():
        patient = lock_patient(patient_id)
        today = local_date(now, patient.zone)
        if not today - OLDEST <= on_date <= today:
            raise Invalid(
                "on_date", "Write a date of the last year, today at the latest.", "on_date"
            )
        entry = SideEffectEntry.objects.create(
            patient=patient,
            effect=effect,
            severity=severity,
            note=note,
            on_date=on_date,
            source=source,
            answer=answer,
            recorded_by=actor.user if source == Source.STAFF else None,
            recorded_at=now,
            corrects=_to_correct(patient, corrects) if corrects else None,
        )
        told = {*signs, *signs_in(note, patient)} if source != Source.TEXT else {*signs}
        found = told | _may_be(entry)
        open_items(_findings(entry, found, told), now)
        audit.record(
            actor,
            "note_side_effect",
            clinic_id=patient.clinic_id,
            subject_id=entry.id,
            corrects=str(corrects) if corrects else None,
        )
    return Kept(entry, sorted(found))


def _may_be(entry: SideEffectEntry) -> set[str]:
    """The sign that an effect may be, if it was chosen from the list: a text said which it was."""
    sign = MAY_BE.get(SideEffect(entry.effect))
    return {sign.value} if sign is not None and entry.source != Source.TEXT else set()


def _to_correct(patient: Patient, entry_id: UUID) -> SideEffectEntry:
    """The entry that a correction is of. The patient's lock keeps a second one out meanwhile."""
    entry = SideEffectEntry.objects.filter(patient=patient, id=entry_id).first()
    if entry is None:
        raise Invalid("corrects", "This patient's diary has no such entry.", "corrects")
    if SideEffectEntry.objects.filter(corrects=entry).exists():
        raise Conflict(
            "corrected_already", "This entry has been corrected. Correct that one.", "corrects"
        )
    return entry


def _findings(
    entry: SideEffectEntry, signs: Collection[str], told: Collection[str]
) -> list[Finding]:
    """What somebody has to look at. signs: all of them; told: those that somebody said."""
    facts = {
        "entry": str(entry.id),
        "effect": entry.effect,
        "severity": entry.severity,
        "date": entry.on_date.isoformat(),
    }
    if entry.answer is not None:
        facts["text"] = str(entry.answer.inbound_id)
    found = []
    if signs:
        urgent = {**facts, "signs": sorted(signs)}
        if entry.severity == Severity.NONE:
            urgent["denied"] = sorted(set(signs) - set(told))
        found.append(Finding(entry.patient_id, Cause.URGENT_SIGN, urgent))
    if entry.source != Source.STAFF or entry.severity == Severity.STOPPING:
        found.append(Finding(entry.patient_id, Cause.SIDE_EFFECT, facts))
    return found


def entries(patient: Patient) -> QuerySet[SideEffectEntry]:
    """A patient's diary, all of it. `corrected_by` of each is the entry that holds instead."""
    return (
        SideEffectEntry.objects.filter(patient=patient)
        .select_related("recorded_by", "answer")
        .annotate(corrected_by=F("correction__id"))
    )


def trend(patient: Patient, since: date, until: date) -> list[EffectTrend]:
    """Each effect's weeks (Monday to Sunday, by the patient's dates) with how bad it was at worst
    and how many entries there are; in the order of FACTS, without effects that have none."""
    rows = (
        SideEffectEntry.objects.filter(
            patient=patient, on_date__range=(since, until), correction__isnull=True
        )
        .annotate(week=TruncWeek("on_date"))
        .values_list("effect", "week")
        .annotate(worst=Max("severity"), entries=Count("id"))
        .order_by("week")
    )
    weeks: dict[str, list[Week]] = {effect: [] for effect in SideEffect.values}
    for effect, starts_on, worst, number in rows:
        weeks[effect].append(Week(starts_on, worst, number))
    return [EffectTrend(SideEffect(effect), found) for effect, found in weeks.items() if found]
