"""Signing in and out, and who one is."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import request_id, sign_in
from accounts.access import memberships_of
from accounts.addresses import address
from accounts.models import Role
from api import examples
from api.door import Door
from api.entrance import Anybody, SignedIn
from api.fields import LINES, Strict, Text
from api.schema import operation


class Credentials(Strict):
    """E-mail and password."""

    email = Text(max_length=254, help_text="In any case.")
    password = Text(max_length=1000, kind=LINES, strip=False)


class ClinicShown(serializers.Serializer[Any]):
    """A clinic of yours. intervals: the days between injections that may be chosen."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    phone = serializers.CharField()
    time_zone = serializers.CharField()
    intervals = serializers.ListField(child=serializers.IntegerField())


class MembershipShown(serializers.Serializer[Any]):
    """What you are in a clinic."""

    clinic = ClinicShown()
    role = serializers.ChoiceField(Role.choices)


class Person(serializers.Serializer[Any]):
    """Somebody who signs in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()


class Me(serializers.Serializer[Any]):
    """A person and their memberships, oldest first."""

    user = Person()
    memberships = MembershipShown(many=True)


class SignedInAs(Me):
    """A token, shown this once: send it as `Authorization: Bearer ...` until it expires."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SignIn(Door):
    """/sign-in"""

    permission_classes = [Anybody]
    authentication_classes = []

    @operation(
        "sign_in",
        "you",
        body=Credentials,
        sends=examples.SIGN_IN,
        answer=SignedInAs,
        shows=examples.SIGNED_IN,
        problems=[401, 429],
    )
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password.

        Answers a token that is good for ten hours. Attempts are counted for each e-mail and each
        address: past the limit the answer is 429, and Retry-After says how long to wait.
        """
        sent = self.body(Credentials)
        found = sign_in.sign_in(
            sent["email"],
            sent["password"],
            address(request.META),
            request_id.current.get(),
            self.now,
        )
        return Response(
            SignedInAs(
                {
                    "token": found.token,
                    "expires_at": found.expires_at,
                    "user": found.user,
                    "memberships": memberships_of(found.user),
                }
            ).data
        )


class SignOut(Door):
    """/sign-out"""

    permission_classes = [SignedIn]

    @operation("sign_out", "you", answer=None, status=204)
    def post(self, request: Request) -> Response:
        """Sign out: this token is good for nothing from now on.

        Other tokens of yours stay good.
        """
        sign_in.sign_out(request.auth, self.actor)
        return Response(status=204)


class WhoAmI(Door):
    """/me"""

    permission_classes = [SignedIn]

    @operation(
        "me",
        "you",
        answer=Me,
        shows={"user": examples.PERSON, "memberships": examples.MEMBERSHIPS},
    )
    def get(self, request: Request) -> Response:
        """Who you are, and your role in each of your clinics."""
        return Response(Me({"user": self.who, "memberships": memberships_of(self.who)}).data)
