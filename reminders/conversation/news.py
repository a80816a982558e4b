"""What messaging has to tell of our texts: those that didn't arrive. (What patients write:
hearing.py.)

Pulled by a "not yet taken" mark, never by a high-water mark: rows become visible in another order
than that of their keys.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from messaging import inbound, outbox
from messaging.gateway import Fault
from messaging.models import Scope, Sms
from messaging.states import NEWS, TAKEN, State
from messaging.vocabulary import fault_of
from reminders.models import Cause, Dose, Patient, WorkItem
from reminders.patients.new_number import bad_numbers
from reminders.worklist.items import Finding, open_items, settle_taken

FAILS = (State.FAILED, State.UNDELIVERED)
NEVER_LEFT = "It was not sent in time, and is of no use any more."
SILENCED = (Cause.CONSENT_MISSING, Cause.NUMBER_LOST, Cause.NUMBER_UNREACHABLE)
"""While one of these is open, texts are suppressed by us and not by the patient's own STOP."""


def take_news(now: datetime, most: int = 200) -> int:
    """Put what didn't arrive on the worklist. Answers how much it took; call again while that is
    `most` or more."""
    with transaction.atomic():
        rows = outbox.news(Scope.CARE, most)
        settle_taken({row.owner_id for row in rows if row.state in TAKEN}, now)
        open_items(_findings([row for row in rows if row.state in NEWS]), now)
        outbox.take(rows)
    return len(rows)


def _findings(rows: Sequence[Sms]) -> Iterator[Finding]:
    """Why somebody has to look, for each text, in a fixed number of queries."""
    owners = {row.owner_id for row in rows}
    numbers = dict(Patient.objects.filter(id__in=owners).values_list("id", "number"))
    stopped = inbound.opted_out(Scope.CARE, set(numbers.values()))
    waiting = WorkItem.objects.filter(patient__in=numbers, cause__in=SILENCED, closed_at=None)
    silenced = set(waiting.values_list("patient_id", flat=True))
    in_doubt = outbox.in_doubt().filter(id__in=[row.id for row in rows])
    doubtful = set(in_doubt.values_list("id", flat=True))
    doses = Dose.objects.in_bulk({row.about_id for row in rows})
    refused = _mark([row for row in rows if numbers.get(row.owner_id) == row.to])
    of_phone = Patient.objects.filter(number__in=refused).order_by("id")
    for patient_id, number in of_phone.values_list("id", "number"):
        yield Finding(patient_id, Cause.NUMBER_UNREACHABLE, refused[number])
    for row in rows:
        if row.to in refused and row.state in FAILS:
            continue
        facts = {"text": str(row.id), "error": row.error_code}
        if row.state in FAILS:
            stop = fault_of(row.error_code or 0) == Fault.OPTED_OUT
            yield Finding(row.owner_id, Cause.OPTED_OUT if stop else Cause.UNDELIVERED, facts)
        elif row.state == State.SUPPRESSED and row.owner_id in silenced:
            continue
        elif row.state == State.SUPPRESSED and numbers.get(row.owner_id) in stopped:
            yield Finding(row.owner_id, Cause.OPTED_OUT, facts)
        elif row.id in doubtful:
            yield Finding(row.owner_id, Cause.SEND_UNKNOWN, facts)
        elif dose := doses.get(row.about_id):
            about = {"dose": str(dose.id), "date": dose.date.isoformat()}
            yield Finding(row.owner_id, Cause.NOT_ASKED, about)
        else:
            yield Finding(row.owner_id, Cause.UNDELIVERED, {**facts, "because": NEVER_LEFT})
    # The text with a code is the change's, not the patient's.
    yield from bad_numbers(owners - numbers.keys())


def _mark(rows: Sequence[Sms]) -> dict[str, dict[str, Any]]:
    """Let nothing go any more to numbers that were refused for good: as to a lost phone, until
    START comes from it, another one is confirmed, or somebody closes the item (attending.close).

    Answers the facts by the numbers that were marked now.
    """
    refused: dict[str, dict[str, Any]] = {}
    for row in rows:
        for_good = row.state in FAILS and fault_of(row.error_code or 0) == Fault.NUMBER
        if not for_good or row.claimed_at is None:
            continue
        if inbound.say(Scope.CARE, row.to, opted_out=True, said_at=row.claimed_at):
            since = row.claimed_at.isoformat()
            refused[row.to] = {"text": str(row.id), "error": row.error_code, "since": since}
    return refused
