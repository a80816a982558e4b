"""Doses to come."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import Strict, Whole
from api.schedule_shapes import DoseShown
from api.schema import operation
from reminders.reading import care

STATES = [("due", "due"), ("planned", "planned")]


class Ahead(Strict):
    """How far ahead."""

    weeks = Whole(1, 52, in_query=True, default=12, help_text="How many weeks from today.")


class DoseToCome(DoseShown):
    """due: asked for, and not answered yet. planned: to come."""

    state = serializers.ChoiceField(STATES)


class DosesShown(serializers.Serializer[Any]):
    """Doses by their dates, rising."""

    results = DoseToCome(many=True)


class Doses(Door):
    """/patients/{patient_id}/doses"""

    permission_classes = [Staff]

    @operation(
        "list_doses",
        "schedules",
        patient=True,
        query=Ahead,
        answer=DosesShown,
        shows={"results": [{**examples.SCHEDULE["planned"], "state": "planned"}]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The doses that wait for an answer, and those to come.

        Each with its date where the patient is, the interval that gives it, and the instant of its
        first reminder.
        """
        weeks = self.query(Ahead)["weeks"]
        coming = care.coming_for(self.who, patient_id, weeks, self.now)
        return Response(DosesShown({"results": coming}).data)
