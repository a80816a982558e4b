"""Circuits: what keeps failing for a fault of ours rests, is probed, and raises an alarm.

There is one for each account and each sender's number. An open one fails no text: they stay queued,
and leave when it closes. The claim (claim.py) takes nothing for it but one text at a time as a
probe, in growing waits; here is what the answers do to it.
"""

import logging
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from messaging.clock import clock
from messaging.gateway import Answer, Fault, Post
from messaging.models import Circuit
from messaging.states import RANK, Finding
from messaging.vocabulary import FAULTS

log = logging.getLogger(__name__)

DOUBTFUL = 5
"""So many posts in a row without a certain end open an account's circuit, and so many texts refused
by codes that aren't in the table. One or two are the network's weather, or one text's; with these,
each more would be a text that has to be settled, or is refused in vain."""

REPORTED = timedelta(minutes=5)
"""After the last bad report on what was accepted. A probe's own comes within seconds, so that a
probe that goes well for so long shows that it is over."""

FIRST_PROBE = 5.0
LONGEST_PROBE = 60.0

OPEN = "(SELECT FROM messaging_circuit AS c WHERE c.opened_at IS NOT NULL AND c.name IN ({names}))"
"""Open circuits of these names, in SQL."""


def open_circuits() -> list[Circuit]:
    """What can't send now, and since when and why: for alarms and counts."""
    return list(Circuit.objects.filter(opened_at__isnull=False).order_by("name"))


def note(outcomes: Iterable[tuple[Post, Answer]], now: datetime | None) -> None:
    """Take what became of the texts of a claim into account."""
    works: set[str] = set()
    faulty: dict[str, str] = {}
    doubtful: Counter[str] = Counter()
    for post, answer in outcomes:
        if answer.fault == Fault.ACCOUNT:
            faulty[post.account] = f"error {answer.error_code}" if answer.error_code else "no token"
        elif answer.fault == Fault.SENDER:
            works.add(post.account)
            faulty[post.sender] = f"error {answer.error_code}"
        elif answer.finding in _CERTAIN:
            works |= {post.account, post.sender}
        elif answer.fault == Fault.OURS and answer.error_code not in FAULTS:
            # By a code that nobody knows, so perhaps the account. Each text counts once: an odd
            # one, refused again and again, is not five in a row.
            doubtful[post.account] += post.attempt == 1
        elif answer.finding == Finding.DOUBTFUL or not answer.reached:
            doubtful[post.account] += 1
    # One that works for some of them is not to blame for the others.
    for name in works:
        faulty.pop(name, None)
        doubtful.pop(name, None)
    troubled = Q(doubtful__gt=0) | Q(opened_at__isnull=False)
    if faulty or doubtful or Circuit.objects.filter(troubled, name__in=works).exists():
        _judge(works, faulty, doubtful, now)


def blame(faulty: Mapping[str, str], now: datetime | None) -> None:
    """Open circuits, by name, for what Twilio reports of texts that it had accepted; the values say
    why. While such reports come, that it accepts more closes nothing."""
    if faulty:
        _judge(set(), dict(faulty), Counter(), now)
        Circuit.objects.filter(name__in=faulty).update(reported_at=clock(now))


def _judge(
    works: set[str], faulty: dict[str, str], doubtful: Counter[str], now: datetime | None
) -> None:
    failing = sorted({*faulty, *doubtful})
    with transaction.atomic():
        Circuit.objects.bulk_create([Circuit(name=name) for name in failing], ignore_conflicts=True)
        for circuit in (
            Circuit.objects.select_for_update()
            .filter(name__in=[*works, *failing])
            .annotate(clock=clock(now))
            .order_by("name")
        ):
            if circuit.name in works and not _is_reported(circuit, circuit.clock):
                _close(circuit, circuit.clock)
                continue
            circuit.doubtful += doubtful[circuit.name]
            why = faulty.get(circuit.name)
            if circuit.doubtful >= DOUBTFUL:
                why = why or f"{circuit.doubtful} in a row came to nothing"
            if why or circuit.opened_at:
                _open(circuit, why or circuit.why, circuit.clock)
            circuit.save()


def _is_reported(circuit: Circuit, at: datetime) -> bool:
    reported_at = circuit.reported_at
    return reported_at is not None and at - reported_at < REPORTED


def _open(circuit: Circuit, why: str, at: datetime) -> None:
    if circuit.opened_at is None:
        circuit.opened_at, circuit.probes = at, 0
        log.error("Nothing can be sent by %s: %s", circuit.name, why)
    circuit.why = why
    wait = min(LONGEST_PROBE, FIRST_PROBE * 2.0 ** min(circuit.probes, 10))
    circuit.probe_at = at + timedelta(seconds=wait * random.uniform(0.5, 1))  # noqa: S311


def _close(circuit: Circuit, at: datetime) -> None:
    if circuit.opened_at is not None:
        log.warning("%s sends again, after %s", circuit.name, at - circuit.opened_at)
    circuit.opened_at, circuit.doubtful, circuit.why, circuit.probes = None, 0, "", 0
    circuit.save()


# That Twilio took or refused a text by itself shows that it lets us send.
_CERTAIN: Sequence[str] = [Finding.REFUSED, Finding.DROPPED, *(state.value for state in RANK)]
