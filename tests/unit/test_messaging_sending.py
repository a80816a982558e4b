"""Queue, claim, post, record, callback: over HTTP to the simulator, on a real Postgres."""

import time
from datetime import timedelta

import pytest

from dev.environment import ROUTINE_NUMBER, URGENT_NUMBER
from messaging import inbound, outbox
from messaging.circuits import open_circuits
from messaging.claim import WINDOW, claim, close_useless
from messaging.connections import READ_SECONDS
from messaging.models import Lane, OptOut, Scope, Sender, SmsEvent
from messaging.sending import send_due
from messaging.settling import settle
from tests.cast import make_sender
from tests.texts import NUMBER, get, now, queue_text, queue_texts, state


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    make_sender(URGENT_NUMBER, Lane.URGENT)
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


def numbers(many: int) -> list[str]:
    return [f"+4477009{n:05}" for n in range(10_000, 10_000 + many)]


def test_a_text_is_posted_recorded_and_reported(simulator):
    sms_id = queue_text()
    assert send_due(Lane.ROUTINE) == 1
    sent = get(sms_id)
    assert (sent.state, sent.attempt) == ("accepted", 1)
    [text] = simulator.ledger(our_id=sms_id)["messages"]
    assert (text["sid"], text["to"], text["body"]) == (sent.sid, NUMBER, sent.body)
    assert text["attempt"] == 1
    assert 3590 <= text["validity_seconds"] <= 3597, "the rest of its use, if connecting takes long"
    inbound.report(sms_id, 1, {"MessageSid": sent.sid, "MessageStatus": "delivered"})
    assert state(sms_id) == "delivered"
    assert send_due(Lane.ROUTINE) == 0
    assert not get(sms_id).untaken


def test_reports_late_doubled_and_out_of_order_only_move_forward(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    sid = get(sms_id).sid
    for status in ("delivered", "sent", "delivered", "queued", "delivered", "nonsense", "sent"):
        inbound.report(sms_id, 1, {"MessageSid": sid, "MessageStatus": status})
        assert state(sms_id) == "delivered"
    kept = SmsEvent.objects.filter(sms=sms_id).order_by("id")
    assert list(kept.values_list("source", "status", "moved_to")) == [
        ("post", "accepted", "accepted"),
        ("callback", "delivered", "delivered"),
        ("callback", "sent", ""),
        ("callback", "accepted", ""),
    ]


def test_a_report_before_our_own_record_proves_acceptance(simulator):
    sms_id = queue_text()
    [text] = claim(Lane.ROUTINE)
    inbound.report(text.id, 1, {"MessageSid": "SM" + "1" * 32, "MessageStatus": "sent"})
    assert (state(sms_id), get(sms_id).sid) == ("sent", "SM" + "1" * 32)


def test_reports_that_mean_nothing_to_us_are_passed_over():
    sms_id = queue_text()
    for attempt in (0, 1, 99_999_999):
        inbound.report(sms_id, attempt, {"MessageSid": "SM", "MessageStatus": "flying"})
    inbound.report(sms_id, 99_999_999, {"MessageSid": "SM", "MessageStatus": "sent"})
    inbound.report(NOBODY, 1, {"MessageSid": "SM", "MessageStatus": "sent"})
    inbound.report(sms_id, 1, {})
    assert not SmsEvent.objects.exists()


NOBODY = "0190a0a0-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("code", "end", "news"),
    [
        (21211, "failed", True),
        (21614, "failed", True),
        (21408, "queued", False),
        (21611, "queued", False),
        (21610, "failed", True),
    ],
)
def test_a_refusal_is_the_numbers_or_ours_or_passes(simulator, code, end, news):
    simulator.break_number(NUMBER, code)
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    refused = get(sms_id)
    assert (refused.state, refused.error_code, refused.untaken) == (end, code, news)
    assert OptOut.objects.filter(number=NUMBER, opted_out=True).exists() == (code == 21610)
    if end == "queued":
        assert refused.available_at > now()
        assert send_due(Lane.ROUTINE) == 0


