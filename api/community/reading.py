"""What members read: spaces, feeds, threads, search, and who wrote it."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.refusals import Invalid
from api.community import posting_examples
from api.community import reading_examples as examples
from api.community import reading_shapes as shapes
from api.community.door import CommunityDoor, Member
from api.community.reading_shapes import following
from api.schema import operation
from community.models import LiveText
from community.posts.reacting import my_reactions
from community.reading import feeds, marks, searching, spaces, threads
from community.reading.keyset import Place


class ReadingDoor(CommunityDoor):
    """What the doors for reading share."""

    permission_classes = [Member]

    def context(self, texts: list[LiveText]) -> dict[str, Any]:
        """What showing some texts to this reader takes."""
        return {
            "me": self.me.id,
            "language": self.me.language,
            "reactions": my_reactions(self.me.id, [text.post_id for text in texts]),
        }

    def texts(self, found: list[LiveText], query: dict[str, Any]) -> Response:
        """A page of texts."""
        shown, next_ = following(found, query, self.request, place_of)
        answer = shapes.WrittenPage({"next": next_, "results": shown}, context=self.context(shown))
        return Response(answer.data)


def place_of(text: LiveText) -> Place:
    """Where the page after a text begins."""
    return text.published_at, text.post_id


class Spaces(ReadingDoor):
    """/community/spaces"""

    @operation(
        "list_spaces",
        "community",
        answer=shapes.SpacesList,
        shows={"results": [examples.SPACE]},
    )
    def get(self, request: Request) -> Response:
        """The spaces to read and write in."""
        answer = shapes.SpacesList({"results": spaces.spaces()}, context=self.context([]))
        return Response(answer.data)


class Feed(ReadingDoor):
    """/community/threads"""

    @operation(
        "list_threads",
        "community",
        query=shapes.FeedWanted,
        answer=shapes.FeedPage,
        shows={"next": None, "pinned": [], "results": [examples.ENTRY]},
        problems=[404],
    )
    def get(self, request: Request) -> Response:
        """Threads, begun last first or with the newest text first."""
        query = self.query(shapes.FeedWanted)
        if sum(name in query for name in ("space", "tag", "mine")) > 1:
            raise Invalid("one_of", "Choose one of: space, tag, mine.")
        order, after = feeds.Order(query["order"]), query.get("cursor")
        mine = query.get("mine")
        wanted = feeds.Wanted(
            order,
            space=query.get("space"),
            tag=query.get("tag", ""),
            like_mine=mine == "like",
            followed=mine == "followed",
        )
        found = feeds.feed(self.me, wanted, after, query["page_size"] + 1)
        first = wanted.space if after is None else None
        above = feeds.pinned(self.me, first, order) if first else []
        results, next_ = following(
            found,
            query,
            request,
            lambda last: (getattr(last.live, order.instant), last.live.thread_id),
        )
        page = {"next": next_, "pinned": above, "results": results}
        return Response(shapes.FeedPage(page, context=self.context([])).data)


class OneThread(ReadingDoor):
    """/community/threads/{thread_id}"""

    @operation(
        "read_thread",
        "community",
        path={"thread": posting_examples.THREAD},
        query=shapes.PlacePaged,
        answer=shapes.ThreadPageShown,
        shows=examples.THREAD_PAGE,
    )
    def get(self, request: Request, thread_id: UUID) -> Response:
        """A thread with its replies, oldest first."""
        query = self.query(shapes.PlacePaged)
        page = threads.read_thread(self.me, thread_id, query.get("cursor"), query["page_size"] + 1)
        replies, next_ = following(page.replies, query, request, place_of)
        thread = page.opener.thread
        shown = {
            "next": next_,
            "thread": {
                "id": thread.id,
                "space_id": page.live.space_id,
                "replies": page.count,
                "active_at": page.live.active_at,
                "pinned": page.live.pinned,
                "read_only": thread.read_only,
                "slow_seconds": thread.slow_seconds,
                "follows": page.follows,
                "read_to": page.mark and page.mark.read_to,
            },
            "opener": page.opener,
            "results": replies,
        }
        context = self.context([page.opener, *replies])
        return Response(shapes.ThreadPageShown(shown, context=context).data)


class MarkRead(ReadingDoor):
    """/community/threads/{thread_id}/read"""

    @operation(
        "mark_thread_read",
        "community",
        path={"thread": posting_examples.THREAD},
        body=shapes.ReadTo,
        sends={"post": posting_examples.POST},
        answer=None,
        status=204,
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        """Say how far you have read a thread. It only moves forward."""
        marks.mark_read(self.me, thread_id, self.body(shapes.ReadTo)["post"])
        return Response(status=204)


class Search(ReadingDoor):
    """/community/search"""

    @operation(
        "search_texts",
        "community",
        query=shapes.SearchWanted,
        answer=shapes.WrittenPage,
        shows={"next": None, "results": [examples.TEXT]},
    )
    def get(self, request: Request) -> Response:
        """Texts that hold some words, in one language."""
        query = self.query(shapes.SearchWanted)
        sort = searching.Sort(query["sort"])
        best = sort is searching.Sort.BEST
        found = searching.search(
            self.me,
            query["words"],
            query.get("language", self.me.language),
            sort,
            query.get("cursor"),
            query["page_size"] + (0 if best else 1),
        )
        return self.texts(found, query)


class MemberTexts(ReadingDoor):
    """/community/members/{member_id}/texts"""

    @operation(
        "list_member_texts",
        "community",
        path={"member": posting_examples.MEMBER},
        query=shapes.PlacePaged,
        answer=shapes.WrittenPage,
        shows={"next": None, "results": [examples.TEXT]},
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """What a member wrote, newest first."""
        query = self.query(shapes.PlacePaged)
        found = threads.texts_of(self.me, member_id, query.get("cursor"), query["page_size"] + 1)
        return self.texts(found, query)
