"""What messaging has to tell of our texts: those that didn't arrive. (What patients write:
hearing.py.)

Pulled by a "not yet taken" mark, never by a high-water mark: rows become visible in another order
than that of their keys.
"""

from datetime import datetime

from django.db import transaction

from messaging import outbox
from messaging.models import Scope
from messaging.states import TAKEN, State
from reminders.models import Cause
from reminders.worklist import Finding, open_items, settle_taken

CAUSES = {
    State.FAILED: Cause.UNDELIVERED,
    State.UNDELIVERED: Cause.UNDELIVERED,
    State.SUPPRESSED: Cause.OPTED_OUT,
    State.EXPIRED: Cause.SEND_UNKNOWN,
}


def take_news(now: datetime, most: int = 200) -> int:
    """Put what didn't arrive on the worklist. Answers how much it took; call again while that is
    `most` or more."""
    with transaction.atomic():
        rows = outbox.news(Scope.CARE, most)
        settle_taken({row.owner_id for row in rows if row.state in TAKEN}, now)
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
