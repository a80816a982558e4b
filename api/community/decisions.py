"""Decisions about oneself, and appealing. Open to those who are suspended, too."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import examples as personas
from api.community import reporting_examples as examples
from api.community.door import CommunityDoor, EntrancePace, Joined, WordsDoor
from api.community.entering import CameIn
from api.community.shapes import HelpShown
from api.door import Door
from api.entrance import SignedIn
from api.fields import WORDS, Strict, Text
from api.pages import Paged, page
from api.schema import operation
from community.crisis_help import help_for
from community.members.entering import enter_to_appeal
from community.models import Appeal, Decision, MeasureKind
from community.moderation.appeals import appeal, decision_about, decisions_about
from community.moderation.reasons import reason_in_words, way_to_appeal

LONGEST = 4000


class AppealWritten(Strict):
    """Why the decision was wrong."""

    words = Text(max_length=LONGEST, kind=WORDS)


class MeasureTold(serializers.Serializer[Any]):
    """What was done. until: of a silence or a suspension."""

    kind = serializers.ChoiceField(MeasureKind.choices)
    kind_in_words = serializers.SerializerMethodField()
    until = serializers.SerializerMethodField()

    def get_kind_in_words(self, measure: dict[str, Any]) -> str:
        return MeasureKind(measure["kind"]).label

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_until(self, measure: dict[str, Any]) -> Any:
        return measure.get("until")


class MyAppealShown(serializers.Serializer[Any]):
    """Your appeal. upheld: null until it is decided; true: the decision was wrong, and is taken
    back. answer: what the other moderator says."""

    words = serializers.CharField()
    at = serializers.DateTimeField()
    upheld = serializers.BooleanField(allow_null=True)
    answer = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)


class MyDecisionShown(serializers.Serializer[Any]):
    """A decision that restricts your post or you: what, why, and how to appeal. reason: with the
    house rule it is about, in your language; words: what the moderator added."""

    id = serializers.UUIDField()
    post = serializers.UUIDField(source="post_id", allow_null=True)
    measures = MeasureTold(many=True)
    reason = serializers.SerializerMethodField()
    words = serializers.CharField()
    at = serializers.DateTimeField()
    way_to_appeal = serializers.SerializerMethodField()
    appeal_until = serializers.DateTimeField()
    appeal = serializers.SerializerMethodField()
    overturned_at = serializers.DateTimeField(allow_null=True)

    def get_reason(self, decision: Decision) -> str:
        return reason_in_words(decision.reason, self.context["language"])

    def get_way_to_appeal(self, decision: Decision) -> str:
        return way_to_appeal(self.context["language"])

    @extend_schema_field(MyAppealShown(allow_null=True))
    def get_appeal(self, decision: Decision) -> Any:
        made: Appeal | None = getattr(decision, "appeal", None)
        return MyAppealShown(made).data if made else None


class DecisionsPage(serializers.Serializer[Any]):
    """Decisions about you, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = MyDecisionShown(many=True)


class AppealedShown(serializers.Serializer[Any]):
    """at: null where there was nothing to appeal against any more, but your words were heard. help:
    null unless there is a sign of danger in your words: show it first."""

    at = serializers.DateTimeField(allow_null=True)
    help = HelpShown(allow_null=True)


class EnterToAppeal(Door):
    """/community/enter-to-appeal"""

    throttle_classes = [EntrancePace]
    permission_classes = [SignedIn]

    @operation(
        "enter_to_appeal",
        "community",
        answer=CameIn,
        shows=personas.CAME_IN,
        problems=[409],
    )
    def post(self, request: Request) -> Response:
        """Come in to read decisions about you, to appeal, and to take back what you share with your
        care team, and for nothing else.

        What you may also while you are suspended.
        """
        return Response(CameIn(enter_to_appeal(self.who, self.now)).data)


class DecisionDoor(CommunityDoor):
    """What the doors to one's own decisions share."""

    permission_classes = [Joined]
    also_suspended = True

    @property
    def context(self) -> dict[str, Any]:
        return {"language": self.me.language}


class MyDecisions(DecisionDoor):
    """/community/decisions"""

    @operation(
        "list_my_decisions",
        "community",
        query=Paged,
        answer=DecisionsPage,
        shows={"next": None, "results": [examples.MY_DECISION]},
    )
    def get(self, request: Request) -> Response:
        """Decisions that restrict your posts or you, with the reasons."""
        found, following = page(decisions_about(self.me), self.query(Paged), request)
        shown = DecisionsPage({"next": following, "results": found}, context=self.context)
        return Response(shown.data)


class MyDecision(DecisionDoor):
    """/community/decisions/{decision_id}"""

    @operation(
        "read_my_decision",
        "community",
        path={"decision": examples.DECISION},
        answer=MyDecisionShown,
        shows=examples.MY_DECISION,
    )
    def get(self, request: Request, decision_id: UUID) -> Response:
        """One decision about you."""
        decision = decision_about(self.me, decision_id)
        return Response(MyDecisionShown(decision, context=self.context).data)


class AppealAgainst(WordsDoor, DecisionDoor):
    """/community/decisions/{decision_id}/appeal"""

    @operation(
        "appeal",
        "community",
        path={"decision": examples.DECISION},
        body=AppealWritten,
        sends={"words": examples.APPEAL["words"]},
        answer=AppealedShown,
        shows={"at": examples.APPEAL["at"], "help": None},
        status=201,
        problems=[409],
    )
    def post(self, request: Request, decision_id: UUID) -> Response:
        """Appeal against a decision about you, once. Another moderator decides."""
        words = self.body(AppealWritten)["words"]
        done = appeal(self.me.id, decision_id, words, self.actor, self.now)
        help_ = help_for(self.me.language, self.me.time_zone).as_json() if done.crisis else None
        at = done.appeal.at if done.appeal else None
        return Response(AppealedShown({"at": at, "help": help_}).data, 201)
