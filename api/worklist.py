"""The care team's worklist."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.door import Door
from api.entrance import SignedIn
from api.fields import Id
from api.pages import Paged, page
from api.schema import operation
from reminders import reading
from reminders.models import Cause


class ItemsWanted(Paged):
    """Which items."""

    clinic = Id(required=False, help_text="Of one of your clinics.")


class PatientNamed(serializers.Serializer[Any]):
    """Whom it is about."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clinic = serializers.UUIDField(source="clinic_id")


class ItemShown(serializers.Serializer[Any]):
    """Something to look at. facts: ids and dates that say more."""

    id = serializers.UUIDField()
    patient = PatientNamed()
    cause = serializers.ChoiceField(Cause.choices)
    cause_in_words = serializers.CharField(source="get_cause_display")
    facts = serializers.DictField()
    opened_at = serializers.DateTimeField()


class ItemsPage(serializers.Serializer[Any]):
    """Items, the longest waiting first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = ItemShown(many=True)


class Worklist(Door):
    """/worklist"""

    permission_classes = [SignedIn]

    @operation(
        "list_worklist",
        "worklist",
        query=ItemsWanted,
        answer=ItemsPage,
        shows={"next": None, "results": [examples.WORK_ITEM]},
    )
    def get(self, request: Request) -> Response:
        """What somebody of your clinics has to look at, the longest waiting first."""
        query = self.query(ItemsWanted)
        items = reading.worklist_for(self.who, query.get("clinic"))
        found, following = page(items, query, request, newest_first=False)
        return Response(ItemsPage({"next": following, "results": found}).data)
