"""The moderators' queue, and looking after a case."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import case_examples as examples
from api.community.case_shapes import CaseEventsPage, CaseFileShown, CaseReportsPage, CasesPage
from api.community.door import CommunityDoor, Moderator
from api.door import etag
from api.fields import WORDS, Id, Nothing, OneOf, Strict, Text, Whole
from api.pages import MOST, Paged, cut, page
from api.schema import operation
from api.worklist import Place
from community.models import Case, CaseKind
from community.moderation import claiming, queue
from community.moderation.deciding import token_of

LONGEST_NOTE = 2000
YES = [("yes", "yes")]


class CasesWanted(Strict):
    """Which cases."""

    cursor = Place(required=False, help_text="From `next` of the page before; not made by hand.")
    page_size = Whole(1, MOST, in_query=True, default=50, help_text="How many at most.")
    kind = OneOf(CaseKind.choices, required=False)
    mine = OneOf(YES, required=False, help_text="yes: only what you look after.")
    free = OneOf(YES, required=False, help_text="yes: only what nobody looks after.")


class HandedOver(Strict):
    """To which moderator."""

    to = Id()


class CaseNoted(Strict):
    """text: for the other moderators."""

    text = Text(max_length=LONGEST_NOTE, kind=WORDS)


class NoteTaken(serializers.Serializer[Any]):
    """A note was stored."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()


class CaseDoor(CommunityDoor):
    """What the doors to cases share."""

    permission_classes = [Moderator]

    def shown(self, case_id: UUID) -> Response:
        """The case as it is, with all that is known of it, and its ETag."""
        file = queue.file_for(self.me, case_id, self.now)
        shown = CaseFileShown(file, context={"now": self.now})
        return Response(shown.data, headers={"ETag": etag(token_of(file.case, file.post))})

    def act(self, case_id: UUID, verb: Callable[..., Case], *more: Any) -> Response:
        """Look after a case, and answer it as it is then."""
        verb(self.me.id, case_id, *more, self.actor, self.now)
        return self.shown(case_id)


class Queue(CaseDoor):
    """/community/moderation/cases"""

    @operation(
        "list_cases",
        "moderation",
        query=CasesWanted,
        answer=CasesPage,
        shows={"next": None, "results": [examples.CASE]},
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """What waits for a moderator, the most urgent and oldest first. None is about you."""
        query = self.query(CasesWanted)
        cases = queue.waiting(
            self.me,
            self.now,
            kind=CaseKind(query["kind"]) if "kind" in query else None,
            mine="mine" in query,
            free="free" in query,
            after=query.get("cursor"),
        )
        found, following = cut(
            cases, query, request, lambda last: Place().to_representation((last.urgency, last.id))
        )
        shown = CasesPage({"next": following, "results": found}, context={"now": self.now})
        return Response(shown.data)


class OneCase(CaseDoor):
    """/community/moderation/cases/{case_id}"""

    @operation(
        "read_case",
        "moderation",
        path={"case": examples.CASE_ID},
        etag=True,
        answer=CaseFileShown,
        shows=examples.FILE,
        problems=[403],
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """A case, open or closed, with all that a decision is made on.

        Its ETag names the state of the case and of its post; send it as If-Match with a decision.
        """
        return self.shown(case_id)


class CaseEvents(CaseDoor):
    """/community/moderation/cases/{case_id}/events"""

    @operation(
        "list_case_events",
        "moderation",
        path={"case": examples.CASE_ID},
        query=Paged,
        answer=CaseEventsPage,
        shows={"next": None, "results": examples.FILE["events"]},
        problems=[403],
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """All that happened to a case, the newest first."""
        events = queue.events_of(self.me, case_id)
        found, following = page(events, self.query(Paged), request)
        return Response(CaseEventsPage({"next": following, "results": found}).data)


class CaseReports(CaseDoor):
    """/community/moderation/cases/{case_id}/reports"""

    @operation(
        "list_case_reports",
        "moderation",
        path={"case": examples.CASE_ID},
        query=Paged,
        answer=CaseReportsPage,
        shows={"next": None, "results": examples.FILE["reports"]},
        problems=[403],
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """All reports that a case is of, the newest first; of an appeal, those of what it is
        against."""
        reports = queue.reports_of(self.me, case_id)
        found, following = page(reports, self.query(Paged), request)
        return Response(CaseReportsPage({"next": following, "results": found}).data)


class Claim(CaseDoor):
    """/community/moderation/cases/{case_id}/claim"""

    @operation(
        "claim_case",
        "moderation",
        path={"case": examples.CASE_ID},
        etag=True,
        body=Nothing,
        sends={},
        answer=CaseFileShown,
        shows=examples.FILE,
        problems=[403, 409, 412],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Look after a case for the next half hour; again: it begins anew.

        Refused while a colleague has it, and for more than ten at a time.
        """
        self.body(Nothing)
        return self.act(case_id, claiming.claim)


class HandBack(CaseDoor):
    """/community/moderation/cases/{case_id}/hand-back"""

    @operation(
        "hand_case_back",
        "moderation",
        path={"case": examples.CASE_ID},
        etag=True,
        body=Nothing,
        sends={},
        answer=CaseFileShown,
        shows=examples.FREE_FILE,
        problems=[403, 409, 412],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Leave a case that you have taken to whoever is next."""
        self.body(Nothing)
        return self.act(case_id, claiming.hand_back)


class HandOver(CaseDoor):
    """/community/moderation/cases/{case_id}/hand-over"""

    @operation(
        "hand_case_over",
        "moderation",
        path={"case": examples.CASE_ID},
        etag=True,
        body=HandedOver,
        sends={"to": examples.OWL["id"]},
        answer=CaseFileShown,
        shows=examples.FILE,
        problems=[403, 409, 412],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Give a case that you have taken to a colleague, who has it for half an hour."""
        return self.act(case_id, claiming.hand_over, self.body(HandedOver)["to"])


class SecondOpinion(CaseDoor):
    """/community/moderation/cases/{case_id}/second-opinion"""

    @operation(
        "ask_for_second_opinion",
        "moderation",
        path={"case": examples.CASE_ID},
        etag=True,
        body=Nothing,
        sends={},
        answer=CaseFileShown,
        shows=examples.FREE_FILE,
        problems=[403, 409, 412],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Leave the decision on a case that you have taken to another moderator. You don't decide
        it then."""
        self.body(Nothing)
        return self.act(case_id, claiming.ask_for_second_opinion)


class AddNote(CaseDoor):
    """/community/moderation/cases/{case_id}/notes"""

    @operation(
        "note_on_case",
        "moderation",
        path={"case": examples.CASE_ID},
        body=CaseNoted,
        sends={"text": "I have asked the author what was meant."},
        answer=NoteTaken,
        shows={"id": "0198c0de-0000-7000-8000-00000000e7e7", "at": "2027-01-04T09:05:00Z"},
        status=201,
        problems=[403],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Note something for the other moderators, whoever has the case, and be it closed."""
        text = self.body(CaseNoted)["text"]
        return Response(
            NoteTaken(claiming.add_note(self.me, case_id, text, self.actor, self.now)).data, 201
        )
