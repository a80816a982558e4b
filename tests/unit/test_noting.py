"""Injections that belong to no dose: noted as facts, and found by whatever asks for injections."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.refusals import Conflict, Invalid, NotFound
from reminders.doses.noting import Injected, correct_injection, note_injection
from reminders.doses.recording import Telling, record_dose
from reminders.models import Cause, Dose, Injection, Policy, Source, Told, WorkItem
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.injections import injections, last_site, near_injection
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


@pytest.fixture
def due(cast: Cast) -> Dose:
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    return Dose.objects.get(date=MONDAY)


def pause(cast: Cast, at: datetime = NINE + timedelta(hours=2)) -> None:
    token = read_plan(cast.ada).token
    prescribing.pause(cast.ada.id, MONDAY + 4 * WEEK, "", token, cast.actor, at)


def change(cast: Cast, starts_on: date, at: datetime) -> None:
    token = read_plan(cast.ada).token
    prescribing.change_interval(cast.ada.id, Decision(7, starts_on), token, cast.actor, at)


def stop(cast: Cast) -> None:
    prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NINE)


def noted(cast: Cast, injected: Injected, now: datetime = NINE + DAY) -> Injection:
    return note_injection(cast.ada.id, injected, Source.STAFF, cast.actor, now).injection


CLOSINGS = {
    "pause": pause,
    "stop": stop,
    "change": lambda cast: change(cast, MONDAY + DAY, NINE),
}


@pytest.mark.parametrize("closing", CLOSINGS)
def test_an_injection_of_a_closed_dose_is_noted_and_counts_as_the_last(cast, due, closing):
    CLOSINGS[closing](cast)
    before = read_plan(cast.ada)
    telling = Telling(Told.TAKEN, MONDAY)
    with pytest.raises(Conflict) as refused:
        record_dose(cast.ada.id, due.id, telling, Source.STAFF, cast.actor, NINE)
    assert refused.value.code == "dose_closed"
    noted(cast, Injected(MONDAY, site="thigh_left", as_prescribed=True))
    plan = read_plan(cast.ada)
    assert plan.last_injection_on == MONDAY
    assert plan.token != before.token
    due.refresh_from_db()
    assert due.state == "cancelled"
    assert not WorkItem.objects.filter(closed_at=None).exists()


def test_the_next_decision_and_its_preview_know_of_it(cast, due):
    pause(cast)
    noted(cast, Injected(MONDAY))
    token = read_plan(cast.ada).token
    with pytest.raises(Invalid) as refused:
        prescribing.resume(cast.ada.id, Decision(7, MONDAY), token, cast.actor, NINE)
    assert refused.value.code == "after_last_injection"
    first = MONDAY + 2 * WEEK
    prescribing.resume(cast.ada.id, Decision(7, first), token, cast.actor, NINE + DAY)
    decision = Decision(14, first + WEEK)
    shown = prescribing.preview_change(cast.ada, decision, cast.actor, NINE + DAY)
    assert shown.gap_days == 21


def test_a_schedule_that_starts_anew_knows_of_it_and_of_the_former_ones_doses(cast, due):
    record_dose(cast.ada.id, due.id, Telling(Told.TAKEN, MONDAY), Source.STAFF, cast.actor, NINE)
    stop(cast)
    with pytest.raises(Invalid) as refused:
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NINE)
    assert refused.value.code == "after_last_injection"
    noted(cast, Injected(MONDAY + WEEK), NINE + WEEK)
    with pytest.raises(Invalid):
        prescribing.start(cast.ada.id, Decision(7, MONDAY + WEEK), None, cast.actor, NINE + WEEK)
    started = Decision(7, MONDAY + 2 * WEEK)
    done = prescribing.start(cast.ada.id, started, None, cast.actor, NINE + WEEK)
    assert done.plan.last_injection_on == MONDAY + WEEK
    assert read_plan(cast.ada).token == done.plan.token


def test_a_dose_close_to_it_has_to_be_confirmed(cast, due):
    change(cast, MONDAY + 2 * DAY, NINE)
    noted(cast, Injected(MONDAY))
    plan_doses(NINE + 2 * DAY)
    dose = Dose.objects.get(date=MONDAY + 2 * DAY)
    telling = Telling(Told.TAKEN, MONDAY + 2 * DAY)
    with pytest.raises(Conflict) as refused:
        record_dose(cast.ada.id, dose.id, telling, Source.PAGE, cast.actor, NINE + 2 * DAY)
    assert (refused.value.code, refused.value.facts["other"]) == ("second_dose_close", MONDAY)


def test_one_close_to_a_dose_has_to_be_confirmed_and_is_looked_at(cast, due):
    record_dose(cast.ada.id, due.id, Telling(Told.TAKEN, MONDAY), Source.STAFF, cast.actor, NINE)
    injected = Injected(MONDAY + DAY)
    with pytest.raises(Conflict) as refused:
        noted(cast, injected)
    assert refused.value.code == "second_dose_close"
    assert not Injection.objects.exists()
    injection = noted(cast, Injected(MONDAY + DAY, confirmed=True))
    item = WorkItem.objects.get()
    assert item.cause == Cause.SECOND_DOSE
    assert item.facts == {
        "injection": str(injection.id),
        "taken_on": "2027-01-05",
        "other": "2027-01-04",
    }


def test_where_a_dose_waits_or_was_missed_it_is_recorded_there(cast, due):
    with pytest.raises(Conflict) as refused:
        noted(cast, Injected(MONDAY + DAY))
    assert (refused.value.code, refused.value.facts["dose"]) == ("dose_there", str(due.id))
    for days in range(3):
        plan_doses(NINE + days * DAY)
    due.refresh_from_db()
    assert due.state == "missed"
    with pytest.raises(Conflict):
        noted(cast, Injected(MONDAY + DAY), NINE + 3 * DAY)
    # Of the time before the plan there is no dose.
    noted(cast, Injected(MONDAY - WEEK), NINE + 3 * DAY)


def test_a_correction_keeps_the_first_and_another_takes_it_back(cast, due):
    pause(cast)
    first = noted(cast, Injected(MONDAY, note="at work"))

    def correct(injection: Injection, injected: Injected | None) -> Injection:
        return correct_injection(
            cast.ada.id, injection.id, injected, Source.STAFF, cast.actor, NINE + DAY
        ).injection

    # Its own first wording lies close by and is no other injection.
    second = correct(first, Injected(MONDAY + DAY))
    assert read_plan(cast.ada).last_injection_on == MONDAY + DAY
    with pytest.raises(Conflict) as refused:
        correct(first, None)
    assert refused.value.code == "corrected_already"
    third = correct(second, None)
    assert read_plan(cast.ada).last_injection_on is None
    assert near_injection(cast.ada, MONDAY) is None
    with pytest.raises(Conflict) as refused:
        correct(third, Injected(MONDAY))
    assert refused.value.code == "taken_back"
    found = list(injections(cast.ada).order_by("id"))
    assert [row.taken_on for row in found] == [MONDAY, MONDAY + DAY, None]
    assert [row.corrected_by for row in found] == [second.id, third.id, None]
    with pytest.raises(DatabaseError), transaction.atomic():
        Injection.objects.update(note="")


@pytest.mark.parametrize(
    ("injected", "code"),
    [
        (Injected(MONDAY + 2 * DAY), "injection_ahead"),
        (Injected(MONDAY - timedelta(days=400)), "taken_on"),
        (Injected(MONDAY, site="arm_left"), "site"),
    ],
)
def test_what_cannot_be_is_refused(cast, due, injected, code):
    pause(cast)
    with pytest.raises(Invalid) as refused:
        noted(cast, injected)
    assert refused.value.code == code


def test_an_injection_of_somebody_else_is_not_found(cast, due):
    pause(cast)
    first = noted(cast, Injected(MONDAY))
    ben = make_patient(cast.clinic, cast.clinician, name="Ben", number="+447700900777")
    with pytest.raises(NotFound):
        correct_injection(ben.id, first.id, None, Source.STAFF, cast.actor, NINE)


def test_one_that_was_not_as_prescribed_and_signs_in_its_note_are_looked_at(cast, due):
    pause(cast)
    injected = Injected(MONDAY, as_prescribed=False, note="high fever at night")
    done = note_injection(cast.ada.id, injected, Source.STAFF, cast.actor, NINE + DAY)
    assert done.signs == ["fever"]
    facts = {"injection": str(done.injection.id)}
    assert {item.cause: item.facts for item in WorkItem.objects.all()} == {
        Cause.URGENT_SIGN: facts | {"signs": ["fever"]},
        Cause.NOT_AS_PRESCRIBED: facts | {"taken_on": "2027-01-04"},
    }


# --- The last site, wherever it was told ----------------------------------------------------------


def test_the_last_site_is_known_across_schedules_and_facts(cast, due):
    Policy.objects.create(clinic=cast.clinic, sites=["thigh_left", "thigh_right"])
    telling = Telling(Told.TAKEN, MONDAY, site="thigh_left")
    record_dose(cast.ada.id, due.id, telling, Source.STAFF, cast.actor, NINE)
    stop(cast)
    prescribing.start(cast.ada.id, Decision(7, MONDAY + WEEK), None, cast.actor, NINE)
    plan_doses(NINE + WEEK)
    dose = Dose.objects.get(date=MONDAY + WEEK, schedule__status="running")
    again = Telling(Told.TAKEN, MONDAY + WEEK, site="thigh_left")
    done = record_dose(cast.ada.id, dose.id, again, Source.STAFF, cast.actor, NINE + WEEK)
    assert [caution.code for caution in done.cautions] == ["same_site"]
    pause(cast, NINE + WEEK)
    injected = Injected(MONDAY + 2 * WEEK, site="thigh_left")
    fact = note_injection(cast.ada.id, injected, Source.STAFF, cast.actor, NINE + 2 * WEEK)
    assert [caution.code for caution in fact.cautions] == ["same_site"]
    noted(cast, Injected(MONDAY + 3 * WEEK, site="thigh_right"), NINE + 3 * WEEK)
    assert last_site(cast.ada, MONDAY + 3 * WEEK) == "thigh_right"
    assert last_site(cast.ada, MONDAY + 2 * WEEK) == "thigh_left"


def test_a_record_that_was_corrected_to_left_out_has_no_site(cast, due):
    for telling in (Telling(Told.TAKEN, MONDAY, site="thigh_left"), Telling(Told.SKIPPED)):
        record_dose(cast.ada.id, due.id, telling, Source.STAFF, cast.actor, NINE)
    plan_doses(NINE + WEEK)
    dose = Dose.objects.get(date=MONDAY + WEEK)
    telling = Telling(Told.TAKEN, MONDAY + WEEK, site="thigh_left")
    done = record_dose(cast.ada.id, dose.id, telling, Source.STAFF, cast.actor, NINE + WEEK)
    assert done.cautions == []
