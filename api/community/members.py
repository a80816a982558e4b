"""Members: what they say of themselves, whom they don't want to see, and leaving."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import examples, posting_examples
from api.community.door import CommunityDoor, Joined, Member, WordsDoor
from api.community.entering import CONDITIONS, PersonaShown
from api.community.shapes import LANGUAGES
from api.community.sharing import BY_THE_MEMBER
from api.fields import Nothing, OneOf, Strict, Text, Whole
from api.pages import Paged, page
from api.schema import operation
from community import sharing
from community.members import bonds, entering, exporting, leaving, profile
from community.models import BondKind, PersonaRole
from community.reading import threads
from community.tags import SIDE_EFFECTS
from reminders.health import shared_experiences

EFFECTS = [(effect, effect) for effect in SIDE_EFFECTS]
WHAT_OF_THE_POSTS = [("keep", "Kept as a former member's"), ("erase", "Erased")]
AS_JSON = (200, "application/json")


class ProfileSaid(Strict):
    """What you choose to say; what you leave out stays as it is, "" and null take it back. months:
    on treatment. tags: side effects that you know."""

    condition = OneOf(CONDITIONS, required=False)
    interval_days = Whole(7, 21, allow_null=True, required=False, help_text="7, 14 or 21.")
    months = Whole(0, profile.MOST_MONTHS, allow_null=True, required=False)
    tags = serializers.ListField(child=OneOf(EFFECTS), max_length=len(EFFECTS), required=False)
    language = OneOf(LANGUAGES, required=False)
    time_zone = Text(max_length=64, required=False)


class Renaming(Strict):
    """Another pseudonym."""

    pseudonym = Text(max_length=60, help_text="3 to 30 letters, figures and blanks.")


class Leaving(Strict):
    """posts: what becomes of what you wrote. It can't be taken back."""

    posts = OneOf(WHAT_OF_THE_POSTS)


class BondSet(Strict):
    """block: neither of you sees the other. mute: you don't see them, and they aren't told."""

    kind = OneOf(BondKind.choices)


class MemberShown(serializers.Serializer[Any]):
    """A member, as others see them."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="pseudonym")
    role = serializers.ChoiceField(PersonaRole.choices)
    condition = serializers.ChoiceField(CONDITIONS)
    interval_days = serializers.IntegerField(allow_null=True)
    months = serializers.IntegerField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())


class BondShown(serializers.Serializer[Any]):
    """Whom you don't want to see. name: blank for one who has left."""

    member = serializers.UUIDField(source="other_id")
    name = serializers.CharField(source="other.pseudonym")
    kind = serializers.ChoiceField(BondKind.choices)


class BondsPage(serializers.Serializer[Any]):
    """Whom you blocked or muted, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = BondShown(many=True)


class Profile(CommunityDoor):
    """/community/me/profile"""

    permission_classes = [Member]

    @operation(
        "say_of_myself",
        "community",
        body=ProfileSaid,
        sends={"condition": "pv", "months": 18, "tags": ["sleep"]},
        answer=PersonaShown,
        shows=examples.PERSONA,
    )
    def patch(self, request: Request) -> Response:
        """Say of yourself what you choose to; other members see it, and feeds find what is like
        yours. Your language and time zone are for you alone."""
        sent = self.body(ProfileSaid)
        said = profile.Profile(**{**vars(profile.profile_of(self.me)), **sent})
        return Response(PersonaShown(profile.say(self.me.id, said, self.actor)).data)


class Rename(WordsDoor):
    """/community/me/pseudonym"""

    @operation(
        "change_pseudonym",
        "community",
        body=Renaming,
        sends={"pseudonym": "Blue Heron"},
        answer=PersonaShown,
        shows=examples.PERSONA,
        problems=[409],
    )
    def put(self, request: Request) -> Response:
        """Change your pseudonym, once in a while. What you wrote bears the new one."""
        pseudonym = self.body(Renaming)["pseudonym"]
        renamed = entering.rename(self.me.id, pseudonym, self.actor, self.now)
        return Response(PersonaShown(renamed).data)


class Leave(CommunityDoor):
    """/community/leave"""

    permission_classes = [Joined]

    @operation(
        "leave_community",
        "community",
        body=Leaving,
        sends={"posts": "erase"},
        answer=None,
        status=204,
    )
    def post(self, request: Request) -> Response:
        """Leave the community for good.

        What you wrote stays as a former member's, or every word of it is erased, as you choose; a
        thread that you opened goes with its opening post. What you share with your care team is
        taken back.
        """
        erase = self.body(Leaving)["posts"] == "erase"
        with transaction.atomic():
            shared = sharing.revoke_all(self.me, self.actor, self.now)
            leaving.leave(self.me.id, erase=erase, actor=self.actor, now=self.now)
            for share_id in shared:
                shared_experiences.take_back(share_id, BY_THE_MEMBER, self.now)
        return Response(status=204)


class Export(CommunityDoor):
    """/community/me/export"""

    permission_classes = [Joined]

    @operation(
        "export_my_data",
        "community",
        answer={AS_JSON: OpenApiTypes.OBJECT},
        shows={"made_at": "2027-01-04T09:00:00Z", "profile": {}, "texts": []},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All that is yours, as one JSON document."""
        return StreamingHttpResponse(
            exporting.export(self.me, self.actor, self.now),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="community.json"'},
        )


class OneMember(CommunityDoor):
    """/community/members/{member_id}"""

    permission_classes = [Member]

    @operation(
        "read_member",
        "community",
        path={"member": posting_examples.MEMBER},
        answer=MemberShown,
        shows=examples.MEMBER,
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """A member, as they chose to show themselves."""
        return Response(MemberShown(threads.read_member(self.me, member_id)).data)


class Bonds(CommunityDoor):
    """/community/bonds"""

    permission_classes = [Member]

    @operation(
        "list_bonds",
        "community",
        query=Paged,
        answer=BondsPage,
        shows={"next": None, "results": [examples.BOND]},
    )
    def get(self, request: Request) -> Response:
        """Whom you blocked or muted."""
        found, following = page(bonds.bonds_of(self.me), self.query(Paged), request)
        return Response(BondsPage({"next": following, "results": found}).data)


class SetBond(CommunityDoor):
    """/community/members/{member_id}/bond"""

    permission_classes = [Member]

    @operation(
        "set_bond",
        "community",
        path={"member": posting_examples.MEMBER},
        body=BondSet,
        sends={"kind": "block"},
        answer=BondShown,
        shows=examples.BOND,
        problems=[409],
    )
    def put(self, request: Request, member_id: UUID) -> Response:
        """Block or mute a member."""
        kind = BondKind(self.body(BondSet)["kind"])
        return Response(BondShown(bonds.set_bond(self.me.id, member_id, kind, self.actor)).data)


class LiftBond(CommunityDoor):
    """/community/members/{member_id}/bond/lift"""

    permission_classes = [Member]

    @operation(
        "lift_bond",
        "community",
        path={"member": posting_examples.MEMBER},
        body=Nothing,
        sends={},
        answer=None,
        status=204,
    )
    def post(self, request: Request, member_id: UUID) -> Response:
        """See a member again whom you blocked or muted."""
        self.body(Nothing)
        bonds.lift_bond(self.me.id, member_id, self.actor)
        return Response(status=204)
