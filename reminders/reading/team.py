"""What the care team's pages show beside care.py: the inbox, and one patient's conversation.

Guarded as care.py is, by the user who asks.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from accounts.access import May, demand
from accounts.models import User
from messaging import inbound
from messaging.models import InboundSms, Scope, Sms
from reminders.conversation import replies
from reminders.models import Answer, Cause, WorkItem, WorkNote
from reminders.reading.care import answers_for, patient_for, texts_for

FOUND = (WorkNote.Kind.OPENED, WorkNote.Kind.MERGED)
"""Notes that a finding made."""


@dataclass(frozen=True)
class Unread:
    """A text that nobody understood, in an item that is open. id: of the note that brought it.
    reply: what we answered; None where the same had been answered to this number within a day."""

    id: UUID
    item: WorkItem
    text: InboundSms
    reply: Sms | None


def inbox_for(user: User, clinic_id: UUID, before: UUID | None, most: int) -> list[Unread]:
    """What a clinic's patients wrote that nobody understood, while its items are open; the newest
    first, `before` the id of the last one of the page before."""
    demand(user, clinic_id, May.SEE_PATIENTS, "clinic")
    notes = WorkNote.objects.filter(
        item__clinic_id=clinic_id,
        item__cause=Cause.TEXT_TO_READ,
        item__closed_at=None,
        kind__in=FOUND,
        facts__has_key="text",
    )
    if before is not None:
        notes = notes.filter(id__lt=before)
    found = list(notes.select_related("item__patient", "item__owner").order_by("-id")[:most])
    ids = {note.id: UUID(note.facts["text"]) for note in found}
    texts = inbound.texts(Scope.CARE, set(ids.values()))
    answers = replies.given(set(ids.values()), "not_understood")
    return [
        Unread(note.id, note.item, texts[ids[note.id]], answers.get(ids[note.id]))
        for note in found
        if ids[note.id] in texts
    ]


def quotes_of(items: Collection[WorkItem]) -> dict[UUID, InboundSms]:
    """What the patient wrote that each of these items is about, by item; nothing for those that
    are about something else. The items must have been read by their guarded way."""
    about = {item.id: UUID(item.facts["text"]) for item in items if "text" in item.facts}
    texts = inbound.texts(Scope.CARE, set(about.values()))
    return {item_id: texts[text_id] for item_id, text_id in about.items() if text_id in texts}


def items_of(user: User, patient_id: UUID) -> list[WorkItem]:
    """What is open of a patient, the most urgent first."""
    patient = patient_for(user, patient_id, May.SEE_PATIENTS)
    items = WorkItem.objects.filter(patient=patient, closed_at=None)
    return list(items.select_related("patient", "owner").order_by("urgency", "id"))


def conversation_for(
    user: User, patient_id: UUID, before: UUID | None, most: int
) -> list[Sms | Answer]:
    """The texts to a patient and what they wrote, in one order, the newest first; `before` the id
    of the last one of the page before."""
    texts, answers = texts_for(user, patient_id), answers_for(user, patient_id)
    if before is not None:
        texts, answers = texts.filter(id__lt=before), answers.filter(id__lt=before)
    found: list[Sms | Answer] = [
        *texts.order_by("-id")[:most],
        *answers.order_by("-id")[:most],
    ]
    # Ids tell when a row was made.
    return sorted(found, key=lambda each: each.id, reverse=True)[:most]
