"""What we don't know is found out from Twilio's list: one text each, never two."""

from datetime import timedelta
from uuid import UUID

import pytest

from dev.environment import ROUTINE_NUMBER, URGENT_NUMBER
from dev.waiting import until
from messaging import inbound, outbox
from messaging.evidence import Report, Source, advance
from messaging.models import Kind, Lane, Sender, Sms, SmsEvent
from messaging.reading_back import _take_silent
from messaging.sending import send_due
from messaging.settling import ONE_BY_ONE, settle
from messaging.states import Finding
from tests.cast import make_sender
from tests.texts import NUMBER, get, now, queue_text, queue_texts, state


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    make_sender(URGENT_NUMBER, Lane.URGENT)
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


LEASE_OVER = timedelta(seconds=16)
QUIET = timedelta(seconds=20)  # past the lease and TWILIO_QUIET_SECONDS (2 s in tests)


@pytest.fixture(autouse=True)
def _short_reads(monkeypatch):
    """Nobody waits eight seconds in a test for an answer that never comes."""
    monkeypatch.setattr("messaging.connections.READ_SECONDS", 0.3)


def go_wrong(simulator, kind: str, **spec) -> UUID:
    simulator.inject(kind, on="create", count=1, **spec)
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    assert simulator.injected() == {kind: 1}
    assert state(sms_id) == "unknown"
    return sms_id


def delivered(simulator, sms_id: UUID) -> None:
    """Wait until the phone has it; there is no web process to be told so."""
    until(
        lambda: simulator.ledger(our_id=sms_id)["messages"][0]["status"] == "delivered",
        10,
        "the text is delivered",
    )


@pytest.mark.parametrize("kind", ["never_answer", "reset_after", "garbage"])
def test_a_text_that_was_taken_is_found_in_the_list(simulator, kind):
    sms_id = go_wrong(simulator, kind)
    delivered(simulator, sms_id)
    assert settle() == 0, "the lease is not over"
    assert settle(now() + LEASE_OVER) == 1
    assert state(sms_id) == "delivered"
    assert simulator.accepted(sms_id) == 1


def test_a_text_that_waits_in_twilios_queue_is_found_though_it_has_no_date(simulator, sender):
    simulator.freeze(sender.number)
    sms_id = go_wrong(simulator, "reset_after")
    settle(now() + LEASE_OVER)
    assert state(sms_id) == "accepted"
    simulator.thaw(sender.number)


def test_an_old_text_that_left_a_moment_ago_hides_no_younger_one(simulator):
    """Twilio lists by when texts went out: one that lay in its queue for hours stands first."""
    begun = now()
    simulator.set_clock(begun - timedelta(hours=2))
    simulator.freeze(URGENT_NUMBER)
    use = {"available_at": begun - timedelta(hours=3), "expires_at": begun + timedelta(hours=3)}
    old = queue_text(body="Two hours in the queue.", lane=Lane.URGENT, **use)
    send_due(Lane.URGENT, begun - timedelta(hours=2))
    simulator.set_clock(begun)
    sms_id = go_wrong(simulator, "reset_after")
    delivered(simulator, sms_id)
    simulator.set_clock(begun + timedelta(seconds=5))
    simulator.thaw(URGENT_NUMBER)
    delivered(simulator, old)
    for seconds in (20, 30):
        settle(begun + timedelta(seconds=seconds))
    assert (state(sms_id), simulator.accepted(sms_id)) == ("delivered", 1)


def test_a_list_that_takes_too_long_is_no_list(simulator, monkeypatch):
    sms_id = go_wrong(simulator, "reset_before")
    monkeypatch.setattr("messaging.settling.SHORTEST_READING", 0.2)
    simulator.inject("delay", on="list", count=1, seconds=1)
    settle(now() + QUIET)
    assert (state(sms_id), get(sms_id).quiet_reads) == ("unknown", 0)
    assert simulator.injected()["delay"] == 1


@pytest.mark.parametrize("and_back", [False, True])
def test_what_comes_back_goes_to_the_number_that_its_owner_has_by_then(simulator, and_back):
    sms_id = go_wrong(simulator, "reset_before")
    there, new = get(sms_id).owner_id, "+447700900555"
    [late] = outbox.readdress(there, new, now())
    assert late.id == sms_id, "it may have been taken, and then it is at the former number"
    if and_back:
        outbox.readdress(there, NUMBER, now())
    settle(now() + QUIET)
    settle(now() + QUIET + timedelta(seconds=5))
    assert state(sms_id) == "queued"
    assert send_due(Lane.ROUTINE, now() + QUIET + timedelta(seconds=6)) == 1
    sent = [text["to"] for text in simulator.ledger(our_id=sms_id)["messages"]]
    assert sent == [NUMBER if and_back else new], "once, and to nobody else"


