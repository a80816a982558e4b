"""Signs of danger in a patient's text: answered at once, and urgent for the team."""

from datetime import timedelta

import pytest

from accounts.models import Clinic
from messaging.models import Kind, Lane, Sms
from reminders.models import Answer, Cause, Policy, WorkItem
from tests.answering import NINE, answers, ask, causes, dose_of, write
from tests.cast import Cast


@pytest.fixture
def asked(cast: Cast) -> Cast:
    ask(cast)
    return cast


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


def test_signs_of_one_text_get_one_answer_and_each_counts_as_answered(asked):
    write(asked, "fever, chest pain and a nosebleed")
    write(asked, "chest pain again", NINE + timedelta(hours=1))
    assert len(answers()) == 1
    write(asked, "chest pain, and I can't breathe", NINE + timedelta(hours=2))
    assert len(answers()) == 2
    assert WorkItem.objects.get(cause=Cause.URGENT_SIGN).times == 3


def test_low_mood_beside_another_sign_names_both_to_call(asked):
    write(asked, "fever and i want to kill myself")
    assert ["116 123" in body for body in answers()] == [True, False]


@pytest.mark.parametrize("broken", ["Conversation", "danger.answer", "danger.tell_the_team"])
def test_a_sign_in_a_text_that_cannot_be_handled_is_urgent_all_the_same(asked, monkeypatch, broken):
    def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(f"reminders.conversation.hearing.{broken}", fails)
    write(asked, "fever since yesterday")
    assert Cause.TEXT_TO_READ in causes()
    assert (Cause.URGENT_SIGN in causes()) is (broken != "danger.tell_the_team")
    assert bool(answers()) is (broken != "danger.answer")
    assert Answer.objects.get().urgent == ["fever"]
