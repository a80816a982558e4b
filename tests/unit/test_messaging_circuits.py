"""Accounts and numbers that fail for a fault of ours: they rest, are probed, and another one takes
over. No text fails for it, and none goes twice."""

import logging
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError

import messaging.claim
from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN, URGENT_NUMBER
from dev.waiting import until
from messaging import circuits, inbound
from messaging.circuits import DOUBTFUL, open_circuits
from messaging.claim import LEASE, claim
from messaging.gateway import Fault
from messaging.models import Circuit, Kind, Lane, OptOut, Sender, Sms
from messaging.pace import slow_down
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import go_again, settle
from messaging.vocabulary import FAULTS
from tests.cast import OTHER_ACCOUNT, OTHER_NUMBER, OTHER_TOKEN, make_sender
from tests.texts import NUMBER, get, now, queue_text, queue_texts, state

WRONG = {ACCOUNT: "the token of yesterday"}


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    make_sender(URGENT_NUMBER, Lane.URGENT)
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


@pytest.fixture
def standby(sender, settings) -> Sender:
    settings.TWILIO_ACCOUNTS = {ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN}
    return make_sender(
        OTHER_NUMBER, Lane.ROUTINE, account=OTHER_ACCOUNT, standby=True, inbound_seen_at=now()
    )


@pytest.fixture(autouse=True)
def _short_reads(monkeypatch):
    """Nobody waits eight seconds in a test for an answer that never comes."""
    monkeypatch.setattr("messaging.connections.READ_SECONDS", 0.3)


def numbers(many: int) -> list[str]:
    return [f"+4477009{n:05}" for n in range(10_000, 10_000 + many)]


def open_names() -> list[str]:
    return [circuit.name for circuit in open_circuits()]


def states() -> set[str]:
    return set(Sms.objects.values_list("state", flat=True))


def test_a_rotated_token_fails_no_text_and_they_leave_when_it_is_mended(
    simulator, settings, caplog
):
    settings.TWILIO_ACCOUNTS = WRONG
    ids = queue_texts(numbers(40))
    begun = now()
    assert send_due(Lane.ROUTINE, begun) == 40
    assert (open_names(), states()) == ([ACCOUNT], {"queued"})
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "error 20003" in alarms[-1].message

    probes = 0
    for second in range(1, 600):
        probes += send_due(Lane.ROUTINE, begun + timedelta(seconds=second))
    assert 10 <= probes <= 20, "one text at a time, in growing waits up to a minute"
    assert (open_names(), states()) == ([ACCOUNT], {"queued"})

    settings.TWILIO_ACCOUNTS = {ACCOUNT: TOKEN}
    second = 600
    while "queued" in states():
        second += 1
        send_due(Lane.ROUTINE, begun + timedelta(seconds=second))
    assert second <= 600 + circuits.LONGEST_PROBE + 5
    assert open_names() == []
    assert states() == {"accepted"}
    assert all(simulator.accepted(sms_id) == 1 for sms_id in ids)


def test_an_open_circuit_lets_one_probe_through_at_a_time(simulator, settings, sender):
    settings.TWILIO_ACCOUNTS = WRONG
    make_sender("+15005550007", Lane.ROUTINE)
    queue_texts(numbers(10))
    send_due(Lane.ROUTINE)
    later = now() + timedelta(seconds=30)
    assert len(claim(Lane.ROUTINE, later)) == 1
    # Neither the same sender nor another of the account, until that one is certainly over.
    assert claim(Lane.ROUTINE, later + timedelta(seconds=LEASE - 1)) == []
    assert len(claim(Lane.ROUTINE, later + timedelta(seconds=LEASE + 1))) == 1


@pytest.mark.parametrize("kind", ["401", "429", "500", "reset_before"])
def test_single_refusals_among_others_open_nothing(simulator, kind):
    for _ in range(3 * DOUBTFUL):
        simulator.inject(kind, on="create", count=1, seconds=1, to=NUMBER)
    for round_ in range(3 * DOUBTFUL):
        queue_texts([NUMBER, *numbers(2)], f"Text {round_}.")
        send_due(Lane.ROUTINE, now() + timedelta(seconds=30 * round_))
    assert simulator.injected()[kind] >= 3 * DOUBTFUL - 1
    assert open_names() == []


