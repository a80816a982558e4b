"""What patients share with their care team of what they wrote in the community."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from api.door import Door
from api.entrance import Staff
from api.schema import operation
from reminders.health.shared_experiences import experiences_of
from reminders.reading import care


class ExperienceShown(serializers.Serializer[Any]):
    """An experience in the patient's own words, Markdown; shared by the patient's own act."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    body = serializers.CharField()
    shared_at = serializers.DateTimeField()


class ExperiencesShown(serializers.Serializer[Any]):
    """The newest first."""

    results = ExperienceShown(many=True)


class Experiences(Door):
    """/patients/{patient_id}/experiences"""

    permission_classes = [Staff]

    @operation(
        "list_experiences",
        "health",
        patient=True,
        answer=ExperiencesShown,
        shows={
            "results": [
                {
                    "id": "5e7a7c3e-51f5-4a7e-9d39-0a3a33b6b0aa",
                    "title": "Nights",
                    "body": "I sleep badly after the injection.",
                    "shared_at": "2027-01-04T08:30:00Z",
                }
            ]
        },
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What the patient chose to share with you. What they took back is gone.

        It doesn't say where, or under which name, it was written.
        """
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        return Response(ExperiencesShown({"results": experiences_of(patient)}).data)
