"""Who moderates: leads appoint."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import posting_examples
from api.community.door import CommunityDoor, Lead
from api.fields import OneOf, Strict
from api.schema import operation
from community.models import PersonaRole
from community.moderation.appointing import appoint


class RoleGiven(Strict):
    """What somebody is to be here."""

    role = OneOf(PersonaRole.choices)


class MemberWithRole(serializers.Serializer[Any]):
    """Somebody, and what they are here."""

    id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    role = serializers.ChoiceField(PersonaRole.choices)


class Appoint(CommunityDoor):
    """/community/moderation/members/{member_id}/role"""

    permission_classes = [Lead]

    @operation(
        "appoint",
        "moderation",
        path={"member": posting_examples.MEMBER},
        body=RoleGiven,
        sends={"role": "moderator"},
        answer=MemberWithRole,
        shows={"id": posting_examples.MEMBER, "pseudonym": "Barn Owl", "role": "moderator"},
        problems=[409],
    )
    def put(self, request: Request, member_id: UUID) -> Response:
        """Make somebody a moderator, a lead, or a member again. Nobody changes their own role."""
        role = PersonaRole(self.body(RoleGiven)["role"])
        return Response(MemberWithRole(appoint(member_id, role, self.actor, self.now)).data)
