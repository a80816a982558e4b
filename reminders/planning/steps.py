"""The clock's verb: take each dose whose next step is due a step further, and queue its text.

A step and its text are one transaction. Catching up after an outage repeats until everything lies
ahead, and a step whose use has passed goes without a text: nothing floods, the worklist says whom
to call.
"""

import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from accounts import audit
from accounts.columns import array, columns
from accounts.models import Clinic
from messaging import outbox
from messaging.states import State
from reminders.dates.ladder import DAYS_AFTER, LOOK_BACK, Step
from reminders.dates.schedule import Version
from reminders.models import Cause, Dose
from reminders.planning.desk import AwaitedDose, Desk, Reader
from reminders.policies import policies_of
from reminders.texts import templates
from reminders.worklist.items import Finding, open_items

log = logging.getLogger(__name__)

_Row = tuple[Any, ...]

BATCH = 1000
OPEN_AHEAD = timedelta(days=DAYS_AFTER[Step.OVERDUE] + 1)
"""A dose whose next step lies ahead has no date earlier than this, in any zone."""

MOST_TROUBLE = 3
ASKED = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED})
"""States of a text that a patient can be expected to have read."""

TOLD = frozenset({Step.DAY, Step.NEXT})
"""Last steps of a dose that the patient may have been asked about."""


