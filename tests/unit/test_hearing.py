"""What a patient's text does: a dose recorded, a reminder put off, an answer, somebody told."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest

from accounts.models import AuditEntry, Clinic
from messaging import inbound
from messaging.models import InboundSms, Kind, Lane, OptOut, Sms
from reminders import hearing, prescribing, templates
from reminders.effects import Decision
from reminders.models import (
    Answer,
    Cause,
    Dose,
    DoseRecord,
    Language,
    Policy,
    Question,
    SideEffectEntry,
    Wording,
    WorkItem,
)
from reminders.planning import plan_doses
from tests.cast import NOW, Cast, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
_sids = count()


@pytest.fixture
def asked(cast: Cast) -> Cast:
    """Ada's dose of Monday is due, and her reminder is queued."""
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    return cast


def write(cast: Cast, body: str, at: datetime = NINE + timedelta(minutes=5), number="") -> None:
    """A text comes in, and is handled."""
    sid = f"SM{next(_sids):032}"
    assert inbound.store(cast.sender, sid, number or cast.ada.number, body, at)
    assert hearing.hear(at) == 1


def dose_of(cast: Cast, day: date = MONDAY) -> Dose:
    return Dose.objects.get(schedule__patient=cast.ada, date=day)


def answers() -> list[str]:
    """Bodies of our answers, oldest first."""
    return list(
        Sms.objects.filter(dedup_key__startswith="answer:")
        .order_by("id")
        .values_list("body", flat=True)
    )


def causes() -> set[str]:
    return set(WorkItem.objects.filter(closed_at=None).values_list("cause", flat=True))


@pytest.mark.parametrize("body", ["done", "1", "Done thanks x", "  DONE!! "])
def test_done_records_the_dose_and_ends_its_ladder(asked, body):
    write(asked, body)
    dose = dose_of(asked)
    assert (dose.state, dose.next_step_at) == ("taken", None)
    record = DoseRecord.objects.get()
    assert (record.told, record.taken_on, record.source, record.number) == (
        "taken",
        MONDAY,
        "text",
        1,
    )
    assert record.answer == Answer.objects.get()
    assert (record.answer.handled, record.answer.dose) == ("recorded", dose)
    assert answers() == [
        "St Example: thank you. Monday 4 January is marked as done. Not right? Call 020 7946 0000."
    ]
    plan_doses(NINE + timedelta(days=3))
    assert set(Sms.objects.values_list("asked_for", "state")) == {
        (True, "queued"),
        (False, "cancelled"),
    }
    assert not causes()
    assert AuditEntry.objects.get(verb="record_dose").actor_kind == "patient"


@pytest.mark.parametrize(
    ("own", "recorded"),
    [
        ("{clinic}: today, {date}, is your day. Answer done, later or skip. Call {phone}.", False),
        ("{clinic}: it is {date}. Done? 1 done, 2 later, 3 skip. Questions: {phone}.", True),
    ],
)
def test_digits_count_where_the_text_offered_them(cast, own, recorded):
    draft = templates.Draft(Language.ENGLISH, Wording.DISCREET, "day", own)
    templates.save(cast.clinic, draft, cast.actor, NOW)
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)
    write(cast, "1")
    assert DoseRecord.objects.exists() is recorded
    assert ("text_to_read" in causes()) is not recorded
    write(cast, "done", NINE + timedelta(minutes=9))
    assert DoseRecord.objects.get().told == "taken"


def test_a_text_is_handled_once(asked):
    write(asked, "done")
    assert hearing.hear(NINE + timedelta(minutes=6)) == 0
    assert not inbound.store(
        asked.sender, InboundSms.objects.get().sid, asked.ada.number, "done", NINE
    )
    write(asked, "done", NINE + timedelta(hours=1))
    assert DoseRecord.objects.count() == 1
    assert len(answers()) == 1
    assert not causes()


def test_an_answer_that_comes_a_day_later_belongs_to_the_dose_asked_about(asked):
    tuesday = NINE + timedelta(days=1, hours=1)
    plan_doses(tuesday)
    write(asked, "I took it yesterday at 9", tuesday)
    record = DoseRecord.objects.get()
    assert (record.dose.date, record.taken_on) == (MONDAY, MONDAY)


