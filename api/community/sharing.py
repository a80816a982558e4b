"""The bridge: a member shows a post of their own to their care team, and takes it back."""

from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import User
from accounts.refusals import Forbidden
from accounts.replies import Reply
from api.community import notices_examples as examples
from api.community.door import CommunityDoor, Joined, Member
from api.entrance import Token
from api.fields import Nothing
from api.pages import Paged, page
from api.schema import PATIENT_HEADER, operation
from community import sharing
from community.members.entering import same_person
from reminders.health import shared_experiences
from reminders.models import Patient
from reminders.patients.signing_in import patient_of

SHARE_ID = "5e7a7c3e-51f5-4a7e-9d39-0a3a33b6b0aa"
SHARE: dict[str, Any] = {
    "id": SHARE_ID,
    "post": examples.POST,
    "shared_at": "2027-01-04T08:30:00Z",
    "revoked_at": None,
}


class ShareShown(serializers.Serializer[Any]):
    """A post that you share. revoked_at: since when you don't any more."""

    id = serializers.UUIDField()
    post = serializers.UUIDField(source="post_id")
    shared_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class SharesPage(serializers.Serializer[Any]):
    """What you share, and shared."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = ShareShown(many=True)


class SharePost(CommunityDoor):
    """/community/posts/{post_id}/share"""

    permission_classes = [Member]

    @operation(
        "share_post",
        "community",
        path={"post": examples.POST},
        patient_token=True,
        repeatable=True,
        body=Nothing,
        sends={},
        answer=ShareShown,
        shows=SHARE,
        status=201,
        problems=[403],
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        """Share a post of your own with your care team, who then know that you wrote it.

        They get its words as they are now, and neither your pseudonym nor where it was; what you
        write in it later they don't get. Whoever finds the same words in the community knows your
        pseudonym. Nobody is told that it is there, and another clinic that takes you over doesn't
        get it. You can take it back at any time. Send the token of your signing in as a patient,
        too.
        """
        self.body(Nothing)
        user, patient = self._patient()

        def act() -> Reply:
            # Both sides, or neither.
            with transaction.atomic():
                shared = sharing.share(self.me, post_id, self.actor, self.now)
                shared_experiences.receive(
                    # Its request is the persona's: an audit row of the user's must not name it.
                    shared.id, patient.id, shared.title, shared.body, audit.by(user, ""), self.now,
                )  # fmt: skip
            row = {"id": shared.id, "post_id": post_id, "shared_at": self.now, "revoked_at": None}
            return Reply(201, ShareShown(row).data)

        return self.once(act)

    def _patient(self) -> tuple[User, Patient]:
        """Who proves to be a patient, and to be the same person as the persona."""
        given = self.request.headers.get(PATIENT_HEADER, "")
        try:
            user, _ = Token().authenticate_credentials(given.encode())
        except AuthenticationFailed:
            user = None
        patient = patient_of(user) if isinstance(user, User) else None
        if patient is None or not isinstance(user, User):
            raise Forbidden(
                "not_a_patient",
                f"Send the token of your signing in as a patient, as {PATIENT_HEADER}.",
            )
        same_person(user, self.me.id, self.now)
        return user, patient


class Shares(CommunityDoor):
    """/community/shares"""

    permission_classes = [Joined]
    also_suspended = True

    @operation(
        "list_shares",
        "community",
        query=Paged,
        answer=SharesPage,
        shows={"next": None, "results": [SHARE]},
    )
    def get(self, request: Request) -> Response:
        """What you share with your care team, and what you took back."""
        rows, after = page(sharing.shares_of(self.me), self.query(Paged), request)
        return Response(SharesPage({"next": after, "results": rows}).data)


class RevokeShare(CommunityDoor):
    """/community/shares/{share_id}/revoke. It stays one's own to take back, whatever else one may
    not do."""

    permission_classes = [Joined]
    also_suspended = True

    @operation(
        "revoke_share",
        "community",
        path={"share": SHARE_ID},
        body=Nothing,
        sends={},
        answer=None,
        status=204,
    )
    def post(self, request: Request, share_id: UUID) -> Response:
        """Take back what you shared: its words are gone from your care team's pages."""
        self.body(Nothing)
        with transaction.atomic():
            sharing.revoke(self.me, share_id, self.actor, self.now)
            shared_experiences.take_back(share_id, BY_THE_MEMBER, self.now)
        return Response(status=204)


BY_THE_MEMBER = audit.Actor("member")
"""Who takes something back, on the side that knows no persona."""
