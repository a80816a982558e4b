"""The care team's worklist: what is on it, and what is known of an item."""

import base64
import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import Id, OneOf, Strict, Whole
from api.pages import MOST, cut
from api.schema import operation
from reminders.models import NEXT_STEP, Cause, Outcome, Urgency, WorkItem, WorkNote
from reminders.reading import care
from reminders.worklist.attending import is_held, owner_of

OUTCOMES = [("", "Open"), *Outcome.choices]
PLACE = r"[A-Za-z0-9_-]{23}"


@extend_schema_field({"type": "string", "pattern": f"^{PLACE}$"})
class Place(serializers.Field[tuple[int, UUID], Any, str, Any]):
    """Where a page of the worklist begins: urgency and id of the last row before it, in base64."""

    default_error_messages = {
        "cursor": "This cursor isn't one. Follow `next` of the page before.",
    }

    def to_internal_value(self, data: Any) -> tuple[int, UUID]:
        if not re.fullmatch(PLACE, data):
            self.fail("cursor")
        urgency, *id_ = base64.urlsafe_b64decode(f"{data}=")
        return urgency, UUID(bytes=bytes(id_))

    def to_representation(self, value: tuple[int, UUID]) -> str:
        urgency, id_ = value
        return base64.urlsafe_b64encode(bytes([urgency]) + id_.bytes).decode().rstrip("=")


class ItemsWanted(Strict):
    """Which items."""

    cursor = Place(required=False, help_text="From `next` of the page before; not made by hand.")
    page_size = Whole(1, MOST, in_query=True, default=50, help_text="How many at most.")
    clinic = Id(required=False, help_text="Of one of your clinics.")
    cause = OneOf(Cause.choices, required=False)
    mine = OneOf([("yes", "yes")], required=False, help_text="yes: only what you have taken.")


class CountsWanted(Strict):
    """Whose items."""

    clinic = Id(help_text="One of your clinics.")


class PatientNamed(serializers.Serializer[Any]):
    """Whom it is about."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clinic = serializers.UUIDField(source="clinic_id")


class PersonNamed(serializers.Serializer[Any]):
    """One of the care team."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class ItemShown(serializers.Serializer[Any]):
    """Something to look at. facts: ids and dates of what happened last, at last_at; times: how
    often it happened. owner: who has taken it, until owned_until; null once that has passed."""

    id = serializers.UUIDField()
    patient = PatientNamed()
    cause = serializers.ChoiceField(Cause.choices)
    cause_in_words = serializers.CharField(source="get_cause_display")
    next_step = serializers.SerializerMethodField(help_text="What is proposed to be done.")
    urgency = serializers.ChoiceField(Urgency.choices)
    urgency_in_words = serializers.CharField(source="get_urgency_display")
    facts = serializers.DictField()
    times = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    owner = serializers.SerializerMethodField()
    owned_until = serializers.SerializerMethodField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = PersonNamed(allow_null=True, help_text="Null: closed by what happened since.")
    outcome = serializers.ChoiceField(OUTCOMES)
    outcome_in_words = serializers.CharField(source="get_outcome_display")

    def get_next_step(self, item: WorkItem) -> str:
        return NEXT_STEP[Cause(item.cause)]

    @extend_schema_field(PersonNamed(allow_null=True))
    def get_owner(self, item: WorkItem) -> Any:
        owner = owner_of(item, self.context["now"])
        return PersonNamed(owner).data if owner else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_owned_until(self, item: WorkItem) -> Any:
        until = item.owned_until if is_held(item, self.context["now"]) else None
        return until and serializers.DateTimeField().to_representation(until)


class NoteShown(serializers.Serializer[Any]):
    """What happened to an item. by: null for what happened by itself; facts: of what happened."""

    kind = serializers.ChoiceField(WorkNote.Kind.choices)
    kind_in_words = serializers.CharField(source="get_kind_display")
    text = serializers.CharField()
    facts = serializers.DictField()
    by = PersonNamed(allow_null=True)
    at = serializers.DateTimeField()


class ItemWithNotesShown(ItemShown):
    """An item, and all that happened to it, oldest first."""

    notes = serializers.SerializerMethodField()

    @extend_schema_field(NoteShown(many=True))
    def get_notes(self, item: WorkItem) -> Any:
        return NoteShown(care.notes_of(item), many=True).data


class ItemsPage(serializers.Serializer[Any]):
    """Items, the most urgent first, and of these the longest waiting."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = ItemShown(many=True)


class CountShown(serializers.Serializer[Any]):
    """How many items of a cause are open, and how many of these somebody has taken."""

    urgency = serializers.ChoiceField(Urgency.choices)
    cause = serializers.ChoiceField(Cause.choices)
    open = serializers.IntegerField()
    taken = serializers.IntegerField()


class CountsShown(serializers.Serializer[Any]):
    """The open items of a clinic, counted at this moment; causes without one are left out."""

    results = CountShown(many=True)


class Worklist(Door):
    """/worklist"""

    permission_classes = [Staff]

    @operation(
        "list_worklist",
        "worklist",
        query=ItemsWanted,
        answer=ItemsPage,
        shows={"next": None, "results": [examples.WORK_ITEM]},
    )
    def get(self, request: Request) -> Response:
        """What somebody of your clinics has to look at, the most urgent and oldest first."""
        query = self.query(ItemsWanted)
        items = care.worklist_for(
            self.who,
            self.now,
            clinic_id=query.get("clinic"),
            cause=query.get("cause", ""),
            mine="mine" in query,
            after=query.get("cursor"),
        )
        found, following = cut(
            items, query, request, lambda last: Place().to_representation((last.urgency, last.id))
        )
        answer = ItemsPage({"next": following, "results": found}, context={"now": self.now})
        return Response(answer.data)


class Counts(Door):
    """/worklist/counts"""

    permission_classes = [Staff]

    @operation(
        "count_worklist",
        "worklist",
        query=CountsWanted,
        answer=CountsShown,
        shows={"results": [{"urgency": 1, "cause": "no_answer", "open": 3, "taken": 1}]},
        problems=[404],
    )
    def get(self, request: Request) -> Response:
        """How much is open in one of your clinics, by urgency and cause."""
        query = self.query(CountsWanted)
        counted = care.counts_for(self.who, query["clinic"], self.now)
        return Response(CountsShown({"results": counted}).data)


class OneItem(Door):
    """/worklist/{item_id}"""

    permission_classes = [Staff]

    @operation(
        "read_item",
        "worklist",
        item=True,
        answer=ItemWithNotesShown,
        shows=examples.WORK_ITEM_WITH_NOTES,
    )
    def get(self, request: Request, item_id: UUID) -> Response:
        """One item, open or closed, with all that happened to it."""
        item = care.item_for(self.who, item_id, May.SEE_PATIENTS)
        return Response(ItemWithNotesShown(item, context={"now": self.now}).data)
