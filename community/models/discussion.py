"""What is said: spaces, threads, posts with their revisions, and what of it can be seen.

LiveText exists if and only if a text can be seen; no reading for members touches Revision.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from community.models.members import Persona


class Space(TimeSortedModel):
    """A room for a subject. title, about: by language, written by the house."""

    key = models.CharField(max_length=32, unique=True)
    title: Any = models.JSONField()
    about: Any = models.JSONField()
    position = models.PositiveSmallIntegerField()
    closed = models.BooleanField(default=False, help_text="Read, not written.")


class Thread(TimeSortedModel):
    """A discussion: its opening post and the replies to it. It is seen while its opener is.

    Whoever shows or hides anything in it, or posts to it, locks this row first. slow_seconds: how
    long a member waits between two replies here; 0 is no wait.
    """

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    read_only = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    slow_seconds = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Read when one more is to be pinned.
            models.Index(fields=["space"], condition=Q(pinned=True), name="thread_pinned"),
        ]


class PostState(models.TextChoices):
    """Where a post is. states.py has the arrows."""

    PUBLISHED = "published", "Published"
    PENDING = "pending", "Waiting for a moderator"
    BLOCKED = "blocked", "Not taken by the rules"
    CHANGES_REQUESTED = "changes_requested", "Changes asked for"
    REJECTED = "rejected", "Rejected"
    HIDDEN = "hidden", "Hidden until a person has decided"
    REMOVED = "removed", "Removed"
    WITHDRAWN = "withdrawn", "Withdrawn by its author"
    ERASED = "erased", "Erased"


class Post(TimeSortedModel):
    """One text of one author. Its words are in revisions.

    published: the revision that is, or would be, seen. latest: the number of the newest revision.
    published_at: when it was first seen; it keeps its place by that. version: counts what was done
    to it, for two people at once. crisis: a sign of danger was found in some revision of it.
    """

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="posts")
    author = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    opens = models.BooleanField(help_text="The opening post of its thread.")
    state = models.CharField(max_length=20, choices=PostState)
    state_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published = models.ForeignKey(
        "community.Revision", on_delete=models.PROTECT, null=True, related_name="+"
    )
    latest = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    crisis = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thread"], condition=Q(opens=True), name="post_one_opener"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PostState.values), name="post_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=PostState.PUBLISHED) | Q(published__isnull=False),
                name="post_published_has_revision",
            ),
        ]
        indexes = [
            # Read when a thread is shown or hidden whole.
            models.Index(fields=["thread", "state"], name="post_by_thread"),
            # Read by its author's own page, by throttles, and by export and erasure.
            models.Index(fields=["author", "-id"], name="post_by_author"),
        ]


class Revision(TimeSortedModel):
    """One wording of a post, as its author (or a moderator) submitted it, personal data masked.

    Append-only, but that erasure blanks its text (migration 0002). hits: what the rules found, as
    JSON of rules.Hit; places are those in title, line break, body. digest: SHA-256 of the text,
    which the audit trail names. rulebook: the version of the moderators' rules it was judged by.
    """

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    by = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=2)
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=16), default=list)
    verdict = models.CharField(max_length=12)
    crisis = models.BooleanField()
    advice = models.BooleanField()
    masked = models.BooleanField(help_text="Personal data was taken out.")
    hits: Any = models.JSONField(default=list)
    rulebook = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "number"], name="revision_once"),
        ]
        indexes = [
            # Read by the limits of writing.
            models.Index(fields=["by", "-id"], name="revision_by_writer")
        ]


class LiveText(models.Model):
    """A text that can be seen, as a copy of its revision. It exists if and only if its post and the
    opener of its thread are published (a deferred trigger holds that, migration 0002).

    search: the vector in the language of the text. hugs, same, helped: counters of reactions.
    """

    post = models.OneToOneField(
        Post, on_delete=models.PROTECT, related_name="live", primary_key=True
    )
    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    opens = models.BooleanField()
    language = models.CharField(max_length=2)
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    tags = ArrayField(models.CharField(max_length=16), default=list)
    advice = models.BooleanField(help_text="Shown with the note that nobody's dose is another's.")
    edited = models.BooleanField()
    search = SearchVectorField()
    published_at = models.DateTimeField()
    hugs = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    helped = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Read by feeds, which show openers.
            models.UniqueConstraint(
                fields=["thread"], condition=Q(opens=True), name="live_one_opener"
            ),
        ]
        indexes = [
            # Read by the page of a thread, oldest first.
            models.Index(fields=["thread", "published_at", "post"], name="live_by_thread"),
            # Read by an author's page and by export.
            models.Index(fields=["author", "-published_at", "-post"], name="live_by_author"),
            # Read by search: by its words; or, for words that are in very many texts and for a
            # language of few, by age.
            GinIndex(fields=["search"], name="live_search"),
            models.Index(fields=["language", "-published_at", "-post"], name="live_by_age"),
        ]


class LiveThread(models.Model):
    """A thread that can be seen, for feeds: exists if and only if its opener's LiveText does.

    active_at, active_by: when its newest visible text was published, and whose it is; replies: how
    many replies can be seen.
    """

    thread = models.OneToOneField(
        Thread, on_delete=models.PROTECT, related_name="live", primary_key=True
    )
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    tags = ArrayField(models.CharField(max_length=16), default=list)
    pinned = models.BooleanField(default=False)
    published_at = models.DateTimeField()
    active_at = models.DateTimeField()
    active_by = models.ForeignKey(
        Persona, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    replies = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            # Read by feeds: all or one space's, by age or by activity.
            models.Index(fields=["-published_at", "-thread"], name="feed_new"),
            models.Index(fields=["-active_at", "-thread"], name="feed_active"),
            models.Index(fields=["space", "-published_at", "-thread"], name="feed_space_new"),
            models.Index(fields=["space", "-active_at", "-thread"], name="feed_space_active"),
            # Read by feeds of whom a bond hides the last writer.
            models.Index(fields=["active_by", "-active_at"], name="feed_active_by"),
            # Read by the top of a space.
            models.Index(fields=["space"], condition=Q(pinned=True), name="feed_pinned"),
        ]


class LiveTag(TimeSortedModel):
    """A tag of a thread that can be seen, with the thread's instants: an index over arrays gives
    no order, so the newest threads of a tag would cost as much as all of them."""

    thread = models.ForeignKey(LiveThread, on_delete=models.CASCADE, related_name="tagged")
    tag = models.CharField(max_length=16)
    published_at = models.DateTimeField()
    active_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "tag"], name="live_tag_once"),
        ]
        indexes = [
            # Read by feeds of a tag, by age or by activity.
            models.Index(fields=["tag", "-published_at", "-thread"], name="tag_new"),
            models.Index(fields=["tag", "-active_at", "-thread"], name="tag_active"),
        ]


class ReactionKind(models.TextChoices):
    """Gentle ones only. Their names are those of LiveText's counters."""

    HUGS = "hugs", "Hug"
    SAME = "same", "Same here"
    HELPED = "helped", "Helped me"


class Reaction(TimeSortedModel):
    """One of one persona to one post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=ReactionKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "persona", "kind"], name="reaction_once"),
            models.CheckConstraint(
                condition=Q(kind__in=ReactionKind.values), name="reaction_kind_known"
            ),
        ]


class Follow(TimeSortedModel):
    """A persona wants to hear of replies in a thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "persona"], name="follow_once"),
        ]


class ReadMark(TimeSortedModel):
    """How far a persona has read a thread: to the text published at this instant."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    read_to = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["persona", "thread"], name="read_mark_once"),
        ]


class Draft(TimeSortedModel):
    """What somebody is writing, seen by nobody else. thread: null for a new thread, in `space`."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, null=True, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=16), default=list)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            # One draft for each thing that one can write: a reply there, a thread here.
            models.UniqueConstraint(
                fields=["persona", "thread", "space"], nulls_distinct=False, name="draft_once"
            ),
            models.CheckConstraint(
                condition=Q(thread__isnull=True) | Q(space__isnull=True), name="draft_of_one_thing"
            ),
        ]
