"""What patients write: each text is handled once, in the order in which its phone's texts came.

The words are understood by `understanding`, which is pure. Here they meet the plan: a dose is
recorded, a reminder put off, an answer sent, or somebody of the care team is told. What is in doubt
goes to a person.
"""

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from messaging import inbound
from messaging.models import InboundSms, Scope
from reminders.conversation import Conversation
from reminders.models import Cause, Patient
from reminders.new_number import confirm_by_text
from reminders.worklist import Finding, open_items

log = logging.getLogger(__name__)


def hear(now: datetime, most: int = 100) -> int:
    """Handle up to `most` texts, each in a transaction of its own; how many there were.

    One that can't be handled goes to a person, so that it stops neither its own phone nor others.
    """
    heard = 0
    while heard < most and _hear_next(now):
        heard += 1
    return heard


def _hear_next(now: datetime) -> bool:
    row: InboundSms | None = None
    try:
        with transaction.atomic():
            row = next(iter(inbound.untaken(Scope.CARE, 1)), None)
            if row is None:
                return False
            patients = _lock_patients(row)
            if patients:
                Conversation(row, patients, now).handle()
            else:
                confirm_by_text(row.number, row.body, now)
            inbound.take_inbound([row], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if row is None:
            raise
        # Neither the error's words nor its traceback, which ends with them: they may hold the text.
        log.error("text %s is left to a person: %s", row.id, type(error).__name__)
        _leave_to_a_person(row, now)
    return True


def _lock_patients(row: InboundSms) -> list[Patient]:
    """Whoever has this number: people share phones. A number that is nobody's gets no answer, but
    may bring the code that makes it a patient's."""
    return list(
        Patient.objects.select_for_update(of=("self",))
        .select_related("clinic")
        .filter(number=row.number)
        .order_by("id")
    )


def _leave_to_a_person(row: InboundSms, now: datetime) -> None:
    with transaction.atomic():
        findings = (
            Finding(patient.id, Cause.TEXT_TO_READ, {"text": str(row.id)})
            for patient in _lock_patients(row)
        )
        open_items(findings, now)
        inbound.take_inbound([row], now)
