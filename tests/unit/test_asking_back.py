"""What we ask back, and whom of two on one phone: a digit answers our latest question alone."""

from datetime import datetime, timedelta

import pytest

from messaging.models import Sms
from reminders.conversation.replies import told_apart
from reminders.models import Cause, Dose, DoseRecord, Patient, Question, WorkItem
from reminders.patients.new_number import ask_new_number
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.answering import MONDAY, NINE, answers, ask, causes, dose_of, write
from tests.cast import NOW, Cast, make_patient
from tests.codes import code_sent

MINUTE = timedelta(minutes=1)


@pytest.fixture
def asked(cast: Cast) -> Cast:
    ask(cast)
    return cast


@pytest.fixture
def shared(asked: Cast) -> Patient:
    """Ben, on Ada's phone, with a dose on the same day."""
    ben = make_patient(asked.clinic, asked.clinician, name="Ben Example", number=asked.ada.number)
    prescribing.start(ben.id, Decision(7, MONDAY), None, asked.actor, NOW)
    plan_doses(NINE)
    return ben


def leaves(at: datetime) -> None:
    """What is due leaves."""
    due = Sms.objects.filter(state="queued", available_at__lte=at)
    due.update(state="accepted", claimed_at=at)


def missed(cast: Cast) -> datetime:
    """Nobody answers for Monday's dose. The Thursday after."""
    Sms.objects.update(state="delivered")
    for days in (1, 2):
        plan_doses(NINE + timedelta(days=days))
        Sms.objects.filter(state="queued").update(state="delivered")
    return NINE + timedelta(days=3)


def test_a_late_answer_to_a_missed_dose_is_asked_about_with_its_date(asked):
    """Taken on Thursday, the next one is on Monday: four days, of six at least. A person looks."""
    thursday = missed(asked)
    assert causes() == {Cause.NO_ANSWER}
    write(asked, "done", thursday)
    assert "is this about Monday 4 January? If so, reply 1." in answers()[0]
    assert not DoseRecord.objects.exists()
    write(asked, "1", thursday + timedelta(minutes=1))
    assert dose_of(asked).state == "taken"
    assert causes() == {Cause.SECOND_DOSE}
    answered = WorkItem.objects.get(cause=Cause.NO_ANSWER)
    assert answered.outcome == "by_event"


def test_a_yes_to_our_own_question_is_read_by_a_person_and_a_digit_still_answers_it(asked):
    thursday = missed(asked)
    write(asked, "done", thursday)
    write(asked, "yes", thursday + timedelta(minutes=1))
    assert Cause.TEXT_TO_READ in causes()
    assert not DoseRecord.objects.exists()
    write(asked, "1", thursday + timedelta(minutes=2))
    assert dose_of(asked).state == "taken"


def test_a_second_injection_too_soon_is_asked_about_and_told(asked):
    write(asked, "done")
    asked.ada.refresh_from_db()
    Dose.objects.filter(state="planned").update(state="cancelled", next_step_at=None)
    schedule = asked.ada.schedules.get()
    soon = Dose.objects.create(
        schedule=schedule,
        version=schedule.versions.get(),
        date=MONDAY + timedelta(days=3),
        state="planned",
        next_step_at=NINE + timedelta(days=3),
    )
    thursday = NINE + timedelta(days=3)
    plan_doses(thursday)
    write(asked, "done", thursday + timedelta(minutes=1))
    assert "Thursday 7 January too?" in answers()[-1]
    assert causes() == {Cause.SECOND_DOSE}
    assert DoseRecord.objects.count() == 1
    write(asked, "1", thursday + timedelta(minutes=2))
    soon.refresh_from_db()
    assert soon.state == "taken"
    assert causes() == {Cause.SECOND_DOSE}


def test_two_people_on_one_phone_are_told_apart_by_asking(asked):
    ben = make_patient(asked.clinic, asked.clinician, name="Ben Example", number=asked.ada.number)
    prescribing.start(ben.id, Decision(7, MONDAY), None, asked.actor, NOW)
    plan_doses(NINE)
    write(asked, "done")
    assert "Reply 1 for A. E., 2 for B. E." in answers()[0]
    assert not DoseRecord.objects.exists()
    write(asked, "2", NINE + timedelta(minutes=6))
    assert DoseRecord.objects.get().dose.schedule.patient == ben
    assert dose_of(asked).state == "due"
    assert not Question.objects.filter(closed_at=None).exists()


