"""What moderators are shown of cases: personas by pseudonym, and never anything of a user."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.community.decisions import MeasureTold
from api.community.reporting import OUTCOMES
from community.models import (
    Case,
    CaseEvent,
    CaseKind,
    Condition,
    PostState,
    ReportReason,
    SanctionKind,
)
from community.moderation.claiming import owner_of
from community.moderation.deciding import token_of


class PersonaNamed(serializers.Serializer[Any]):
    """A persona. pseudonym: "" of one who has left."""

    id = serializers.UUIDField()
    pseudonym = serializers.CharField()


class CaseShown(serializers.Serializer[Any]):
    """Something to decide. about: whose post it is, or who. post: null where it is about a member.
    owner: who looks after it, until owned_until. version: its ETag, for If-Match with a
    decision. crisis_at: when danger was found first; acknowledged_at: when a moderator first had
    it; held_until: nobody is paged for it till then, null where a further sign came since."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(CaseKind.choices)
    kind_in_words = serializers.CharField(source="get_kind_display")
    urgency = serializers.IntegerField()
    crisis = serializers.BooleanField()
    crisis_at = serializers.DateTimeField(allow_null=True)
    version = serializers.SerializerMethodField()
    about = PersonaNamed()
    post = serializers.UUIDField(source="post_id", allow_null=True)
    post_state = serializers.SerializerMethodField()
    opened_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(allow_null=True)
    owner = serializers.SerializerMethodField()
    owned_until = serializers.SerializerMethodField()
    wants_second_opinion = serializers.SerializerMethodField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_version(self, case: Case) -> str:
        return token_of(case, case.post)

    @extend_schema_field(serializers.ChoiceField(PostState.choices, allow_null=True))
    def get_post_state(self, case: Case) -> Any:
        return case.post.state if case.post else None

    @extend_schema_field(PersonaNamed(allow_null=True))
    def get_owner(self, case: Case) -> Any:
        owner = owner_of(case, self.context["now"])
        return PersonaNamed(owner).data if owner else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_owned_until(self, case: Case) -> Any:
        until = case.owned_until if owner_of(case, self.context["now"]) else None
        return until and serializers.DateTimeField().to_representation(until)

    def get_wants_second_opinion(self, case: Case) -> bool:
        return case.second_opinion_for_id is not None


class CasesPage(serializers.Serializer[Any]):
    """Cases, the most urgent first, and of these the longest waiting."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = CaseShown(many=True)


class WordingShown(serializers.Serializer[Any]):
    """One wording of the post, personal data covered. hits: what the rules found in it, with the
    place. published: it is the one that is, or would be, seen."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    by = PersonaNamed()
    language = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    verdict = serializers.CharField()
    crisis = serializers.BooleanField()
    advice = serializers.BooleanField()
    masked = serializers.BooleanField()
    hits = serializers.ListField(child=serializers.DictField())
    at = serializers.DateTimeField()
    published = serializers.SerializerMethodField()

    def get_published(self, revision: Any) -> bool:
        return bool(revision.id == self.context["published"])


class CaseReportShown(serializers.Serializer[Any]):
    """A report. revision: the wording that was reported. The author never learns of it."""

    id = serializers.UUIDField()
    reporter = PersonaNamed()
    revision = serializers.UUIDField(source="revision_id", allow_null=True)
    reason = serializers.ChoiceField(ReportReason.choices)
    reason_in_words = serializers.CharField(source="get_reason_display")
    words = serializers.CharField()
    weight = serializers.IntegerField()
    at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(OUTCOMES)


class CaseReportsPage(serializers.Serializer[Any]):
    """The reports that a case is of, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = CaseReportShown(many=True)


class CaseEventShown(serializers.Serializer[Any]):
    """What happened to a case. by: null for rules and the clock. text: of a note, or the words of a
    report or an appeal in which there is a sign of danger."""

    kind = serializers.ChoiceField(CaseEvent.Kind.choices)
    kind_in_words = serializers.CharField(source="get_kind_display")
    by = PersonaNamed(allow_null=True)
    facts = serializers.DictField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class CaseEventsPage(serializers.Serializer[Any]):
    """What happened to a case, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = CaseEventShown(many=True)


class CaseDecisionShown(serializers.Serializer[Any]):
    """What was decided. reason: its key; words: what the moderator added for the author."""

    id = serializers.UUIDField()
    by = PersonaNamed()
    post = serializers.UUIDField(source="post_id", allow_null=True)
    revision = serializers.UUIDField(source="revision_id", allow_null=True)
    measures = MeasureTold(many=True)
    reason = serializers.CharField()
    words = serializers.CharField()
    adverse = serializers.BooleanField()
    at = serializers.DateTimeField()
    appeal_until = serializers.DateTimeField(allow_null=True)
    overturned_at = serializers.DateTimeField(allow_null=True)


class SanctionShown(serializers.Serializer[Any]):
    """What a decision put on a member."""

    kind = serializers.ChoiceField(SanctionKind.choices)
    kind_in_words = serializers.CharField(source="get_kind_display")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    lifted_at = serializers.DateTimeField(allow_null=True)


class MemberKnown(PersonaNamed):
    """A member, with what they chose to say."""

    language = serializers.CharField()
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    condition = serializers.ChoiceField([("", "Not said"), *Condition.choices])
    approved_posts = serializers.IntegerField()


class MemberHistoryShown(serializers.Serializer[Any]):
    """What is known of a member: the newest decisions and sanctions. trusted: their posts are seen
    at once. upheld: reports on them that were."""

    persona = MemberKnown()
    trusted = serializers.BooleanField()
    decisions = CaseDecisionShown(many=True)
    sanctions = SanctionShown(many=True)
    upheld = serializers.IntegerField()


class CaseAppealShown(serializers.Serializer[Any]):
    """An appeal. decision: the one that it is against."""

    decision = CaseDecisionShown()
    words = serializers.CharField()
    at = serializers.DateTimeField()
    upheld = serializers.BooleanField(allow_null=True)
    decided_by = PersonaNamed(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()


class PostPlace(serializers.Serializer[Any]):
    """Where the post is."""

    id = serializers.UUIDField()
    thread = serializers.UUIDField(source="thread_id")
    space = serializers.UUIDField(source="thread.space_id")
    opens = serializers.BooleanField()
    state = serializers.ChoiceField(PostState.choices)
    state_in_words = serializers.CharField(source="get_state_display")
    published_at = serializers.DateTimeField(allow_null=True)


class CaseFileShown(serializers.Serializer[Any]):
    """A case with all that a decision is made on. wordings: those that were reported, the one that
    is seen, and the newest, oldest first. reports, events: the newest fifty, oldest first;
    earlier, earlier_reports: there were more events, or reports, before. decision: what was
    decided, null while it is open."""

    case = CaseShown()
    post = PostPlace(allow_null=True)
    wordings = serializers.SerializerMethodField()
    reports = CaseReportShown(many=True)
    earlier_reports = serializers.BooleanField()
    appeal = CaseAppealShown(allow_null=True)
    events = CaseEventShown(many=True)
    earlier = serializers.BooleanField()
    history = MemberHistoryShown()
    decision = CaseDecisionShown(allow_null=True)

    @extend_schema_field(WordingShown(many=True))
    def get_wordings(self, file: Any) -> Any:
        published = file.post.published_id if file.post else None
        return WordingShown(file.wordings, many=True, context={"published": published}).data
