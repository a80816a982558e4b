"""What moderators do: cases, reports, decisions with their measures, sanctions, appeals, and who is
on duty."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.keys import TimeSortedModel
from community.models.discussion import Post, Revision
from community.models.members import Persona


class CaseKind(models.TextChoices):
    """Why somebody has to look. The order is that of URGENCY in moderation/cases.py."""

    CRISIS = "crisis", "Somebody may be in danger"
    REPORT = "report", "Reported by members"
    REVIEW = "review", "Waits to be seen"
    APPEAL = "appeal", "An appeal against a decision"


class Case(TimeSortedModel):
    """Something for a moderator to decide: at most one open for a post, besides appeals.

    post: null where it is about a persona (a report on a member, or danger found elsewhere than in
    a post: the words are in its events). about: whose post it is, or who. urgency: the smaller the
    sooner; with the key it is the queue's order. crisis: danger was found; a person closes it, and
    it pages; crisis_at: when it was found first. version: counts what was done; a decision names
    the one it was made on. owner: who looks after it until owned_until, a lease. seen_at: when a
    moderator first took or acknowledged it. rung, next_page_at: how far up the rota it has climbed,
    and when it climbs on; rounds: how often it has paged. acknowledged_at: when a moderator first
    said that they have it; acknowledged_by: who said so last; till held_until nobody is paged.
    decision: of an appeal, the one appealed against. second_opinion_for: who asked for one, and
    then doesn't decide.
    """

    kind = models.CharField(max_length=8, choices=CaseKind)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="cases")
    about = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    decision = models.OneToOneField(
        "community.Decision", on_delete=models.PROTECT, null=True, related_name="appeal_case"
    )
    urgency = models.PositiveSmallIntegerField()
    crisis = models.BooleanField(default=False)
    crisis_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(Persona, on_delete=models.PROTECT, null=True, related_name="+")
    owned_until = models.DateTimeField(null=True)
    second_opinion_for = models.ForeignKey(
        Persona, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rung = models.PositiveIntegerField(default=0)
    rounds = models.PositiveIntegerField(default=0)
    next_page_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        Persona, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Persona, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post"],
                condition=Q(closed_at__isnull=True) & ~Q(kind=CaseKind.APPEAL),
                name="case_one_open_for_a_post",
            ),
            models.UniqueConstraint(
                fields=["about"],
                condition=Q(closed_at__isnull=True, post__isnull=True) & ~Q(kind=CaseKind.APPEAL),
                name="case_one_open_about_a_persona",
            ),
            models.CheckConstraint(condition=Q(kind__in=CaseKind.values), name="case_kind_known"),
            models.CheckConstraint(
                condition=Q(owner__isnull=True, owned_until__isnull=True)
                | Q(owner__isnull=False, owned_until__isnull=False),
                name="case_owned_on_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(crisis=True) | Q(closed_at__isnull=True) | Q(closed_by__isnull=False),
                name="case_crisis_closed_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(crisis=True, crisis_at__isnull=False)
                | Q(crisis=False, crisis_at__isnull=True),
                name="case_crisis_has_its_time",
            ),
        ]
        indexes = [
            # Read by the queue: what is open, the most urgent and oldest first.
            models.Index(
                fields=["urgency", "id"], condition=Q(closed_at__isnull=True), name="case_queue"
            ),
            # Read by paging.
            models.Index(
                fields=["next_page_at"],
                condition=Q(next_page_at__isnull=False),
                name="case_next_page",
            ),
            # Read by a member's history, and by whoever asks whether somebody is in danger.
            models.Index(fields=["about", "-id"], name="case_by_persona"),
            # Read by the board: the last days' cases.
            models.Index(fields=["opened_at"], name="case_by_age"),
            models.Index(
                fields=["crisis_at"],
                condition=Q(crisis_at__isnull=False),
                name="case_crisis_by_age",
            ),
            # Read for a moderator's load and their own list.
            models.Index(
                fields=["owner"],
                condition=Q(closed_at__isnull=True, owner__isnull=False),
                name="case_by_owner",
            ),
        ]


class CaseEvent(TimeSortedModel):
    """What happened to a case, in order: append-only, but that erasure blanks `text`.

    by: null for rules and the clock. facts: ids and plain facts, never text. text: a note's words,
    or those of a report or an appeal in which danger was found; for moderators alone.
    """

    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        MERGED = "merged", "Something new came to it"
        CLAIMED = "claimed", "Taken"
        HANDED_BACK = "handed_back", "Handed back"
        HANDED_OVER = "handed_over", "Handed over"
        NOTE = "note", "Note"
        SECOND_OPINION = "second_opinion", "Second opinion asked for"
        PAGED = "paged", "Moderators paged"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        DECIDED = "decided", "Decided"
        CLOSED = "closed", "Closed"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    by = models.ForeignKey(Persona, on_delete=models.PROTECT, null=True, related_name="+")
    facts: Any = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    at = models.DateTimeField()


class ReportReason(models.TextChoices):
    """Why somebody reports something."""

    DANGER = "danger", "Somebody may be in danger"
    ADVICE = "advice", "Tells others what to do with their medicine"
    PERSONAL = "personal", "Names or personal data"
    UNKIND = "unkind", "Unkind or threatening"
    SELLING = "selling", "Selling something"
    FALSE = "false", "Looks untrue or dangerous"
    OTHER = "other", "Something else"


class Report(TimeSortedModel):
    """One member's report on one revision, or on a member (post and revision null).

    weight: at the time (moderation/reports.py). outcome: blank until decided. Append-only in its
    facts; erasure blanks the words.
    """

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "Something was done"
        NOT_UPHELD = "not_upheld", "Nothing was found against the rules"
        WITHDRAWN = "withdrawn", "The author took it away first"

    reporter = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    about = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=12, choices=ReportReason)
    words = models.TextField(blank=True)
    weight = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # A reporter counts once for each revision; and once at a time for a member.
            models.UniqueConstraint(
                fields=["reporter", "revision"],
                condition=Q(revision__isnull=False),
                name="report_once_a_revision",
            ),
            models.UniqueConstraint(
                fields=["reporter", "case"],
                condition=Q(revision__isnull=True),
                name="report_once_a_member",
            ),
            models.CheckConstraint(condition=~Q(reporter=F("about")), name="report_on_another"),
        ]
        indexes = [
            # Read by trust: what was upheld against somebody lately; and by their history.
            models.Index(fields=["about", "-id"], name="report_by_persona"),
            # Read by the weight of the reports on a revision.
            models.Index(fields=["revision"], name="report_by_revision"),
        ]


class MeasureKind(models.TextChoices):
    """What a decision does; several may go together. measures.py says which go with which."""

    APPROVE = "approve", "Publish it"
    REQUEST_CHANGES = "request_changes", "Ask the author for changes"
    REJECT = "reject", "Don't publish it"
    HIDE = "hide", "Hide it"
    REMOVE = "remove", "Remove it"
    RESTORE = "restore", "Show it again"
    MASK = "mask", "Take words out of it"
    MOVE = "move", "Move the thread to another space"
    MERGE = "merge", "Put the thread into another"
    WARN = "warn", "Warn the author"
    SILENCE = "silence", "Silence the author for a time"
    SUSPEND = "suspend", "Suspend the author for a time"
    NO_ACTION = "no_action", "Nothing against the rules"
    UPHOLD = "uphold", "The decision stands"
    OVERTURN = "overturn", "The decision was wrong"


class Decision(TimeSortedModel):
    """What a moderator decided on a case: append-only, but for what an appeal makes of it.

    on_version: the case's version that it was made on. revision: the one it was made about.
    measures: [{"kind": ..., ...}] in their order. before, for an appeal to restore: the state of
    the post and what it showed, and both as the decision left them: {"state": ..., "published":
    revision id or null, "then": {"state": ..., "published": ...}}. reason: a key of
    moderation/reasons.toml; words: the moderator's own, for the author. adverse: it restricts, so
    it has a notice and may be appealed against, until appeal_until.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    on_version = models.PositiveIntegerField()
    by = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    about = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, null=True, related_name="+")
    measures: Any = models.JSONField()
    before: Any = models.JSONField(default=dict)
    reason = models.CharField(max_length=32)
    words = models.TextField(blank=True)
    adverse = models.BooleanField()
    at = models.DateTimeField()
    appeal_until = models.DateTimeField(null=True)
    overturned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Two at once on one version of a case: one of them wins.
            models.UniqueConstraint(fields=["case", "on_version"], name="decision_once"),
            models.CheckConstraint(condition=~Q(by=F("about")), name="decision_not_on_oneself"),
        ]
        indexes = [
            # Read by a member's history, and by the board.
            models.Index(fields=["about", "-id"], name="decision_by_persona"),
            models.Index(fields=["at"], name="decision_by_age"),
        ]


