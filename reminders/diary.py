"""The side-effect diary: what patients feel, how bad it is, and since when.

No entry is scored or judged. What a patient tells goes to the worklist, and so does the worst;
urgent signs among it (fever and chills, low mood, and the others of FACTS) get an urgent item.
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
from reminders.models import (
    Answer,
    Cause,
    Patient,
    Severity,
    SideEffect,
    SideEffectEntry,
    Source,
)
from reminders.plan import lock_patient
from reminders.schedule import local_date
from reminders.understanding import understand
from reminders.worklist import Finding, open_items

OLDEST = timedelta(days=366)
"""How long ago a date may lie: what is older is a slip of the keys, or belongs in the notes."""


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
) -> SideEffectEntry:
    """Add an entry to a patient's diary.

    severity: None only for a text that doesn't say. answer: the text it came by. corrects: the
    entry in whose place this one holds. signs: the urgent signs that the patient told with it, as
    names: "like flu" holds fever and "mood" holds low mood, so a page asks for them. Those in the
    words of a note are found here; those in a text were found, and answered, when it was heard.

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
        if source != Source.TEXT:
            signs = {*signs, *(sign.value for sign in understand(note, patient.language).urgent)}
        open_items(_findings(entry, signs), now)
        audit.record(
            actor,
            "note_side_effect",
            clinic_id=patient.clinic_id,
            subject_id=entry.id,
            corrects=str(corrects) if corrects else None,
        )
    return entry


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


def _findings(entry: SideEffectEntry, signs: Collection[str]) -> list[Finding]:
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
        found.append(Finding(entry.patient_id, Cause.URGENT_SIGN, urgent))
    if entry.source != Source.STAFF or entry.severity == Severity.STOPPING:
        found.append(Finding(entry.patient_id, Cause.SIDE_EFFECT, facts))
    return found


def entries(patient: Patient) -> QuerySet[SideEffectEntry]:
    """A patient's diary, all of it. `corrected_by` of each is the entry that holds instead."""
    return (
        SideEffectEntry.objects.filter(patient=patient)
        .select_related("recorded_by")
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