def test_who_is_ahead_of_the_text_gets_none(cast):
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    write(cast, "done", NOW)
    plan_doses(NINE)
    assert dose_of(cast).state == "taken"
    assert dose_of(cast, MONDAY + timedelta(days=7)).state == "planned"
    assert not Sms.objects.filter(asked_for=False).exists()


def test_skip_is_recorded_as_left_out(asked):
    write(asked, "3")
    assert dose_of(asked).state == "skipped"
    assert "left out" in answers()[0]


def test_later_sends_one_more_text_today_and_only_one(asked):
    write(asked, "2")
    later = Sms.objects.get(dedup_key__endswith=":later")
    assert later.available_at == NINE + timedelta(hours=2, minutes=5)
    assert later.asked_for
    assert "again today at 11:05" in answers()[0]
    write(asked, "later", NINE + timedelta(hours=3))
    assert "can't text you again today" in answers()[1]
    assert dose_of(asked).state == "due"
    write(asked, "done", NINE + timedelta(hours=4))
    later.refresh_from_db()
    assert later.state == "cancelled"


@pytest.mark.parametrize(
    ("body", "hour"),
    [("in 3 hrs", time(12, 5)), ("later, at 7pm", time(19)), ("tonight", time(19))],
)
def test_later_can_name_a_time(asked, body, hour):
    write(asked, body)
    assert Sms.objects.get(dedup_key__endswith=":later").available_at.time() == hour


def test_later_is_held_within_the_hours_of_the_law(asked):
    write(asked, "later", NINE + timedelta(hours=11))
    assert not Sms.objects.filter(dedup_key__endswith=":later").exists()
    assert "can't text you again today" in answers()[0]


def test_a_sign_of_danger_gets_its_text_at_once_and_an_urgent_item(asked):
    write(asked, "fever since yesterday")
    safety = Sms.objects.get(dedup_key__contains=":safety:")
    assert (safety.kind, safety.lane, safety.asked_for) == (Kind.REPEAT, Lane.URGENT, True)
    assert "call your team now" in safety.body
    assert "020 7946 0000" in safety.body
    item = WorkItem.objects.get(cause=Cause.URGENT_SIGN)
    assert (item.facts["signs"], item.facts["denied"]) == (["fever"], [])
    assert (item.urgency, item.next_page_at) == (0, NINE + timedelta(minutes=5))
    assert dose_of(asked).state == "due"


def test_a_denied_sign_is_urgent_too_and_one_item_is_enough(asked):
    write(asked, "I haven't got a fever")
    assert causes() == {Cause.URGENT_SIGN}
    assert WorkItem.objects.get().facts["denied"] == ["fever"]


def test_low_mood_names_the_line_to_call(asked):
    Policy.objects.create(clinic=asked.clinic, crisis_line="988", emergency="911")
    write(asked, "i want to kill myself")
    [body] = answers()
    assert "988" in body
    assert "911" in body
    assert Cause.URGENT_SIGN in causes()


@pytest.mark.parametrize(
    ("phone", "named"), [("+442079460000", "116 123"), ("+12125550123", "988"), ("+4930123", None)]
)
def test_no_country_is_told_to_call_the_lines_of_another(asked, phone, named):
    Clinic.objects.filter(id=asked.clinic.id).update(phone=phone)
    write(asked, "i want to kill myself")
    [body] = answers()
    lines = [line for line in ("116 123", "988", "999", "911") if line in body]
    assert lines[:1] == ([named] if named else [])
    assert named or "call your team now" in body


def test_done_with_a_sign_of_danger_is_recorded_and_urgent(asked):
    write(asked, "done but felt awful and cold, shivering")
    assert dose_of(asked).state == "taken"
    assert Cause.URGENT_SIGN in causes()
    assert Answer.objects.get().handled == "recorded"


def test_a_side_effect_is_kept_in_the_diary_and_told(asked):
    write(asked, "done but headache and very tired")
    assert set(SideEffectEntry.objects.values_list("effect", "severity", "source")) == {
        ("headache", None, "text"),
        ("tiredness", None, "text"),
    }
    assert Cause.SIDE_EFFECT in causes()
    assert dose_of(asked).state == "taken"


