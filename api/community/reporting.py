"""Reporting a post or a member to the moderators."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import reporting_examples as examples
from api.community.door import CommunityDoor, Member, WordsDoor
from api.community.shapes import HelpShown
from api.fields import LINES, OneOf, Strict, Text
from api.pages import Paged, page
from api.schema import operation
from community.crisis_help import help_for
from community.models import Report, ReportReason
from community.moderation.reports import (
    Complaint,
    Reported,
    report_member,
    report_post,
    reports_by,
)

LONGEST = 2000
OUTCOMES = [("", "Not decided yet"), *Report.Outcome.choices]


class ReportWritten(Strict):
    """Why you report it. words: for the moderators alone."""

    reason = OneOf(ReportReason.choices)
    words = Text(max_length=LONGEST, kind=LINES, required=False)


class ReportedShown(serializers.Serializer[Any]):
    """id: null where there was nothing to report any more, but your words were heard. help: for
    yourself, null unless there is a sign of danger in your words: show it first."""

    id = serializers.UUIDField(allow_null=True)
    help = HelpShown(allow_null=True)


class MyReportShown(serializers.Serializer[Any]):
    """A report of yours. outcome: "" until a person has decided. Who decided isn't told, nor does
    the author learn who reported."""

    id = serializers.UUIDField()
    post = serializers.UUIDField(source="post_id", allow_null=True)
    member = serializers.SerializerMethodField()
    reason = serializers.ChoiceField(ReportReason.choices)
    reason_in_words = serializers.CharField(source="get_reason_display")
    words = serializers.CharField()
    at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(OUTCOMES)
    outcome_in_words = serializers.CharField(source="get_outcome_display")
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_member(self, report: Report) -> str | None:
        """Whom it is about, if it is about no post."""
        return None if report.post_id else str(report.about_id)


class ReportsPage(serializers.Serializer[Any]):
    """Reports of yours, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = MyReportShown(many=True)


class ReportingDoor(WordsDoor):
    """What the doors for reporting share."""

    def complaint(self) -> Complaint:
        sent = self.body(ReportWritten)
        return Complaint(ReportReason(sent["reason"]), sent.get("words", ""))

    def answer(self, reported: Reported) -> Response:
        help_ = help_for(self.me.language, self.me.time_zone).as_json() if reported.crisis else None
        id_ = reported.report.id if reported.report else None
        return Response(ReportedShown({"id": id_, "help": help_}).data, 201)


class ReportPost(ReportingDoor):
    """/community/posts/{post_id}/report"""

    @operation(
        "report_post",
        "community",
        path={"post": examples.POST},
        body=ReportWritten,
        sends=examples.REPORT_WRITTEN,
        answer=ReportedShown,
        shows=examples.REPORTED,
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request, post_id: UUID) -> Response:
        """Report a post as it can be seen now, once for each wording, also of one whom you muted or
        blocked. You hear what became of it."""
        return self.answer(report_post(self.me.id, post_id, self.complaint(), self.actor, self.now))


class ReportMember(ReportingDoor):
    """/community/members/{member_id}/report"""

    @operation(
        "report_member",
        "community",
        path={"member": examples.MEMBER},
        body=ReportWritten,
        sends=examples.REPORT_WRITTEN,
        answer=ReportedShown,
        shows=examples.REPORTED,
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request, member_id: UUID) -> Response:
        """Report a member. You hear what became of it."""
        return self.answer(
            report_member(self.me.id, member_id, self.complaint(), self.actor, self.now)
        )


class MyReports(CommunityDoor):
    """/community/reports"""

    permission_classes = [Member]

    @operation(
        "list_my_reports",
        "community",
        query=Paged,
        answer=ReportsPage,
        shows={"next": None, "results": [examples.MY_REPORT]},
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """What you reported, and what became of it."""
        found, following = page(reports_by(self.me), self.query(Paged), request)
        return Response(ReportsPage({"next": following, "results": found}).data)
