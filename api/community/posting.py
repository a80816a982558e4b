"""Writing: threads, replies, new wordings; taking away; asking for a person.

No answer here holds a text: an answer may be kept under its Idempotency-Key for a day.
"""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.refusals import Invalid
from accounts.replies import Reply
from api.community import posting_examples as examples
from api.community.door import CommunityDoor, Joined, Member, WordsDoor
from api.community.shapes import (
    PostWritten,
    ReplyWritten,
    RulesSaid,
    ThreadWritten,
)
from api.door import etag
from api.fields import Nothing
from api.schema import IF_MATCH, operation
from community.crisis_help import help_for
from community.models import Persona, Post, PostState
from community.posts.editing import ask_for_a_person, edit, withdraw
from community.posts.judging import Assessment, Writing
from community.posts.posting import Posted, open_thread, reply
from community.posts.telling import reasons, state_in_words


class PostStands(serializers.Serializer[Any]):
    """Where a post of yours is. version: its ETag, for If-Match."""

    id = serializers.UUIDField()
    thread = serializers.UUIDField(source="thread_id")
    state = serializers.ChoiceField(PostState.choices)
    state_in_words = serializers.SerializerMethodField()
    version = serializers.IntegerField()

    def get_state_in_words(self, post: Post) -> str:
        return state_in_words(post.state, self.context["language"])


class PostedShown(serializers.Serializer[Any]):
    """What became of what you wrote. verdict: of this wording; an edit that waits leaves the post
    in the state in which it is. said: what the rules said; show its `help` before all else."""

    post = PostStands()
    verdict = serializers.ChoiceField(PostState.choices)
    verdict_in_words = serializers.SerializerMethodField()
    said = RulesSaid()

    def get_verdict_in_words(self, posted: dict[str, Any]) -> str:
        return state_in_words(posted["verdict"], self.context["language"])


class PostingDoor(CommunityDoor):
    """What the doors to one's own posts share."""

    permission_classes = [Member]

    def writing(self, sent: dict[str, Any]) -> Writing:
        """What was sent, as the rules take it."""
        return Writing(
            sent.get("title", ""),
            sent["body"],
            sent.get("language", self.me.language),
            sent.get("tags", ()),
        )

    def version(self) -> int:
        """The version of the post that the caller saw."""
        seen = self.seen()
        if not seen.isdecimal() or len(seen) > 9:
            raise Invalid("if_match", "Send the ETag of the post, as you got it.", IF_MATCH)
        return int(seen)

    def posted(self, posted: Posted) -> dict[str, Any]:
        """What became of a text."""
        said = said_of(posted.assessment, self.me)
        shown = {**vars(posted), "said": said}
        return dict(PostedShown(shown, context={"language": self.me.language}).data)

    def standing(self, post: Post) -> Response:
        """A post of one's own, with its version."""
        shown = PostStands(post, context={"language": self.me.language}).data
        return Response(shown, headers={"ETag": etag(str(post.version))})


class WritingDoor(WordsDoor, PostingDoor):
    """What the doors for writing share."""

    permission_classes = [Joined]


def said_of(assessment: Assessment, author: Persona) -> dict[str, Any]:
    """What the rules say of a text, for its author."""
    help_ = help_for(author.language, author.time_zone).as_json() if assessment.crisis else None
    return {
        "covered": assessment.kinds,
        "reasons": reasons(assessment.hits, author.language),
        "advice": assessment.advice,
        "help": help_,
    }


class Begin(WritingDoor):
    """/community/spaces/{space_id}/threads"""

    @operation(
        "open_thread",
        "community",
        path={"space": examples.SPACE},
        repeatable=True,
        body=ThreadWritten,
        sends=examples.THREAD_WRITTEN,
        answer=PostedShown,
        shows=examples.POSTED,
        status=201,
        problems=[403],
    )
    def post(self, request: Request, space_id: UUID) -> Response:
        """Begin a thread in a space.

        It is seen at once, or waits for a person, or isn't taken; the answer says which, and why.
        """
        writing = self.writing(self.body(ThreadWritten))

        def act() -> Reply:
            posted = open_thread(self.me.id, space_id, writing, self.actor, self.now)
            return Reply(201, self.posted(posted))

        return self.once(act)


class Answer(WritingDoor):
    """/community/threads/{thread_id}/replies"""

    @operation(
        "reply",
        "community",
        path={"thread": examples.THREAD},
        repeatable=True,
        body=ReplyWritten,
        sends=examples.REPLY_WRITTEN,
        answer=PostedShown,
        shows=examples.POSTED,
        status=201,
        problems=[403],
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        """Reply in a thread. What becomes of it is said as for a thread."""
        writing = self.writing(self.body(ReplyWritten))

        def act() -> Reply:
            posted = reply(self.me.id, thread_id, writing, self.actor, self.now)
            return Reply(201, self.posted(posted))

        return self.once(act)


class Edit(WritingDoor):
    """/community/posts/{post_id}"""

    @operation(
        "edit_post",
        "community",
        path={"post": examples.POST},
        decides=True,
        body=PostWritten,
        sends=examples.REPLY_WRITTEN,
        answer=PostedShown,
        shows=examples.POSTED,
        problems=[403, 409],
    )
    def put(self, request: Request, post_id: UUID) -> Response:
        """Write your own post anew. What was seen of it stays until the new wording is.

        If-Match: the version that you changed.
        """
        writing = self.writing(self.body(PostWritten))
        posted = edit(self.me.id, post_id, writing, self.version(), self.actor, self.now)
        headers = {"ETag": etag(str(posted.post.version))}
        return Response(self.posted(posted), headers=headers)


class Withdraw(PostingDoor):
    """/community/posts/{post_id}/withdraw"""

    @operation(
        "withdraw_post",
        "community",
        path={"post": examples.POST},
        decides=True,
        body=Nothing,
        sends={},
        answer=PostStands,
        shows={
            **examples.STANDS,
            "state": "withdrawn",
            "state_in_words": "Withdrawn by its author",
        },
        problems=[409],
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        """Take your own post away, for good; with an opening post the whole thread goes."""
        self.body(Nothing)
        return self.standing(withdraw(self.me.id, post_id, self.version(), self.actor, self.now))


class AskForAPerson(PostingDoor):
    """/community/posts/{post_id}/ask-for-a-person"""

    @operation(
        "ask_for_a_person",
        "community",
        path={"post": examples.POST},
        decides=True,
        body=Nothing,
        sends={},
        answer=PostStands,
        shows={**examples.STANDS, "state": "pending", "state_in_words": "Waiting for a moderator"},
        problems=[409],
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        """Let a moderator look at a post of yours that the rules didn't take."""
        self.body(Nothing)
        return self.standing(
            ask_for_a_person(self.me.id, post_id, self.version(), self.actor, self.now)
        )
