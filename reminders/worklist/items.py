"""The care team's worklist: what a person has to look at. Doubles merge into the open item, and
what happens since can close it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
from uuid_utils.compat import uuid7

from messaging import outbox
from reminders.models import URGENCY, Cause, Outcome, Patient, Urgency, WorkItem, WorkNote


@dataclass(frozen=True)
class Finding:
    """Why somebody has to look at a patient, with the facts (ids and dates, no texts)."""

    patient_id: UUID
    cause: Cause
    facts: dict[str, Any] = field(default_factory=dict)


def open_items(findings: Iterable[Finding], now: datetime) -> None:
    """Open an item for each finding, in the caller's transaction.

    One that is open for the same patient and cause takes the finding in; one with the facts that
    it has already, as when a sweep looks again, changes nothing. An urgent finding has the staff
    on duty paged. One that merges has them paged from the first rung again where the item is
    somebody's, who is to know; one that nobody has taken climbs on as it did, in its own time.
    """
    found: defaultdict[tuple[UUID, Cause], list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.patient_id, finding.cause].append(finding)
    rows = [found[key][-1] for key in sorted(found)]
    if not rows:
        return
    urgencies = [URGENCY.get(row.cause, Urgency.TODAY) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN_OR_MERGE,
            {
                "id": [uuid7() for _ in rows],
                "patient": [row.patient_id for row in rows],
                "cause": [row.cause.value for row in rows],
                "urgency": [urgency.value for urgency in urgencies],
                "facts": [json.dumps(row.facts) for row in rows],
                "page_at": [now if urgency == Urgency.NOW else None for urgency in urgencies],
                "now": now,
            },
        )
        # A note for each, as of two doses that an outage swallowed: the item has the last one's
        # facts, and closes by itself only when none of them is missed any more.
        WorkNote.objects.bulk_create(
            WorkNote(
                item_id=item_id,
                kind=WorkNote.Kind.OPENED if new and at == 0 else WorkNote.Kind.MERGED,
                facts=finding.facts,
                at=now,
            )
            for item_id, patient_id, cause, new in cursor.fetchall()
            for at, finding in enumerate(found[patient_id, Cause(cause)])
        )


def settle_items(
    patient_ids: Collection[UUID], causes: Collection[Cause], now: datetime, **facts: Any
) -> None:
    """Close what is open of these causes because of what happened since; `facts` say what that
    was, and stay with the item."""
    _close(_lock(patient_ids, causes), now, facts)


def move_items(former: Patient, new: Patient, now: datetime) -> None:
    """Close what is open of a patient whom another clinic takes over, and open it there: somebody
    must go on with it, and it isn't this team any more."""
    items = _lock([former.id], list(Cause))
    open_items(
        [
            Finding(new.id, Cause(item.cause), {**item.facts, "since": item.opened_at.isoformat()})
            for item in items
            if item.cause not in OF_THE_PLAN
        ],
        now,
    )
    _close(items, now, {"because": "Another clinic took the patient over, and this with them."})


OF_THE_PLAN = frozenset({Cause.NO_PLAN, Cause.PLAN_FAILED})
"""Troubles of a plan that ends: the new one has a sweep of its own."""


def settle_taken(patient_ids: Collection[UUID], now: datetime) -> None:
    """Close what is open because texts to these patients failed, or nobody knew what became of
    them, once Twilio has taken every one of them after all."""
    items = _lock(patient_ids, [Cause.UNDELIVERED, Cause.SEND_UNKNOWN])
    texts: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for note in WorkNote.objects.filter(item__in=items, facts__has_key="text"):
        texts[note.item_id].add(UUID(note.facts["text"]))
    taken = outbox.taken(set().union(*texts.values()))
    over = [item for item in items if texts[item.id] and texts[item.id] <= taken]
    _close(over, now, {"because": "The texts were taken after all."})


def _lock(patient_ids: Collection[UUID], causes: Collection[Cause]) -> list[WorkItem]:
    """What is open of these, locked in the order in which open_items does."""
    return list(
        WorkItem.objects.select_for_update()
        .filter(patient_id__in=patient_ids, cause__in=causes, closed_at=None)
        .order_by("patient_id", "cause")
    )


def _close(items: Collection[WorkItem], now: datetime, facts: dict[str, Any]) -> None:
    WorkItem.objects.filter(id__in=[item.id for item in items]).update(
        # Hosts' clocks differ by a little.
        closed_at=Greatest(now, F("opened_at")),
        outcome=Outcome.BY_EVENT,
        owner=None,
        owned_until=None,
        next_page_at=None,
    )
    WorkNote.objects.bulk_create(
        WorkNote(item=item, kind=WorkNote.Kind.CLOSED, facts=facts, at=now) for item in items
    )


# By SQL, for Django can't name a partial index as what conflicts.
_OPEN_OR_MERGE = """
    INSERT INTO reminders_workitem AS item
        (id, clinic_id, patient_id, cause, urgency, facts, times, opened_at, last_at, rung,
         next_page_at, outcome)
    SELECT new.id, patient.clinic_id, new.patient, new.cause, new.urgency, new.facts::jsonb, 1,
        %(now)s, %(now)s, 0, new.page_at, ''
    FROM unnest(%(id)s::uuid[], %(patient)s::uuid[], %(cause)s::text[], %(urgency)s::int[],
            %(facts)s::text[], %(page_at)s::timestamptz[])
        AS new(id, patient, cause, urgency, facts, page_at)
    JOIN reminders_patient AS patient ON patient.id = new.patient
    ORDER BY new.patient, new.cause
    ON CONFLICT (patient_id, cause) WHERE closed_at IS NULL DO UPDATE SET
        times = item.times + 1, last_at = EXCLUDED.last_at, facts = EXCLUDED.facts,
        rung = CASE WHEN item.owned_until > %(now)s THEN 0 ELSE item.rung END,
        next_page_at = CASE WHEN item.owned_until > %(now)s THEN EXCLUDED.next_page_at
            ELSE COALESCE(item.next_page_at, EXCLUDED.next_page_at) END
        WHERE item.facts IS DISTINCT FROM EXCLUDED.facts
    RETURNING id, patient_id, cause, times = 1
"""
