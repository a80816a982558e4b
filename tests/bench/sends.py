"""Texts that leave by real worker processes, and in the two ways that ours is compared with."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from dev.stack import Process
from dev.waiting import until
from messaging.models import Lane, Sender
from messaging.outbox import digest
from tests.bench import bare, peer
from tests.bench.fleet import Fleet
from tests.bench.rows import House

BODY = "Monday 4 January: your injection is today. Answer 1 when you have taken it."
QUICKER_THAN_ALL = 100_000.0
"""Segments a second: a pace that holds nothing back."""
QUEUED_A_SECOND = 2_500
"""So quickly are texts stored, at least, before they are due."""
LATENCY = 0.05
"""Seconds that the provider takes, as bench/provider.py has it."""


@dataclass(frozen=True)
class Sent:
    """How it went: seconds from due until all were accepted and recorded, CPU seconds of workers,
    Postgres and Valkey, and by when 99 of 100 had left."""

    texts: int
    seconds: float
    cpu: float
    late: float

    @property
    def per_second(self) -> float:
        return self.texts / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        return 1000 * self.cpu / self.texts


class Sends:
    """Sending, on a fleet and for a house."""

    def __init__(self, fleet: Fleet, house: House) -> None:
        self.fleet, self.house = fleet, house

    @contextmanager
    def workers(self, quiet: int | None = None) -> Iterator[Process]:
        """Two sending processes of ours and a beat, while this lasts."""
        worker, beat = self.fleet.start_worker(quiet), self.fleet.start_beat()
        try:
            yield worker
        finally:
            beat.kill()
            worker.stop()

    def ours(
        self, worker: Process, many: int, *, rate: float = QUICKER_THAN_ALL, unanswered: float = 0
    ) -> Sent:
        """Many texts due at one instant, at this pace; the provider forgets a part of them."""
        self._pace(rate)
        self.fleet.provider(forget="1", seconds=str(LATENCY), unanswered=str(unanswered))
        due = self.queue(many)
        cpu = self.fleet.cpu(worker)
        # Not by asking Postgres, whose work is counted.
        until(lambda: self.fleet.provider()["taken"] >= many, 300, "all were taken")
        self.await_none("queued", "sending", seconds=60)
        cpu = self.fleet.cpu(worker) - cpu
        told = self.fleet.provider()
        assert told["twice"] == 0, told
        seconds, late, answered = self._recorded(due)
        assert answered > (1 - 2 * unanswered) * many - 1, (answered, self.fleet.logs())
        return Sent(answered, seconds, cpu, late)

    def kill(self, worker: Process, in_flight: int) -> None:
        """kill -9 the worker and its processes when so many posts wait for their answers."""
        self._pace(QUICKER_THAN_ALL)
        self.fleet.provider(forget="1", seconds="5", unanswered="0")
        self.queue(4 * in_flight)
        until(lambda: self.fleet.provider()["taken"] >= in_flight, 60, "so many are in flight")
        worker.kill()
        self.fleet.provider(seconds=str(LATENCY))

    def queue(self, many: int) -> datetime:
        """Queue texts to different numbers, due at one instant soon; that instant."""
        due = datetime.now(UTC) + timedelta(seconds=3 + many / QUEUED_A_SECOND)
        values = {
            "many": many,
            "due": due,
            "clinics": [clinic.id for clinic in self.house.clinics],
            "body": BODY,
            "digest": digest(BODY),
        }
        with connection.cursor() as cursor:
            # As in a real night: what Postgres knows of the queue is that it was empty.
            cursor.execute("ANALYZE messaging_sms")
            cursor.execute(_QUEUE, values)
        assert datetime.now(UTC) < due, "not all were there when the first was due"
        return due

    def await_none(self, *states: str, seconds: float) -> None:
        """Wait until no text is in one of these states."""

        def none() -> bool:
            with connection.cursor() as cursor:
                for state in states:
                    cursor.execute(_ANY[state])
                    if cursor.fetchone()[0]:
                        return False
            return True

        until(none, seconds, f"no text is {' or '.join(states)}")

    def bare(self, many: int) -> Sent:
        """The same by the bare loop, in two processes."""
        self.fleet.provider(forget="1", seconds=str(LATENCY), unanswered="0")
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS bare; {bare.TABLE}")
            cursor.execute(
                "INSERT INTO bare SELECT n, '+1555' || 9000000 + n, %s, 'queued', now()"
                " FROM generate_series(1, %s) AS n",
                [BODY, many],
            )
            cursor.execute("VACUUM ANALYZE bare")
        cpu = self.fleet.cpu()
        middle = many // 2
        loops = [
            self.fleet.python("tests.bench.bare", str(first), str(last))
            for first, last in ((1, middle), (middle + 1, many))
        ]
        until(
            lambda: all(loop.poll() is not None for loop in loops), 300, "the bare loop has ended"
        )
        # Ended and not reaped: its time is read from the process itself.
        cpu = self.fleet.cpu(*loops) - cpu
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(sid), EXTRACT(EPOCH FROM max(state_at) - min(state_at))::float8"
                " FROM bare WHERE state = 'accepted'"
            )
            accepted, seconds = cursor.fetchone()
        assert accepted == many, self.fleet.logs()
        return Sent(many, seconds + LATENCY, cpu, seconds)

    def peer(self, many: int) -> Sent:
        """The same by one Celery task for each text."""
        self.fleet.provider(forget="1", seconds=str(LATENCY), unanswered="0")
        workers = [
            self.fleet.listening(
                *("celery", "--app", "tests.bench.peer:app", "worker", "--pool", "threads"),
                *("--concurrency", str(peer.THREADS), "--without-gossip", "--without-mingle"),
            )
            for _ in range(2)
        ]
        due = self.queue(many)
        cpu = self.fleet.cpu(*workers)
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        peer.look.delay()
        self.await_none("queued", seconds=300)
        cpu = self.fleet.cpu(*workers) - cpu
        for worker in workers:
            worker.stop()
        seconds, late, accepted = self._recorded(due, by_events=False)
        assert accepted == many, self.fleet.logs()
        return Sent(many, seconds, cpu, late)

    def _pace(self, rate: float) -> None:
        Sender.objects.filter(lane=Lane.ROUTINE).update(rate=rate)

    def _recorded(self, due: datetime, *, by_events: bool = True) -> tuple[float, float, int]:
        """Of the texts that were due then: seconds until the last that was answered was recorded,
        until 99 of 100 were, and how many were."""
        with connection.cursor() as cursor:
            cursor.execute(_BY_POST if by_events else _BY_STATE, {"due": due})
            seconds, late, answered = cursor.fetchone()
        return float(seconds), float(late), int(answered)


_QUEUE = """
INSERT INTO messaging_sms (id, scope, lane, kind, clinic_id, owner_id, about_id, dedup_key, "to",
        body, body_digest, segments, asked_for, last_word, state, queued_at, available_at,
        expires_at, cancel_wished, attempt, refusals, requeued, quiet_reads, account, untaken)
    SELECT uuidv7(), 'care', 'routine', 'once',
        (%(clinics)s::uuid[])[1 + n %% cardinality(%(clinics)s::uuid[])], uuidv7(), uuidv7(),
        'bench:' || uuidv7(), '+1555' || 9000000 + n, %(body)s, %(digest)s, 1, false, false,
        'queued', %(due)s, %(due)s, %(due)s + interval '1 hour', false, 0, 0,
        false, 0, '', false
    FROM generate_series(1, %(many)s) AS n
