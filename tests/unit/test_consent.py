"""Consent withdrawn: nothing is sent, the plan stays, and START or a new consent ends it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.refusals import Conflict
from messaging import inbound
from messaging.claim import claim
from messaging.models import Lane, OptOut, Sms
from reminders.conversation import hearing
from reminders.conversation.news import take_news
from reminders.models import Cause, Outcome, WorkItem
from reminders.patients.consent import withdraw_consent
from reminders.patients.enrolling import change_patient
from reminders.patients.new_number import confirm_new_number
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.worklist import attending
from tests.cast import NOW, Cast
from tests.codes import code_sent

NEW = "+447700900007"
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)


@pytest.fixture
def withdrawn(cast: Cast) -> Cast:
    prescribing.start(cast.ada.id, Decision(7, date(2027, 1, 4)), None, cast.actor, NOW)
    withdraw_consent(cast.ada.id, cast.actor, NOW)
    return cast


def is_missing() -> bool:
    return WorkItem.objects.filter(cause=Cause.CONSENT_MISSING, closed_at=None).exists()


def test_nothing_is_sent_and_the_plan_stays(withdrawn):
    plan_doses(NINE)
    assert claim(Lane.ROUTINE, NINE) == []
    assert Sms.objects.get().state == "suppressed"
    assert withdrawn.ada.schedules.get().status == "running"
    assert is_missing()


def test_agreeing_again_lets_texts_go(withdrawn):
    plan_doses(NINE)
    claim(Lane.ROUTINE, NINE)
    take_news(NINE)
    assert not WorkItem.objects.filter(cause=Cause.OPTED_OUT).exists(), "they texted no STOP"
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 3)}, withdrawn.actor, NINE)
    assert is_missing()
    later = NINE + timedelta(days=1)
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 5)}, withdrawn.actor, later)
    assert not is_missing()
    assert not OptOut.objects.get().opted_out


def test_a_stop_of_their_own_stays(withdrawn):
    inbound.store(withdrawn.sender, "SM1", withdrawn.ada.number, "STOP", NINE)
    hearing.hear(NINE)
    later = NINE + timedelta(days=1)
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 5)}, withdrawn.actor, later)
    assert OptOut.objects.get().opted_out


def test_agreeing_again_brings_no_lost_phone_back(withdrawn):
    lost = {"number": NEW, "old_number": "lost"}
    change_patient(withdrawn.ada.id, lost, withdrawn.actor, NINE)
    later = NINE + timedelta(days=1)
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 5)}, withdrawn.actor, later)
    assert OptOut.objects.get().opted_out


def test_a_new_phone_brings_no_consent_back(withdrawn):
    change_patient(withdrawn.ada.id, {"number": NEW}, withdrawn.actor, NINE)
    confirm_new_number(withdrawn.ada.id, code_sent(NEW), withdrawn.actor, NINE)
    plan_doses(NINE)
    assert claim(Lane.ROUTINE, NINE) == []
    assert is_missing()
    later = NINE + timedelta(days=1)
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 5)}, withdrawn.actor, later)
    assert not OptOut.objects.get(number=NEW).opted_out


def test_what_was_suppressed_before_they_agreed_again_is_not_their_stop(withdrawn):
    plan_doses(NINE)
    claim(Lane.ROUTINE, NINE)
    later = NINE + timedelta(days=1)
    change_patient(withdrawn.ada.id, {"consent_on": date(2027, 1, 5)}, withdrawn.actor, later)
    take_news(later)
    [item] = WorkItem.objects.filter(closed_at=None)
    assert (item.cause, item.facts["date"]) == (Cause.NOT_ASKED, "2027-01-04")


def test_start_from_their_phone_is_consent(withdrawn):
    inbound.store(withdrawn.sender, "SM1", withdrawn.ada.number, "START", NINE)
    hearing.hear(NINE)
    assert not is_missing()
    assert not OptOut.objects.get().opted_out


def test_the_item_is_not_closed_by_hand_for_it_holds_the_texts_back(withdrawn):
    item = WorkItem.objects.get(cause=Cause.CONSENT_MISSING)
    with pytest.raises(Conflict) as refused:
        attending.close(item.id, Outcome.DONE, "", withdrawn.actor, NINE)
    assert refused.value.code == "consent_missing"
    assert "START" in refused.value.message
    assert is_missing()
