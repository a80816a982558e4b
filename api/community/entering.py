"""Joining, coming in and going out, and who one is here."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.community import examples
from api.community.door import CommunityDoor, EntrancePace, Joined, words_of
from api.community.shapes import LANGUAGES
from api.door import Door
from api.entrance import Anybody, SignedIn
from api.fields import OneOf, Strict, Text, Whole
from api.schema import operation
from community.crisis_help import Help
from community.members import entering
from community.members.house_rules import VERSION, house_rules
from community.models import Condition, PersonaRole

CONDITIONS = [("", "Not said"), *Condition.choices]


class Joining(Strict):
    """How somebody wants to be here."""

    pseudonym = Text(max_length=60, help_text="3 to 30 letters, figures and blanks.")
    language = OneOf(LANGUAGES, help_text="Of posts and notices.")
    time_zone = Text(max_length=64)
    accepts = Whole(1, 9999, help_text="The version of the house rules that you have read.")


class Accepting(Strict):
    """Which house rules are accepted."""

    accepts = Whole(1, 9999)


class RulesWanted(Strict):
    """In which language."""

    language = OneOf(LANGUAGES, required=False, default="en")


class OneRule(serializers.Serializer[Any]):
    """One of the house rules."""

    title = serializers.CharField()
    text = serializers.CharField()


class HouseRules(serializers.Serializer[Any]):
    """What members accept."""

    version = serializers.IntegerField()
    title = serializers.CharField()
    rules = OneRule(many=True)
    appeals = serializers.CharField()


class PersonaShown(serializers.Serializer[Any]):
    """A persona, as they see themselves."""

    id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    role = serializers.ChoiceField(PersonaRole.choices)
    language = serializers.CharField()
    time_zone = serializers.CharField()
    condition = serializers.ChoiceField(CONDITIONS)
    interval_days = serializers.IntegerField(allow_null=True)
    months = serializers.IntegerField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    accepted_rules = serializers.IntegerField()


class CameIn(serializers.Serializer[Any]):
    """A token of the persona's, shown this once: it names nobody who signs in."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    persona = PersonaShown()


class Rules(Door):
    """/community/house-rules"""

    permission_classes = [Anybody]
    authentication_classes = []

    @operation(
        "house_rules",
        "community",
        query=RulesWanted,
        answer=HouseRules,
        shows=examples.HOUSE_RULES,
    )
    def get(self, request: Request) -> Response:
        """The house rules that members accept."""
        language = self.query(RulesWanted)["language"]
        return Response(HouseRules({"version": VERSION, **house_rules(language)}).data)


class Join(Door):
    """/community/join"""

    throttle_classes = [EntrancePace]
    permission_classes = [SignedIn]
    help: Help | None = None

    def handle_exception(self, exc: Exception) -> Response:
        """A pseudonym may be a cry for help: it is heard whatever is wrong with the request."""
        if isinstance(exc, APIException) and isinstance(self.request.user, User):
            sent = words_of(self.request)
            language, zone = sent.get("language", ""), sent.get("time_zone", "")
            said = "\n".join(sent.values())
            self.help = entering.hear_who_joins(self.who, said, language, zone, self.now)
        return super().handle_exception(exc)

    @operation(
        "join",
        "community",
        body=Joining,
        sends=examples.JOINING,
        answer=CameIn,
        shows=examples.CAME_IN,
        status=201,
        problems=[409],
    )
    def post(self, request: Request) -> Response:
        """Join the community under a pseudonym, and come in.

        Send the token of your signing in; the answer has another one, for the community alone.
        """
        sent = self.body(Joining)
        return Response(CameIn(entering.join(self.who, **sent, now=self.now)).data, 201)


class ComeIn(Door):
    """/community/enter"""

    throttle_classes = [EntrancePace]
    permission_classes = [SignedIn]

    @operation("enter", "community", answer=CameIn, shows=examples.CAME_IN, problems=[403, 409])
    def post(self, request: Request) -> Response:
        """Come in with the token of your signing in; the answer has one for the community alone."""
        return Response(CameIn(entering.enter(self.who, self.now)).data)


class GoOut(CommunityDoor):
    """/community/go-out"""

    permission_classes = [Joined]

    @operation("go_out", "community", answer=None, status=204)
    def post(self, request: Request) -> Response:
        """Go out: this token is good for nothing from now on."""
        token: Any = request.auth
        entering.go_out(token, self.actor)
        return Response(status=204)


class Me(CommunityDoor):
    """/community/me"""

    permission_classes = [Joined]

    @operation("who_am_i_here", "community", answer=PersonaShown, shows=examples.PERSONA)
    def get(self, request: Request) -> Response:
        """Who you are here."""
        return Response(PersonaShown(self.me).data)


class AcceptRules(CommunityDoor):
    """/community/house-rules/accept"""

    permission_classes = [Joined]

    @operation(
        "accept_house_rules",
        "community",
        body=Accepting,
        sends={"accepts": 1},
        answer=None,
        status=204,
    )
    def post(self, request: Request) -> Response:
        """Accept the present house rules."""
        entering.accept_rules(self.me, self.body(Accepting)["accepts"], self.actor)
        return Response(status=204)
