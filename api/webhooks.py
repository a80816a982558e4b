"""What Twilio tells us: reports on our texts, and texts that people send.

Checked, stored, answered; a repeat does nothing. What a text means is for the domain it belongs to.
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.door import Door
from api.entrance import TwilioOnly
from api.parsers import Form
from api.schema import operation
from messaging import inbound
from messaging.clock import read_clock

NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML that says nothing: what we answer goes through the outbox."""


class Signed(serializers.Serializer[Any]):
    """Fields of Twilio's that are looked at; all others are taken and passed over."""

    AccountSid = serializers.CharField(help_text="Whose token signed it.")
    MessageSid = serializers.CharField(required=False, allow_blank=True)


class ReportForm(Signed):
    """A status callback."""

    MessageStatus = serializers.CharField(required=False, allow_blank=True)
    ErrorCode = serializers.CharField(required=False, allow_blank=True)


class TextForm(Signed):
    """A text that somebody sent."""

    From = serializers.CharField(required=False, allow_blank=True)
    To = serializers.CharField(required=False, allow_blank=True)
    Body = serializers.CharField(required=False, allow_blank=True)


class TwilioDoor(Door):
    """Signed by Twilio, whoever else may call."""

    authentication_classes = []
    permission_classes = [TwilioOnly]
    parser_classes = [Form]

    @property
    def fields(self) -> dict[str, str]:
        """The form without what no text can hold and no database keeps."""
        form: Any = self.request.data
        return {name: value.replace("\0", "") for name, value in form.items()}


class TwilioStatus(TwilioDoor):
    """/twilio/status/{sms_id}/{attempt}"""

    @operation(
        "twilio_status",
        "twilio",
        body=ReportForm,
        media_type=Form.media_type,
        sends={
            "AccountSid": "AC" + "0" * 32,
            "MessageSid": "SM" + "0" * 32,
            "MessageStatus": "delivered",
        },
        answer=None,
        status=204,
        problems=[403, 404],
    )
    def post(self, request: Request, sms_id: UUID, attempt: int) -> Response:
        """Twilio's report on one attempt to send a text.

        For Twilio alone: signed with the token of AccountSid. A report that comes twice, late or
        out of order, or on a text that isn't ours, does nothing.
        """
        inbound.report(sms_id, attempt, self.fields)
        return Response(status=204)


class TwilioInbound(TwilioDoor):
    """/twilio/inbound"""

    @operation(
        "twilio_inbound",
        "twilio",
        body=TextForm,
        media_type=Form.media_type,
        sends={
            "AccountSid": "AC" + "0" * 32,
            "MessageSid": "SM" + "1" * 32,
            "From": "+447700900001",
            "To": "+15005550006",
            "Body": "1",
        },
        answer={(200, "text/xml"): str},
        problems=[403],
    )
    def post(self, request: Request) -> HttpResponse:
        """A text that somebody sent to one of our numbers.

        For Twilio alone: signed with the token of AccountSid. It is stored once for its
        MessageSid; the answer holds no text.
        """
        inbound.receive(self.fields, read_clock())
        return HttpResponse(NO_ANSWER, content_type="text/xml; charset=utf-8")
