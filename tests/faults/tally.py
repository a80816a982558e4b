"""What the tests of single faults have in common: a seed, coming to rest, and the table that
`make faults` prints at its end."""

import os
import random
from datetime import datetime, timedelta

import pytest
from django.db.models import F

from dev.simulator_client import SimulatorClient
from dev.waiting import until
from messaging.models import Lane, Sender, Sms
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import State
from reminders.conversation.news import take_news
from tests.faults.judging import OPEN, Stamp, Verdict, hurry, judge
from tests.faults.people import Told
from tests.texts import now

SEED = int(os.environ.get("SOAK_SEED") or random.randrange(10_000))
"""Of all random instants; printed, and given again it plays them again."""
os.environ["SOAK_SEED"] = str(SEED)  # for all processes of a run, which begin after this

MANY = 20
"""How often each fault is to happen at least, in the long form."""

FEW_OR_MANY = [pytest.param(3, id="few"), pytest.param(MANY, id="many", marks=pytest.mark.soak)]
"""On every push, and in `make faults`."""

COLUMNS = ("times", "texts", "twice", "lost", "after the end", "after stop", "past use", "unlisted")


Row = tuple[str, tuple[int, ...]]
"""A fault, and what COLUMNS name: how often it really happened, and what the simulator counted."""

ROWS: list[Row] = []
"""Of the test that runs."""


def table(rows: list[Row]) -> str:
    width = max(len(fault) for fault, _ in rows)
    lines = [f"{'fault':{width}}  " + "  ".join(COLUMNS)]
    for fault, figures in rows:
        cells = zip(figures, COLUMNS, strict=True)
        lines.append(f"{fault:{width}}  " + "  ".join(f"{n:>{len(name)}}" for n, name in cells))
    return "\n".join(lines)


def count(
    fault: str,
    times: int,
    at_least: int,
    simulator: SimulatorClient,
    told: Told | None = None,
    stamp: Stamp = "real_at",
    since: int = 0,
) -> Verdict:
    """Judge all texts, and keep the row for the table. Fails for a broken promise, and for a fault
    that did not happen as often as is said: that would have shown nothing."""
    verdict = judge(simulator, told or Told(), stamp)
    # since: how many there were before, where faults share a database.
    texts = verdict.ends.total() - since
    broken = (
        *(verdict.twice, verdict.lost, verdict.after_the_end, verdict.after_stop, verdict.useless),
        verdict.unlisted,
    )
    ROWS.append((fault, (times, texts, *(len(found) for found in broken))))
    assert verdict.broken == {}, (fault, verdict.broken)
    assert times >= at_least, f"{fault}: {times} times only, not {at_least}"
    return verdict


def come_to_rest(seconds: float = 30, *, hurried: bool = True) -> None:
    """Settle and send, here, until nothing is open any more; and tell the worklist.

    hurried: cut short all waits but those of a lease in which somebody may still post.
    """

    def rests() -> bool:
        if hurried:
            hurry()
            no_more_quiet()
        settle()
        send_due(Lane.ROUTINE)
        send_due(Lane.URGENT)
        return not Sms.objects.filter(state__in=OPEN).exists()

    until(rests, seconds, "nothing is open any more")
    tell()


def tell() -> None:
    """What the worklist has to be told."""
    while take_news(now()):
        pass


def no_more_quiet() -> None:
    """Let the quiet period be over: the simulator's list doesn't lag unless it is told to. And
    let a sender that was told to wait go on."""
    early = timedelta(minutes=5)
    recent = Sms.objects.filter(state=State.UNKNOWN, lease_until__gt=now() - early)
    recent.update(lease_until=F("lease_until") - early)
    Sender.objects.filter(slowed_at__gt=now()).update(slowed_at=now())


def read_all_back(simulator: SimulatorClient, since: datetime | None = None) -> None:
    """Ask after what no callback told, as if the minutes had gone by that this waits for. since:
    where a played clock stands."""
    # Not for its callbacks too: without a web process it tries those for long.
    until(lambda: not simulator.health()["under_way"], 30, "all texts have come to their end")
    # Who stays silent is asked ever more seldom, and lists say nothing to a played clock.
    for minutes in (11 * 2**times for times in range(9)):
        if not Sms.objects.filter(state__in=[State.ACCEPTED, State.SENT]).exists():
            break
        read_back((since or now()) + timedelta(minutes=minutes))
    tell()
