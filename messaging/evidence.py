"""What is found out about texts, and the one function that moves their states by it."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from messaging.clock import CLOCK, clock
from messaging.models import Sms, SmsEvent
from messaging.states import NEWS, Finding, Standing, State, target

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 300.0


class Source(StrEnum):
    """Where a finding comes from. Values are stored."""

    POST = "post"
    CALLBACK = "callback"
    LIST = "list"
    FETCH = "fetch"
    LEASE = "lease"


@dataclass(frozen=True)
class Report:
    """One finding about one attempt. wait: seconds before the text may go again, where it may;
    None leaves it to our own backoff."""

    sms_id: UUID
    attempt: int
    source: Source
    finding: Finding
    sid: str = ""
    error_code: int | None = None
    wait: float | None = None


@dataclass
class _Row:
    """A locked row, as the reports change it in memory. left: seconds of its use; delay: seconds
    until it may leave again."""

    sms: Sms
    left: float
    moved: bool = False
    delay: float = 0


def advance(reports: Iterable[Report], now: datetime | None = None) -> int:
    """Keep each report once as an event, and move the texts as `states.target` says.

    Reports of one text apply in the order given; unknown texts are passed over. Answers how many
    texts moved. Locks rows by id, as everybody does.
    """
    of_text: defaultdict[UUID, list[Report]] = defaultdict(list)
    for report in reports:
        of_text[report.sms_id].append(report)
    return _advance(of_text, now) if of_text else 0


def _advance(of_text: Mapping[UUID, Sequence[Report]], now: datetime | None) -> int:
    """All at once; if the database refuses, text by text, so that one bad row costs one.

    Most likely another text has the same sid. The text was taken all the same and must not go
    again, so it is recorded without.
    """
    try:
        with transaction.atomic():
            return _move(of_text, now)
    except (IntegrityError, DataError) as error:
        if len(of_text) > 1:
            return sum(_advance({text: own}, now) for text, own in sorted(of_text.items()))
        [(text, own)] = of_text.items()
        # Not the error's words: they hold the whole row, number and text included.
        log.error("What was found out about text %s is refused: %s", text, type(error).__name__)
        if not any(report.sid for report in own):
            return 0
        return _advance({text: [replace(report, sid="") for report in own]}, now)


def _move(of_text: Mapping[UUID, Sequence[Report]], now: datetime | None) -> int:
    rows = [
        _Row(sms, (sms.expires_at - sms.clock).total_seconds())
        for sms in Sms.objects.select_for_update()
        .filter(id__in=list(of_text))
        .annotate(clock=clock(now))
        .order_by("id")
    ]
    events = [_apply(report, row) for row in rows for report in of_text[row.sms.id]]
    SmsEvent.objects.bulk_create(events, ignore_conflicts=True)
    moved = [row for row in rows if row.moved]
    if moved:
        _write(moved, now)
    return len(moved)


def _apply(report: Report, row: _Row) -> SmsEvent:
    """Move one row by one report; the event that says so."""
    sms, finding = row.sms, report.finding
    delay = _backoff(sms.refusals) if report.wait is None else report.wait
    before = State(sms.state)
    after = target(
        Standing(
            state=before,
            cancel_wished=sms.cancel_wished,
            in_use=row.left > delay,
            requeued=sms.requeued,
            current=report.attempt == sms.attempt,
        ),
        finding,
    )
    if after != before:
        row.moved, row.delay = True, delay
        sms.state = after
        sms.sid = None if after == State.QUEUED else report.sid or sms.sid
        sms.error_code = report.error_code
        sms.requeued = sms.requeued or finding == Finding.NEVER_TAKEN
        sms.refusals += finding in {Finding.NOT_TAKEN, Finding.DROPPED}
        # Told when it ends badly, and told again when that turns out to be wrong.
        sms.untaken = sms.untaken or after in NEWS or before in {*NEWS, State.CANCELLED}
    return SmsEvent(
        sms=sms,
        attempt=report.attempt,
        source=report.source,
        status=finding,
        sid=report.sid,
        error_code=report.error_code,
        moved_to=after if after != before else "",
    )


def _backoff(refusals: int) -> float:
    """Seconds to wait after so many attempts that came to nothing: doubling, jittered."""
    return min(LONGEST_BACKOFF, 2.0 ** min(refusals + 1, 10)) * random.uniform(0.5, 1)  # noqa: S311


_WRITE = f"""
    UPDATE messaging_sms AS sms SET
        state = new.state, state_at = {CLOCK}, sid = new.sid, error_code = new.error_code,
        requeued = new.requeued, refusals = new.refusals, untaken = new.untaken,
        available_at = CASE WHEN new.state = 'queued'
            THEN {CLOCK} + make_interval(secs => new.delay) ELSE sms.available_at END
    FROM unnest(
        %(id)s::uuid[], %(state)s::text[], %(sid)s::text[], %(error_code)s::int[],
        %(requeued)s::bool[], %(refusals)s::int[], %(untaken)s::bool[], %(delay)s::float8[]
    ) AS new(id, state, sid, error_code, requeued, refusals, untaken, delay)
    WHERE sms.id = new.id
"""  # noqa: S608 - no value is formatted in


def _write(rows: Sequence[_Row], now: datetime | None) -> None:
    texts = [row.sms for row in rows]
    names = ("id", "sid", "error_code", "requeued", "refusals", "untaken")
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {name: [getattr(sms, name) for sms in texts] for name in names}
            | {"state": [str(sms.state) for sms in texts]}
            | {"delay": [float(row.delay) for row in rows], "now": now},
        )
