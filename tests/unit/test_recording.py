"""Recording a dose, and correcting what was recorded."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.refusals import Conflict, Invalid, NotFound
from messaging.claim import claim
from messaging.models import Lane, Sms
from reminders import prescribing
from reminders.effects import Decision
from reminders.models import Cause, Dose, DoseRecord, Policy, Source, Told, WorkItem
from reminders.plan import read_plan
from reminders.planning import plan_doses
from reminders.recording import Telling, record_dose
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


def test_taking_a_record_back_leaves_the_dose_missed_and_on_the_worklist(cast, due):
    told(cast, due, TAKEN)
    done = told(cast, due, Telling(Told.NOT_TAKEN))
    assert (done.dose.state, done.dose.missed_because) == ("missed", "no_answer")
    assert WorkItem.objects.get(closed_at=None).cause == Cause.NO_ANSWER
    told(cast, due, TAKEN)
    assert not WorkItem.objects.filter(closed_at=None).exists()


def test_nothing_can_be_taken_back_of_a_dose_without_record(cast, due):
    with pytest.raises(Conflict) as refused:
        told(cast, due, Telling(Told.NOT_TAKEN))
    assert refused.value.code == "nothing_recorded"


@pytest.mark.parametrize(
    ("telling", "code"),
    [
        (Telling(Told.TAKEN, MONDAY + timedelta(days=1)), "injection_ahead"),
        (Telling(Told.TAKEN, MONDAY - timedelta(days=7)), "dose_before"),
        (Telling(Told.TAKEN), "taken_on"),
        (Telling(Told.TAKEN, MONDAY, site="arm_left"), "site"),
    ],
)
def test_what_cannot_be_is_refused(cast, due, telling, code):
    with pytest.raises(Invalid) as refused:
        told(cast, due, telling)
    assert refused.value.code == code
    assert not DoseRecord.objects.exists()


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