def test_a_text_that_cannot_be_carried_fails(simulator):
    sms_id = queue_text(body="x" * 1601)
    send_due(Lane.ROUTINE)
    assert (state(sms_id), get(sms_id).error_code) == ("failed", 21617)


@pytest.mark.parametrize(
    "kind", ["429", "401", "reset_before", "500", "503", "garbage", "reset_after"]
)
def test_what_goes_wrong_is_either_certain_or_unknown(simulator, kind):
    simulator.inject(kind, on="create", count=1, seconds=7)
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    assert simulator.injected()[kind] == 1
    assert state(sms_id) == ("queued" if kind in {"429", "401"} else "unknown")
    if kind == "429":
        assert get(sms_id).available_at > now() + timedelta(seconds=6)


def test_nothing_listens_at_twilios_address(settings):
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    assert (state(sms_id), get(sms_id).refusals) == ("queued", 1)


def test_an_account_without_a_token_is_never_posted_to(simulator, settings):
    settings.TWILIO_ACCOUNTS = {}
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    assert state(sms_id) == "queued"
    assert simulator.accepted(sms_id) == 0


def test_twins_are_never_both_in_flight(simulator):
    queue_texts([NUMBER] * 3)
    first = claim(Lane.ROUTINE)
    assert len(first) == 1
    assert claim(Lane.ROUTINE) == []
    other = queue_text(body="Another text.")
    assert [text.id for text in claim(Lane.ROUTINE)] == [other]
    inbound.report(first[0].id, 1, {"MessageSid": "SM" + "2" * 32, "MessageStatus": "sent"})
    [second] = claim(Lane.ROUTINE)
    assert (second.to, second.body) == (first[0].to, first[0].body)


def test_a_claim_keeps_the_senders_pace(simulator, sender):
    Sender.objects.filter(id=sender.id).update(rate=2)
    queue_texts(numbers(30))
    assert len(claim(Lane.ROUTINE)) == 2 * WINDOW
    assert claim(Lane.ROUTINE) == []


def test_a_text_longer_than_the_window_goes_alone(simulator, sender):
    Sender.objects.filter(id=sender.id).update(rate=0.1)
    [long, short] = [queue_text(body="x" * 600), queue_text(body="short")]
    assert [text.id for text in claim(Lane.ROUTINE)] == [long]
    assert claim(Lane.ROUTINE) == []
    assert state(short) == "queued"


def test_lanes_do_not_wait_for_each_other(simulator, sender):
    Sender.objects.filter(id=sender.id).update(rate=0.1)
    queue_texts(numbers(5))
    urgent = queue_text(lane=Lane.URGENT)
    assert len(claim(Lane.ROUTINE)) == 1
    assert [text.id for text in claim(Lane.URGENT)] == [urgent]


def test_what_is_not_due_or_of_no_use_any_more_is_not_claimed(simulator):
    early = queue_text(available_at=now() + timedelta(seconds=60))
    late = queue_text(body="late", expires_at=now() - timedelta(milliseconds=1))
    assert send_due(Lane.ROUTINE) == 0
    assert (state(early), state(late)) == ("queued", "expired")
    assert get(late).untaken
    assert not get(early).untaken


def test_instants_can_be_played(simulator):
    then = now() - timedelta(days=200)
    sms_id = queue_text(available_at=then, expires_at=then + timedelta(hours=1))
    assert send_due(Lane.ROUTINE, then - timedelta(seconds=1)) == 0
    assert send_due(Lane.ROUTINE, then) == 1
    assert get(sms_id).state_at == then


def test_opted_out_people_get_nothing(simulator, sender):
    sms_id = queue_text()
    inbound.receive(text_from(sender, "Stop."), now())
    assert send_due(Lane.ROUTINE) == 0
    assert (state(sms_id), get(sms_id).untaken) == ("suppressed", True)
    inbound.receive(text_from(sender, "START"), now())
    again = queue_text(body="Another.")
    take_all()
    assert send_due(Lane.ROUTINE) == 1
    assert state(again) == "accepted"


