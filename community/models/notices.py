"""What members are told, where it may go, and what they share with their care team."""

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from community.models.discussion import Post, Revision, Thread
from community.models.members import Persona
from community.models.moderation import Decision, Report


class NoticeKind(models.TextChoices):
    """What happened. Those of PERSONAL (notices/writing.py) can't be turned off."""

    REPLY = "reply", "A reply to your thread"
    FOLLOWED = "followed", "A reply in a thread you follow"
    REACTION = "reaction", "A reaction to your post"
    DECISION = "decision", "A decision about your post or you"
    APPROVED = "approved", "Your post can be seen"
    MOVED = "moved", "Your thread was moved"
    REPORT = "report", "What became of your report"
    APPEAL = "appeal", "What became of your appeal"


class Notice(TimeSortedModel):
    """Something to tell a persona. It holds ids, and is put in words when it is shown: what can't
    be seen any more then isn't told.

    once: names what it is about, so that it is told once. facts: ids and plain figures, no text.
    mailed_at, texted_at: when a digest or a text took it, or found that it needn't.
    """

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=NoticeKind)
    once = models.CharField(max_length=100)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, related_name="+")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, null=True, related_name="+")
    facts: Any = models.JSONField(default=dict)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    texted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["persona", "once"], name="notice_once"),
            models.CheckConstraint(
                condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"
            ),
        ]
        indexes = [
            # Read by the page of notices, newest first.
            models.Index(fields=["persona", "-id"], name="notice_by_persona"),
            # Read by the count of unread ones, by digests and by texts.
            models.Index(
                fields=["persona", "id"], condition=Q(read_at__isnull=True), name="notice_unread"
            ),
        ]


class Channel(models.TextChoices):
    """Other ways to hear than in the app."""

    MAIL = "mail", "E-mail"
    SMS = "sms", "Text"


class Contact(TimeSortedModel):
    """Where a persona wants to hear, by their own act; no moderator's door shows it.

    address: an e-mail address, or a number (E.164), blank once it is turned off. code_digest: what
    confirms it, blank once that is done; codes: how many went since codes_from, for the limit.
    every_days: of the digest, 1 or 7. next_at: when to look next. text_until: while a text that
    tells of notices waits to leave.
    """

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=4, choices=Channel)
    address = models.CharField(max_length=254, blank=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    codes = models.PositiveSmallIntegerField(default=0)
    codes_from = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    every_days = models.PositiveSmallIntegerField(default=1)
    next_at = models.DateTimeField(null=True)
    text_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["persona", "channel"], name="contact_once"),
        ]
        indexes = [
            # Read by the tick that sends.
            models.Index(
                fields=["channel", "next_at"],
                condition=Q(next_at__isnull=False),
                name="contact_due",
            ),
            # Read by the tick that takes texts back.
            models.Index(
                fields=["text_until"],
                condition=Q(text_until__isnull=False),
                name="contact_with_text",
            ),
            # Read when somebody texts STOP.
            models.Index(fields=["address"], name="contact_by_address"),
        ]


class Quiet(TimeSortedModel):
    """A kind of notice of which a persona doesn't want to be told, in the app or elsewhere."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=NoticeKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["persona", "kind"], name="quiet_once"),
        ]


class SharedPost(models.Model):
    """A post that its author showed to their care team. The random key is all that the other world
    knows of it. revision: the wording that they have. revoked_at: taken back, and taken away
    there."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="+")
    shared_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post"], condition=Q(revoked_at__isnull=True), name="shared_once"
            ),
        ]
