"""Reactions to a text, and following a thread."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import posting_examples as examples
from api.community.door import CommunityDoor, Member
from api.fields import OneOf, Strict, YesNo
from api.schema import operation
from community.members.bonds import unseen_by
from community.models import ReactionKind
from community.posts import reacting
from community.reading.marks import reactions_seen


class Reacted(Strict):
    """All of your reactions to a text; none takes them back."""

    kinds = serializers.ListField(child=OneOf(ReactionKind.choices), max_length=3)


class ReactionsShown(serializers.Serializer[Any]):
    """How many reacted to a text, of those whom you see, and how you did."""

    hugs = serializers.IntegerField()
    same = serializers.IntegerField()
    helped = serializers.IntegerField()
    mine = serializers.ListField(child=serializers.ChoiceField(ReactionKind.choices))


class Following(Strict):
    """Whether you follow it."""

    follows = YesNo()


class React(CommunityDoor):
    """/community/posts/{post_id}/reactions"""

    permission_classes = [Member]

    @operation(
        "react",
        "community",
        path={"post": examples.POST},
        body=Reacted,
        sends={"kinds": ["hugs"]},
        answer=ReactionsShown,
        shows={"hugs": 4, "same": 2, "helped": 0, "mine": ["hugs"]},
        problems=[403, 409],
    )
    def put(self, request: Request, post_id: UUID) -> Response:
        """Let your reactions to a text of another's be these."""
        kinds = {ReactionKind(kind) for kind in self.body(Reacted)["kinds"]}
        live = reacting.react(self.me.id, post_id, kinds, self.actor, self.now)
        reactions_seen([live], unseen_by(self.me.id))
        return Response(ReactionsShown({**vars(live), "mine": sorted(kinds)}).data)


class Follow(CommunityDoor):
    """/community/threads/{thread_id}/follow"""

    permission_classes = [Member]

    @operation(
        "follow_thread",
        "community",
        path={"thread": examples.THREAD},
        body=Following,
        sends={"follows": True},
        answer=Following,
        shows={"follows": True},
    )
    def put(self, request: Request, thread_id: UUID) -> Response:
        """Hear of replies in a thread, or no more."""
        follows = self.body(Following)["follows"]
        reacting.follow(self.me.id, thread_id, follows=follows, actor=self.actor)
        return Response({"follows": follows})
