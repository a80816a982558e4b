"""The measures: each compares one thing done in two ways, in one run on one machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import uuid4

from django.db import transaction
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import User
from api.pages import page
from dev.simulator_client import SimulatorClient
from messaging import inbound, outbox, sending, settling
from messaging.claim import claim
from messaging.models import Lane, Scope, Sms
from messaging.reading_back import read_back
from reminders import news, planning, reading, sweep
from reminders.models import Patient
from tests.bench.rows import DUE, NOW, SMALL, House

REPEATS = 5
LATENCY = 0.05
"""Seconds that Twilio takes to answer, where it matters."""


@dataclass(frozen=True)
class Row:
    """One thing done in one way, and in another: milliseconds for each unit of work."""

    what: str
    one: str
    one_ms: float
    other: str
    other_ms: float


Measure = Callable[[], float]


def measure(few: int, many: int, twilio: SimulatorClient) -> Iterator[Row]:
    """All measures, each as soon as it is done."""
    house = House()
    house.grow(few)
    before = {what: least(take) for what, take in growing(house).items()}
    house.grow(many)
    for what, take in growing(house).items():
        yield Row(what, f"{few:,} patients", before[what], f"{many:,} patients", least(take))
    yield Row(
        "list of patients, page of 50",
        "first page",
        least(lambda: listed(house.of_big)),
        f"page {many // 50 - 2:,}",
        least(lambda: listed(house.of_big, deep=True)),
    )
    yield from sent(twilio)


def growing(house: House) -> dict[str, Measure]:
    """What is measured with few patients and again with many, by what it is."""
    return {
        f"plan_doses, each of {DUE} due": planned,
        f"claim, each of {DUE} due": claimed,
        "idle tick: plan_doses": idle(lambda: planning.plan_doses(NOW - timedelta(days=1))),
        "idle tick: send_routine": idle(lambda: sending.send_due(Lane.ROUTINE)),
        "idle tick: settle": idle(settling.settle),
        "idle tick: take_news": idle(lambda: news.take_news(NOW)),
        "idle tick: read_back": idle(read_back),
        "hourly sweep": idle(lambda: sweep.sweep(NOW)),
        f"list of a clinic of {SMALL}": lambda: listed(house.of_small),
        "list, weekly patients": lambda: listed(house.of_big, interval_days=7),
        "list, three-weekly (nobody)": lambda: listed(house.of_big, interval_days=21),
        "list, paused patients (nobody)": lambda: listed(house.of_big, status="paused"),
        "search by name (one)": lambda: listed(house.of_big, search="N77"),
        "search by name (all)": lambda: listed(house.of_big, search="patient"),
    }


# -- each measure answers milliseconds ------------------------------------------------------------


def planned() -> float:
    with rolled_back():
        began = time.perf_counter()
        while planning.plan_doses(NOW):
            pass
        return since(began) / DUE


def claimed() -> float:
    with rolled_back():
        queue(DUE, NOW)
        began = time.perf_counter()
        assert len(claim(Lane.ROUTINE, NOW)) == DUE
        return since(began) / DUE


def idle(tick: Callable[[], object]) -> Measure:
    """A tick that finds nothing to do."""

    def taken() -> float:
        with rolled_back():
            began = time.perf_counter()
            tick()
            return since(began)

    return taken


def listed(user: User, *, deep: bool = False, **filters: object) -> float:
    query: dict[str, object] = {"page_size": 50}
    if deep:
        query["cursor"] = Patient.objects.filter(clinic__name="Big").order_by("id")[99].id
    request = Request(APIRequestFactory().get("/"))
    began = time.perf_counter()
    page(reading.patients_for(user, **filters), query, request)
    return since(began)


def sent(twilio: SimulatorClient) -> Iterator[Row]:
    """Texts posted over HTTP, in the ways in which they could be."""
    alone = least(one_text)
    yield Row("a text: queue, send, report", "one alone", alone, "each of 500", many_texts(500))
    twilio.inject("delay", on="create", seconds=LATENCY)
    with patch.object(sending, "PARALLEL", 1):
        one_by_one = many_texts(50)
    yield Row(
        f"a post that takes {LATENCY * 1000:.0f} ms",
        f"{sending.PARALLEL} at once, of 1,000",
        many_texts(1000),
        "one at a time, of 50",
        one_by_one,
    )
    twilio.clear_faults()


def one_text() -> float:
    began = time.perf_counter()
    [text] = queue(1, datetime.now(UTC))
    assert sending.send_due(Lane.ROUTINE) == 1
    sms = Sms.objects.get(dedup_key=text.dedup_key)
    inbound.report(sms.id, sms.attempt, {"MessageSid": sms.sid, "MessageStatus": "delivered"})
    return since(began)


def many_texts(many: int) -> float:
    began = time.perf_counter()
    queue(many, datetime.now(UTC))
    while sending.send_due(Lane.ROUTINE):
        pass
    return since(began) / many


# -- how ------------------------------------------------------------------------------------------


def least(take: Measure) -> float:
    """The least of a few times: what the work costs, without what else the machine did."""
    return min(take() for _ in range(REPEATS))


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo it all, so that it can be done again."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def queue(many: int, now: datetime) -> list[outbox.Text]:
    """Queue texts that are due, each to another number."""
    texts = [
        outbox.Text(
            scope=Scope.CARE,
            owner_id=uuid4(),
            about_id=uuid4(),
            dedup_key=f"bench:{uuid4()}",
            to=f"+1555{9_000_000 + number}",
            body="Monday 4 January: your injection is today. Answer 1 when you have taken it.",
            available_at=now - timedelta(seconds=1),
            expires_at=now + timedelta(hours=1),
        )
        for number in range(many)
    ]
    outbox.queue(texts, now)
    return texts