def test_doubtful_ones_in_a_row_open_it_and_success_closes_it(simulator):
    simulator.inject("reset_before", on="create", count=DOUBTFUL + 1)
    for number in numbers(DOUBTFUL - 1):
        queue_text(number)
        send_due(Lane.ROUTINE)
    assert open_names() == []
    queue_texts(numbers(DOUBTFUL + 20)[DOUBTFUL:], "The rest.")
    # One at a time, as a quiet hour would have it.
    Sender.objects.update(rate=0.1)
    begun = now()
    assert send_due(Lane.ROUTINE, begun) == 1
    assert open_names() == [ACCOUNT]
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=1)) == 0
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=20)) == 1, "a probe, which fails too"
    assert open_names() == [ACCOUNT]
    Sender.objects.update(rate=1000)
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=60)) == 1
    assert open_names() == []
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=61)) > 1


def test_nothing_listening_opens_it_and_leaves_all_queued(simulator, settings):
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    queue_texts(numbers(20))
    send_due(Lane.ROUTINE)
    assert (open_names(), states()) == ([ACCOUNT], {"queued"})


def test_a_sender_that_is_not_ours_rests_alone(simulator, sender):
    Sender.objects.filter(id=sender.id).update(number="+15005550011")
    queue_texts(numbers(3))
    urgent = queue_text(lane=Lane.URGENT)
    send_due(Lane.ROUTINE)
    send_due(Lane.URGENT)
    assert open_names() == ["+15005550011"]
    assert state(urgent) == "accepted"


def test_a_country_that_is_not_allowed_stops_nobody_else(simulator):
    simulator.break_number(NUMBER, 21408)
    queue_text()
    send_due(Lane.ROUTINE)
    assert open_names() == []


UNLISTED = 21609  # our callback URL is not valid


def test_refusals_that_nobody_knows_of_open_it_when_they_are_five_in_a_row(simulator, caplog):
    for number in numbers(DOUBTFUL):
        simulator.break_number(number, UNLISTED)
    queue_texts(numbers(DOUBTFUL - 1))
    begun = now()
    send_due(Lane.ROUTINE, begun)
    assert open_names() == []
    queue_texts(numbers(DOUBTFUL)[-1:], "One more.")
    send_due(Lane.ROUTINE, begun + timedelta(seconds=0.5))
    assert (open_names(), states()) == ([ACCOUNT], {"queued"})
    assert "5 in a row" in caplog.text

    # Whoever else is due takes its turn as a probe, and shows that it was those five.
    queue_texts(numbers(DOUBTFUL + 5)[DOUBTFUL:], "Others.")
    for second in range(1, 400):
        send_due(Lane.ROUTINE, begun + timedelta(seconds=second))
        if not open_names():
            break
    send_due(Lane.ROUTINE, begun + timedelta(seconds=second + 1))
    assert open_names() == []
    assert Sms.objects.filter(state="accepted").count() == 5


def test_one_text_refused_again_and_again_for_what_nobody_knows_opens_nothing(simulator):
    simulator.break_number(NUMBER, UNLISTED)
    odd, begun = queue_text(), now()
    for minute in range(3 * DOUBTFUL):
        send_due(Lane.ROUTINE, begun + timedelta(minutes=5 * minute))
    assert Sms.objects.get(id=odd).attempt > DOUBTFUL
    assert open_names() == []


def test_a_standby_takes_over_what_was_never_asked_and_hands_back(simulator, settings, standby):
    settings.TWILIO_ACCOUNTS = {**settings.TWILIO_ACCOUNTS, **WRONG}
    ids = queue_texts(numbers(30))
    begun = now()
    # The first claim may find the standby still out of line: it is asked in the order of keys.
    send_due(Lane.ROUTINE, begun)
    assert open_names() == [ACCOUNT]
    send_due(Lane.ROUTINE, begun + timedelta(seconds=6))
    taken = Sms.objects.filter(state="accepted")
    assert set(taken.values_list("account", flat=True)) == {OTHER_ACCOUNT}
    assert taken.count() >= 29, "all but a probe"

    settings.TWILIO_ACCOUNTS = {ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN}
    for seconds in (70, 140):
        send_due(Lane.ROUTINE, begun + timedelta(seconds=seconds))
        queue_text(NUMBER, f"After {seconds} seconds.")
    assert open_names() == []
    last = queue_text(NUMBER, "First line again.")
    send_due(Lane.ROUTINE, begun + timedelta(seconds=150))
    assert get(last).account == ACCOUNT
    assert all(simulator.accepted(sms_id) == 1 for sms_id in ids)


