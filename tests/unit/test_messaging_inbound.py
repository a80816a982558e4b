"""Inbound texts: stored once, carrier words honoured, lost ones read back, pulled in turn."""

from datetime import timedelta

import pytest

from dev.environment import ROUTINE_NUMBER, URGENT_NUMBER
from messaging import inbound, twilio
from messaging.models import InboundSms, Lane, OptOut, Scope, Sender
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.vocabulary import carrier_word
from tests.cast import make_sender
from tests.texts import NUMBER, now, queue_text


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    make_sender(URGENT_NUMBER, Lane.URGENT)
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


def text(sender, body: str, sid: int = 1, **other: str) -> dict[str, str]:
    return {
        "MessageSid": f"SM{sid:032}",
        "AccountSid": sender.account,
        "From": NUMBER,
        "To": sender.number,
        "Body": body,
    } | other


def opted_out() -> bool:
    return OptOut.objects.filter(scope=Scope.CARE, number=NUMBER, opted_out=True).exists()


def test_a_text_is_stored_once(sender):
    assert inbound.receive(text(sender, "done"), now())
    assert not inbound.receive(text(sender, "done"), now())
    assert InboundSms.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"To": "+15005550000"}, {"AccountSid": "AC" + "0" * 32}, {"From": ""}, {"MessageSid": ""}],
)
def test_a_text_that_is_not_ours_is_stored_nowhere(sender, other):
    assert not inbound.receive(text(sender, "STOP", **other), now())
    assert not InboundSms.objects.exists()
    assert not OptOut.objects.exists()


def test_what_postgres_cannot_keep_is_taken_out(sender):
    assert inbound.receive(text(sender, "do\0ne \ud83d"), now())
    assert InboundSms.objects.get().body == "done ?"


@pytest.mark.parametrize(
    ("body", "means"),
    [
        ("STOP", "stop"),
        (" stop! ", "stop"),
        ("Unsubscribe", "stop"),
        ("optout", "stop"),
        ("\tCANCEL.\r\n", "stop"),
        ("yes", "start"),
        ("Unstop", "start"),
        ("info", "help"),
        ("stop it please", None),
        ("1", None),
        ("", None),
    ],
)
def test_carrier_words_are_the_whole_text(body, means):
    assert carrier_word(body) == means


def test_an_older_word_never_overrides_a_later_one(sender):
    inbound.receive(text(sender, "START", 1), now())
    inbound.receive(text(sender, "STOP", 2), now() - timedelta(seconds=10))
    assert not opted_out()
    inbound.receive(text(sender, "STOP", 3), now() + timedelta(seconds=1))
    assert opted_out()


def test_a_refusal_older_than_the_last_start_is_ignored(sender, simulator):
    simulator.break_number(NUMBER, 21610)
    queue_text()
    inbound.receive(text(sender, "START"), now() + timedelta(seconds=60))
    inbound.take_inbound(InboundSms.objects.all(), now())
    send_due("routine")
    assert not opted_out()


def test_one_numbers_texts_are_taken_in_turn(sender):
    for sid, body in enumerate(["first", "second"], 1):
        inbound.receive(text(sender, body, sid), now())
    inbound.receive(text(sender, "other", 3, From="+447700900999"), now())
    assert [row.body for row in inbound.untaken(Scope.CARE, 10)] == ["first", "other"]
    assert inbound.untaken(Scope.STAFF, 10) == []
    inbound.take_inbound(inbound.untaken(Scope.CARE, 10), now())
    assert [row.body for row in inbound.untaken(Scope.CARE, 10)] == ["second"]


def test_texts_that_were_lost_are_read_back_once(sender, simulator):
    for body in ("done", "STOP"):
        simulator.answer(NUMBER, sender.number, body)
    later = now() + timedelta(minutes=6)
    assert read_back(later) == 2
    assert opted_out()
    assert [row.body for row in inbound.untaken(Scope.CARE, 10)] == ["done"]
    sender.refresh_from_db()
    assert sender.inbound_read_at == later
    assert read_back(later + timedelta(minutes=6)) == 0


def test_a_reading_that_failed_is_done_again(sender, simulator):
    simulator.answer(NUMBER, sender.number, "done")
    simulator.inject("500", on="list", count=2)
    later = now() + timedelta(minutes=6)
    assert read_back(later) == 0
    assert read_back(later) == 1


def test_signatures(sender, settings):
    url = "https://example.org/api/v1/twilio/inbound"
    params = {"Body": "done", "From": NUMBER}
    token = settings.TWILIO_ACCOUNTS[sender.account]
    signed = _sign(token, url, params)
    assert twilio.signature_ok(sender.account, url, params, signed)
    assert not twilio.signature_ok(sender.account, url, params | {"Body": "no"}, signed)
    assert not twilio.signature_ok(sender.account, url + "?x=1", params, signed)
    assert not twilio.signature_ok(sender.account, url, params, "é" + signed[1:])
    assert not twilio.signature_ok("AC" + "0" * 32, url, params, signed)


def _sign(token: str, url: str, params: dict[str, str]) -> str:
    from dev.twilio_wire import sign

    return sign(token, url, params)
