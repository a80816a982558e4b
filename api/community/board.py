"""How moderation fares: for moderators, and for members."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.refusals import Invalid
from api.community import case_examples as examples
from api.community.door import CommunityDoor, Member, Moderator
from api.fields import Strict, Whole, YesNo
from api.schema import operation
from community.models import CaseKind
from community.moderation.board import board, public_figures
from community.moderation.threads import tend

SLOWEST = 86_400
KINDS = [("", "All"), *CaseKind.choices]


class CaseTimesShown(serializers.Serializer[Any]):
    """cases: of how many. median, p95: minutes; null of none."""

    cases = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class CaseKindFigures(serializers.Serializer[Any]):
    """What waits of a kind now, and how long those opened in the last days took: until somebody
    looked, until it was decided, and, of a crisis, until a person on duty had it. kind: "" of
    all."""

    kind = serializers.ChoiceField(KINDS)
    waiting = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True)
    seen = CaseTimesShown()
    decided = CaseTimesShown()
    acknowledged = CaseTimesShown()


class ModeratorLoadShown(serializers.Serializer[Any]):
    """has: cases that a moderator looks after now. decided, adverse, overturned: in the last
    days."""

    id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    has = serializers.IntegerField()
    decided = serializers.IntegerField()
    adverse = serializers.IntegerField()
    overturned = serializers.IntegerField()


class BoardShown(serializers.Serializer[Any]):
    """kinds: the last is of all. cap: cases that one moderator has at most. days: the last ones."""

    days = serializers.IntegerField()
    cap = serializers.IntegerField()
    kinds = CaseKindFigures(many=True)
    moderators = ModeratorLoadShown(many=True)
    adverse = serializers.IntegerField()
    overturned = serializers.IntegerField()


class PublicFigures(serializers.Serializer[Any]):
    """waiting: cases now. seen, decided, crisis: minutes to a first look, to a decision, and of
    crises to a person; null of too few cases to tell. adverse: decisions that restricted somebody;
    overturned: how many of these were wrong."""

    days = serializers.IntegerField()
    waiting = serializers.IntegerField()
    seen = CaseTimesShown(allow_null=True)
    decided = CaseTimesShown(allow_null=True)
    crisis = CaseTimesShown(allow_null=True)
    adverse = serializers.IntegerField()
    overturned = serializers.IntegerField()


class ThreadKept(Strict):
    """How a thread is kept. closed: members read it, and don't reply. slow_seconds: how long a
    member waits between two replies; 0: not."""

    closed = YesNo(required=False, source="read_only")
    pinned = YesNo(required=False)
    slow_seconds = Whole(0, SLOWEST, required=False)


class ThreadKeptShown(serializers.Serializer[Any]):
    """How a thread is kept now."""

    id = serializers.UUIDField()
    closed = serializers.BooleanField(source="read_only")
    pinned = serializers.BooleanField()
    slow_seconds = serializers.IntegerField()


class BoardDoor(CommunityDoor):
    """/community/moderation/board"""

    permission_classes = [Moderator]

    @operation("read_board", "moderation", answer=BoardShown, shows=examples.BOARD, problems=[403])
    def get(self, request: Request) -> Response:
        """What waits now, and how the last 30 days went."""
        return Response(BoardShown(board(self.now)).data)


class FiguresDoor(CommunityDoor):
    """/community/figures"""

    permission_classes = [Member]

    @operation(
        "read_figures",
        "community",
        answer=PublicFigures,
        shows=examples.FIGURES,
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """How fast moderators were in the last 30 days, and how often they were wrong."""
        return Response(PublicFigures(public_figures(self.now)).data)


class KeepThread(CommunityDoor):
    """/community/moderation/threads/{thread_id}"""

    permission_classes = [Moderator]

    @operation(
        "keep_thread",
        "moderation",
        path={"thread": examples.THREAD},
        body=ThreadKept,
        sends={"slow_seconds": 300},
        answer=ThreadKeptShown,
        shows=examples.KEPT,
        problems=[403, 409],
    )
    def patch(self, request: Request, thread_id: UUID) -> Response:
        """Pin a thread, slow it down, or close it for replies.

        Five are pinned in a space at most.
        """
        sent = self.body(ThreadKept)
        if not sent:
            raise Invalid("nothing", "Say what to change.")
        return Response(ThreadKeptShown(tend(thread_id, sent, self.actor)).data)
