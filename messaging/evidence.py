"""What is found out about texts, and the one function that moves their states by it."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from accounts.columns import array, columns
from messaging.clock import CLOCK
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
    None leaves it to our own backoff. doubled: another text has the sid, so only the event keeps
    it."""

    sms_id: UUID
    attempt: int
    source: Source
    finding: Finding
    sid: str = ""
    error_code: int | None = None
    wait: float | None = None
    doubled: bool = False


@dataclass
class _Row:
    """A locked row, as the reports change it in memory. left: seconds of its use; delay: seconds
    until it may leave again."""

    id: UUID
    state: State
    attempt: int
    refusals: int
    cancel_wished: bool
    requeued: bool
    untaken: bool
    sid: str | None
    error_code: int | None
    left: float
    moved: bool = False
    delay: float = 0


@dataclass(frozen=True)
class _Event:
    """What is kept of a report, for good."""

    sms_id: UUID
    attempt: int
    source: str
    status: str
    sid: str
    error_code: int | None
    moved_to: str


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

    Most likely another text has the same sid: a list can't tell twins apart, a callback can. The
    text was taken all the same and must not go again, so its row is recorded without.
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
        if isinstance(error, DataError):
            bare = [replace(report, sid="") for report in own]
            return _advance({text: bare}, now) if bare != own else 0
        doubled = [replace(report, doubled=True) for report in own]
        if doubled != own:
            return _advance({text: doubled}, now)
        # It was cancelled, and queued anew under its key: two can't both have been wanted.
        _keep([_event(report, moved_to="") for report in own])
        return 0


def _move(of_text: Mapping[UUID, Sequence[Report]], now: datetime | None) -> int:
    """By plain SQL: this is done for each text that leaves, and for each report on it."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"ids": array(of_text), "now": now})
        rows = [_Row(id_, State(state), *others) for id_, state, *others in cursor.fetchall()]
    given_up = _given_up([row for row in rows if row.refusals])
    events = [_apply(report, row, given_up) for row in rows for report in of_text[row.id]]
    _keep(events)
    moved = [row for row in rows if row.moved]
    if moved:
        _write(moved, now)
    return len(moved)


def _given_up(rows: Sequence[_Row]) -> set[tuple[UUID, str]]:
    """The messages of these texts that Twilio has given up unsent, by text and sid."""
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN_UP, {"ids": array(row.id for row in rows)})
        return set(cursor.fetchall())


def _apply(report: Report, row: _Row, given_up: set[tuple[UUID, str]]) -> _Event:
    """Move one row by one report; the event that says so."""
    finding, before = report.finding, row.state
    message = (row.id, report.sid)
    if finding in _ON_ITS_WAY and message in given_up:
        # Late news of before that, which would take the text for sent though nothing is.
        return _event(report, moved_to="")
    if finding == Finding.DROPPED:
        given_up.add(message)
    delay = _backoff(row) if report.wait is None else report.wait
    after = target(
        Standing(
            state=before,
            cancel_wished=row.cancel_wished,
            in_use=row.left > delay,
            requeued=row.requeued,
            current=report.attempt == row.attempt,
        ),
        finding,
    )
    if after != before:
        row.moved, row.delay = True, delay
        row.state = after
        if after == State.QUEUED:
            row.sid = None
        elif not report.doubled:
            row.sid = report.sid or row.sid
        row.error_code = report.error_code
        row.requeued = row.requeued or finding == Finding.NEVER_TAKEN
        row.refusals += finding in {Finding.NOT_TAKEN, Finding.DROPPED}
        # Told when it ends badly, and told again when that turns out to be wrong.
        row.untaken = row.untaken or after in NEWS or before in {*NEWS, State.CANCELLED}
    return _event(report, moved_to=after.value if after != before else "")


def _event(report: Report, moved_to: str) -> _Event:
    return _Event(
        sms_id=report.sms_id,
        attempt=report.attempt,
        source=report.source.value,
        status=report.finding.value,
        sid=report.sid,
        error_code=report.error_code,
        moved_to=moved_to,
    )


def _backoff(row: _Row) -> float:
    """Seconds to wait after so many attempts that came to nothing: doubling, jittered, and so that
    the text has half of its time left, while it has any to speak of."""
    wait = min(LONGEST_BACKOFF, 2.0 ** min(row.refusals + 1, 10)) * random.uniform(0.5, 1)  # noqa: S311
    return max(1.0, min(wait, row.left / 2))


_LOCK = f"""
    SELECT id, state, attempt, refusals, cancel_wished, requeued, untaken, sid, error_code,
        EXTRACT(EPOCH FROM expires_at - {CLOCK})::float8
    FROM messaging_sms WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE
"""  # noqa: S608 - here and below no value is formatted in

_ON_ITS_WAY = {Finding.ACCEPTED, Finding.SENT}

# Answered from the index of sms_event_once.
_GIVEN_UP = """
    SELECT sms_id, sid FROM messaging_smsevent
    WHERE sms_id = ANY(%(ids)s::uuid[]) AND status = 'dropped'
"""

_KEEP = """
    INSERT INTO messaging_smsevent
        (id, sms_id, attempt, source, status, sid, error_code, moved_to)
    SELECT uuidv7(), * FROM unnest(
        %(sms_id)s::uuid[], %(attempt)s::int[], %(source)s::text[],
        %(status)s::text[], %(sid)s::text[], %(error_code)s::int[], %(moved_to)s::text[])
    ON CONFLICT DO NOTHING
"""

_WRITE = f"""
    UPDATE messaging_sms AS sms SET
        state = new.state, state_at = {CLOCK}, sid = new.sid, error_code = new.error_code,
        requeued = new.requeued, refusals = new.refusals, untaken = new.untaken,
        available_at = CASE WHEN new.state = 'queued'
            THEN {CLOCK} + make_interval(secs => new.delay) ELSE sms.available_at END,
        "to" = CASE WHEN new.state = 'queued' AND sms.next_to <> ''
            THEN sms.next_to ELSE sms."to" END
    FROM unnest(
        %(id)s::uuid[], %(state)s::text[], %(sid)s::text[], %(error_code)s::int[],
        %(requeued)s::bool[], %(refusals)s::int[], %(untaken)s::bool[], %(delay)s::float8[]
    ) AS new(id, state, sid, error_code, requeued, refusals, untaken, delay)
    WHERE sms.id = new.id
"""  # noqa: S608


def _keep(events: Sequence[_Event]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, columns(events, _EVENT))


def _write(rows: Sequence[_Row], now: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, columns(rows, _MOVED) | {"now": now})


_EVENT = [field.name for field in fields(_Event)]
_MOVED = ("id", "state", "sid", "error_code", "requeued", "refusals", "untaken", "delay")
