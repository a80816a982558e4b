"""What the care team does with items of the worklist."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import LINES, WORDS, Nothing, OneOf, Strict, Text
from api.schema import operation
from api.worklist import ItemWithNotesShown
from reminders.models import Outcome, WorkItem
from reminders.reading import care
from reminders.worklist import attending

ENDS = [choice for choice in Outcome.choices if choice[0] != Outcome.BY_EVENT]
LONGEST_NOTE = 2000
NOT_TAKEN = {**examples.WORK_ITEM_WITH_NOTES, "owner": None, "owned_until": None}
"""For the examples."""


class Noted(Strict):
    """text: for the team."""

    text = Text(max_length=LONGEST_NOTE, kind=WORDS)


class Ended(Strict):
    """How it ended. note: a last one, for the team."""

    outcome = OneOf(ENDS)
    note = Text(max_length=LONGEST_NOTE, kind=LINES, required=False)


class ItemDoor(Door):
    """What the doors to an item share: the answer is the item as it is then."""

    permission_classes = [Staff]

    def answer(self, item_id: UUID, act: Callable[[UUID], WorkItem]) -> Response:
        """Act once on an item that the caller may attend to."""
        care.item_for(self.who, item_id, May.ATTEND)
        now = self.now

        def reply() -> Reply:
            return Reply(200, _shown(act(item_id), now))

        return self.once(reply)


class Take(ItemDoor):
    """/worklist/{item_id}/take"""

    @operation(
        "take_item",
        "worklist",
        item=True,
        repeatable=True,
        body=Nothing,
        sends={},
        answer=ItemWithNotesShown,
        shows=examples.WORK_ITEM_WITH_NOTES,
        problems=[403],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Look after an item for the next half hour, and page nobody for it meanwhile.

        Taking it again begins the half hour anew. Refused while a colleague has it, who is named.
        """
        self.body(Nothing)
        return self.answer(item_id, lambda id_: attending.take(id_, self.actor, self.now))


class HandBack(ItemDoor):
    """/worklist/{item_id}/hand-back"""

    @operation(
        "hand_item_back",
        "worklist",
        item=True,
        repeatable=True,
        body=Nothing,
        sends={},
        answer=ItemWithNotesShown,
        shows=NOT_TAKEN,
        problems=[403],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Leave an item that you have taken to whoever is next. An urgent one pages on at once."""
        self.body(Nothing)
        return self.answer(item_id, lambda id_: attending.hand_back(id_, self.actor, self.now))


class AddNote(ItemDoor):
    """/worklist/{item_id}/notes"""

    @operation(
        "note_on_item",
        "worklist",
        item=True,
        repeatable=True,
        body=Noted,
        sends={"text": "Rang, no answer. I try again at five."},
        answer=ItemWithNotesShown,
        shows=examples.WORK_ITEM_WITH_NOTES,
        problems=[403],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Note something for the team, whoever has taken the item, and be it closed."""
        sent = self.body(Noted)
        return self.answer(
            item_id, lambda id_: attending.add_note(id_, sent["text"], self.actor, self.now)
        )


class Close(ItemDoor):
    """/worklist/{item_id}/close"""

    @operation(
        "close_item",
        "worklist",
        item=True,
        repeatable=True,
        body=Ended,
        sends={"outcome": "done", "note": "It was done on Monday, recorded."},
        answer=ItemWithNotesShown,
        shows={
            **NOT_TAKEN,
            "closed_at": "2027-01-13T09:50:00Z",
            "closed_by": examples.WORK_ITEM["owner"],
            "outcome": "done",
            "outcome_in_words": "Dealt with",
        },
        problems=[403],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        """Close an item.

        Refused while a colleague has it, who is named, and with `consent_missing` where a new
        consent alone closes it.
        """
        sent = self.body(Ended)
        outcome, note = Outcome(sent["outcome"]), sent.get("note", "")
        return self.answer(
            item_id, lambda id_: attending.close(id_, outcome, note, self.actor, self.now)
        )


def _shown(item: WorkItem, now: Any) -> Any:
    return ItemWithNotesShown(item, context={"now": now}).data
