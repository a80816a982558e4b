"""Shapes of what members read."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from api.community.shapes import LANGUAGES, TAGS
from api.fields import Id, OneOf, Strict, Text, Whole
from community.members.names import name_of
from community.models import LiveText, PersonaRole, ReactionKind
from community.posts.markdown import to_html, to_plain
from community.reading.feeds import Entry, Order
from community.reading.keyset import Place
from community.reading.marks import MOST as MOST_UNREAD
from community.reading.searching import Sort
from community.reading.spaces import said

PLACE = r"[A-Za-z0-9_-]{32}"
MOST = 100
EXCERPT = 280
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

Row = TypeVar("Row")


@extend_schema_field({"type": "string", "pattern": f"^{PLACE}$"})
class InstantPlace(serializers.Field[Place, Any, str, Any]):
    """Where a page begins: the instant and the key of the last row before it, in base64."""

    default_error_messages = {
        "cursor": "This cursor isn't one. Follow `next` of the page before.",
    }

    def to_internal_value(self, data: Any) -> Place:
        if not re.fullmatch(PLACE, data):
            self.fail("cursor")
        held = base64.urlsafe_b64decode(data)
        # One that we didn't make may name any instant: past the last there is, the last.
        since = min(int.from_bytes(held[:8]), LAST)
        return EPOCH + timedelta(microseconds=since), UUID(bytes=held[8:])

    def to_representation(self, value: Place) -> str:
        instant, key = value
        since = (instant - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(since.to_bytes(8) + key.bytes).decode()


class PlacePaged(Strict):
    """The query of a list by time."""

    cursor = InstantPlace(
        required=False, help_text="From `next` of the page before; not made by hand."
    )
    page_size = Whole(1, MOST, in_query=True, default=20, help_text="How many at most.")


def following(
    rows: Sequence[Row], query: dict[str, Any], request: Request, place: Any
) -> tuple[list[Row], str | None]:
    """The rows of a page, of which one more was asked for, and the address of the next page."""
    size = query["page_size"]
    if len(rows) <= size:
        return list(rows), None
    cursor = InstantPlace().to_representation(place(rows[size - 1]))
    again = {**request.query_params.dict(), "cursor": cursor}
    return list(rows[:size]), request.build_absolute_uri(f"{request.path}?{urlencode(again)}")


class FeedWanted(PlacePaged):
    """Which threads: all, or those of a space, or with a tag, or like yours, or that you follow."""

    order = OneOf([(order.value, order.value) for order in Order], default=Order.ACTIVE.value)
    space = Id(required=False)
    tag = OneOf(TAGS, required=False)
    mine = OneOf(
        [("like", "like"), ("followed", "followed")],
        required=False,
        help_text="like: with the tags of your own profile. followed: those you follow.",
    )


class SearchWanted(PlacePaged):
    """What for. words: as you type them; quotes for a phrase, "or", "-" for not. language: of the
    texts, your own if you don't say. best: one page of those that say it most."""

    words = Text(max_length=200)
    language = OneOf(LANGUAGES, required=False)
    sort = OneOf([(sort.value, sort.value) for sort in Sort], default=Sort.NEWEST.value)


class AuthorShown(serializers.Serializer[Any]):
    """Who wrote it. id: null for a former member, who has no page any more."""

    id = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    role = serializers.ChoiceField(PersonaRole.choices)

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_id(self, persona: Any) -> str | None:
        return None if persona.left_at else str(persona.id)

    def get_name(self, persona: Any) -> str:
        return name_of(persona, self.context["language"])


class WrittenShown(serializers.Serializer[Any]):
    """A text that can be seen. body: its Markdown; html: the same, safe to show. advice: show it
    with the note that nobody's dose is another's. mine: whether it is yours; my_reactions: yours to
    it."""

    id = serializers.UUIDField(source="post_id")
    thread = serializers.UUIDField(source="thread_id")
    author = AuthorShown()
    opens = serializers.BooleanField()
    language = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    html = serializers.SerializerMethodField()
    tags = serializers.ListField(child=serializers.CharField())
    advice = serializers.BooleanField()
    edited = serializers.BooleanField()
    published_at = serializers.DateTimeField()
    hugs = serializers.IntegerField()
    same = serializers.IntegerField()
    helped = serializers.IntegerField()
    my_reactions = serializers.SerializerMethodField()
    mine = serializers.SerializerMethodField()

    def get_html(self, live: LiveText) -> str:
        return to_html(live.body)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(ReactionKind.choices)))
    def get_my_reactions(self, live: LiveText) -> list[str]:
        found: list[str] = self.context["reactions"].get(live.post_id, [])
        return found

    def get_mine(self, live: LiveText) -> bool:
        return bool(live.author_id == self.context["me"])


class EntryShown(serializers.Serializer[Any]):
    """A thread in a feed. replies: those that you see. unread: texts that are new to you, at most
    100; null if you haven't read it."""

    thread = serializers.UUIDField(source="live.thread_id")
    space = serializers.UUIDField(source="live.space_id")
    author = AuthorShown(source="opener.author")
    title = serializers.CharField(source="opener.title")
    excerpt = serializers.SerializerMethodField()
    language = serializers.CharField(source="opener.language")
    tags = serializers.ListField(child=serializers.CharField(), source="live.tags")
    pinned = serializers.BooleanField(source="live.pinned")
    published_at = serializers.DateTimeField(source="live.published_at")
    active_at = serializers.DateTimeField(source="live.active_at")
    replies = serializers.IntegerField()
    unread = serializers.IntegerField(allow_null=True, max_value=MOST_UNREAD)

    def get_excerpt(self, entry: Entry) -> str:
        return shortened(entry.opener.body)


class FeedPage(serializers.Serializer[Any]):
    """Threads. pinned: of a space, on its first page alone; they aren't among the results."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    pinned = EntryShown(many=True)
    results = EntryShown(many=True)


class ThreadShown(serializers.Serializer[Any]):
    """A thread. replies: how many you see. closed: for replies. slow_seconds: how long you wait
    between two replies of yours. read_to: up to when you have read it, null if never."""

    id = serializers.UUIDField()
    space = serializers.UUIDField(source="space_id")
    replies = serializers.IntegerField()
    active_at = serializers.DateTimeField()
    pinned = serializers.BooleanField()
    closed = serializers.BooleanField(source="read_only")
    slow_seconds = serializers.IntegerField()
    follows = serializers.BooleanField()
    read_to = serializers.DateTimeField(allow_null=True)


class ThreadPageShown(serializers.Serializer[Any]):
    """A thread, its opening post, and some of its replies, oldest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    thread = ThreadShown()
    opener = WrittenShown()
    results = WrittenShown(many=True)


class WrittenPage(serializers.Serializer[Any]):
    """Texts that can be seen."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = WrittenShown(many=True)


class SpaceShown(serializers.Serializer[Any]):
    """A space. title, about: in your language. closed: read, not written."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    title = serializers.SerializerMethodField()
    about = serializers.SerializerMethodField()
    closed = serializers.BooleanField()

    def get_title(self, space: Any) -> str:
        return said(space.title, self.context["language"])

    def get_about(self, space: Any) -> str:
        return said(space.about, self.context["language"])


class SpacesList(serializers.Serializer[Any]):
    """The spaces, in the house's order."""

    results = SpaceShown(many=True)


class ReadTo(Strict):
    """post: the last text that you have read there."""

    post = Id()


def shortened(body: str) -> str:
    """The beginning of a text as it is read, on one line."""
    plain = " ".join(to_plain(body).split())
    return plain if len(plain) <= EXCERPT else f"{plain[: EXCERPT - 1].rstrip()}…"
