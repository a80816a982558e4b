"""What a member has written: posts in whatever state, and drafts. Nobody else sees it here."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import posting_examples as examples
from api.community.door import CommunityDoor, Member
from api.community.posting import PostingDoor, said_of
from api.community.shapes import VERDICTS, DraftWritten, RulesSaid
from api.door import etag
from api.fields import Nothing
from api.pages import Cursor, Paged, cut, page
from api.schema import operation
from community.models import Persona, PostState, Revision
from community.posts import drafts
from community.posts.markdown import to_html
from community.posts.mine import my_post, my_posts
from community.posts.telling import reasons_of, state_in_words


class MineShown(serializers.Serializer[Any]):
    """A post of your own in its newest wording, the number-th. version: its ETag. verdict, reasons:
    what the rules said of this wording. seen: whether this is the wording that others see, or would
    see if the thread were there."""

    id = serializers.UUIDField(source="post_id")
    thread = serializers.UUIDField(source="post.thread_id")
    space = serializers.UUIDField(source="post.thread.space_id")
    opens = serializers.BooleanField(source="post.opens")
    state = serializers.ChoiceField(PostState.choices, source="post.state")
    state_in_words = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="post.version")
    published_at = serializers.DateTimeField(source="post.published_at", allow_null=True)
    number = serializers.IntegerField()
    written_at = serializers.DateTimeField(source="at")
    title = serializers.CharField()
    body = serializers.CharField()
    html = serializers.SerializerMethodField()
    tags = serializers.ListField(child=serializers.CharField())
    verdict = serializers.ChoiceField(VERDICTS)
    reasons = serializers.SerializerMethodField()
    seen = serializers.SerializerMethodField()

    def get_state_in_words(self, revision: Revision) -> str:
        return state_in_words(revision.post.state, self.context["language"])

    def get_html(self, revision: Revision) -> str:
        return to_html(revision.body)

    def get_reasons(self, revision: Revision) -> list[str]:
        return self.context["reasons"][revision.id] if "reasons" in self.context else []

    def get_seen(self, revision: Revision) -> bool:
        post = revision.post
        return post.state == PostState.PUBLISHED and post.published_id == revision.id


class MinePage(serializers.Serializer[Any]):
    """Your posts, those begun last first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = MineShown(many=True)


class MyPosts(CommunityDoor):
    """/community/my-posts"""

    permission_classes = [Member]

    @operation(
        "list_my_posts",
        "community",
        query=Paged,
        answer=MinePage,
        shows={"next": None, "results": [examples.MINE]},
    )
    def get(self, request: Request) -> Response:
        """Your own posts and what became of each."""
        query = self.query(Paged)
        found, following = cut(
            my_posts(self.me, query.get("cursor")),
            query,
            request,
            lambda last: Cursor().to_representation(last.post_id),
        )
        shown = MinePage({"next": following, "results": found}, context=_why(found, self.me))
        return Response(shown.data)


class MyPost(CommunityDoor):
    """/community/my-posts/{post_id}"""

    permission_classes = [Member]

    @operation(
        "read_my_post",
        "community",
        path={"post": examples.POST},
        etag=True,
        answer=MineShown,
        shows=examples.MINE,
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        """One of your own posts, to change it. Its ETag goes with what you do to it."""
        found = my_post(self.me, post_id)
        shown = MineShown(found, context=_why([found], self.me)).data
        return Response(shown, headers={"ETag": etag(str(found.post.version))})


def _why(found: list[Revision], author: Persona) -> dict[str, Any]:
    return {"reasons": reasons_of(found, author.language), "language": author.language}


class DraftShown(serializers.Serializer[Any]):
    """What you are writing. space: of a new thread; thread: of a reply."""

    id = serializers.UUIDField()
    space = serializers.UUIDField(source="space_id", allow_null=True)
    thread = serializers.UUIDField(source="thread_id", allow_null=True)
    title = serializers.CharField()
    body = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    saved_at = serializers.DateTimeField()


class DraftSaved(serializers.Serializer[Any]):
    """A draft as it is kept, and what the rules would say if you posted it."""

    draft = DraftShown()
    said = RulesSaid()


class DraftsPage(serializers.Serializer[Any]):
    """Your drafts, begun last first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = DraftShown(many=True)


class Drafts(CommunityDoor):
    """/community/drafts"""

    permission_classes = [Member]

    @operation(
        "list_drafts",
        "community",
        query=Paged,
        answer=DraftsPage,
        shows={"next": None, "results": [examples.DRAFT_SHOWN]},
    )
    def get(self, request: Request) -> Response:
        """What you are writing."""
        found, following = page(drafts.drafts_of(self.me), self.query(Paged), request)
        return Response(DraftsPage({"next": following, "results": found}).data)


class DiscardDraft(CommunityDoor):
    """/community/drafts/{draft_id}/discard"""

    permission_classes = [Member]

    @operation(
        "discard_draft",
        "community",
        path={"draft": examples.DRAFT},
        body=Nothing,
        sends={},
        answer=None,
        status=204,
    )
    def post(self, request: Request, draft_id: UUID) -> Response:
        """Throw a draft away."""
        self.body(Nothing)
        drafts.throw_away(self.me.id, draft_id)
        return Response(status=204)


class DraftDoor(PostingDoor):
    """What both doors to a draft share."""

    def save(self, **where: UUID) -> Response:
        """Keep what was sent, and say what the rules would."""
        writing = self.writing(self.body(DraftWritten))
        draft, assessment = drafts.save_draft(self.me.id, writing, self.now, **where)
        said = said_of(assessment, self.me)
        return Response(DraftSaved({"draft": draft, "said": said}).data)


_SAVES: dict[str, Any] = {
    "body": DraftWritten,
    "sends": examples.DRAFT_WRITTEN,
    "answer": DraftSaved,
    "shows": {"draft": examples.DRAFT_SHOWN, "said": examples.SAID},
}


class ThreadDraft(DraftDoor):
    """/community/spaces/{space_id}/draft"""

    @operation("save_thread_draft", "community", path={"space": examples.SPACE}, **_SAVES)
    def put(self, request: Request, space_id: UUID) -> Response:
        """Keep the thread that you are writing in a space, one in each.

        Nobody sees it, and nobody is called; what the rules say is for you, while you write.
        """
        return self.save(space_id=space_id)


class ReplyDraft(DraftDoor):
    """/community/threads/{thread_id}/draft"""

    @operation("save_reply_draft", "community", path={"thread": examples.THREAD}, **_SAVES)
    def put(self, request: Request, thread_id: UUID) -> Response:
        """Keep the reply that you are writing in a thread, one in each."""
        return self.save(thread_id=thread_id)
