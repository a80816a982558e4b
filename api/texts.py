"""Texts to a patient, and what became of them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.door import Door
from api.entrance import Staff
from api.pages import Paged, page
from api.schema import operation
from messaging.in_words import FAULT_IN_WORDS, STATE_IN_WORDS
from messaging.models import STATES, Sms
from messaging.vocabulary import fault_of
from reminders.reading import care


class TextShown(serializers.Serializer[Any]):
    """A text. about, step: what it is about, and which of its steps; error_code: Twilio's."""

    id = serializers.UUIDField()
    about = serializers.SerializerMethodField(help_text="dose, notice, or another word.")
    step = serializers.SerializerMethodField(help_text="Which of the texts about it.")
    body = serializers.CharField()
    to = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    state_in_words = serializers.SerializerMethodField()
    state_at = serializers.DateTimeField(help_text="Since when it is in this state.")
    leaves_at = serializers.DateTimeField(
        source="available_at", help_text="From when on it may go out."
    )
    error_code = serializers.IntegerField(allow_null=True)
    error_in_words = serializers.SerializerMethodField()

    def get_about(self, sms: Sms) -> str:
        return sms.dedup_key.partition(":")[0]

    def get_step(self, sms: Sms) -> str:
        # dose:<id>:<step>, notice:<schedule>:<kind>:<version>
        parts = sms.dedup_key.split(":")
        return parts[2] if len(parts) > 2 else ""

    def get_state_in_words(self, sms: Sms) -> str:
        return STATE_IN_WORDS[sms.state]

    def get_error_in_words(self, sms: Sms) -> str:
        return FAULT_IN_WORDS[fault_of(sms.error_code)] if sms.error_code else ""


class TextsPage(serializers.Serializer[Any]):
    """Texts, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = TextShown(many=True)


class Texts(Door):
    """/patients/{patient_id}/texts"""

    permission_classes = [Staff]

    @operation(
        "list_texts",
        "texts",
        patient=True,
        query=Paged,
        answer=TextsPage,
        shows={"next": None, "results": [examples.TEXT]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The texts to a patient, newest first, and what became of each."""
        texts = care.texts_for(self.who, patient_id)
        found, following = page(texts, self.query(Paged), request)
        return Response(TextsPage({"next": following, "results": found}).data)
