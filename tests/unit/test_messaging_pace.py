"""Whose text leaves when there isn't room for all: clinics take turns, and 429 slows a sender."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from dev.environment import ROUTINE_NUMBER
from messaging.claim import MOST, WINDOW, claim
from messaging.models import Lane, Sender, Sms
from messaging.pace import slow_down
from messaging.sending import send_due
from tests.cast import make_clinic, make_sender
from tests.texts import NUMBER, get, now, queue_text, queue_texts


@pytest.fixture(autouse=True)
def sender(db) -> Sender:
    return make_sender(ROUTINE_NUMBER, Lane.ROUTINE)


def numbers(many: int, first: int = 10_000) -> list[str]:
    return [f"+4477009{n:05}" for n in range(first, first + many)]


def clinics(*queued: int) -> list[UUID]:
    """Clinics that have so many texts due, queued in this order."""
    ids = []
    for n, many in enumerate(queued):
        ids.append(make_clinic(f"Clinic {n}").id)
        queue_texts(numbers(many, 10_000 + 10_000 * n), f"Of clinic {n}.", clinic_id=ids[-1])
    return ids


def of(clinic: UUID | None, claimed: list) -> int:
    return Sms.objects.filter(clinic=clinic, id__in=[text.id for text in claimed]).count()


def test_a_clinic_of_thousands_does_not_starve_one_of_twenty(sender):
    big, small = clinics(5000, 20)
    Sender.objects.update(rate=10)
    first = claim(Lane.ROUTINE)
    assert (of(big, first), of(small, first)) == (20, 20)
    # What nobody else wants is the big one's.
    second = claim(Lane.ROUTINE, now() + timedelta(seconds=4))
    assert (of(big, second), of(small, second)) == (40, 0)


def test_clinics_take_turns_even_one_text_at_a_time(sender):
    ids = clinics(30, 3, 3)
    queue_texts(numbers(3, 90_000), "Of no clinic.")
    Sender.objects.update(rate=1 / WINDOW)
    served = [
        get(claim(Lane.ROUTINE, now() + timedelta(seconds=n * WINDOW))[0].id).clinic_id
        for n in range(15)
    ]
    assert set(served[:4]) == {*ids, None}
    assert served[4:8] == served[8:12] == served[:4]
    assert served[12:] == [ids[0]] * 3


def test_texts_of_a_clinic_leave_in_the_order_in_which_they_are_due(sender):
    begun = now()
    ids = [
        queue_text(number, available_at=begun - timedelta(seconds=number_))
        for number_, number in enumerate(numbers(9), 1)
    ]
    Sender.objects.update(rate=1)
    assert [text.id for text in claim(Lane.ROUTINE)] == ids[:4:-1]


def test_a_clinic_with_nothing_but_texts_that_wait_takes_no_turn(sender):
    waiting, other = clinics(1, 5)
    Sms.objects.filter(clinic=waiting).update(available_at=now() + timedelta(minutes=5))
    Sender.objects.update(rate=1)
    assert of(other, claim(Lane.ROUTINE)) == WINDOW


def test_the_cost_of_a_claim_follows_what_is_claimed(sender):
    """However many are queued: a claim reads only a few times as many texts as it takes."""
    clinics(3000, 50)
    Sender.objects.update(rate=5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_sms")
        before = texts_read(cursor)
        assert len(claim(Lane.ROUTINE)) == 5 * WINDOW
        assert texts_read(cursor) - before < 200


def test_what_postgres_believes_from_a_quiet_night_makes_no_claim_dear(sender):
    """Its statistics are of texts of which none was queued; now sixty clinics have some due."""
    Sms.objects.filter(id=queue_text()).update(state="delivered")
    with connection.cursor() as cursor:
        cursor.execute(_MORE_OF_IT)
        cursor.execute("ANALYZE messaging_sms")
        clinics(*[60] * 60)
        Sender.objects.update(rate=1000)
        before = texts_read(cursor)
        assert len(claim(Lane.ROUTINE)) == MOST
        assert texts_read(cursor) - before < 10 * MOST


_MORE_OF_IT = """
    INSERT INTO messaging_sms SELECT (jsonb_populate_record(
        sms, jsonb_build_object('id', uuidv7(), 'dedup_key', 'night:' || n))).*
    FROM messaging_sms AS sms, generate_series(1, 20000) AS n
"""


def texts_read(cursor) -> int:
    cursor.execute(
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables"
        " WHERE relname = 'messaging_sms'"
    )
    [many] = cursor.fetchone()
    return many


def test_429_waits_as_told_with_the_whole_sender_and_slows_it_down(simulator, sender):
    simulator.inject("429", on="create", count=1, seconds=7)
    refused = queue_text()
    begun = now()
    send_due(Lane.ROUTINE, begun)
    fresh = queue_texts(numbers(3000))
    assert send_due(Lane.ROUTINE, begun + timedelta(seconds=6)) == 0
    assert get(refused).state == "queued"
    Sender.objects.update(rate=100)
    # Half its pace at first, and the whole of it after a while.
    assert 200 <= len(claim(Lane.ROUTINE, begun + timedelta(seconds=7.5))) <= 206
    assert len(claim(Lane.ROUTINE, begun + timedelta(seconds=50))) == 400
    assert {get(fresh[0]).refusals, get(refused).refusals} == {0, 1}


def test_a_later_429_does_not_shorten_what_an_earlier_one_told(sender):
    begun = now()
    queue_text()
    slow_down(sender.id, 60, begun)
    slow_down(sender.id, 0, begun + timedelta(seconds=1))
    assert claim(Lane.ROUTINE, begun + timedelta(seconds=59)) == []
    assert Sender.objects.get().slowed_to == 0.5, "answers to one claim count once"
    assert len(claim(Lane.ROUTINE, begun + timedelta(seconds=61))) == 1


def test_a_sender_is_never_slowed_to_nothing_and_recovers(sender):
    begun = now()
    for _ in range(50):
        slow_down(sender.id, 0, begun)
    Sender.objects.update(rate=32)
    queue_texts(numbers(400))
    assert len(claim(Lane.ROUTINE, begun)) == WINDOW
    assert len(claim(Lane.ROUTINE, begun + timedelta(days=365))) == 0, "they are of no use any more"
    queue_texts(numbers(200), "Next year.", expires_at=begun + timedelta(days=400))
    assert len(claim(Lane.ROUTINE, begun + timedelta(days=366))) == 32 * WINDOW


def test_a_refused_text_that_is_soon_of_no_use_is_tried_within_its_time(simulator, sender):
    simulator.break_number(NUMBER, 21408)
    sms_id = queue_text(expires_at=now() + timedelta(seconds=60))
    Sms.objects.update(refusals=9)
    send_due(Lane.ROUTINE)
    refused = get(sms_id)
    assert refused.state == "queued"
    assert refused.available_at < refused.expires_at - timedelta(seconds=25)
