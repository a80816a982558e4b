"""What a patient's text does: a dose recorded, a reminder put off, an answer, somebody told."""

from datetime import time, timedelta

import pytest

from accounts.models import AuditEntry
from messaging import inbound
from messaging.models import InboundSms, OptOut, Sms
from reminders.conversation import hearing
from reminders.models import (
    Answer,
    Cause,
    DoseRecord,
    Language,
    Patient,
    Policy,
    SideEffectEntry,
    Wording,
    WorkItem,
)
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.texts import templates
from tests.answering import MONDAY, NINE, answers, ask, causes, dose_of, write
from tests.cast import NOW, Cast


@pytest.fixture
def asked(cast: Cast) -> Cast:
    ask(cast)
    return cast


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


@pytest.mark.parametrize(
    ("language", "body", "site"),
    [
        ("en", "done in left thigh", "thigh_left"),
        ("en", "done, right side of my tummy x", "abdomen_right"),
        ("cy", "wedi gwneud, clun chwith", "thigh_left"),
        ("es", "hecho en el muslo derecho", "thigh_right"),
        ("fr", "fait, côté gauche du ventre", "abdomen_left"),
        ("de", "erledigt, linker Oberschenkel", "thigh_left"),
        ("pl", "zrobione, prawe udo", "thigh_right"),
        ("en", "done in right arm", ""),  # this clinic doesn't use arms
        ("en", "done but left thigh is numb", ""),
        ("en", "done. thigh", ""),
    ],
)
def test_the_site_is_recorded_where_it_is_plain_and_the_clinic_uses_it(asked, language, body, site):
    Patient.objects.update(language=language)
    write(asked, body)
    assert DoseRecord.objects.get().site == site


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


def test_a_side_effect_is_kept_in_the_diary_and_told(asked):
    write(asked, "done but headache and very tired")
    assert set(SideEffectEntry.objects.values_list("effect", "severity", "source")) == {
        ("headache", None, "text"),
        ("tiredness", None, "text"),
    }
    assert Cause.SIDE_EFFECT in causes()
    assert dose_of(asked).state == "taken"


def test_what_is_not_understood_is_read_by_a_person_and_says_so_once(asked):
    write(asked, "qwertz uiop")
    write(asked, "asdf ghjk", NINE + timedelta(hours=1))
    assert causes() == {Cause.TEXT_TO_READ}
    assert WorkItem.objects.get().times == 2
    [body] = answers()
    assert "not at once" in body
    assert "999" in body


@pytest.mark.parametrize(
    "body",
    [
        "I took two today",
        "done? what about my blood test, should I wait?",
        "I took two today and feel sick",
        "did 2 injections by mistake, got a headache",
        "took 180 instead of 90 and feel sick",
        "done but my pen leaked and I have a headache, should I do another?",
        "I did it tomorrow, tired",
        "I took two, please call me",
        "I took two today and have a fever",
    ],
)
def test_an_answer_in_doubt_is_not_recorded(asked, body):
    write(asked, body)
    assert not DoseRecord.objects.exists()
    assert dose_of(asked).state == "due"
    assert Cause.TEXT_TO_READ in causes()


@pytest.mark.parametrize(
    "body", ["done, can you call me?", "done, no fever", "done it but temp is 38.7 now"]
)
def test_what_is_clear_beside_it_leaves_no_doubt_on_an_answer(asked, body):
    write(asked, body)
    assert dose_of(asked).state == "taken"
    assert Cause.TEXT_TO_READ not in causes()


def test_what_help_and_when_do_not_answer_is_read_by_a_person(asked):
    for hours, body in enumerate(["help! my pen is stuck", "when is my next jab? can I drink?"]):
        write(asked, body, NINE + timedelta(hours=hours + 1))
    assert WorkItem.objects.get().times == 2
    assert causes() == {Cause.TEXT_TO_READ}
    texts = " ".join(answers())
    assert "we text you on your day" in texts
    assert "your next dates" in texts
    assert "not at once" in texts


@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("en", "wrong number"),
        ("en", "Sorry, I think you have the wrong number"),
        ("cy", "rhif anghywir"),
        ("es", "número equivocado"),
        ("fr", "Vous vous trompez de numéro"),
        ("de", "falsche Nummer"),
        ("pl", "to pomyłka"),
    ],
)
def test_a_stranger_with_a_patients_number_reaches_the_team_as_one(asked, language, body):
    Patient.objects.update(language=language)
    write(asked, body)
    assert causes() == {Cause.NUMBER_DOUBTFUL}
    assert WorkItem.objects.get().facts == {"text": str(InboundSms.objects.get().id)}
    assert len(answers()) == 1


@pytest.mark.parametrize("body", ["YES", "Yes 👍", "START", "start texting me again"])
def test_a_yes_is_no_start_where_nothing_had_stopped(asked, body):
    write(asked, body)
    assert causes() == {Cause.TEXT_TO_READ}
    [said] = answers()
    assert "not at once" in said
    assert Answer.objects.get().handled == "to_read"
    assert dose_of(asked).state == "due"


def test_what_stands_beside_an_answer_is_not_lost(asked):
    write(asked, "Done, when is my next one?")
    assert dose_of(asked).state == "taken"
    done, when = answers()
    assert "marked as done" in done
    assert "Monday 11 January" in when
    assert not causes()


def test_done_and_stop_does_both_and_says_one_thing(asked):
    write(asked, "done, please stop texting me")
    assert dose_of(asked).state == "taken"
    assert OptOut.objects.get().opted_out
    assert causes() == {Cause.OPTED_OUT}
    [said] = answers()
    assert "our texts are stopped" in said


def test_what_is_in_doubt_beside_a_stop_is_read(asked):
    write(asked, "I took two, stop texting me")
    assert not DoseRecord.objects.exists()
    assert causes() == {Cause.OPTED_OUT, Cause.TEXT_TO_READ}


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


def test_nobodys_number_gets_no_answer(asked):
    write(asked, "done", number="+447700909999")
    assert answers() == []
    assert not Answer.objects.exists()


def test_a_text_that_cannot_be_handled_goes_to_a_person(asked, monkeypatch, caplog):
    def fails(*_):
        raise RuntimeError("secret words")

    monkeypatch.setattr("reminders.conversation.hearing.Conversation", fails)
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


def test_a_side_effect_leads_to_the_text_that_told_it(asked):
    write(asked, "such a headache")
    item = WorkItem.objects.get(cause=Cause.SIDE_EFFECT)
    assert item.facts["text"] == str(InboundSms.objects.get().id)