def test_a_question_ends_and_its_digits_with_it(asked):
    ben = make_patient(asked.clinic, asked.clinician, name="Ben Example", number=asked.ada.number)
    prescribing.start(ben.id, Decision(7, MONDAY), None, asked.actor, NOW)
    plan_doses(NINE)
    write(asked, "done")
    write(asked, "9", NINE + timedelta(minutes=6))
    assert not DoseRecord.objects.exists()
    assert Cause.TEXT_TO_READ in causes()


def test_a_digit_for_the_new_reminder_answers_no_older_question(asked):
    """Asked on Sunday about last Monday; on Monday "1" is for the reminder that came since."""
    missed(asked)
    sunday = NINE + timedelta(days=6, hours=12)
    write(asked, "done", sunday)
    assert "is this about Monday 4 January" in answers()[-1]
    monday = NINE + timedelta(days=7)
    plan_doses(monday)
    leaves(monday)
    write(asked, "1", monday + MINUTE)
    assert DoseRecord.objects.get().dose.date == MONDAY + timedelta(days=7)
    assert dose_of(asked).state == "missed"


def test_a_digit_for_the_new_reminder_does_not_say_who(asked, shared):
    write(asked, "later")
    assert Question.objects.get().kind == "who"
    tuesday = NINE + timedelta(days=1)
    plan_doses(tuesday)
    leaves(tuesday)
    write(asked, "2", tuesday - timedelta(minutes=1) + 2 * MINUTE)
    assert not Sms.objects.filter(dedup_key__endswith=":later").exists()
    assert Question.objects.exclude(closed_at=None).exists()


def test_a_reminder_that_left_before_the_question_ends_it_not(asked, shared):
    leaves(NINE)
    write(asked, "done")
    leaves(NINE + timedelta(minutes=5, seconds=2))  # our question itself, too
    write(asked, "2", NINE + timedelta(minutes=6))
    assert DoseRecord.objects.get().dose.schedule.patient == shared


def test_a_second_done_from_a_shared_phone_is_asked_about_too(asked, shared):
    """It may be the same person, once more."""
    write(asked, "done")
    write(asked, "1", NINE + timedelta(minutes=6))
    write(asked, "done", NINE + timedelta(minutes=7))
    assert "who is this about? Reply 1 for A. E., 2 for B. E. Not sure?" in answers()[-1]
    assert DoseRecord.objects.count() == 1
    write(asked, "1", NINE + timedelta(minutes=8))
    assert DoseRecord.objects.count() == 1
    write(asked, "done", NINE + timedelta(minutes=9))
    assert causes() == {Cause.TEXT_TO_READ}, "asked lately: a person's to ask again"
    assert DoseRecord.objects.count() == 1


def test_the_other_one_may_be_meant_as_well(asked, shared):
    write(asked, "done")
    write(asked, "2", NINE + timedelta(minutes=6))
    write(asked, "done", NINE + timedelta(minutes=7))
    write(asked, "1", NINE + timedelta(minutes=8))
    assert {record.dose.schedule.patient for record in DoseRecord.objects.all()} == {
        shared, asked.ada,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "apart"),
    [
        (["Ada Example", "Ben Example"], ["A. E.", "B. E."]),
        (["Ada Example", "Adam Example"], ["Ada E.", "Adam E."]),
        (["Ann Smith", "Ann Stone"], ["An. Sm.", "An. St."]),
        (["Żaneta", "Zofia"], ["Ż.", "Z."]),
        (["Ada Example", "ada example"], None),
        (["007", "Ada"], None),
    ],
)
def test_people_on_one_phone_are_named_so_that_they_differ(names, apart):
    assert told_apart(names) == apart


def test_whom_nothing_tells_apart_a_person_asks(asked, shared):
    Patient.objects.update(name="Ada Example")
    write(asked, "done")
    assert causes() == {Cause.TEXT_TO_READ}
    assert not Question.objects.exists()


def test_a_code_from_a_phone_that_another_patient_has_is_taken(asked):
    phone = "+447700900321"
    make_patient(asked.clinic, asked.clinician, name="Ben Example", number=phone)
    assert ask_new_number(asked.ada.id, phone, asked.actor, NINE)
    write(asked, f"Code: {code_sent(phone)}", NINE + MINUTE, number=phone)
    asked.ada.refresh_from_db()
    assert asked.ada.number == phone
    assert not causes()
