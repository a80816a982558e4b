"""The side-effect diary: what is kept, what the team hears of, and its trend."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid
from reminders.health import diary
from reminders.health.diary import EffectTrend, Week, note_side_effect
from reminders.models import (
    Cause,
    Severity,
    SideEffect,
    SideEffectEntry,
    Source,
    Urgency,
    WorkItem,
)
from tests.cast import NOW, Cast, make_patient

MONDAY = NOW.date()
DAY = timedelta(days=1)


def note(cast: Cast, effect: str = "tiredness", severity: int | None = 1, on=MONDAY, **more):
    by = more.pop("source", Source.STAFF)
    words = more.pop("note", "")
    return note_side_effect(
        cast.ada.id, SideEffect(effect), severity, on, words, by, cast.actor, NOW, **more
    ).entry


def items(cast: Cast) -> dict[str, dict]:
    return {
        item.cause: item.facts for item in WorkItem.objects.filter(patient=cast.ada, closed_at=None)
    }


def test_the_nine_are_those_of_facts_in_their_order():
    assert SideEffect.values == [
        "appetite", "tiredness", "infections", "sleep", "mood", "headache", "diarrhoea", "sickness",
        "flu_like",
    ]  # fmt: skip


def test_a_mild_one_that_the_team_notes_is_kept_and_opens_nothing(cast):
    entry = note(cast, note="since Friday")
    kept = SideEffectEntry.objects.get()
    assert kept.id == entry.id
    assert (kept.effect, kept.severity, kept.note) == ("tiredness", 1, "since Friday")
    assert (kept.on_date, kept.recorded_by, kept.recorded_at) == (MONDAY, cast.clinician, NOW)
    assert items(cast) == {}
    audited = AuditEntry.objects.get(verb="note_side_effect")
    assert (audited.subject_id, audited.clinic_id) == (entry.id, cast.clinic.id)
    assert "Friday" not in str(audited.detail)


@pytest.mark.parametrize("source", [Source.TEXT, Source.PAGE])
def test_what_a_patient_tells_is_on_the_worklist(cast, source):
    entry = note(cast, "sickness", Severity.MILD, source=source)
    assert items(cast) == {
        Cause.SIDE_EFFECT: {
            "entry": str(entry.id), "effect": "sickness", "severity": 1, "date": "2027-01-04",
        }
    }  # fmt: skip


def test_the_worst_is_on_the_worklist_whoever_tells_it(cast):
    note(cast, severity=Severity.STRONG)
    assert items(cast) == {}
    note(cast, severity=Severity.STOPPING)
    assert set(items(cast)) == {Cause.SIDE_EFFECT}


def test_signs_that_a_patient_tells_are_urgent(cast):
    note(cast, "flu_like", 1, source=Source.PAGE, signs=["low_mood", "fever"])
    found = items(cast)
    assert set(found) == {Cause.URGENT_SIGN, Cause.SIDE_EFFECT}
    assert found[Cause.URGENT_SIGN]["signs"] == ["fever", "low_mood"]
    urgent = WorkItem.objects.get(cause=Cause.URGENT_SIGN)
    assert urgent.urgency == Urgency.NOW
    assert urgent.next_page_at == NOW


@pytest.mark.parametrize(
    ("effect", "words", "sign"),
    [
        ("flu_like", "She has a fever and chills since last night", "fever"),
        ("mood", "says: I want to kill myself", "self_harm"),
        ("headache", "and chest pain", "chest_pain"),
    ],
)
@pytest.mark.parametrize("source", [Source.STAFF, Source.PAGE])
def test_signs_in_a_note_are_urgent_whoever_writes_it(cast, effect, words, sign, source):
    note(cast, effect, 1, note=words, source=source)
    assert sign in items(cast)[Cause.URGENT_SIGN]["signs"]


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize(("effect", "sign"), [("flu_like", "fever"), ("mood", "low_mood")])
@pytest.mark.parametrize("source", [Source.STAFF, Source.PAGE])
def test_what_may_be_fever_or_low_mood_is_urgent_however_mild(cast, effect, sign, severity, source):
    note(cast, effect, severity, source=source)
    facts = items(cast)[Cause.URGENT_SIGN]
    assert facts["signs"] == [sign]
    assert facts.get("denied") == ([sign] if severity == Severity.NONE else None)


def test_a_sign_that_was_told_is_not_denied_by_an_effect_that_has_gone(cast):
    note(cast, "mood", Severity.NONE, signs=["low_mood", "fever"])
    facts = items(cast)[Cause.URGENT_SIGN]
    assert (facts["signs"], facts["denied"]) == (["fever", "low_mood"], [])


def test_signs_in_a_text_are_found_where_it_is_heard(cast):
    note(cast, "flu_like", None, note="I have a fever", source=Source.TEXT)
    assert set(items(cast)) == {Cause.SIDE_EFFECT}


def test_a_text_needs_no_severity_and_others_do(cast):
    assert note(cast, severity=None, source=Source.TEXT).severity is None
    for source in (Source.PAGE, Source.STAFF):
        with pytest.raises(Invalid) as refused:
            note(cast, severity=None, source=source)
        assert refused.value.field == "severity"


@pytest.mark.parametrize(("severity", "source"), [(None, "staff"), (None, "page"), (4, "text")])
def test_the_database_too_wants_to_know_how_bad_it_is(cast, severity, source):
    with pytest.raises(IntegrityError), transaction.atomic():
        SideEffectEntry.objects.create(
            patient=cast.ada, effect="mood", severity=severity, on_date=MONDAY, source=source,
            recorded_at=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("days", [1, -367])
def test_dates_that_cannot_be_meant(cast, days):
    with pytest.raises(Invalid) as refused:
        note(cast, on=MONDAY + days * DAY)
    assert refused.value.field == "on_date"
    assert not SideEffectEntry.objects.exists()


def test_a_correction_holds_and_the_first_stays(cast):
    first = note(cast, severity=2)
    second = note(cast, severity=1, corrects=first.id)
    assert {entry.id: entry.corrected_by for entry in diary.entries(cast.ada)} == {
        first.id: second.id,
        second.id: None,
    }
    assert SideEffectEntry.objects.get(id=first.id).severity == 2
    (trend,) = diary.trend(cast.ada, MONDAY, MONDAY)
    assert trend.weeks == [Week(MONDAY, 1, 1)]
    with pytest.raises(Conflict):
        note(cast, severity=0, corrects=first.id)
    note(cast, severity=0, corrects=second.id)


def test_another_patients_entry_is_not_corrected(cast):
    first = note(cast)
    other = SideEffectEntry.objects.create(
        patient=_bo(cast), effect="mood", severity=1, on_date=MONDAY, source="staff",
        recorded_at=NOW,
    )  # fmt: skip
    for wrong in (other.id, cast.ada.id):
        with pytest.raises(Invalid) as refused:
            note(cast, corrects=wrong)
        assert refused.value.field == "corrects"
    assert list(SideEffectEntry.objects.filter(patient=cast.ada)) == [first]


def test_the_trend_has_the_worst_of_each_week_and_how_many_entries(cast):
    for effect, severity, back in [
        ("mood", 1, 0),  # the Monday itself
        ("mood", 3, 1),  # the Sunday before: another week
        ("mood", 2, 7),  # the Monday of that week
        ("mood", 2, 8),  # the Sunday before that, before the period
        ("tiredness", 0, 3),
    ]:
        note(cast, effect, severity, MONDAY - back * DAY)
    note(cast, "sleep", None, MONDAY, source=Source.TEXT)
    assert diary.trend(cast.ada, MONDAY - 7 * DAY, MONDAY) == [
        EffectTrend(SideEffect.TIREDNESS, [Week(MONDAY - 7 * DAY, 0, 1)]),
        EffectTrend(SideEffect.SLEEP, [Week(MONDAY, None, 1)]),
        EffectTrend(SideEffect.MOOD, [Week(MONDAY - 7 * DAY, 3, 2), Week(MONDAY, 1, 1)]),
    ]


def _bo(cast: Cast):
    return make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
