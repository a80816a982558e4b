"""Recording a dose, and correcting what was recorded."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.refusals import Conflict, Invalid, NotFound, Stale
from messaging.claim import claim
from messaging.models import Lane, Sms
from reminders.doses.noting import Injected, correct_injection, note_injection
from reminders.doses.recording import Telling, record_dose
from reminders.models import Cause, Dose, DoseRecord, Outcome, Policy, Source, Told, WorkItem
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
TAKEN = Telling(Told.TAKEN, MONDAY, time(9, 30))


@pytest.fixture
def due(cast: Cast) -> Dose:
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    return Dose.objects.get(date=MONDAY)


def told(cast: Cast, dose: Dose, telling: Telling, now: datetime = NINE + timedelta(hours=1)):
    return record_dose(cast.ada.id, dose.id, telling, Source.STAFF, cast.actor, now)


def test_a_record_ends_the_ladder_and_names_what_had_left(cast, due):
    claim(Lane.ROUTINE, NINE)
    done = told(cast, due, TAKEN)
    assert [sms.about_id for sms in done.too_late] == [due.id]
    assert Sms.objects.get().cancel_wished
    assert read_plan(cast.ada).last_injection_on == MONDAY


def test_a_correction_keeps_the_first_record(cast, due):
    told(cast, due, TAKEN)
    done = told(cast, due, Telling(Told.SKIPPED, note="not at home"))
    assert (done.dose.state, done.record.number) == ("skipped", 2)
    assert list(DoseRecord.objects.order_by("number").values_list("told", flat=True)) == [
        "taken",
        "skipped",
    ]
    with pytest.raises(DatabaseError), transaction.atomic():
        DoseRecord.objects.update(told="skipped")
    assert read_plan(cast.ada).last_injection_on is None


def test_telling_the_same_again_adds_nothing(cast, due):
    assert told(cast, due, TAKEN).record == told(cast, due, TAKEN).record


DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
TAKEN_BACK = Telling(Told.NOT_TAKEN)


def keys() -> list[str]:
    """Which steps of which dates have a text that wasn't cancelled."""
    dates = {str(dose.id): dose.date for dose in Dose.objects.all()}
    rows = Sms.objects.exclude(state="cancelled").order_by("id").values_list("dedup_key", flat=True)
    return [f"{dates[id_]} {step}" for _, id_, step in (key.split(":") for key in rows)]


def test_taken_back_in_time_the_dose_is_asked_about_again(cast, due):
    claim(Lane.ROUTINE, NINE)
    told(cast, due, TAKEN)
    done = told(cast, due, TAKEN_BACK)
    assert (done.dose.state, done.dose.next_step_at) == ("due", NINE + DAY)
    assert not WorkItem.objects.exists()
    plan_doses(NINE + DAY)
    assert keys() == ["2027-01-04 day", "2027-01-04 next"]


@pytest.mark.parametrize("first", [Telling(Told.TAKEN, MONDAY - DAY), Telling(Told.SKIPPED)])
def test_taken_back_before_its_day_it_is_planned_again_and_reminded_of_once(cast, first):
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    dose = Dose.objects.get()
    told(cast, dose, first, NINE - DAY)
    assert Dose.objects.get(state="planned").date == MONDAY + WEEK
    told(cast, dose, TAKEN_BACK, NINE - DAY)
    assert Dose.objects.get(state="planned") == dose
    for days in range(9):
        plan_doses(NINE + days * DAY)
    assert [key for key in keys() if key.endswith("day")] == ["2027-01-04 day", "2027-01-11 day"]
    assert Dose.objects.filter(state="cancelled").count() == 1


def test_taken_back_after_48_hours_it_is_missed_and_on_the_worklist(cast, due):
    told(cast, due, TAKEN)
    done = told(cast, due, TAKEN_BACK, NINE + 2 * DAY)
    assert (done.dose.state, done.dose.missed_because) == ("missed", "no_answer")
    assert WorkItem.objects.get(closed_at=None).cause == Cause.NO_ANSWER
    told(cast, due, TAKEN, NINE + 2 * DAY)
    assert not WorkItem.objects.filter(closed_at=None).exists()


def test_taken_back_after_a_change_of_plan_it_is_a_persons_to_look_at(cast, due):
    told(cast, due, TAKEN)
    decision = Decision(14, MONDAY + WEEK, "good counts")
    token = read_plan(cast.ada).token
    prescribing.change_interval(cast.ada.id, decision, token, cast.actor, NINE)
    assert told(cast, due, TAKEN_BACK).dose.state == "missed"
    assert WorkItem.objects.get(closed_at=None).cause == Cause.NO_ANSWER


def test_taken_back_when_the_next_one_was_told_of_too_it_is_a_persons(cast):
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    first = Dose.objects.get()
    told(cast, first, Telling(Told.SKIPPED), NINE)
    told(cast, Dose.objects.get(state="planned"), Telling(Told.SKIPPED), NINE)
    assert told(cast, first, TAKEN_BACK, NINE).dose.state == "missed"
    assert Dose.objects.get(state="planned").date == MONDAY + 2 * WEEK


