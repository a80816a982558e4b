"""Deciding cases and appeals."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.refusals import Stale
from api.community import case_examples as examples
from api.community.case_shapes import CaseDecisionShown, CaseFileShown
from api.community.cases import CaseDoor
from api.community.door import CommunityDoor, Moderator
from api.door import etag
from api.fields import LINE_OR_NONE, LINES, Id, Instant, OneOf, Strict, Text, YesNo
from api.schema import operation
from community.members.entering import LANGUAGES
from community.models import MeasureKind
from community.moderation import deciding, queue, reasons
from community.moderation.appeals import decide_appeal
from community.moderation.measures import GOES_WITH, LEADS_TO, Measure
from community.posts.limits import LONGEST_BODY, LONGEST_TITLE

LONGEST = 2000
KINDS = [(kind.value, kind.label) for kind in GOES_WITH]
REASONS = [(key, key) for key in reasons.all_reasons()]


class MeasureWanted(Strict):
    """One thing to do. until: of silence and suspend. title, body: of mask, the new wording. space:
    of move; thread: of merge, where it goes."""

    kind = OneOf(KINDS)
    until = Instant(required=False)
    title = Text(max_length=LONGEST_TITLE, kind=LINE_OR_NONE, required=False)
    body = Text(max_length=LONGEST_BODY, kind=LINES, required=False)
    space = Id(required=False)
    thread = Id(required=False)


class RulingSent(Strict):
    """What you decide. revision: the wording that it is about, for a case about a post. reason: for
    what restricts somebody. words: for the author, besides the reason or as your own."""

    measures = serializers.ListField(child=MeasureWanted(), min_length=1, max_length=4)
    revision = Id(required=False)
    reason = OneOf(REASONS, required=False)
    words = Text(max_length=LONGEST, kind=LINES, required=False)


class AppealDecided(Strict):
    """overturn: the decision was wrong, and is taken back. words: for who appealed."""

    overturn = YesNo()
    words = Text(max_length=LONGEST, kind=LINES, required=False)


class ReasonShown(serializers.Serializer[Any]):
    """A reason to choose. in_words: as the member reads it, by language; "" for your own."""

    key = serializers.CharField()
    in_words = serializers.DictField(child=serializers.CharField())


class MeasureOffered(serializers.Serializer[Any]):
    """What a decision may do. goes_with: which others it goes with in one decision. begins_at:
    states of the post in which it can be; empty: in any."""

    kind = serializers.ChoiceField(KINDS)
    kind_in_words = serializers.CharField()
    goes_with = serializers.ListField(child=serializers.CharField())
    begins_at = serializers.ListField(child=serializers.CharField())


class Choices(serializers.Serializer[Any]):
    """What there is to choose from."""

    measures = MeasureOffered(many=True)
    reasons = ReasonShown(many=True)


class WhatThereIs(CommunityDoor):
    """/community/moderation/choices"""

    permission_classes = [Moderator]

    @operation(
        "list_choices",
        "moderation",
        answer=Choices,
        shows=examples.CHOICES,
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """The measures and reasons to choose from."""
        measures = [
            {
                "kind": kind.value,
                "kind_in_words": kind.label,
                "goes_with": [other.value for other in GOES_WITH if _together(kind, other)],
                "begins_at": [state.value for state in LEADS_TO.get(kind, ())],
            }
            for kind in GOES_WITH
        ]
        offered = [
            {
                "key": key,
                "in_words": {
                    language: reasons.reason_in_words(key, language) for language in LANGUAGES
                },
            }
            for key in reasons.all_reasons()
        ]
        return Response(Choices({"measures": measures, "reasons": offered}).data)


class DecidingDoor(CaseDoor):
    """What the doors for deciding share: whoever comes second is shown what was decided."""

    @contextmanager
    def showing_what_was_decided(self) -> Iterator[None]:
        try:
            yield
        except Stale as refusal:
            if case := refusal.facts.get("case"):
                decision = queue.decision_on(case)
                refusal.facts["decided"] = CaseDecisionShown(decision).data if decision else None
                refusal.facts["etag"] = etag(deciding.token_of(case, case.post))
            raise


class Decide(DecidingDoor):
    """/community/moderation/cases/{case_id}/decide"""

    @operation(
        "decide_case",
        "moderation",
        path={"case": examples.CASE_ID},
        decides=True,
        body=RulingSent,
        sends=examples.RULING,
        answer=CaseFileShown,
        shows=examples.DECIDED_FILE,
        problems=[403, 409],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Decide a case on what you saw of it, and close it.

        If-Match: the case's ETag. Of two who decide at once one wins; the other gets 412 with what
        was decided. The author is told why, and how to appeal.
        """
        sent = self.body(RulingSent)
        measures = tuple(
            Measure(**{**measure, "kind": MeasureKind(measure["kind"])})
            for measure in sent.pop("measures")
        )
        ruling = deciding.Ruling(measures, **sent)
        with self.showing_what_was_decided():
            deciding.decide(self.me, case_id, self.seen(), ruling, self.actor, self.now)
        return self.shown(case_id)


class DecideAppeal(DecidingDoor):
    """/community/moderation/cases/{case_id}/decide-appeal"""

    @operation(
        "decide_appeal",
        "moderation",
        path={"case": examples.CASE_ID},
        decides=True,
        body=AppealDecided,
        sends={"overturn": True, "words": "You told your own experience: that is welcome."},
        answer=CaseFileShown,
        shows=examples.DECIDED_FILE,
        problems=[403, 409],
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Say whether the decision that is appealed against stands, or was wrong.

        If it was wrong, the very wording is seen again, and what was put on the member ends.
        """
        sent = self.body(AppealDecided)
        with self.showing_what_was_decided():
            decide_appeal(
                self.me,
                case_id,
                self.seen(),
                sent.get("words", ""),
                self.actor,
                self.now,
                overturn=sent["overturn"],
            )
        return self.shown(case_id)


def _together(one: MeasureKind, other: MeasureKind) -> bool:
    return other in GOES_WITH[one] or one in GOES_WITH[other]
