"""Reports that were lost are read back: few calls for many, and nothing hides the later ones."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from dev.environment import ROUTINE_NUMBER
from dev.waiting import until
from messaging.models import Lane, Sender, Sms
from messaging.reading_back import _TAKE_SILENT, read_back
from messaging.sending import send_due
from tests.cast import make_sender
from tests.texts import NUMBER, now, queue_text, queue_texts, state


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


def delivered(simulator, *ids: UUID) -> None:
    """Wait until the phones have them; there is no web process to be told so."""
    wanted = set(map(str, ids))
    until(
        lambda: (
            wanted
            <= {
                text["id"]
                for text in simulator.ledger()["messages"]
                if text["status"] == "delivered"
            }
        ),
        10,
        "the texts are delivered",
    )


def calls(simulator, what: str) -> int:
    return simulator.ledger()["calls"].get(what, 0)


def test_reports_that_were_lost_are_read_back(simulator):
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    delivered(simulator, sms_id)
    assert read_back(now() + timedelta(minutes=9)) == 0
    assert state(sms_id) == "accepted"
    assert read_back(now() + timedelta(minutes=11)) == 1
    assert state(sms_id) == "delivered"


def test_what_stays_silent_is_asked_after_now_and_then(simulator):
    simulator.break_number(NUMBER, stays="sent")
    queue_text()
    send_due(Lane.ROUTINE)
    asked = simulator.ledger()["calls"].get("fetch", 0)
    for minutes in (11, 12, 20, 22, 60 * 24 * 4):
        read_back(now() + timedelta(minutes=minutes))
    assert simulator.ledger()["calls"]["fetch"] - asked == 2


def test_texts_that_are_never_reported_hide_no_later_one(simulator, monkeypatch):
    monkeypatch.setattr("messaging.reading_back.MOST", 2)
    mute = [f"+4477009{number:05}" for number in range(10_000, 10_008)]
    for number in mute:
        simulator.break_number(number, stays="sent")
    begun = now()
    muted = queue_texts(mute)
    send_due(Lane.ROUTINE)
    # Hours ago, so that no list reaches as far.
    hours = timedelta(hours=7)
    Sms.objects.filter(id__in=muted).update(state_at=begun - hours, claimed_at=begun - hours)
    sms_id = queue_text()
    send_due(Lane.ROUTINE)
    delivered(simulator, sms_id)
    asked = calls(simulator, "fetch")
    assert read_back(begun + timedelta(minutes=11)) == 9
    # It is young enough to be found in the list.
    assert (state(sms_id), calls(simulator, "fetch") - asked) == ("delivered", 8)
    asked = calls(simulator, "fetch")
    for minutes in (12, 60, 180):
        read_back(begun + timedelta(minutes=minutes))
    assert calls(simulator, "fetch") == asked, "the longer silent the less often"


def test_many_lost_reports_are_read_from_one_list(simulator, monkeypatch):
    monkeypatch.setattr("messaging.reading_back.MOST", 2)
    ids = queue_texts([f"+4477009{number:05}" for number in range(10_000, 10_020)])
    send_due(Lane.ROUTINE)
    delivered(simulator, *ids)
    before = calls(simulator, "fetch"), calls(simulator, "list")
    assert read_back(now() + timedelta(minutes=11)) == 20
    assert {state(sms_id) for sms_id in ids} == {"delivered"}
    # One list of what we sent, and one for each sender of what came in.
    senders = Sender.objects.count()
    after = calls(simulator, "fetch"), calls(simulator, "list")
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1 + senders]


def test_a_list_of_reports_that_cannot_be_read_hides_nothing(simulator, monkeypatch):
    monkeypatch.setattr("messaging.reading_back.MOST", 1)
    ids = queue_texts([f"+4477009{number:05}" for number in range(10_000, 10_003)])
    send_due(Lane.ROUTINE)
    delivered(simulator, *ids)
    simulator.inject("500", on="list", count=9)
    assert read_back(now() + timedelta(minutes=11)) == 1
    simulator.clear_faults()
    assert read_back(now() + timedelta(minutes=23)) == 2


def test_the_taking_of_silent_texts_is_served_by_its_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        facts = {"now": None, "most": 1, "silent": "10 minutes", "given_up": "3 days"}
        cursor.execute(f"EXPLAIN {_TAKE_SILENT}", facts | {"listed": "6 hours"})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using sms_no_last_word" in plan
    assert "Sort" not in plan
