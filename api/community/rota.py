"""Who is on duty, and acknowledging a crisis."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import paging_examples as examples
from api.community.door import CommunityDoor, Moderator
from api.fields import Instant, Nothing, Strict, Text, Whole
from api.schema import operation
from community.models import Duty, PersonaRole
from community.moderation import paging, rota


class DutyWanted(Strict):
    """A duty of one's own. Null instants: no beginning, no end."""

    rung = Whole(1, rota.RUNGS, help_text="Paged first: 1. Then upwards, while nobody answers.")
    number = Text(max_length=40, help_text="Where pages go, with its country: +44 7911 123456.")
    starts_at = Instant(required=False, allow_null=True)
    ends_at = Instant(required=False, allow_null=True)


class CodeOfPage(Strict):
    """What the test page said."""

    code = Text(max_length=10)


class ModeratorNamed(serializers.Serializer[Any]):
    """A moderator, by their pseudonym."""

    id = serializers.UUIDField()
    pseudonym = serializers.CharField()


class ModeratorsDutyShown(serializers.Serializer[Any]):
    """A duty. ready_at: since when it counts, null before the test page was acknowledged.
    deaf_since: since when the phone gets no pages, for it said STOP to them; START, sent to the
    number that pages come from, ends it. number: your own alone."""

    id = serializers.UUIDField()
    moderator = ModeratorNamed(source="persona")
    rung = serializers.IntegerField()
    number = serializers.SerializerMethodField()
    starts_at = Instant(allow_null=True)
    ends_at = Instant(allow_null=True)
    test_sent_at = Instant(allow_null=True)
    ready_at = Instant(allow_null=True)
    deaf_since = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_number(self, duty: Duty) -> Any:
        return duty.number if duty.persona_id == self.context["me"] else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_deaf_since(self, duty: Duty) -> Any:
        since = self.context["deaf"].get(duty.id)
        return since and serializers.DateTimeField().to_representation(since)


class ModeratorsRotaShown(serializers.Serializer[Any]):
    """The moderators' rota, the lowest rung first. covered: a crisis finds somebody now."""

    covered = serializers.BooleanField()
    duties = ModeratorsDutyShown(many=True)


class Acknowledged(serializers.Serializer[Any]):
    """A crisis that somebody looks after. held_until: nobody is paged till then."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    acknowledged_at = serializers.DateTimeField()
    held_until = serializers.DateTimeField()


class RotaDoor(CommunityDoor):
    """What the doors to the rota share."""

    permission_classes = [Moderator]

    def shown(self, duty: Duty, status: int = 200) -> Response:
        context = {"me": self.me.id, "deaf": rota.deaf([duty])}
        return Response(ModeratorsDutyShown(duty, context=context).data, status)


class ModeratorsRota(RotaDoor):
    """/community/moderation/rota"""

    @operation(
        "read_moderators_rota",
        "moderation",
        answer=ModeratorsRotaShown,
        shows=examples.ROTA,
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """Who is on duty, and whom a crisis pages: the lowest rung first, then upwards."""
        duties = rota.rota(self.now)
        context = {"me": self.me.id, "deaf": rota.deaf(duties)}
        covered = rota.on_duty(self.now).exists()
        shown = ModeratorsRotaShown({"covered": covered, "duties": duties}, context=context)
        return Response(shown.data)

    @operation(
        "take_duty",
        "moderation",
        body=DutyWanted,
        sends=examples.TAKING,
        answer=ModeratorsDutyShown,
        shows=examples.DUTY,
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request) -> Response:
        """Take duty yourself. A test page goes to your number; the duty counts once you have given
        its code back."""
        turn = rota.Turn(**self.body(DutyWanted))
        return self.shown(rota.take_duty(self.me, turn, self.actor, self.now), 201)


class AcknowledgeTest(RotaDoor):
    """/community/moderation/rota/{duty_id}/acknowledge"""

    @operation(
        "acknowledge_test_page",
        "moderation",
        path={"duty": examples.DUTY["id"]},
        body=CodeOfPage,
        sends={"code": "042917"},
        answer=ModeratorsDutyShown,
        shows={**examples.DUTY, "ready_at": "2027-01-04T08:31:00Z"},
        problems=[403, 409],
    )
    def post(self, request: Request, duty_id: UUID) -> Response:
        """Give the code of the test page back: from now on your duty counts."""
        code = self.body(CodeOfPage)["code"]
        return self.shown(rota.acknowledge_test(duty_id, code, self.actor, self.now))


class SendTest(RotaDoor):
    """/community/moderation/rota/{duty_id}/test"""

    @operation(
        "send_test_page",
        "moderation",
        path={"duty": examples.DUTY["id"]},
        body=Nothing,
        sends={},
        answer=ModeratorsDutyShown,
        shows=examples.DUTY,
        problems=[403, 409],
    )
    def post(self, request: Request, duty_id: UUID) -> Response:
        """Send another test page for your duty, which doesn't count until its code is back."""
        self.body(Nothing)
        return self.shown(rota.send_test_again(duty_id, self.actor, self.now))


class EndDuty(RotaDoor):
    """/community/moderation/rota/{duty_id}/end"""

    @operation(
        "end_duty",
        "moderation",
        path={"duty": examples.DUTY["id"]},
        body=Nothing,
        sends={},
        answer=None,
        status=204,
        problems=[403],
    )
    def post(self, request: Request, duty_id: UUID) -> Response:
        """End a duty now: your own, or anybody's for who leads the moderators.

        While nobody is on duty a crisis pages nobody: that is an alarm.
        """
        self.body(Nothing)
        lead = self.me.role == PersonaRole.LEAD
        rota.end_duty(duty_id, self.actor, self.now, lead=lead)
        return Response(status=204)


class AcknowledgeCrisis(CommunityDoor):
    """/community/moderation/cases/{case_id}/acknowledge"""

    permission_classes = [Moderator]

    @operation(
        "acknowledge_crisis",
        "moderation",
        path={"case": examples.ACKNOWLEDGED["id"]},
        body=Nothing,
        sends={},
        answer=Acknowledged,
        shows=examples.ACKNOWLEDGED,
        problems=[403, 409],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say that you look after a crisis. Nobody is paged for it for half an hour.

        If it is open then, it pages on.
        """
        self.body(Nothing)
        case = paging.acknowledge(case_id, self.actor, self.now)
        return Response(Acknowledged(case).data)
