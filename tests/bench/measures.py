"""The measures: each compares one thing done in two ways, in one run on one machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import User
from api.pages import page
from messaging import outbox, sending, settling
from messaging.claim import claim
from messaging.models import Lane, Scope
from messaging.reading_back import read_back
from reminders.conversation import news
from reminders.models import Patient
from reminders.planning import steps, sweep
from reminders.reading import care
from tests.bench.rows import DUE, NOW, SMALL, House

REPEATS = 5


@dataclass(frozen=True)
class Cost:
    """Of one unit of work: milliseconds, which the machine makes uneven, and rows that Postgres
    fetched for it from tables, which it doesn't (None: not counted)."""

    ms: float
    rows: float | None = None


@dataclass(frozen=True)
class Row:
    """One thing done in one way, and in another."""

    what: str
    one: str
    one_cost: Cost
    other: str
    other_cost: Cost


Work = Callable[[], object]


def grown(house: House, few: int, many: int) -> Iterator[Row]:
    """Each measure with few patients, who are there, and with many; as soon as it is done."""
    before = {what: take() for what, take in growing(house).items()}
    house.grow(many)
    for what, take in growing(house).items():
        yield Row(what, f"{few:,} patients", before[what], f"{many:,} patients", take())
    near_its_end = Patient.objects.filter(clinic=house.big).order_by("id")[99].id
    yield Row(
        "list of patients, 50 a page",
        "first page",
        cost(lambda: listed(house.of_big)),
        f"page {many // 50 - 2:,}",
        cost(lambda: listed(house.of_big, near_its_end)),
    )


def growing(house: House) -> dict[str, Callable[[], Cost]]:
    """What is measured with few patients and again with many, by what it is."""

    def list_(**filters: object) -> Callable[[], Cost]:
        return lambda: cost(lambda: listed(house.of_big, **filters))

    return {
        f"plan_doses, each of {DUE} due": lambda: cost(planned, units=DUE),
        f"claim, each of {DUE} due": lambda: cost(claimed, units=DUE, first=queued),
        "idle plan_doses": lambda: cost(lambda: steps.plan_doses(NOW - timedelta(days=1))),
        "idle send_routine": lambda: cost(lambda: sending.send_due(Lane.ROUTINE)),
        "idle settle": lambda: cost(settling.settle),
        "idle take_news": lambda: cost(lambda: news.take_news(NOW)),
        "idle read_back": lambda: cost(read_back),
        "hourly sweep": lambda: cost(lambda: sweep.sweep(NOW)),
        "list of patients": list_(),
        f"list of a clinic of {SMALL}": lambda: cost(lambda: listed(house.of_small)),
        "list, weekly (all)": list_(interval_days=7),
        "list, three-weekly (none)": list_(interval_days=21),
        "list, paused (none)": list_(status="paused"),
        "list, without schedule (none)": list_(status="none"),
        "search by name (one)": list_(search="N777"),
        "search by name (all)": list_(search="patient"),
        "search by digits (none)": list_(search="5551000777"),
    }


def planned() -> None:
    while steps.plan_doses(NOW):
        pass


def queued() -> None:
    queue(DUE, NOW)


def claimed() -> None:
    assert len(claim(Lane.ROUTINE, NOW)) == DUE


def listed(user: User, cursor: UUID | None = None, **filters: object) -> None:
    request = Request(APIRequestFactory().get("/"))
    page(care.patients_for(user, **filters), {"page_size": 50, "cursor": cursor}, request)


# -- how ------------------------------------------------------------------------------------------


def cost(work: Work, *, units: int = 1, first: Work = lambda: None, repeats: int = REPEATS) -> Cost:
    """The least of a few times: what the work costs, without what else the machine did."""
    return min(
        (once(work, units, first) for _ in range(repeats)), key=lambda found: (found.ms, found.rows)
    )


def once(work: Work, units: int, first: Work) -> Cost:
    with rolled_back():
        first()
        fetched, began = rows_fetched(), time.perf_counter()
        work()
        return Cost(since(began) / units, (rows_fetched() - fetched) / units)


def rows_fetched() -> int:
    """By this transaction, so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
        return int(cursor.fetchone()[0])


def since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo it all, so that it can be done again. What isn't done in one transaction elsewhere may
    read the provider's list in this one for longer than the product's limit allows."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
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