"""

# Each answered from a small index of its own.
_ANY = {
    "queued": """SELECT EXISTS (SELECT FROM messaging_sms WHERE scope = 'care'
        AND lane = 'routine' AND state = 'queued' AND available_at < now() + interval '1 h')""",
    "sending": """SELECT EXISTS (SELECT FROM messaging_sms
        WHERE state = 'sending' AND lease_until < 'infinity')""",
    "unknown": """SELECT EXISTS (SELECT FROM messaging_sms
        WHERE state = 'unknown' AND lease_until < 'infinity')""",
}

_SPAN = """
    EXTRACT(EPOCH FROM max(at) - %(due)s)::float8,
    EXTRACT(EPOCH FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY at) - %(due)s)::float8,
    count(*)
"""
# No value is formatted in.
_BY_POST = f"""
    SELECT {_SPAN} FROM (
        SELECT event.created_at AS at
        FROM messaging_sms AS sms JOIN messaging_smsevent AS event ON event.sms_id = sms.id
        WHERE sms.queued_at = %(due)s AND event.source = 'post' AND event.status = 'accepted'
    ) AS recorded
"""  # noqa: S608
_BY_STATE = f"""
    SELECT {_SPAN} FROM (
        SELECT state_at AS at FROM messaging_sms WHERE queued_at = %(due)s AND state = 'accepted'
    ) AS recorded
"""  # noqa: S608