def test_an_unread_answer_holds_back_what_was_not_asked_for(simulator, sender):
    unasked = queue_text()
    asked = queue_text(body="You asked.", asked_for=True)
    inbound.receive(text_from(sender, "done"), now())
    send_due(Lane.ROUTINE)
    assert (state(unasked), state(asked)) == ("queued", "accepted")
    take_all()
    send_due(Lane.ROUTINE)
    assert state(unasked) == "accepted"


def test_an_answer_nobody_reads_does_not_hold_for_ever(simulator, sender):
    sms_id = queue_text()
    inbound.receive(text_from(sender, "done"), now() - timedelta(minutes=11))
    send_due(Lane.ROUTINE)
    assert state(sms_id) == "accepted"


def test_cancel_says_when_it_is_too_late(simulator):
    about = queue_texts([NUMBER, NUMBER], "queued")[0]
    row = get(about)
    assert outbox.cancel([row.about_id]) == []
    assert state(about) == "cancelled"
    sending = queue_text(body="sending")
    claim(Lane.ROUTINE)
    assert [late.id for late in outbox.cancel([get(sending).about_id])] == [sending]
    assert (state(sending), get(sending).cancel_wished) == ("sending", True)


def test_a_cancelled_text_does_not_come_back(simulator):
    sms_id = queue_text()
    claim(Lane.ROUTINE)
    outbox.cancel([get(sms_id).about_id])
    settle(now() + timedelta(seconds=60))
    assert state(sms_id) == "unknown"
    for minutes in (5, 6):
        settle(now() + timedelta(minutes=minutes))
    assert state(sms_id) == "cancelled"
    assert simulator.accepted(sms_id) == 0


def test_a_closed_text_is_closed_once(simulator):
    sms_id = queue_text(expires_at=now() - timedelta(milliseconds=1))
    close_useless()
    outbox.take(outbox.news(Scope.CARE, 10))
    close_useless()
    assert not get(sms_id).untaken


def text_from(sender, body: str, sid: str | None = None) -> dict[str, str]:
    text_from.count += 1
    return {
        "MessageSid": sid or f"SM{text_from.count:032}",
        "AccountSid": sender.account,
        "From": NUMBER,
        "To": sender.number,
        "Body": body,
    }


text_from.count = 0


def take_all() -> None:
    while rows := inbound.untaken(Scope.CARE, 10):
        inbound.take_inbound(rows, now())


def test_an_answer_that_never_comes_holds_up_nobody_else(simulator, monkeypatch):
    monkeypatch.setattr("messaging.connections.READ_SECONDS", 4)
    monkeypatch.setattr("messaging.claim.MOST", 2)
    simulator.inject("never_answer", on="create", count=1)
    ids = queue_texts(numbers(8))
    assert send_due(Lane.ROUTINE, claim_for=5) == 8
    found = list(SmsEvent.objects.order_by("id").values_list("status", flat=True))
    assert found == ["accepted"] * 7 + ["doubtful"]
    assert sum(state(sms_id) == "accepted" for sms_id in ids) == 7
    assert open_circuits() == []


def test_a_few_lost_answers_dont_hold_up_the_next_look(simulator, settings):
    simulator.inject("never_answer", on="create", count=1)
    ids = queue_texts(numbers(30))
    began = time.monotonic()
    assert send_due(Lane.ROUTINE) == 30
    assert time.monotonic() - began < READ_SECONDS - 1
    [lost] = [sms_id for sms_id in ids if state(sms_id) != "accepted"]
    row = get(lost)
    assert row.state == "sending", "its lease tells when it is to be settled"
    lease_over = row.lease_until + timedelta(seconds=1)
    settle(lease_over)
    settle(lease_over + timedelta(seconds=settings.TWILIO_QUIET_SECONDS))
    assert state(lost) == "delivered", "found in Twilio's list"
    assert simulator.doubles() == {}
    assert open_circuits() == []
