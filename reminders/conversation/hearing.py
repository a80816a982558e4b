"""What patients write: each text is handled once, in the order in which its phone's texts came.

The words are understood by `understanding`, which is pure. Here they meet the plan: a dose is
recorded, a reminder put off, an answer sent, or somebody of the care team is told. What is in doubt
goes to a person.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from messaging import inbound
from messaging.models import InboundSms, Scope
from reminders.conversation import danger
from reminders.conversation.answers import Conversation
from reminders.models import Answer, Cause, Handled, Patient
from reminders.patients.new_number import confirm_by_text, waiting_for
from reminders.understanding import Understood, understand
from reminders.worklist.items import Finding, open_items

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
            # Also where somebody has this number already: people share phones.
            if not confirm_by_text(row.number, row.body, now) and patients:
                Conversation(row, patients, now).handle()
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
    may bring the code that makes it a patient's: whoever waits for that is locked in turn."""
    locked = (
        Patient.objects.select_for_update(of=("self",))
        .select_related("clinic")
        .filter(Q(number=row.number) | Q(id__in=waiting_for(row.number)))
        .order_by("id")
    )
    return [patient for patient in locked if patient.number == row.number]


def _leave_to_a_person(row: InboundSms, now: datetime) -> None:
    """What failed may have been the plan's, or an answer's: signs of danger are looked for by
    themselves, and have their item and their answer here too."""
    with transaction.atomic():
        patients = _lock_patients(row)
        said = _understood_after_all(row, patients)
        open_items(
            (
                Finding(patient.id, Cause.TEXT_TO_READ, {"text": str(row.id)})
                for patient in patients
            ),
            now,
        )
        for act in (danger.tell_the_team, danger.answer) if said.urgent else ():
            try:
                with transaction.atomic():
                    act(said, patients, row, now)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other one is tried
                log.error("signs in text %s: %s failed: %s", row.id, act, type(error).__name__)
        for patient in patients:
            Answer.objects.create(
                inbound=row,
                patient=patient,
                meanings=[meaning.value for meaning in said.meanings],
                urgent=[sign.value for sign in said.urgent],
                handled=Handled.TO_READ,
                handled_at=now,
            )
        inbound.take_inbound([row], now)


def _understood_after_all(row: InboundSms, patients: Sequence[Patient]) -> Understood:
    """What the text says; nothing if it was this that failed."""
    try:
        return understand(row.body, patients[0].language) if patients else Understood()
    except Exception as error:  # noqa: BLE001 - a person reads it
        log.error("text %s can't be understood: %s", row.id, type(error).__name__)
        return Understood()
