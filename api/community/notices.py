"""Notices in the app, and where else a member hears."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import notices_examples as examples
from api.community.decisions import MyDecisionShown
from api.community.door import CommunityDoor, Joined
from api.fields import Id, OneOf, Strict, Text, Whole
from api.pages import Paged, page
from api.schema import operation
from community.models import Channel, NoticeKind
from community.notices import contacts, telling
from community.notices.writing import PERSONAL

KINDS = NoticeKind.choices


class UpTo(Strict):
    """The newest notice that was read."""

    up_to = Id()


class Kinds(Strict):
    """Kinds of notices."""

    quiet = serializers.ListField(child=OneOf(KINDS), max_length=len(KINDS))


class HearingWanted(Strict):
    """Where somebody wants to hear. every_days: between two e-mails, 1 or 7."""

    channel = OneOf(Channel.choices)
    address = Text(max_length=254, help_text="An e-mail address; or a number with its country.")
    every_days = Whole(1, 7, required=False, default=1)


class ChannelNamed(Strict):
    """One way to hear."""

    channel = OneOf(Channel.choices)


class CodeGiven(ChannelNamed):
    """The code that was sent there."""

    code = Text(max_length=10)


class NewsShown(serializers.Serializer[Any]):
    """Something to tell you, in your language. decision: of a decision about you, with its reason
    and the way to appeal."""

    id = serializers.UUIDField(source="notice.id")
    kind = serializers.ChoiceField(KINDS, source="notice.kind")
    words = serializers.CharField()
    at = serializers.DateTimeField(source="notice.at")
    read_at = serializers.DateTimeField(source="notice.read_at", allow_null=True)
    thread = serializers.UUIDField(source="notice.thread_id", allow_null=True)
    post = serializers.UUIDField(source="notice.post_id", allow_null=True)
    decision = MyDecisionShown(allow_null=True)


class NewsPage(serializers.Serializer[Any]):
    """Notices, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = NewsShown(many=True)


class Unread(serializers.Serializer[Any]):
    """How many notices are unread. more: there are more than `unread`, which isn't counted on."""

    unread = serializers.IntegerField(max_value=telling.MANY)
    more = serializers.BooleanField()


class QuietKinds(serializers.Serializer[Any]):
    """The kinds of notices that you don't want, and those that can't be turned off."""

    quiet = serializers.ListField(child=serializers.ChoiceField(KINDS))
    always = serializers.ListField(child=serializers.ChoiceField(KINDS))


class ContactShown(serializers.Serializer[Any]):
    """Where you hear. confirmed_at: null until the code was given back."""

    channel = serializers.ChoiceField(Channel.choices)
    address = serializers.CharField()
    every_days = serializers.IntegerField()
    confirmed_at = serializers.DateTimeField(allow_null=True)


class Contacts(serializers.Serializer[Any]):
    """Where you hear, or asked to."""

    results = ContactShown(many=True)


class Notices(CommunityDoor):
    """/community/notices"""

    permission_classes = [Joined]

    @operation(
        "list_notices",
        "community",
        query=Paged,
        answer=NewsPage,
        shows={"next": None, "results": [examples.NOTICE, examples.OF_A_DECISION]},
    )
    def get(self, request: Request) -> Response:
        """What there is to tell you, as far as you can see what it is about at this moment."""
        rows, after = page(telling.notices_of(self.me), self.query(Paged), request)
        told = telling.in_words(rows, self.me)
        shown = NewsPage({"next": after, "results": told}, context={"language": self.me.language})
        return Response(shown.data)


class UnreadNotices(CommunityDoor):
    """/community/notices/unread"""

    permission_classes = [Joined]

    @operation(
        "count_unread_notices",
        "community",
        answer=Unread,
        shows={"unread": 3, "more": False},
    )
    def get(self, request: Request) -> Response:
        """How many notices are unread, up to 99."""
        found = telling.unread(self.me)
        return Response({"unread": min(found, telling.MANY), "more": found > telling.MANY})