def plan_doses(now: datetime, most: int = BATCH) -> int:
    """Take up to `most` patients' doses that are due at `now` as far as they go.

    Answers how many patients it looked after; call again while that is `most`. Any number may run
    at once: each takes patients that no other holds. A batch that fails is redone patient by
    patient, so that one bad row can't stop a clinic; a dose that fails three times is left to a
    person.
    """
    patients: list[_Row] = []
    try:
        with transaction.atomic():
            patients += _rows(_DUE, {"now": now, "trouble": MOST_TROUBLE, "most": most})
            return _plan(patients, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it's one patient's
        log.error("Planning a batch failed, going on one by one: %s", type(error).__name__)
    return sum(_plan_alone(patient_id, now) for patient_id in {row[0] for row in patients})


def _plan_alone(patient_id: UUID, now: datetime) -> int:
    """The same for one patient; a failure is counted, and the third is a person's to look at."""
    try:
        with transaction.atomic():
            return _plan(_rows(_DUE_OF_ONE, {"now": now, "patient": patient_id}), now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - counted below
        # Where, but not the error's words: they may hold a row, name and number included.
        where = "".join(traceback.format_tb(error.__traceback__))
        what = type(error).__name__
        log.error("Planning the doses of patient %s failed: %s\n%s", patient_id, what, where)
    with transaction.atomic():
        stuck = Dose.objects.filter(schedule__patient_id=patient_id, next_step_at__lte=now)
        stuck.update(trouble=F("trouble") + 1)
        if stuck.filter(trouble__gte=MOST_TROUBLE).exists():
            open_items([Finding(patient_id, Cause.PLAN_FAILED)], now)
    return 0


def _plan(patients: Sequence[_Row], now: datetime) -> int:
    """Take the doses of these patients, locked, as far as they go; how many patients it were."""
    if not patients:
        return 0
    desks = _desks(patients, now)
    steps, stepped = _round(desks, now)
    while stepped:
        more, stepped = _round(stepped, now)
        steps += more
    outbox.queue((text for desk in desks for text in desk.texts), now)
    open_items((finding for desk in desks for finding in desk.findings), now)
    if steps:
        audit.record(audit.CLOCK, "plan_doses", clinic_id=None, subject_id=None, steps=steps)
    return len(desks)


def _round(desks: Sequence[Desk], now: datetime) -> tuple[int, list[Desk]]:
    """One step for each dose that is due, and the next dose for each that became due.

    Answers how many steps there were, and of whom: for all others everything lies ahead.
    """
    moved: list[AwaitedDose] = []
    stepped, wanted = [], []
    for desk in desks:
        due = desk.due(now)
        if not due:
            continue
        for dose in due:
            desk.step(dose, now)
        moved += due
        stepped.append(desk)
        if desk.wanted is not None:
            wanted.append(desk.wanted)
            desk.keep_wanted()
    _write(_MOVE, moved, "id", "state", "step", "next_step_at", "missed_because")
    _write(_ADD, wanted, "id", "schedule_id", "version_id", "date", "next_step_at")
    return len(moved), stepped


# By SQL, here and below, for this is done for each dose: Django's own takes several times as long.
_MOVE = """
    UPDATE reminders_dose AS dose SET
        state = new.state, step = new.step, next_step_at = new.next_step_at,
        missed_because = new.missed_because
    FROM unnest(
        %(id)s::uuid[], %(state)s::text[], %(step)s::text[], %(next_step_at)s::timestamptz[],
        %(missed_because)s::text[]
    ) AS new(id, state, step, next_step_at, missed_because)
    WHERE dose.id = new.id
"""

_ADD = """
    INSERT INTO reminders_dose
        (id, schedule_id, version_id, date, next_step_at, state, step, missed_because, trouble)
    SELECT *, 'planned', '', '', 0 FROM unnest(
        %(id)s::uuid[], %(schedule_id)s::uuid[], %(version_id)s::uuid[], %(date)s::date[],
        %(next_step_at)s::timestamptz[])
"""


def _write(statement: str, doses: Sequence[AwaitedDose], *names: str) -> None:
    """Store these columns of doses, if there are any."""
    if doses:
        with connection.cursor() as cursor:
            cursor.execute(statement, columns(doses, names))


def _desks(patients: Sequence[_Row], now: datetime) -> list[Desk]:
    """What each patient's steps need, in a fixed number of queries, locked in the house's order:
    patient, schedule, dose. A patient without a running schedule has none."""
    clinics = Clinic.objects.in_bulk({row[1] for row in patients})
    policies, own_texts = policies_of(clinics), templates.of(clinics)
    readers = {
        id_: Reader(id_, clinics[clinic_id], number, ZoneInfo(zone), *others)
        for id_, clinic_id, number, zone, *others, _ in patients
    }
    since = min(now.date() - OPEN_AHEAD, *(row[-1] for row in patients))
    desks: dict[UUID, Desk] = {}
    asked: set[UUID] = set()
    for patient_id, schedule_id, version_id, number, *dates in _rows(
        _SCHEDULES, {"patients": array(readers)}
    ):
        desk = desks.get(schedule_id)
        if desk is None:
            reader = readers[patient_id]
            desk = Desk(reader, policies[reader.clinic.id], own_texts, schedule_id, asked)
            desks[schedule_id] = desk
        desk.versions.append(Version(number, *dates))
        desk.version_ids[number] = version_id
    facts = {"schedules": array(desks), "since": since}
    for id_, schedule_id, day, state, step, next_step_at in _rows(_DOSES, facts):
        dose = AwaitedDose(id_, schedule_id, day, state, Step(step), next_step_at)
        desks[schedule_id].doses.append(dose)
    # The last step asks what became of the former texts; after an outage it may follow on the first
    # in the same look.
    told = [dose.id for desk in desks.values() for dose in desk.doses if dose.step in TOLD]
    asked |= outbox.in_states(told, ASKED)
    of_patient = {desk.patient.id: desk for desk in desks.values()}
    for owner_id, instant in outbox.unasked_since(of_patient, now - LOOK_BACK):
        of_patient[owner_id].sent.append(instant)
    return list(desks.values())


def _rows(statement: str, facts: Mapping[str, Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        found: list[_Row] = cursor.fetchall()
    return found


# Nobody waits for a patient here, so that their order makes no deadlock. A second dose of one
# patient's comes with the first.
_READER = """
    SELECT patient.id, patient.clinic_id, patient.number, patient.time_zone, patient.language,
        patient.hour, patient.wording, dose.date
    FROM reminders_dose AS dose
    JOIN reminders_schedule AS schedule ON schedule.id = dose.schedule_id
    JOIN reminders_patient AS patient ON patient.id = schedule.patient_id
"""
_DUE = f"""{_READER}
    WHERE dose.next_step_at <= %(now)s AND dose.trouble < %(trouble)s
    ORDER BY dose.next_step_at LIMIT %(most)s FOR UPDATE OF patient SKIP LOCKED
"""
_DUE_OF_ONE = f"""{_READER}
    WHERE patient.id = %(patient)s AND dose.next_step_at <= %(now)s
    FOR UPDATE OF patient SKIP LOCKED
"""
_SCHEDULES = """
    SELECT schedule.patient_id, schedule.id,
        version.id, version.number, version.interval_days, version.starts_on, version.holds_from
    FROM reminders_schedule AS schedule
    JOIN reminders_scheduleversion AS version ON version.schedule_id = schedule.id
    WHERE schedule.patient_id = ANY(%(patients)s::uuid[]) AND schedule.status = 'running'
    ORDER BY schedule.id FOR UPDATE OF schedule
"""
# By date, so that years of closed doses aren't read.
_DOSES = """
    SELECT id, schedule_id, date, state, step, next_step_at FROM reminders_dose
    WHERE schedule_id = ANY(%(schedules)s::uuid[]) AND date >= %(since)s
        AND next_step_at IS NOT NULL
    ORDER BY id FOR UPDATE
"""
