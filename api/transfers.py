"""Patients whom another clinic takes over."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.audit import Actor
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import LINES, Id, Strict, Text
from api.pages import Paged, page
from api.schema import operation
from reminders.models import Transfer
from reminders.patients import transfers
from reminders.reading import care, clinics

OFFERED: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000007fe4",
    "state": "offered",
    "state_in_words": "Waits for the other clinic",
    "offered_at": "2027-01-04T09:00:00Z",
    "decided_at": None,
}
SHOWN: dict[str, Any] = {
    **OFFERED,
    "name": "Ada Example",
    "from_clinic": "St Example",
    "to_clinic": "Elsewhere",
    "reason": "She moves to your town.",
    "interval_days": 14,
    "next_on": "2027-01-11",
}


class Offer(Strict):
    """To whom. reason: the other clinic reads it."""

    clinic = Id(help_text="The other clinic's id: ask them for it.")
    reason = Text(max_length=2000, kind=LINES, required=False, help_text="They read it.")


class OfferShown(serializers.Serializer[Any]):
    """An offer of a patient to another clinic."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(Transfer.State.choices)
    state_in_words = serializers.CharField(source="get_state_display")
    offered_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class TransferShown(OfferShown):
    """What both clinics see of it: who, from where, and how it goes on; no number, no history.
    interval_days, next_on: null where no dose is planned."""

    name = serializers.CharField(source="patient.name")
    from_clinic = serializers.CharField(source="patient.clinic.name")
    to_clinic = serializers.CharField(source="to_clinic.name")
    reason = serializers.CharField()
    interval_days = serializers.IntegerField(allow_null=True)
    next_on = serializers.DateField(allow_null=True)


class TransfersPage(serializers.Serializer[Any]):
    """Offers, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = TransferShown(many=True)


class TakenOverShown(OfferShown):
    """An offer that was accepted. patient: who they are at your clinic."""

    patient = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uuid"})
    def get_patient(self, transfer: Transfer) -> str:
        return str(transfer.became_id)


class OfferTransfer(Door):
    """/patients/{patient_id}/transfer"""

    permission_classes = [Staff]

    @operation(
        "offer_transfer",
        "transfers",
        patient=True,
        body=Offer,
        sends={"clinic": examples.CLINIC, "reason": SHOWN["reason"]},
        answer=OfferShown,
        shows=OFFERED,
        status=201,
        problems=[403],
        repeatable=True,
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Offer a patient to another clinic.

        Nothing changes for the patient before a clinician there accepts. Until then the other
        clinic sees the name, the interval and the next date.
        """
        sent = self.body(Offer)
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)

        def act() -> Reply:
            made = transfers.offer(
                patient.id, sent["clinic"], sent.get("reason", ""), self.actor, self.now
            )
            return Reply(201, OfferShown(made).data)

        return self.once(act)


class Transfers(Door):
    """/transfers"""

    permission_classes = [Staff]

    @operation(
        "list_transfers",
        "transfers",
        query=Paged,
        answer=TransfersPage,
        shows={"next": None, "results": [SHOWN]},
    )
    def get(self, request: Request) -> Response:
        """Offers that your clinics made, and those made to clinics where you are a clinician."""
        offers = clinics.transfers_for(self.who)
        found, following = page(offers, self.query(Paged), request)
        return Response(TransfersPage({"next": following, "results": found}).data)


class Decision(Door):
    """What the doors of a decision on an offer share."""

    permission_classes = [Staff]

    def decide(
        self, transfer_id: UUID, verb: Callable[[UUID, Actor, datetime], Transfer], *, ours: bool
    ) -> Response:
        transfer = clinics.transfer_to_decide(self.who, transfer_id, ours=ours)

        def act() -> Reply:
            return Reply(200, OfferShown(verb(transfer.id, self.actor, self.now)).data)

        return self.once(act)


class Accept(Door):
    """/transfers/{transfer_id}/accept"""

    permission_classes = [Staff]

    @operation(
        "accept_transfer",
        "transfers",
        answer=TakenOverShown,
        shows={
            **OFFERED,
            "state": "accepted",
            "state_in_words": "Taken over",
            "decided_at": "2027-01-04T10:00:00Z",
            "patient": examples.ADA,
        },
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Take the patient over, with the same decisions and dates.

        At the clinic that offered them their schedule ends and their texts are cancelled, in the
        same instant.
        """
        transfer = clinics.transfer_to_decide(self.who, transfer_id, ours=False)

        def act() -> Reply:
            taken = transfers.accept(transfer.id, self.actor, self.now)
            return Reply(200, TakenOverShown(taken).data)

        return self.once(act)


class Decline(Decision):
    """/transfers/{transfer_id}/decline"""

    @operation(
        "decline_transfer",
        "transfers",
        answer=OfferShown,
        shows={**OFFERED, "state": "declined", "state_in_words": "Declined by the other clinic"},
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Don't take the patient over. Nothing changes for them."""
        return self.decide(transfer_id, transfers.decline, ours=False)


class Withdraw(Decision):
    """/transfers/{transfer_id}/withdraw"""

    @operation(
        "withdraw_transfer",
        "transfers",
        answer=OfferShown,
        shows={**OFFERED, "state": "withdrawn", "state_in_words": "Withdrawn"},
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Take an offer of your clinic's back."""
        return self.decide(transfer_id, transfers.withdraw, ours=True)