def test_a_standby_rests_while_the_first_line_works(simulator, standby):
    ids = queue_texts(numbers(10))
    send_due(Lane.ROUTINE)
    assert {get(sms_id).account for sms_id in ids} == {ACCOUNT}


def test_a_standby_takes_no_text_whose_fate_is_or_was_unknown(simulator, settings, standby):
    simulator.inject("reset_before", on="create", count=DOUBTFUL, account=ACCOUNT)
    lost = queue_texts(numbers(DOUBTFUL))
    begun = now()
    send_due(Lane.ROUTINE, begun)
    fresh = queue_text()
    send_due(Lane.ROUTINE, begun + timedelta(seconds=1))
    assert (open_names(), get(fresh).account) == ([ACCOUNT], OTHER_ACCOUNT)
    assert {state(sms_id) for sms_id in lost} == {"unknown"}
    # Proven never taken, by the list of the account that was asked; and still not the standby's.
    for seconds in (20, 30):
        settle(begun + timedelta(seconds=seconds))
    Circuit.objects.update(probe_at=begun + timedelta(hours=1))
    assert {state(sms_id) for sms_id in lost} == {"queued"}
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=40)) == 0
    Circuit.objects.update(probe_at=begun)
    for seconds in (50, 51):
        send_due(Lane.ROUTINE, begun + timedelta(seconds=seconds))
    assert {(get(sms_id).state, get(sms_id).account) for sms_id in lost} == {("accepted", ACCOUNT)}
    assert simulator.doubles() == {}


def test_a_standby_whose_answers_were_never_seen_to_arrive_is_not_used(
    simulator, settings, standby
):
    Sender.objects.filter(id=standby.id).update(inbound_seen_at=None)
    settings.TWILIO_ACCOUNTS = {**settings.TWILIO_ACCOUNTS, **WRONG}
    sms_id = queue_text()
    begun = now()
    send_due(Lane.ROUTINE, begun)
    send_due(Lane.ROUTINE, begun + timedelta(seconds=6))
    assert state(sms_id) == "queued"
    hello = {
        "MessageSid": "SM" + "5" * 32, "AccountSid": OTHER_ACCOUNT, "From": "+447700900999",
        "To": OTHER_NUMBER, "Body": "hello",
    }  # fmt: skip
    assert inbound.receive(hello, begun)
    # Its waits are drawn by chance: a probe of the first line could take the very text.
    Circuit.objects.update(probe_at=begun + timedelta(seconds=60))
    send_due(Lane.ROUTINE, begun + timedelta(seconds=12))
    assert get(sms_id).account == OTHER_ACCOUNT


def test_a_page_does_not_wait_for_a_sender_that_was_told_to_wait(simulator, standby):
    Sender.objects.filter(id=standby.id).update(lane=Lane.URGENT)
    begun = now()
    slow_down(standby.id, 3600, begun)
    simulator.inject("never_answer", on="create", count=1)
    page = queue_text(kind=Kind.REPEAT, lane=Lane.URGENT)
    send_due(Lane.URGENT, begun)
    go_again(begun + timedelta(seconds=LEASE + 1))
    send_due(Lane.URGENT, begun + timedelta(seconds=LEASE + 2))
    assert (state(page), get(page).account) == ("accepted", ACCOUNT)


