"""The care team's worklist: what a person has to look at. Doubles merge into the open item."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from reminders.models import Cause, WorkItem


@dataclass(frozen=True)
class Finding:
    """Why somebody has to look at a patient, with the facts (ids and dates, no texts)."""

    patient_id: UUID
    cause: Cause
    facts: dict[str, Any] = field(default_factory=dict)


def open_items(findings: Iterable[Finding], now: datetime) -> None:
    """Open an item for each finding, in the caller's transaction; an open one of the same patient
    and cause stays as it is, and takes the finding in."""
    WorkItem.objects.bulk_create(
        [
            WorkItem(
                patient_id=finding.patient_id,
                cause=finding.cause,
                facts=finding.facts,
                opened_at=now,
            )
            for finding in findings
        ],
        ignore_conflicts=True,
    )