def test_safety_answers_come_once_for_each_sign_and_also_after_a_stop(asked):
    write(asked, "STOP")
    for hours in (1, 2):
        write(asked, "I have a fever", NINE + timedelta(hours=hours))
    write(asked, "chest pain", NINE + timedelta(hours=3))
    assert len(answers()) == 2
    assert set(
        Sms.objects.filter(dedup_key__startswith="answer:").values_list("last_word", flat=True)
    ) == {True}
    assert WorkItem.objects.get(cause=Cause.URGENT_SIGN).times == 3


def test_what_is_not_understood_is_read_by_a_person_and_says_so_once(asked):
    write(asked, "qwertz uiop")
    write(asked, "asdf ghjk", NINE + timedelta(hours=1))
    assert causes() == {Cause.TEXT_TO_READ}
    assert WorkItem.objects.get().times == 2
    [body] = answers()
    assert "not at once" in body
    assert "999" in body


@pytest.mark.parametrize(
    "body", ["I took two today", "done? what about my blood test, should I wait?"]
)
def test_an_answer_in_doubt_is_not_recorded(asked, body):
    write(asked, body)
    assert not DoseRecord.objects.exists()
    assert Cause.TEXT_TO_READ in causes()


def test_stop_in_other_words_stops_and_is_confirmed_once(asked):
    write(asked, "please stop texting me")
    assert OptOut.objects.get().opted_out
    assert Cause.OPTED_OUT in causes()
    confirmation = Sms.objects.get(dedup_key__contains="texts_stopped")
    assert confirmation.last_word
    assert asked.ada.schedules.get().status == "running"
    write(asked, "START", NINE + timedelta(days=1))
    assert not OptOut.objects.get().opted_out
    assert Cause.OPTED_OUT not in causes()


def test_a_carriers_word_is_confirmed_by_the_carrier(asked):
    write(asked, "Stop.")
    assert OptOut.objects.get().opted_out
    assert answers() == []


def test_help_and_when_are_answered(asked):
    write(asked, "HELP")
    write(asked, "when is my next one?", NINE + timedelta(hours=1))
    who, when = answers()
    assert "reply STOP" in who
    assert "Monday 11 January, Monday 18 January, Monday 25 January" in when
    assert not causes()


def test_a_late_answer_to_a_missed_dose_is_asked_about_with_its_date(asked):
    Sms.objects.update(state="delivered")
    for days in (1, 2):
        plan_doses(NINE + timedelta(days=days))
        Sms.objects.filter(state="queued").update(state="delivered")
    assert causes() == {Cause.NO_ANSWER}
    thursday = NINE + timedelta(days=3)
    write(asked, "done", thursday)
    assert "is this about Monday 4 January? Reply 1 for yes" in answers()[0]
    assert not DoseRecord.objects.exists()
    write(asked, "1", thursday + timedelta(minutes=1))
    assert dose_of(asked).state == "taken"
    assert not causes()
    item = WorkItem.objects.get()
    assert (item.cause, item.outcome) == (Cause.NO_ANSWER, "by_event")


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


def test_nobodys_number_gets_no_answer(asked):
    write(asked, "done", number="+447700909999")
    assert answers() == []
    assert not Answer.objects.exists()


def test_a_text_that_cannot_be_handled_goes_to_a_person(asked, monkeypatch, caplog):
    def fails(*_):
        raise RuntimeError("secret words")

    monkeypatch.setattr("reminders.hearing.Conversation", fails)
    write(asked, "done")
    assert causes() == {Cause.TEXT_TO_READ}
    assert "RuntimeError" in caplog.text
    assert "secret words" not in caplog.text
    assert hearing.hear(NINE) == 0


def test_a_clinic_may_leave_out_the_texts_after_the_first(asked):
    Policy.objects.create(clinic=asked.clinic, text_next_day=False, text_overdue=False)
    Sms.objects.update(state="delivered")
    for days in (1, 2):
        plan_doses(NINE + timedelta(days=days))
    assert Sms.objects.count() == 1
    assert dose_of(asked).state == "missed"
    assert causes() == {Cause.NO_ANSWER}
