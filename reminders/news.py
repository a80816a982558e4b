"""What messaging has to tell: texts that didn't arrive, and texts that patients wrote.

Pulled by a "not yet taken" mark, never by a high-water mark: rows become visible in another order
than that of their keys.
"""

from datetime import datetime

from django.db import transaction

from messaging import inbound, outbox
from messaging.models import Scope
from messaging.states import State
from reminders.models import Cause, Patient
from reminders.worklist import Finding, open_items

CAUSES = {
    State.FAILED: Cause.UNDELIVERED,
    State.UNDELIVERED: Cause.UNDELIVERED,
    State.SUPPRESSED: Cause.OPTED_OUT,
    State.EXPIRED: Cause.SEND_UNKNOWN,
}


def take_news(now: datetime, most: int = 200) -> int:
    """Put what didn't arrive, and what patients wrote, on the worklist. Answers how much it took;
    call again while that is `most` or more."""
    return _take_failures(now, most) + _take_inbound(now, most)


def _take_failures(now: datetime, most: int) -> int:
    with transaction.atomic():
        rows = outbox.news(Scope.CARE, most)
        open_items(
            (
                Finding(
                    row.owner_id,
                    CAUSES[State(row.state)],
                    {"text": str(row.id), "error": row.error_code},
                )
                for row in rows
                if State(row.state) in CAUSES
            ),
            now,
        )
        outbox.take(rows)
    return len(rows)


def _take_inbound(now: datetime, most: int) -> int:
    """A text goes to the worklist of each patient with its number: people share phones. One from
    a number that is nobody's is kept, and is nobody's news."""
    with transaction.atomic():
        rows = inbound.untaken(Scope.CARE, most)
        numbers = {row.number for row in rows}
        patients = list(Patient.objects.filter(number__in=numbers).order_by("id"))
        open_items(
            (
                Finding(
                    patient.id,
                    Cause.OPTED_OUT if row.carrier_word == "stop" else Cause.TEXT_TO_READ,
                    {"text": str(row.id)},
                )
                for row in rows
                for patient in patients
                if patient.number == row.number and row.carrier_word in ("", "stop")
            ),
            now,
        )
        inbound.take_inbound(rows, now)
    return len(rows)