def test_what_one_sender_claimed_leaves_though_another_cannot_claim(
    simulator, monkeypatch, standby
):
    """The database goes away between the two."""
    Sender.objects.filter(id=standby.id).update(standby=False)
    texts = queue_texts([f"+4477009{n:05}" for n in range(10_000, 10_012)])
    Sender.objects.update(rate=1)
    claim_for = messaging.claim._claim_for

    def only_the_first(ready, now):
        if Sms.objects.filter(state="sending").exists():
            raise OperationalError
        return claim_for(ready, now)

    monkeypatch.setattr("messaging.claim._claim_for", only_the_first)
    send_due(Lane.ROUTINE)
    assert Counter(state(sms_id) for sms_id in texts) == {"accepted": 4, "queued": 8}


@pytest.mark.parametrize("lane", list(Lane))
def test_a_text_that_may_repeat_goes_again_by_another_sender(simulator, standby, lane):
    Sender.objects.filter(id=standby.id).update(lane=lane)
    simulator.inject("never_answer", on="create", count=1, account=ACCOUNT)
    page = queue_text(kind=Kind.REPEAT, lane=lane)
    begun = now()
    send_due(lane, begun)
    assert (state(page), get(page).account) == ("unknown", ACCOUNT)
    go_again(begun + timedelta(seconds=LEASE + 1))
    other = queue_text(lane=lane, body="Of the first line.")
    send_due(lane, begun + timedelta(seconds=LEASE + 2))
    assert (state(page), get(page).account) == ("accepted", OTHER_ACCOUNT)
    assert get(other).account == ACCOUNT


def failed(sms_id: UUID, code: int) -> None:
    form = {"MessageSid": get(sms_id).sid or "", "MessageStatus": "failed", "ErrorCode": str(code)}
    inbound.report(sms_id, get(sms_id).attempt, form)


@pytest.mark.parametrize(("code", "name"), [(30002, ACCOUNT), (30032, ROUTINE_NUMBER)])
def test_what_fails_after_it_was_accepted_rests_until_it_fails_no_more(simulator, code, name):
    """That a probe is accepted proves nothing: so were those that failed."""
    begun = now()
    first = queue_text()
    send_due(Lane.ROUTINE, begun)
    failed(first, code)
    assert open_names() == [name]
    ids = queue_texts(numbers(20))
    for seconds in range(10, 250, 10):
        at = begun + timedelta(seconds=seconds)
        assert send_due(Lane.ROUTINE, at) <= 1
    assert open_names() == [name]
    last = next(sms_id for sms_id in ids if get(sms_id).state == "accepted")
    failed(last, code)
    Circuit.objects.update(reported_at=at)
    later = at + timedelta(minutes=6)
    send_due(Lane.ROUTINE, later)
    assert open_names() == []
    send_due(Lane.ROUTINE, later + timedelta(seconds=5))
    assert "queued" not in states()


def test_a_report_on_a_former_attempt_blames_nobody(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    Sms.objects.update(attempt=2)
    inbound.report(sms_id, 1, {"MessageStatus": "failed", "ErrorCode": "30002"})
    assert open_names() == []


def test_a_daily_limit_of_one_carrier_stops_nobody(simulator, sender):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    failed(sms_id, 30023)
    sender.refresh_from_db()
    assert (open_names(), sender.slowed_to) == ([], 1)


def test_a_report_of_too_quick_slows_its_sender(simulator, sender):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    failed(sms_id, 30022)
    sender.refresh_from_db()
    assert sender.slowed_to == 0.5


@pytest.mark.parametrize("way", ["callback", "read back", "settled"])
def test_a_stop_that_is_told_of_later_is_noted_however_it_comes(simulator, way):
    simulator.break_number(NUMBER, 30003)
    if way == "settled":
        simulator.inject("reset_after", on="create", count=1)
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    # The simulator knows 21610 as an answer to a post alone.
    until(lambda: told(simulator, sms_id) == "undelivered", 10, "it failed")
    if way == "callback":
        failed(sms_id, 21610)
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(FAULTS, 30003, Fault.OPTED_OUT)
            if way == "settled":
                settle(now() + timedelta(seconds=30))
            else:
                read_back(now() + timedelta(minutes=11))
    assert OptOut.objects.get(number=NUMBER).opted_out


def told(simulator, sms_id: UUID) -> str:
    return simulator.ledger(our_id=sms_id)["messages"][0]["status"]
