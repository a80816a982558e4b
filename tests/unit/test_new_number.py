"""A new number: nothing about doses goes to it before its code is given."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from accounts import audit
from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, Refusal
from messaging import inbound
from messaging.models import Lane, Sms
from messaging.sending import send_due
from messaging.states import State
from reminders.conversation import news
from reminders.conversation.hearing import hear
from reminders.models import NumberChange, Patient, WorkItem
from reminders.patients.enrolling import change_patient
from reminders.patients.new_number import (
    LASTS,
    ask_new_number,
    confirm_by_text,
    confirm_new_number,
    end_late_codes,
)
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, make_patient
from tests.codes import code_sent
from tests.texts import queue_text, state

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
OLD, NEW = "+447700900001", "+447700900007"


@pytest.fixture
def asked(cast) -> NumberChange:
    change = ask_new_number(cast.ada.id, "07700 900007", cast.actor, NINE)
    assert change is not None
    return change


def due(cast) -> None:
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)


def about_doses() -> list[tuple[str, str]]:
    texts = Sms.objects.exclude(dedup_key__startswith="code:").order_by("id")
    return list(texts.values_list("to", "state"))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def outcome(change: NumberChange) -> str:
    change.refresh_from_db()
    return change.outcome


def test_until_it_is_confirmed_texts_go_to_the_former_number(cast, asked):
    due(cast)
    assert Patient.objects.get(id=cast.ada.id).number == OLD
    assert about_doses() == [(OLD, "queued")]


def test_confirmed_it_gets_the_waiting_text_instead(cast, asked):
    due(cast)
    done = confirm_new_number(cast.ada.id, code_sent(NEW), cast.actor, NINE)
    assert (done.patient.number, done.too_late) == (NEW, [])
    assert about_doses() == [(OLD, "cancelled"), (NEW, "queued")]


def test_it_does_not_get_a_second_one_if_it_was_too_late(cast, asked):
    due(cast)
    code = code_sent(NEW)
    Sms.objects.filter(to=OLD).update(
        state=State.SENDING, lease_until=NINE, sender=cast.sender, account="AC"
    )
    done = confirm_new_number(cast.ada.id, code, cast.actor, NINE)
    assert [sms.to for sms in done.too_late] == [OLD]
    assert about_doses() == [(OLD, "sending")]


def test_the_code_reaches_the_new_phone_at_once(cast, simulator):
    ask_new_number(cast.ada.id, NEW, cast.actor, datetime.now(UTC))
    code = code_sent(NEW)
    send_due(Lane.URGENT)
    (message,) = simulator.conversation(NEW)
    assert code in message["body"]
    assert cast.clinic.name in message["body"]
    confirm_new_number(cast.ada.id, code, cast.actor, datetime.now(UTC))
    assert Patient.objects.get(id=cast.ada.id).number == NEW


def test_a_code_is_stored_nowhere_but_in_its_text_and_there_only_while_it_is_good(cast, asked):
    code = code_sent(NEW)
    assert code not in str(vars(asked))
    confirm_new_number(cast.ada.id, code, cast.actor, NINE)
    assert Sms.objects.get(about_id=asked.id).body == ""
    assert Sms.objects.get(about_id=asked.id).state == "cancelled"
    assert not [row for row in AuditEntry.objects.values() if code in str(row["detail"])]


def test_wrong_codes_are_counted_and_the_fifth_ends_it(cast, asked):
    code = code_sent(NEW)
    for _ in range(4):
        with pytest.raises(Invalid) as refusal:
            confirm_new_number(cast.ada.id, wrong(code), cast.actor, NINE)
        assert refusal.value.field == "code"
    with pytest.raises(Conflict):
        confirm_new_number(cast.ada.id, wrong(code), cast.actor, NINE)
    with pytest.raises(Conflict) as refusal:
        confirm_new_number(cast.ada.id, code, cast.actor, NINE)
    assert refusal.value.code == "no_new_number"
    assert outcome(asked) == "wrong"
    assert Sms.objects.get(about_id=asked.id).body == ""
    assert Patient.objects.get(id=cast.ada.id).number == OLD


def test_a_late_code_is_none(cast, asked):
    code = code_sent(NEW)
    with pytest.raises(Conflict) as refusal:
        confirm_new_number(cast.ada.id, code, cast.actor, NINE + LASTS)
    assert refusal.value.code == "code_late"
    assert outcome(asked) == "late"


def test_the_sweep_ends_and_blanks_late_codes(cast, asked):
    end_late_codes(NINE + LASTS - timedelta(seconds=1))
    assert outcome(asked) == ""
    sweep(NINE + LASTS)
    assert outcome(asked) == "late"
    assert Sms.objects.get(about_id=asked.id).body == ""


def test_asking_again_ends_the_first_and_the_old_number_withdraws(cast, asked):
    first = code_sent(NEW)
    again = ask_new_number(cast.ada.id, "07700 900008", cast.actor, NINE)
    assert outcome(asked) == "replaced"
    with pytest.raises(Refusal):
        confirm_new_number(cast.ada.id, first, cast.actor, NINE)
    assert ask_new_number(cast.ada.id, OLD, cast.actor, NINE) is None
    assert again is not None
    assert outcome(again) == "replaced"


def test_codes_to_one_number_are_few(cast, asked):
    for _ in range(2):
        ask_new_number(cast.ada.id, NEW, cast.actor, NINE)
    with pytest.raises(Conflict) as refusal:
        ask_new_number(cast.ada.id, NEW, cast.actor, NINE)
    assert refusal.value.code == "too_many_codes"
    assert ask_new_number(cast.ada.id, NEW, cast.actor, NINE + LASTS + timedelta(seconds=1))


@pytest.mark.parametrize("when", ["asking", "confirming"])
def test_a_phone_has_no_two_clinics(cast, when):
    if when == "asking":
        make_patient(cast.other_clinic, cast.stranger, number=NEW)
        with pytest.raises(Conflict) as refusal:
            ask_new_number(cast.ada.id, NEW, cast.actor, NINE)
    else:
        ask_new_number(cast.ada.id, NEW, cast.actor, NINE)
        code = code_sent(NEW)
        make_patient(cast.other_clinic, cast.stranger, number=NEW)
        with pytest.raises(Conflict) as refusal:
            confirm_new_number(cast.ada.id, code, cast.actor, NINE)
    assert refusal.value.code == "number_in_use"
    assert Patient.objects.get(id=cast.ada.id).number == OLD


class TestTextedBack:
    @pytest.mark.parametrize("written", ["{}", " {}.", "code {}!", "It is {} thanks x"])
    def test_it_confirms(self, cast, asked, written):
        assert confirm_by_text(NEW, written.format(code_sent(NEW)), NINE)
        assert Patient.objects.get(id=cast.ada.id).number == NEW
        entry = AuditEntry.objects.get(verb="confirm_new_number")
        assert entry.actor_kind == audit.CARRIER.kind

    def test_from_another_number_it_does_not(self, cast, asked):
        assert not confirm_by_text("+447700900008", code_sent(NEW), NINE)

    def test_anything_else_is_no_code_and_counts_as_none(self, cast, asked):
        code = code_sent(NEW)
        for body in ("yes", "1", f"{code}7", f"{code} {code}", "", "who is this? 12"):
            assert not confirm_by_text(NEW, body, NINE)
        asked.refresh_from_db()
        assert asked.tries == 0

    def test_a_wrong_one_is_counted_though_the_callers_transaction_goes_on(self, cast, asked):
        code = code_sent(NEW)
        for _ in range(5):
            with transaction.atomic():
                assert not confirm_by_text(NEW, wrong(code), NINE)
        assert outcome(asked) == "wrong"
        assert not confirm_by_text(NEW, code, NINE)


def test_a_code_that_cannot_arrive_or_ran_out_is_the_teams_to_look_at(cast, asked):
    Sms.objects.filter(to=NEW).update(state=State.UNDELIVERED, error_code=30005, untaken=True)
    news.take_news(NINE)
    item = WorkItem.objects.get()
    assert (item.patient, item.cause) == (cast.ada, "number_doubtful")
    assert item.facts == {"change": str(asked.id)}
    end_late_codes(NINE + LASTS)
    assert WorkItem.objects.get().times == 1, "the same, still"
    again = ask_new_number(cast.ada.id, NEW, cast.actor, NINE + LASTS)
    assert again is not None
    end_late_codes(NINE + 2 * LASTS)
    assert WorkItem.objects.get().times == 2
    assert ask_new_number(cast.ada.id, NEW, cast.actor, NINE + 2 * LASTS)
    confirm_new_number(cast.ada.id, code_sent(NEW), cast.actor, NINE + 2 * LASTS)
    assert WorkItem.objects.get().outcome == "by_event"


def test_a_code_that_is_of_no_use_any_more_is_nothing_to_look_at(cast, asked):
    ask_new_number(cast.ada.id, OLD, cast.actor, NINE)
    Sms.objects.filter(to=NEW).update(state=State.UNDELIVERED, untaken=True)
    news.take_news(NINE)
    end_late_codes(NINE + LASTS)
    assert not WorkItem.objects.exists()


class TestALostPhone:
    def test_gets_nothing_any_more_and_the_team_is_told(self, cast, simulator):
        now = datetime.now(UTC)
        today = now.date()
        lost = {"number": NEW, "old_number": "lost"}
        change_patient(cast.ada.id, lost, cast.actor, now)
        prescribing.start(cast.ada.id, Decision(7, today), None, cast.actor, now)
        Sms.objects.all().delete()
        waiting = queue_text(to=OLD, owner_id=cast.ada.id)
        send_due(Lane.ROUTINE)
        assert state(waiting) == "suppressed"
        assert simulator.conversation(OLD) == []
        news.take_news(now)
        causes = set(WorkItem.objects.filter(closed_at=None).values_list("cause", flat=True))
        assert causes == {"number_lost"}, "nobody has stopped our texts"

    def test_is_settled_by_the_new_number_as_a_stop_of_the_former_one_is(self, cast):
        inbound.store(cast.sender, "SM1", OLD, "STOP", NINE)
        hear(NINE)
        lost = {"number": NEW, "old_number": "lost"}
        change_patient(cast.ada.id, lost, cast.actor, NINE)
        confirm_new_number(cast.ada.id, code_sent(NEW), cast.actor, NINE)
        item = WorkItem.objects.get(cause="number_lost")
        assert (item.closed_at, item.outcome) == (NINE, "by_event")
        assert not WorkItem.objects.filter(closed_at=None).exists()
        due(cast)
        assert about_doses() == [(NEW, "queued")]