def test_nothing_can_be_taken_back_of_a_dose_without_record(cast, due):
    with pytest.raises(Conflict) as refused:
        told(cast, due, Telling(Told.NOT_TAKEN))
    assert refused.value.code == "nothing_recorded"


@pytest.mark.parametrize(
    ("telling", "code"),
    [
        (Telling(Told.TAKEN, MONDAY + timedelta(days=1)), "injection_ahead"),
        (Telling(Told.TAKEN, MONDAY - timedelta(days=8)), "dose_before"),
        (Telling(Told.TAKEN), "taken_on"),
        (Telling(Told.TAKEN, MONDAY, site="arm_left"), "site"),
        (Telling(Told.SKIPPED, MONDAY), "only_taken"),
        (Telling(Told.SKIPPED, site="thigh_left"), "only_taken"),
        (Telling(Told.SKIPPED, as_prescribed=False), "only_taken"),
    ],
)
def test_what_cannot_be_is_refused(cast, due, telling, code):
    with pytest.raises(Invalid) as refused:
        told(cast, due, telling)
    assert refused.value.code == code
    assert not DoseRecord.objects.exists()


def test_a_dose_that_was_not_as_prescribed_is_looked_at(cast, due):
    assert told(cast, due, TAKEN).record.as_prescribed is None
    assert not WorkItem.objects.exists()
    other = Telling(Told.TAKEN, MONDAY, as_prescribed=False)
    assert told(cast, due, other).record.as_prescribed is False
    item = WorkItem.objects.get()
    assert (item.cause, item.closed_at) == (Cause.NOT_AS_PRESCRIBED, None)
    assert item.facts == {
        "dose": str(due.id),
        "date": "2027-01-04",
        "taken_on": "2027-01-04",
    }
    as_it_was = Telling(Told.TAKEN, MONDAY, as_prescribed=True)
    assert told(cast, due, as_it_was).record.number == 3


def test_signs_in_a_note_are_found_whoever_wrote_it(cast, due):
    done = told(cast, due, Telling(Told.SKIPPED, note="says she has a fever"))
    assert done.signs == ["fever"]
    assert WorkItem.objects.get().cause == Cause.URGENT_SIGN


def test_a_clinic_may_add_the_upper_arm(cast, due):
    Policy.objects.create(clinic=cast.clinic, sites=["arm_left"])
    assert told(cast, due, Telling(Told.TAKEN, MONDAY, site="arm_left")).record.site == "arm_left"


def test_the_last_site_again_is_cautioned(cast, due):
    told(cast, due, Telling(Told.TAKEN, MONDAY, site="thigh_left"))
    week = timedelta(days=7)
    plan_doses(NINE + week)
    following = Dose.objects.get(date=MONDAY + week)
    telling = Telling(Told.TAKEN, MONDAY + week, site="thigh_left")
    done = told(cast, following, telling, NINE + week + timedelta(hours=1))
    assert [caution.code for caution in done.cautions] == ["same_site"]


