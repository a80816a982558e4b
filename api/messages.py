"""Texts that the care team sends to a patient."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import Id, Strict, Text
from api.schedule_shapes import NoticeShown, notice
from api.schema import operation
from reminders.conversation import messages
from reminders.reading import care


class Message(Strict):
    """Which of your clinic's messages."""

    kind = Text(max_length=48, help_text="Like message:closed.")


class Correction(Strict):
    """Which text was wrong."""

    text = Id(help_text="Of a text that a decision named in `too_late`.")


class Messages(Door):
    """/patients/{patient_id}/messages"""

    permission_classes = [Staff]

    @operation(
        "send_message",
        "texts",
        patient=True,
        body=Message,
        sends={"kind": "message:closed"},
        answer=NoticeShown,
        shows={
            **examples.NOTICE,
            "body": "St Example: we are closed on Friday. Call 020 7946 0000.",
        },
        status=201,
        problems=[403],
        repeatable=True,
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Send a patient one of your clinic's messages.

        It goes in their language, at once if the hours and limits allow it, else on one of the
        next days; `leaves_at` says when. Where there is no room it is refused.
        """
        kind = self.body(Message)["kind"]
        patient = care.patient_for(self.who, patient_id, May.TEXT)

        def act() -> Reply:
            told = messages.send_message(patient.id, kind, self.actor, self.now)
            return Reply(201, notice(told))

        return self.once(act)


class Corrections(Door):
    """/patients/{patient_id}/corrections"""

    permission_classes = [Staff]

    @operation(
        "send_correction",
        "texts",
        patient=True,
        body=Correction,
        sends={"text": examples.TEXT["id"]},
        answer=NoticeShown,
        shows={
            **examples.NOTICE,
            "body": "St Example: please ignore our earlier text about Monday 11 January. "
            "Your plan has changed. Questions? Call 020 7946 0000.",
        },
        status=201,
        problems=[403],
        repeatable=True,
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Tell a patient to ignore a text that had left when its day was cancelled.

        It keeps to the limits, so it may leave only tomorrow (`leaves_at`): then call them, too.
        """
        text_id = self.body(Correction)["text"]
        patient = care.patient_for(self.who, patient_id, May.TEXT)

        def act() -> Reply:
            told = messages.send_correction(patient.id, text_id, self.actor, self.now)
            return Reply(201, notice(told))

        return self.once(act)