class ReadNotices(CommunityDoor):
    """/community/notices/read"""

    permission_classes = [Joined]

    @operation(
        "mark_notices_read",
        "community",
        body=UpTo,
        sends={"up_to": examples.NOTICE["id"]},
        answer=None,
        status=204,
    )
    def post(self, request: Request) -> Response:
        """Mark your notices as read, this one and all that are older."""
        telling.mark_read(self.me, self.body(UpTo)["up_to"], self.now)
        return Response(status=204)


class NoticeKinds(CommunityDoor):
    """/community/notices/kinds"""

    permission_classes = [Joined]

    @operation("read_quiet_kinds", "community", answer=QuietKinds, shows=examples.QUIET)
    def get(self, request: Request) -> Response:
        """Of which kinds you don't want to be told."""
        return self._shown(telling.quiet_kinds(self.me))

    @operation(
        "set_quiet_kinds",
        "community",
        body=Kinds,
        sends={"quiet": ["reaction"]},
        answer=QuietKinds,
        shows=examples.QUIET,
    )
    def put(self, request: Request) -> Response:
        """Don't be told of these kinds, in the app or elsewhere. What became of your own posts,
        reports and appeals can't be turned off."""
        kinds = [NoticeKind(kind) for kind in self.body(Kinds)["quiet"]]
        return self._shown(telling.set_quiet(self.me, kinds, self.actor))

    def _shown(self, quiet: list[str]) -> Response:
        return Response({"quiet": quiet, "always": sorted(PERSONAL)})


class ContactDoor(CommunityDoor):
    """What the doors to contacts share."""

    permission_classes = [Joined]

    def shown(self) -> Response:
        return Response(Contacts({"results": contacts.contacts_of(self.me)}).data)


class MyContacts(ContactDoor):
    """/community/contacts"""

    @operation("list_contacts", "community", answer=Contacts, shows=examples.CONTACTS)
    def get(self, request: Request) -> Response:
        """Where you hear besides the app: e-mail, text. You alone see it."""
        return self.shown()


class AskToHear(ContactDoor):
    """/community/contacts/ask"""

    @operation(
        "ask_to_hear",
        "community",
        body=HearingWanted,
        sends=examples.HEARING,
        answer=Contacts,
        shows=examples.CONTACTS,
        problems=[409],
    )
    def post(self, request: Request) -> Response:
        """Ask to hear by e-mail or text. A code goes there: give it back, and it is on.

        Texts say only that there is something new, at most once a day and between 8 and 21 o'clock.
        """
        sent = self.body(HearingWanted)
        channel = Channel(sent["channel"])
        contacts.ask(self.me, channel, sent["address"], sent["every_days"], self.actor, self.now)
        return self.shown()


class ConfirmContact(ContactDoor):
    """/community/contacts/confirm"""

    @operation(
        "confirm_contact",
        "community",
        body=CodeGiven,
        sends={"channel": "mail", "code": "042917"},
        answer=Contacts,
        shows=examples.CONTACTS,
        problems=[404, 409],
    )
    def post(self, request: Request) -> Response:
        """Give the code back that was sent there."""
        sent = self.body(CodeGiven)
        contacts.confirm(self.me, Channel(sent["channel"]), sent["code"], self.actor, self.now)
        return self.shown()


class TurnOffContact(ContactDoor):
    """/community/contacts/turn-off"""

    @operation(
        "turn_off_contact",
        "community",
        body=ChannelNamed,
        sends={"channel": "mail"},
        answer=Contacts,
        shows={"results": []},
        problems=[404],
    )
    def post(self, request: Request) -> Response:
        """Hear nothing more there. The address is forgotten."""
        contacts.turn_off(self.me, Channel(self.body(ChannelNamed)["channel"]), self.actor)
        return self.shown()