@pytest.mark.parametrize(("late", "asks_a_person"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_next_one_too_soon_after_a_late_one_is_a_persons_to_decide(
    cast, due, late, asks_a_person
):
    """Least gap: six days. What is told by text closes the item of the missed dose."""
    day = MONDAY + timedelta(days=late)
    then = NINE + timedelta(days=late, hours=1)
    plan_doses(then)
    told(cast, due, Telling(Told.TAKEN, day), then)
    items = WorkItem.objects.filter(cause=Cause.SECOND_DOSE)
    assert items.exists() == asks_a_person
    for item in items:
        facts = item.notes.get().facts
        assert (facts["taken_on"], facts["other"]) == (f"{day}", "2027-01-11")


def test_a_late_one_of_a_plan_with_room_enough_needs_nobody(cast):
    prescribing.start(cast.ada.id, Decision(21, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    then = NINE + timedelta(days=5, hours=1)
    plan_doses(then)
    told(cast, Dose.objects.get(date=MONDAY), Telling(Told.TAKEN, MONDAY + 5 * DAY), then)
    assert not WorkItem.objects.filter(cause=Cause.SECOND_DOSE).exists()


def test_a_second_injection_too_near_has_to_be_confirmed(cast, due):
    told(cast, due, TAKEN)
    week = timedelta(days=7)
    early = Dose.objects.get(date=MONDAY + week)
    telling = Telling(Told.TAKEN, MONDAY + timedelta(days=2))
    soon = NINE + timedelta(days=2, hours=1)
    with pytest.raises(Conflict) as refused:
        told(cast, early, telling, soon)
    assert refused.value.code == "second_dose_close"
    assert not WorkItem.objects.exists()
    confirmed = Telling(Told.TAKEN, MONDAY + timedelta(days=2), confirmed=True)
    assert told(cast, early, confirmed, soon).dose.state == "taken"
    assert WorkItem.objects.get().cause == Cause.SECOND_DOSE
    assert Dose.objects.get(state="planned").date == MONDAY + 2 * week


def test_an_injection_of_before_the_schedule_counts_too(cast):
    before = MONDAY - timedelta(days=2)
    prescribing.start(cast.ada.id, Decision(7, MONDAY), before, cast.actor, NOW)
    plan_doses(NINE)
    with pytest.raises(Conflict):
        told(cast, Dose.objects.get(date=MONDAY), TAKEN)


def test_a_dose_of_somebody_else_is_not_found(cast, due):
    ben = make_patient(cast.clinic, cast.clinician, name="Ben", number="+447700900777")
    with pytest.raises(NotFound):
        record_dose(ben.id, due.id, TAKEN, Source.STAFF, cast.actor, NINE)


def test_a_closed_dose_takes_no_record(cast, due):
    plan = read_plan(cast.ada)
    prescribing.stop(cast.ada.id, "", plan.token, cast.actor, NINE)
    with pytest.raises(Conflict) as refused:
        told(cast, due, TAKEN)
    assert refused.value.code == "dose_closed"


def test_no_date_is_left_out_before_a_dose_that_was_told_of_ahead(cast):
    """A skip told weeks ahead would stand in the way of a new plan's dates before it."""
    prescribing.start(cast.ada.id, Decision(21, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    ahead = Dose.objects.get(state="planned")
    told(cast, ahead, Telling(Told.SKIPPED))

    def change() -> None:
        decision = Decision(7, MONDAY + WEEK, "bad counts")
        token = read_plan(cast.ada).token
        prescribing.change_interval(cast.ada.id, decision, token, cast.actor, NINE + 6 * DAY)

    with pytest.raises(Invalid) as refusal:
        change()
    assert (refusal.value.code, refusal.value.field) == ("told_ahead", "starts_on")
    told(cast, ahead, TAKEN_BACK)
    change()
    assert Dose.objects.get(state="planned").date == MONDAY + WEEK


# --- What its teller saw, and what a correction takes from the worklist ---------------------------


def test_who_saw_another_record_or_none_corrects_nothing(cast, due):
    told(cast, due, replace(TAKEN, seen=0))
    with pytest.raises(Stale) as refused:
        told(cast, due, Telling(Told.SKIPPED, seen=0))
    assert refused.value.code == "told_meanwhile"
    assert told(cast, due, replace(TAKEN, seen=0)).record.number == 1, "a form that came twice"
    assert told(cast, due, Telling(Told.SKIPPED, seen=1)).record.number == 2


def test_a_form_that_leaves_something_out_takes_it_back(cast, due):
    told(cast, due, replace(TAKEN, site="thigh_left", note="Wrong patient's note."))
    assert told(cast, due, TAKEN).record.number == 1, "a text that doesn't say"
    done = told(cast, due, replace(TAKEN, seen=1))
    assert (done.record.number, done.record.site, done.record.note) == (2, "", "")


def amiss() -> bool:
    return WorkItem.objects.filter(cause=Cause.NOT_AS_PRESCRIBED, closed_at=None).exists()


@pytest.mark.parametrize(
    "correction",
    [replace(TAKEN, as_prescribed=True), Telling(Told.SKIPPED), Telling(Told.NOT_TAKEN)],
)
def test_a_correction_that_it_was_as_prescribed_closes_its_item(cast, due, correction):
    told(cast, due, replace(TAKEN, as_prescribed=False))
    told(cast, due, replace(TAKEN, as_prescribed=False, note="Half of it."))
    assert amiss()
    told(cast, due, correction)
    assert not amiss()
    item = WorkItem.objects.get(cause=Cause.NOT_AS_PRESCRIBED)
    assert item.outcome == Outcome.BY_EVENT
    assert "corrected" in item.notes.latest("id").facts["because"]


def test_one_of_two_that_were_not_as_prescribed_keeps_the_item_open(cast, due):
    told(cast, due, replace(TAKEN, as_prescribed=False))
    other = Injected(date(2026, 12, 14), as_prescribed=False)
    noted = note_injection(cast.ada.id, other, Source.STAFF, cast.actor, NINE).injection
    told(cast, due, replace(TAKEN, as_prescribed=True))
    assert amiss()
    right = replace(other, as_prescribed=True)
    correct_injection(cast.ada.id, noted.id, right, Source.STAFF, cast.actor, NINE)
    assert not amiss()


def test_one_of_which_nobody_says_any_more_whether_it_was_as_prescribed_stays_on_the_list(
    cast, due
):
    told(cast, due, replace(TAKEN, as_prescribed=False))
    told(cast, due, replace(TAKEN, seen=1))
    assert amiss()
