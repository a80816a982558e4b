"""Blood results: what is taken in, what holds, the trend beside the plan, and when one is due."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, NotFound
from reminders.health import blood
from reminders.health.blood import Entry, correct_result, enter_result
from reminders.health.blood_tests import TESTS, plain
from reminders.health.diary import note_side_effect
from reminders.models import (
    BloodResult,
    BloodTest,
    Cause,
    Outcome,
    Policy,
    Severity,
    SideEffect,
    Source,
    WorkItem,
    WorkNote,
)
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast, make_patient

MONDAY = NOW.date()
DAY = timedelta(days=1)
HCT = BloodTest.HAEMATOCRIT


def entry(test: str = "haematocrit", value: str = "0.43", unit: str = "L/L", on: date = MONDAY):
    return Entry(BloodTest(test), Decimal(value), unit, on)


def enter(cast: Cast, *args: str, on: date = MONDAY, now: datetime = NOW) -> BloodResult:
    return enter_result(cast.ada.id, entry(*args, on=on), cast.actor, now)


def start(cast: Cast, interval: int = 7, on: date = MONDAY, now: datetime = NOW):
    return prescribing.start(cast.ada.id, Decision(interval, on), None, cast.actor, now)


def open_item(cast: Cast) -> WorkItem | None:
    return WorkItem.objects.filter(
        patient=cast.ada, cause=Cause.RESULT_DUE, closed_at=None
    ).first()  # fmt: skip


# --- What is taken in -----------------------------------------------------------------------------


def test_codes_and_units_are_those_of_facts():
    assert {
        test.value: (kind.loinc, [unit.code for unit in kind.units]) for test, kind in TESTS.items()
    } == {
        "haematocrit": ("4544-3", ["L/L", "%"]),
        "haemoglobin": ("718-7", ["g/L"]),
        "platelets": ("777-3", ["10*9/L"]),
        "white_cells": ("6690-2", ["10*9/L"]),
        "neutrophils": ("751-8", ["10*9/L"]),
        "alt": ("1742-6", ["U/L"]),
    }


def test_a_result_is_kept_as_it_was_entered(cast):
    result = enter(cast, "haematocrit", "43.5", "%")
    kept = BloodResult.objects.get()
    assert (kept.test, kept.value, kept.unit) == (HCT, Decimal("43.5"), "%")
    assert (kept.taken_on, kept.source, kept.entered_by) == (MONDAY, "staff", cast.clinician)
    audited = AuditEntry.objects.get(verb="enter_result")
    assert (audited.subject_id, audited.clinic_id) == (result.id, cast.clinic.id)


@pytest.mark.parametrize(
    ("test", "value", "unit", "field"),
    [
        ("haematocrit", "43", "L/L", "value"),  # percent, in the wrong unit
        ("haematocrit", "0.43", "%", "value"),
        ("haematocrit", "0.43", "g/L", "unit"),
        ("haemoglobin", "14.2", "g/L", "value"),  # g/dL
        ("haemoglobin", "14.2", "g/dL", "unit"),
        ("platelets", "310000", "10*9/L", "value"),  # per microlitre
        ("white_cells", "6500", "10*9/L", "value"),
        ("neutrophils", "3500", "10*9/L", "value"),
        ("alt", "-1", "U/L", "value"),
        ("alt", "0.0001", "U/L", "value"),
        ("alt", "NaN", "U/L", "value"),
        ("alt", "Infinity", "U/L", "value"),
        ("alt", "1E+40", "U/L", "value"),
        ("alt", "30", "", "unit"),
    ],
)
def test_slips_of_the_keys_are_refused(cast, test, value, unit, field):
    with pytest.raises(Invalid) as refused:
        enter(cast, test, value, unit)
    assert refused.value.field == field
    assert not BloodResult.objects.exists()


@pytest.mark.parametrize(
    ("test", "value", "unit"),
    [
        ("haematocrit", "0.72", "L/L"),
        ("haematocrit", "15", "%"),
        ("haemoglobin", "35", "g/L"),
        ("platelets", "0", "10*9/L"),
        ("platelets", "3000", "10*9/L"),
        ("white_cells", "250.5", "10*9/L"),
        ("neutrophils", "0.02", "10*9/L"),
        ("alt", "9000", "U/L"),
    ],
)
def test_what_is_rare_but_real_is_taken(cast, test, value, unit):
    assert enter(cast, test, value, unit).value == Decimal(value)


@pytest.mark.parametrize("on", [MONDAY + DAY, date(1949, 12, 31), date(27, 1, 4)])
def test_dates_that_cannot_be_meant(cast, on):
    with pytest.raises(Invalid) as refused:
        enter(cast, on=on)
    assert refused.value.field == "taken_on"


@pytest.mark.parametrize(
    ("value", "written"), [("0.430", "0.43"), ("300.000", "300"), ("0.000", "0"), ("43", "43")]
)
def test_values_are_written_without_needless_zeros(value, written):
    assert plain(Decimal(value)) == written


# --- Corrections ----------------------------------------------------------------------------------


def test_a_correction_holds_and_the_first_stays(cast):
    first = enter(cast, "haematocrit", "0.34")
    second = correct_result(cast.ada.id, first.id, entry(), cast.actor, NOW)
    assert {row.id: row.corrected_by for row in blood.results(cast.ada)} == {
        first.id: second.id,
        second.id: None,
    }
    assert BloodResult.objects.get(id=first.id).value == Decimal("0.34")
    (series,) = blood.trend(cast.ada, MONDAY, MONDAY).series
    assert [value for _, value in series.points] == [Decimal("0.43")]
    with pytest.raises(Conflict):
        correct_result(cast.ada.id, first.id, entry(), cast.actor, NOW)
    correct_result(cast.ada.id, second.id, entry("alt", "30", "U/L"), cast.actor, NOW)
    (series,) = blood.trend(cast.ada, MONDAY, MONDAY).series
    assert series.test == BloodTest.ALT


def test_a_result_of_somebody_else_is_taken_back(cast):
    first = enter(cast)
    correct_result(cast.ada.id, first.id, None, cast.actor, NOW)
    assert blood.trend(cast.ada, MONDAY, MONDAY).series == []
    assert BloodResult.objects.count() == 2


def test_another_patients_result_is_not_corrected(cast):
    bo = make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
    first = enter(cast)
    for patient_id, result_id in ((bo.id, first.id), (cast.ada.id, uuid4())):
        with pytest.raises(NotFound):
            correct_result(patient_id, result_id, entry(), cast.actor, NOW)
    assert BloodResult.objects.count() == 1


# --- The trend ------------------------------------------------------------------------------------


def test_the_trend_is_by_test_in_one_unit_with_the_decisions_beside_it(cast):
    start(cast)
    enter(cast, "alt", "31", "U/L")
    enter(cast, "haematocrit", "43.5", "%")
    enter(cast, "haematocrit", "0.47", "L/L", on=MONDAY - 30 * DAY)
    enter(cast, "haematocrit", "0.52", "L/L", on=MONDAY - 31 * DAY)
    later = NOW + DAY
    prescribing.change_interval(
        cast.ada.id, Decision(14, MONDAY + 14 * DAY), read_plan(cast.ada).token, cast.actor, later
    )
    trend = blood.trend(cast.ada, MONDAY - 30 * DAY, MONDAY + 14 * DAY)
    assert [
        (each.test, each.unit, [(result.taken_on, value) for result, value in each.points])
        for each in trend.series
    ] == [
        (HCT, "L/L", [(MONDAY - 30 * DAY, Decimal("0.47")), (MONDAY, Decimal("0.435"))]),
        (BloodTest.ALT, "U/L", [(MONDAY, Decimal(31))]),
    ]
    assert [(each.number, each.interval_days, each.starts_on) for each in trend.versions] == [
        (1, 7, MONDAY),
        (2, 14, MONDAY + 14 * DAY),
    ]


# --- When the next is due -------------------------------------------------------------------------


def rhythm(cast: Cast, days: int | None) -> None:
    Policy.objects.update_or_create(clinic=cast.clinic, defaults={"result_days": days})


def test_without_a_rhythm_none_is_ever_due(cast):
    start(cast)
    sweep(NOW + 400 * DAY)
    rhythm(cast, None)
    sweep(NOW + 400 * DAY)
    assert open_item(cast) is None


def test_it_is_counted_from_the_start_and_then_from_the_last_result(cast):
    start(cast)
    rhythm(cast, 28)
    sweep(NOW + 27 * DAY)
    assert open_item(cast) is None
    sweep(NOW + 28 * DAY)
    assert open_item(cast).facts == {"since": "2027-01-04", "days": 28}
    sweep(NOW + 29 * DAY)
    assert open_item(cast).times == 1, "looking again changed something"

    taken = MONDAY + 29 * DAY
    enter(cast, on=taken, now=NOW + 30 * DAY)
    assert open_item(cast) is None
    closed = WorkItem.objects.get(cause=Cause.RESULT_DUE)
    assert closed.outcome == Outcome.BY_EVENT
    assert WorkNote.objects.filter(item=closed, kind=WorkNote.Kind.CLOSED).exists()

    sweep(NOW + (29 + 27) * DAY)
    assert open_item(cast) is None
    sweep(NOW + (29 + 28) * DAY)
    assert open_item(cast).facts["since"] == taken.isoformat()


def test_an_old_result_closes_nothing(cast):
    start(cast)
    rhythm(cast, 28)
    sweep(NOW + 40 * DAY)
    enter(cast, on=MONDAY + 5 * DAY, now=NOW + 40 * DAY)
    assert open_item(cast) is not None


def test_taking_a_result_back_makes_one_due_again(cast):
    start(cast)
    rhythm(cast, 28)
    sweep(NOW + 40 * DAY)
    result = enter(cast, on=MONDAY + 40 * DAY, now=NOW + 40 * DAY)
    assert open_item(cast) is None
    correct_result(cast.ada.id, result.id, None, cast.actor, NOW + 41 * DAY)
    sweep(NOW + 41 * DAY)
    assert open_item(cast) is not None


def test_what_a_person_closed_comes_up_after_one_more_rhythm(cast):
    start(cast)
    rhythm(cast, 28)
    sweep(NOW + 28 * DAY)
    closed_at = NOW + 29 * DAY
    WorkItem.objects.filter(cause=Cause.RESULT_DUE).update(
        closed_at=closed_at, outcome=Outcome.DONE
    )
    sweep(closed_at + 27 * DAY)
    assert open_item(cast) is None
    sweep(closed_at + 28 * DAY)
    assert open_item(cast) is not None


def test_nobody_whose_schedule_rests_is_asked_for_results(cast):
    start(cast)
    rhythm(cast, 7)
    prescribing.pause(
        cast.ada.id, MONDAY + 60 * DAY, "", read_plan(cast.ada).token, cast.actor, NOW
    )
    sweep(NOW + 30 * DAY)
    assert open_item(cast) is None


def test_the_day_is_the_patients_own(cast):
    far = make_patient(
        cast.clinic, cast.clinician, number="07700900200", time_zone="Pacific/Kiritimati"
    )
    rhythm(cast, 7)
    prescribing.start(far.id, Decision(7, MONDAY + DAY), None, cast.actor, NOW)
    eve = datetime(2027, 1, 11, 9, 59, tzinfo=UTC)  # a minute before the 12th there
    sweep(eve)
    assert not WorkItem.objects.filter(patient=far, cause=Cause.RESULT_DUE).exists()
    sweep(eve + timedelta(minutes=1))
    assert WorkItem.objects.filter(patient=far, cause=Cause.RESULT_DUE).exists()


# --- What the database holds ----------------------------------------------------------------------


@pytest.mark.parametrize("table", ["reminders_bloodresult", "reminders_sideeffectentry"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET note = 'other'", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_what_was_entered_stays(cast, table, statement):
    enter(cast)
    note_side_effect(
        cast.ada.id, SideEffect.MOOD, Severity.MILD, MONDAY, "", Source.STAFF, cast.actor, NOW
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def test_a_result_is_corrected_once_and_never_without_a_value_of_its_own(cast):
    first = enter(cast)
    correct_result(cast.ada.id, first.id, None, cast.actor, NOW)
    by_hand = {"patient": cast.ada, "test": "alt", "unit": "U/L", "taken_on": MONDAY}
    by_hand |= {"source": "staff", "entered_by": cast.clinician, "entered_at": NOW}
    for wrong in ({"value": 30, "corrects": first}, {"value": None}, {"value": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BloodResult.objects.create(**{**by_hand, **wrong})
