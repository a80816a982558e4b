"""What we ask back of a phone, once, until its end: digits count for that alone."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from messaging import outbox
from messaging.models import InboundSms
from reminders.models import Patient, Question

LASTS = timedelta(hours=24)


def open_question(
    text: InboundSms, patients: Collection[Patient], now: datetime
) -> Question | None:
    """The question that this text may answer, locked.

    One that is over is ended: its time is up, or a text about a dose of one of these patients has
    left since, so that a digit would rather answer that.
    """
    found = (
        Question.objects.select_for_update(of=("self",))
        .select_related("text")
        .filter(number=text.number, closed_at=None)
        .first()
    )
    if found is None:
        return None
    owners = [patient.id for patient in patients]
    left = outbox.left_between(owners, "dose:", found.asked_at, text.received_at)
    if found.ends_at <= now or left:
        end(found, now)
        return None
    return found


def ask(
    kind: Question.Kind, choices: Collection[UUID], text: InboundSms, now: datetime
) -> Question:
    """Keep what was asked back of a text's phone. choices: what each digit stands for."""
    return Question.objects.create(
        number=text.number,
        kind=kind,
        text=text,
        choices=[str(choice) for choice in choices],
        asked_at=now,
        ends_at=now + LASTS,
    )


def end(question: Question, now: datetime) -> None:
    """No digit answers this any more."""
    question.closed_at = now
    question.save(update_fields=["closed_at"])