class SanctionKind(models.TextChoices):
    """warn: a mark. silence: reads, doesn't post. suspend: doesn't enter."""

    WARN = "warn", "Warned"
    SILENCE = "silence", "Silenced"
    SUSPEND = "suspend", "Suspended"


class Sanction(TimeSortedModel):
    """What a decision put on a persona, until it ends or is lifted. A warning has no end."""

    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="sanctions")
    kind = models.CharField(max_length=8, choices=SanctionKind)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=SanctionKind.WARN) | Q(ends_at__isnull=False),
                name="sanction_has_an_end",
            ),
        ]
        indexes = [
            # Read at each posting and each entering.
            models.Index(fields=["persona", "kind", "ends_at"], name="sanction_by_persona")
        ]


class Appeal(TimeSortedModel):
    """A member's appeal against a decision: one for each. case: where it is decided."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="appeal")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="appeal")
    by = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    upheld = models.BooleanField(null=True, help_text="Null until it is decided.")
    decided_by = models.ForeignKey(Persona, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)


class Duty(TimeSortedModel):
    """A moderator whom a crisis pages: the lowest rung first, then up. number: where, E.164.

    ready_at: when they acknowledged the test page at that number; nobody is on duty before.
    test_code: the digest of what that page said, blank once acknowledged; tries: wrong ones since.
    starts_at, ends_at: null is without a beginning or an end.
    """

    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    rung = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=16)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    test_code = models.CharField(max_length=64, blank=True)
    test_sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^\+[1-9][0-9]{1,14}$"), name="mod_duty_number_e164"
            ),
            models.CheckConstraint(condition=Q(rung__gte=1), name="mod_duty_rung_from_one"),
        ]