def test_what_twilio_gave_up_goes_to_the_number_that_its_owner_has_by_then(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    outbox.readdress(get(sms_id).owner_id, "+447700900555", now())
    report = {"MessageSid": get(sms_id).sid, "MessageStatus": "failed", "ErrorCode": "30001"}
    inbound.report(sms_id, 1, report)
    assert (state(sms_id), get(sms_id).to) == ("queued", "+447700900555")


@pytest.mark.parametrize("kind", ["reset_before", "500", "503"])
def test_a_text_that_was_never_taken_goes_again_once_after_two_readings(simulator, kind):
    sms_id = go_wrong(simulator, kind)
    settle(now() + LEASE_OVER)
    assert (state(sms_id), get(sms_id).quiet_reads) == ("unknown", 0), "it isn't quiet yet"
    settle(now() + QUIET)
    assert (state(sms_id), get(sms_id).quiet_reads) == ("unknown", 1)
    settle(now() + QUIET)
    assert get(sms_id).quiet_reads == 1, "read a moment ago"
    settle(now() + QUIET + timedelta(seconds=5))
    assert (state(sms_id), get(sms_id).requeued) == ("queued", True)
    assert send_due(Lane.ROUTINE, now() + QUIET + timedelta(seconds=6)) == 1
    assert (state(sms_id), get(sms_id).attempt) == ("accepted", 2)
    assert simulator.accepted(sms_id) == 1


def test_doubtful_twice_is_left_to_a_person(simulator):
    sms_id = go_wrong(simulator, "reset_before")
    for seconds in (20, 30):
        settle(now() + timedelta(seconds=seconds))
    simulator.inject("reset_before", on="create", count=1)
    send_due(Lane.ROUTINE, now() + timedelta(seconds=40))
    for seconds in (70, 80):
        settle(now() + timedelta(seconds=seconds))
    assert (state(sms_id), get(sms_id).untaken) == ("expired", True)


def test_a_list_that_lags_gives_no_second_text(simulator):
    simulator.lag_list(60)
    sms_id = go_wrong(simulator, "reset_after")
    settle(now() + LEASE_OVER)
    assert state(sms_id) == "unknown"
    settle(now() + QUIET)
    simulator.lag_list(0)
    settle(now() + QUIET + timedelta(seconds=5))
    assert state(sms_id) in {"accepted", "sent", "delivered"}
    assert simulator.accepted(sms_id) == 1


def test_a_list_that_cannot_be_read_says_nothing(simulator):
    sms_id = go_wrong(simulator, "reset_before")
    simulator.inject("500", on="list", count=1)
    settle(now() + QUIET)
    assert (state(sms_id), get(sms_id).quiet_reads) == ("unknown", 0)
    settle(now() + QUIET + timedelta(seconds=10))
    assert get(sms_id).quiet_reads == 0, "the account rests for a minute"
    settle(now() + QUIET + timedelta(seconds=90))
    assert get(sms_id).quiet_reads == 1


def test_a_reading_that_fails_puts_off_only_the_texts_it_was_for(simulator):
    resting = go_wrong(simulator, "reset_before")
    simulator.inject("500", on="list", count=2)
    settle(now() + QUIET)
    until_when = get(resting).checked_at
    simulator.inject("reset_before", on="create", count=1)
    other = queue_text("+447700900124")
    send_due(Lane.ROUTINE)
    assert state(other) == "unknown"
    settle(now() + QUIET + timedelta(seconds=10))
    assert simulator.injected()["500"] == 2
    assert get(resting).checked_at == until_when


def test_another_unexplained_text_to_the_number_means_waiting(simulator, sender):
    sms_id = go_wrong(simulator, "reset_before")
    other = queue_text(body="Another text.")
    send_due(Lane.ROUTINE)
    # As if we had never heard of the other one.
    SmsEvent.objects.filter(sms=other).delete()
    for seconds in (20, 30, 40):
        settle(now() + timedelta(seconds=seconds))
    assert (state(sms_id), get(sms_id).quiet_reads) == ("unknown", 0)


def ended_in_doubt(simulator) -> UUID:
    """A text that was taken, of which nobody knew when its use was over."""
    simulator.inject("reset_after", on="create", count=1)
    sms_id = queue_text(body="Another text.", expires_at=now() + timedelta(seconds=10))
    send_due(Lane.ROUTINE)
    delivered(simulator, sms_id)
    fault = simulator.inject("500", on="list")
    settle(now() + QUIET)
    simulator.clear_faults(fault)
    assert (state(sms_id), get(sms_id).untaken) == ("expired", True)
    Sms.objects.filter(id=sms_id).update(untaken=False)
    return sms_id


def test_a_text_that_ended_in_doubt_holds_up_no_other_and_is_told_of_when_it_is_found(simulator):
    ended = ended_in_doubt(simulator)
    sms_id = go_wrong_again(simulator)
    settle(now() + QUIET)
    assert (state(ended), get(ended).untaken) == ("delivered", True)
    settle(now() + QUIET + timedelta(seconds=10))
    assert (state(sms_id), get(sms_id).requeued) == ("queued", True)


def test_what_ended_at_another_time_explains_nothing(simulator):
    ended = ended_in_doubt(simulator)
    long_ago = now() - timedelta(days=7)
    Sms.objects.filter(id=ended).update(queued_at=long_ago, lease_until=long_ago)
    sms_id = go_wrong_again(simulator)
    for seconds in (20, 30, 40):
        settle(now() + timedelta(seconds=seconds))
    assert (state(ended), state(sms_id)) == ("expired", "unknown")


def test_a_text_that_went_twice_holds_up_no_other(simulator):
    simulator.inject("reset_after", on="create", count=1)
    twice = queue_text(body="Help is at hand.", kind=Kind.REPEAT)
    send_due(Lane.ROUTINE)
    settle(now() + LEASE_OVER)
    send_due(Lane.ROUTINE, now() + QUIET)
    assert len(simulator.ledger(our_id=twice)["messages"]) == 2
    sms_id = go_wrong_again(simulator, later=QUIET)
    for seconds in (40, 50):
        settle(now() + timedelta(seconds=seconds))
    assert (state(sms_id), get(sms_id).requeued) == ("queued", True)


def go_wrong_again(simulator, later: timedelta = timedelta(0)) -> UUID:
    """A text to the same number that was never taken, and whose fate is unknown."""
    simulator.inject("reset_before", on="create", count=1)
    sms_id = queue_text()
    send_due(Lane.ROUTINE, now() + later)
    assert state(sms_id) == "unknown"
    return sms_id


def test_a_text_known_to_another_row_explains_nothing(simulator):
    taken = queue_text()
    send_due(Lane.ROUTINE)
    assert state(taken) == "accepted"
    sms_id = go_wrong(simulator, "reset_before")
    for seconds in (20, 30):
        settle(now() + timedelta(seconds=seconds))
    assert state(sms_id) == "queued"


def test_an_unknown_text_of_no_use_any_more_is_for_a_person(simulator):
    simulator.inject("reset_before", on="create", count=1)
    sms_id = queue_text(expires_at=now() + timedelta(seconds=10))
    send_due(Lane.ROUTINE)
    settle(now() + QUIET)
    assert (state(sms_id), get(sms_id).untaken) == ("expired", True)
    inbound.report(sms_id, 1, {"MessageSid": "SM" + "3" * 32, "MessageStatus": "delivered"})
    assert (state(sms_id), get(sms_id).untaken) == ("delivered", True)


def test_many_unknown_texts_are_settled_by_one_reading(simulator):
    many = 2 * ONE_BY_ONE
    simulator.inject("reset_after", on="create", count=many)
    ids = queue_texts([f"+4477009{n:05}" for n in range(20_000, 20_000 + many)])
    send_due(Lane.ROUTINE)
    assert {state(sms_id) for sms_id in ids} == {"unknown"}
    before = simulator.ledger()["calls"].get("list", 0)
    settle(now() + LEASE_OVER)
    assert simulator.ledger()["calls"].get("list", 0) - before == 1
    assert all(state(sms_id) in {"accepted", "sent", "delivered"} for sms_id in ids)


def test_a_text_that_may_repeat_does_not_wait_for_proof(simulator):
    simulator.inject("reset_before", on="create", count=3)
    sms_id = queue_text(kind=Kind.REPEAT, lane=Lane.URGENT)
    for attempt in (1, 2):
        send_due(Lane.URGENT, now() + timedelta(seconds=20 * (attempt - 1)))
        settle(now() + timedelta(seconds=20 * attempt - 2))
        assert (state(sms_id), get(sms_id).attempt) == ("queued", attempt)
    send_due(Lane.URGENT, now() + timedelta(seconds=40))
    settle(now() + timedelta(seconds=57))
    assert (state(sms_id), get(sms_id).attempt) == ("unknown", 3), "not for ever"


def test_a_sid_that_another_text_has_costs_one_row(simulator):
    ids = queue_texts([f"+447700930{n:03}" for n in range(3)])
    send_due(Lane.ROUTINE)
    Sms.objects.filter(id__in=ids).update(state="sending", sid=None)
    sids = ["SM" + "a" * 32, "SM" + "a" * 32, "SM" + "b" * 32]
    reports = [
        Report(sms_id, 1, Source.POST, Finding.ACCEPTED, sid)
        for sms_id, sid in zip(ids, sids, strict=True)
    ]
    advance(reports)
    assert [state(sms_id) for sms_id in ids] == ["accepted"] * 3
    assert sorted(get(sms_id).sid or "" for sms_id in ids) == ["", *sids[1:]]
    events = SmsEvent.objects.filter(sms__in=ids, sid__in=sids).values_list("sms_id", "sid")
    assert set(events) == set(zip(ids, sids, strict=True)), "what was said of each is kept"


def test_a_queue_overflow_at_twilio_sends_again_within_its_use(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    sid = get(sms_id).sid
    lost = {"MessageSid": sid, "MessageStatus": "failed", "ErrorCode": "30001"}
    inbound.report(sms_id, 1, lost)
    assert (state(sms_id), get(sms_id).sid) == ("queued", None)
    send_due(Lane.ROUTINE, now() + timedelta(seconds=10))
    inbound.report(sms_id, 1, lost | {"MessageStatus": "undelivered"})
    assert (state(sms_id), get(sms_id).attempt) == ("accepted", 2)
    Sms.objects.filter(id=sms_id).update(
        available_at=now() - timedelta(seconds=2), expires_at=now() - timedelta(seconds=1)
    )
    inbound.report(sms_id, 2, {**lost, "MessageSid": get(sms_id).sid})
    assert (state(sms_id), get(sms_id).untaken) == ("failed", True)


@pytest.mark.parametrize("status", ["sending", "sent"])
def test_late_news_of_a_message_that_was_given_up_holds_no_text_back(simulator, status):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    sid = get(sms_id).sid
    inbound.report(sms_id, 1, {"MessageSid": sid, "MessageStatus": "failed", "ErrorCode": "30001"})
    inbound.report(sms_id, 1, {"MessageSid": sid, "MessageStatus": status})
    assert state(sms_id) == "queued"
    assert SmsEvent.objects.filter(sms_id=sms_id, sid=sid).count() == 3, "kept all the same"
    assert send_due(Lane.ROUTINE, now() + timedelta(seconds=10)) == 1
    # What a phone has, it has.
    inbound.report(sms_id, 1, {"MessageSid": sid, "MessageStatus": "delivered"})
    assert state(sms_id) == "delivered"


def test_what_was_sent_never_goes_again_whatever_is_said_of_it_after_that(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    sid = get(sms_id).sid
    inbound.report(sms_id, 1, {"MessageSid": sid, "MessageStatus": "sent"})
    inbound.report(
        sms_id, 1, {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30036"}
    )
    assert (state(sms_id), get(sms_id).untaken) == ("failed", True)


def test_what_twilio_gives_up_does_not_go_again_if_its_plan_ended_meanwhile(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    row = get(sms_id)
    assert outbox.cancel([row.about_id]) == []
    inbound.report(
        sms_id, 1, {"MessageSid": row.sid, "MessageStatus": "failed", "ErrorCode": "30001"}
    )
    assert state(sms_id) == "cancelled"


def test_what_is_read_back_of_an_earlier_attempt_is_not_said_of_the_last(simulator):
    """The first message comes to light while the second is in doubt."""
    sms_id = go_wrong(simulator, "reset_before")
    begun = now()
    for seconds in (20, 30):
        settle(begun + timedelta(seconds=seconds))
    simulator.inject("reset_after", on="create", count=1)
    send_due(Lane.ROUTINE, begun + timedelta(seconds=40))
    assert (state(sms_id), get(sms_id).attempt) == ("unknown", 2)
    first = "SM" + "1" * 32
    inbound.report(sms_id, 1, {"MessageSid": first, "MessageStatus": "sending"})
    assert (state(sms_id), get(sms_id).sid) == ("accepted", first)
    [silent] = _take_silent(1, now() + timedelta(minutes=11))
    assert (silent.sid, silent.attempt) == (first, 1)


def test_what_is_said_of_a_text_that_was_queued_anew_under_its_key_is_kept(simulator):
    """As a page of which nobody knew, that was moved, and had left after all."""
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    key = get(sms_id).dedup_key
    Sms.objects.filter(id=sms_id).update(state="cancelled")
    again = queue_text()
    Sms.objects.filter(id=again).update(dedup_key=key)
    advance([Report(sms_id, 1, Source.CALLBACK, Finding.DELIVERED, get(sms_id).sid)])
    assert (state(sms_id), state(again)) == ("cancelled", "queued")
    assert SmsEvent.objects.filter(sms=sms_id, status="delivered", moved_to="").exists()
