"""Letting patients sign in to their own pages, and shutting them out."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from api import examples
from api.door import Door
from api.entrance import Staff
from api.schema import operation
from reminders.patients import signing_in
from reminders.reading import care


class Invitation(serializers.Serializer[Any]):
    """What a patient needs to sign in. code: shown this once."""

    patient = serializers.UUIDField(source="patient.id")
    number = serializers.CharField(help_text="E.164: what they sign in with, and where codes go.")
    code = serializers.CharField(help_text="Eight digits, good once: say them, or hand them over.")
    good_until = serializers.DateTimeField()


class Invite(Door):
    """/patients/{patient_id}/sign-in/invite"""

    permission_classes = [Staff]

    @operation(
        "invite_patient",
        "patients",
        patient=True,
        answer=Invitation,
        shows={
            "patient": examples.ADA,
            "number": "+447700900001",
            "code": "48217730",
            "good_until": "2027-01-18T09:00:00Z",
        },
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Let a patient sign in to their own pages, for the first time or on a new device.

        They need the code that we text to their number and, on a device that we don't know, this
        welcome code. Make sure that it is them before you give it. A new one ends the former.
        """
        patient = care.patient_for(self.who, patient_id, May.ENROL)
        # Never under an Idempotency-Key: the reply would be kept, and the code with it.
        invited = signing_in.invite(patient.id, self.actor, self.now)
        return Response(Invitation(invited).data, 201)


class RevokeSignIn(Door):
    """/patients/{patient_id}/sign-in/revoke"""

    permission_classes = [Staff]

    @operation(
        "revoke_sign_in",
        "patients",
        patient=True,
        answer=None,
        status=204,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Sign a patient out everywhere, as when their phone is lost.

        To sign in again they need a new welcome code.
        """
        patient = care.patient_for(self.who, patient_id, May.ENROL)
        signing_in.revoke_sign_in(patient.id, self.actor)
        return Response(status=204)
