"""The conversation with a patient: what we texted, what they wrote, and what was made of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import May
from messaging.in_words import FAULT_IN_WORDS, STATE_IN_WORDS
from messaging.models import Sms
from messaging.states import State
from messaging.vocabulary import fault_of
from reminders.conversation import messages
from reminders.models import Answer, Handled
from reminders.reading import care, team
from web.team.desk import Desk, after, show, team_page
from web.team.facts import SIGNS
from web.team.moments import When

MOST = 40
BAD = (State.UNDELIVERED, State.FAILED, State.EXPIRED, State.SUPPRESSED, State.UNKNOWN)
ABOUT = {
    "dose": "Reminder",
    "notice": "Notice of a decision",
    "answer": "Our answer",
    "message": "Message from the team",
    "correction": "Correction",
    "number": "Code",
}
"""What a text is, by the first part of its key."""


@require_safe
@team_page
def conversation(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """/team/patients/.../conversation: the latest texts; ?after=... for earlier ones."""
    patient = care.patient_for(desk.user, patient_id, May.SEE_PATIENTS)
    found = team.conversation_for(desk.user, patient_id, after(request), MOST + 1)
    entries = found[:MOST]
    texts = [each for each in entries if isinstance(each, Sms)]
    wrong = messages.wrong_texts(patient, texts)
    return show(
        request,
        desk,
        "patients/conversation",
        patient=patient,
        lines=lines(entries, desk.when),
        wrong=wrong,
        more=str(entries[-1].id) if len(found) > MOST else "",
        after=request.GET.get("after"),
        may_text=May.TEXT in desk.may(patient.clinic_id) and patient.left_at is None,
    )


def lines(entries: Sequence[Sms | Answer], when: When) -> list[dict[str, Any]]:
    """What a page says of each text, in the order in which they went and came."""
    found = [_sent(each, when) if isinstance(each, Sms) else _written(each) for each in entries]
    # A text before our answer to it, were they of one instant.
    return sorted(found, key=lambda line: (line["at"], line["kind"] == "out"))


def _sent(sms: Sms, when: When) -> dict[str, Any]:
    waits = sms.state == State.QUEUED
    return {
        "kind": "out",
        "id": sms.id,
        "at": sms.queued_at if waits else sms.state_at,
        "who": ABOUT.get(sms.dedup_key.partition(":")[0], "Text"),
        "body": sms.body,
        "state": f"Leaves {when.moment(sms.available_at)}." if waits else STATE_IN_WORDS[sms.state],
        "error": FAULT_IN_WORDS[fault_of(sms.error_code)] if sms.error_code else "",
        "bad": sms.state in BAD,
    }


def _written(answer: Answer) -> dict[str, Any]:
    return {
        "kind": "in",
        "id": answer.id,
        "at": answer.inbound.received_at,
        "who": "Patient",
        "body": answer.inbound.body,
        "state": Handled(answer.handled).label + ".",
        "signs": [SIGNS.get(sign, sign) for sign in answer.urgent],
        "bad": bool(answer.urgent),
    }
