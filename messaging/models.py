"""Outbound texts, what became of them, senders and their pace, inbound texts, opt-outs."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Now

from accounts.keys import TimeSortedModel
from accounts.models import Clinic
from messaging.states import State

E164 = r"^\+[1-9][0-9]{6,14}$"

STATES = [(state.value, state.value) for state in State]


IDLE = datetime(2000, 1, 1, tzinfo=UTC)
"""When a sender that has sent nothing is free: before any instant, played ones included."""

NO_CLINIC = UUID(int=2**128 - 1)
"""Stands for the clinic of texts without one, when clinics take turns."""

BEFORE_ALL = UUID(int=0)
"""Before any clinic: where the turns begin."""


class Scope(models.TextChoices):
    """Which world a text belongs to: each has senders and opt-outs of its own."""

    CARE = "care"
    COMMUNITY = "community"
    STAFF = "staff"
    MODERATORS = "moderators"


class Lane(models.TextChoices):
    """Urgent never waits behind routine: own sender, own queue, own process."""

    ROUTINE = "routine"
    URGENT = "urgent"


class Kind(models.TextChoices):
    """once: two would be worse than none (reminders). repeat: none would be worse than two.

    What repeats has words that nothing else has (a page, a code, a safety answer): when it went
    again without an answer, Twilio's list can't tell its first attempt from a text with its words.
    """

    ONCE = "once"
    REPEAT = "repeat"


class Sender(TimeSortedModel):
    """A number that texts are sent from, and its pace.

    rate: segments a second that its carrier takes (FACTS: US long code 1, toll-free 3, short code
    100). next_at: when all that was claimed so far will have left; a claim reserves from there.
    slowed_to, slowed_at: the part of its rate that it was slowed down to, and from when on it may
    send again and recovers by itself (pace.py). turn: the clinic that was served last. standby: it
    sends only while no sender of the first line can, and only once a text to it has reached us.
    taken_at: when Twilio last took a text from it, to some seconds (silence.py).
    """

    account = models.CharField(max_length=34, help_text="Twilio's AccountSid.")
    number = models.CharField(max_length=16, unique=True)
    scope = models.CharField(max_length=16, choices=Scope)
    lane = models.CharField(max_length=16, choices=Lane)
    standby = models.BooleanField(default=False)
    rate = models.FloatField(default=1.0)
    next_at = models.DateTimeField(default=IDLE)
    slowed_to = models.FloatField(default=1.0)
    slowed_at = models.DateTimeField(default=IDLE)
    turn = models.UUIDField(default=BEFORE_ALL)
    taken_at = models.DateTimeField(default=IDLE)
    inbound_seen_at = models.DateTimeField(null=True)
    # Start of the last whole reading of Twilio's list of inbound texts; the next begins earlier.
    inbound_read_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=E164), name="sender_number_e164"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="sender_rate_positive"),
            models.CheckConstraint(
                condition=Q(slowed_to__gt=0, slowed_to__lte=1), name="sender_slowed_to_a_part"
            ),
        ]


class Circuit(TimeSortedModel):
    """What keeps failing for a fault of ours rests: nothing is claimed for it but, now and then,
    one text as a probe. There is a row only for what has failed before.

    name: an account's sid or a sender's number. opened_at: null while it is closed. doubtful:
    posts without a certain end, in a row. reported_at: when a text that was accepted last failed
    for it. probes: since it opened; probe_at: when the next may go.
    """

    name = models.CharField(max_length=34, unique=True)
    doubtful = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=40, blank=True)
    probes = models.PositiveIntegerField(default=0)
    probe_at = models.DateTimeField(default=IDLE)


class Tick(TimeSortedModel):
    """When a tick was last followed by a look (clock.first_look)."""

    name = models.CharField(max_length=100, unique=True)
    looked_at = models.DateTimeField(default=IDLE)


MAY_HAVE_LEFT_ANOTHER = Q(attempt__gt=1) | Q(attempt=1, state__in=[State.EXPIRED, State.CANCELLED])
"""Texts by which there may be a message at Twilio that we never heard of: those that ended without
proof, and those that were claimed again."""


class Sms(TimeSortedModel):
    """One outbound text to one person: the row is the promise, `state` is how it went.

    owner_id: whose text it is (a patient, a member, a user), within scope. about_id: what it is
    about (a dose, a schedule), by which it is cancelled. available_at, expires_at: it may leave
    from the one, and is of no use from the other on. attempt: how often it was claimed; a report
    names its attempt. next_to: its owner's number, where that changed while the text was under way.
    quiet_reads: whole readings of Twilio's list that did not hold it.
    """

    scope = models.CharField(max_length=16, choices=Scope)
    lane = models.CharField(max_length=16, choices=Lane, default=Lane.ROUTINE)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.ONCE)
    # Without indexes of their own, here and below: nothing is looked up by them, and each index is
    # written again whenever a text moves.
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    owner_id = models.UUIDField()
    about_id = models.UUIDField()
    dedup_key = models.CharField(max_length=120)
    to = models.CharField(max_length=16)
    next_to = models.CharField(
        max_length=16, blank=True, db_default="", help_text="Where it goes if it comes back."
    )
    body = models.TextField()
    body_digest = models.CharField(max_length=64)
    segments = models.PositiveSmallIntegerField()
    asked_for = models.BooleanField(default=False, help_text="The person wrote first.")
    last_word = models.BooleanField(default=False, help_text="Goes even after a stop.")

    state = models.CharField(max_length=16, choices=STATES, default=State.QUEUED)
    state_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField()
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    cancel_wished = models.BooleanField(default=False)
    attempt = models.PositiveSmallIntegerField(default=0)
    refusals = models.PositiveSmallIntegerField(default=0)
    requeued = models.BooleanField(default=False, help_text="Once proven never taken.")
    quiet_reads = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    account = models.CharField(max_length=34, blank=True)
    sender = models.ForeignKey(
        Sender, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    claimed_at = models.DateTimeField(null=True)
    post_by = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    sid = models.CharField(max_length=34, null=True)  # noqa: DJ001 - unique: null
    error_code = models.PositiveIntegerField(null=True)
    # News for the owner's domain, which pulls it and takes the mark away.
    untaken = models.BooleanField(default=False)

    class Meta:
        constraints = [
            # Cancelled proves that nothing was asked, so only then the key is free again.
            models.UniqueConstraint(
                fields=["dedup_key"], condition=~Q(state=State.CANCELLED), name="sms_once"
            ),
            # Only where there is one, so that a text without costs nothing.
            models.UniqueConstraint(
                fields=["sid"], condition=Q(sid__isnull=False), name="sms_sid_once"
            ),
            # Twins can't be told apart in Twilio's list: one of them at a time.
            models.UniqueConstraint(
                fields=["account", "to", "body_digest"],
                condition=Q(state__in=[State.SENDING, State.UNKNOWN]),
                name="sms_no_twins",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in State]), name="sms_state_known"
            ),
            models.CheckConstraint(condition=Q(to__regex=E164), name="sms_to_e164"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("available_at")), name="sms_of_some_use"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.SENDING, State.UNKNOWN])
                | Q(lease_until__isnull=False, sender__isnull=False),
                name="sms_claimed_has_lease",
            ),
        ]
        indexes = [
            # Read by the claim: whether anything is due.
            models.Index(
                fields=["scope", "lane", "available_at"],
                condition=Q(state=State.QUEUED),
                name="sms_due",
            ),
            # Read by the claim: which clinics have something due, and of each the longest due.
            models.Index(
                "scope",
                "lane",
                Coalesce("clinic", Value(NO_CLINIC)),
                "available_at",
                "id",
                condition=Q(state=State.QUEUED),
                name="sms_queued",
            ),
            # Read by the claim: whether a sender that stands by has something to do.
            models.Index(
                fields=["scope", "lane"],
                condition=Q(state=State.QUEUED, kind=Kind.REPEAT, attempt__gt=F("refusals")),
                name="sms_in_doubt",
            ),
            # Read by settle: leases that ran out, texts whose fate is unknown. By its condition the
            # claim can't take it for sms_no_twins, whose size Postgres misjudges: it would read all
            # that is under way for each text.
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=[State.SENDING, State.UNKNOWN], lease_until__isnull=False),
                name="sms_unsettled",
            ),
            # Read by settle: whose the messages may be that no report has named.
            models.Index(fields=["to"], condition=MAY_HAVE_LEFT_ANOTHER, name="sms_left_another"),
            # Read by claim.close_useless: uses that are over.
            models.Index(fields=["expires_at"], condition=Q(state=State.QUEUED), name="sms_by_use"),
            # Read by read_back: taken by Twilio, no final word yet, longest not heard of first.
            models.Index(
                Greatest("checked_at", "state_at"),
                condition=Q(state__in=[State.ACCEPTED, State.SENT]),
                name="sms_no_last_word",
            ),
            # Read by the owner's domain: texts of one person, newest first, and of one subject.
            models.Index(fields=["owner_id", "-id"], name="sms_by_owner"),
            models.Index(fields=["about_id"], name="sms_by_subject"),
            # Read by the owner's domain: news not yet taken.
            models.Index(fields=["scope", "id"], condition=Q(untaken=True), name="sms_news"),
        ]


class SmsEvent(TimeSortedModel):
    """One piece of evidence about one attempt: append-only, each kept once."""

    # Looked up by the constraint's index.
    sms = models.ForeignKey(Sms, on_delete=models.PROTECT, related_name="events", db_index=False)
    attempt = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=16)
    status = models.CharField(max_length=24)
    sid = models.CharField(max_length=34, blank=True)
    error_code = models.PositiveIntegerField(null=True)
    moved_to = models.CharField(max_length=16, blank=True, help_text="Blank: nothing new.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sms", "attempt", "source", "status", "sid"], name="sms_event_once"
            )
        ]
        indexes = [
            # Read by settle: whether a message in Twilio's list is one of ours, of any attempt.
            models.Index(fields=["sid"], condition=~Q(sid=""), name="sms_event_by_sid")
        ]


class InboundSms(TimeSortedModel):
    """A text that somebody sent us, once for each of Twilio's sids."""

    sid = models.CharField(max_length=34, unique=True)
    scope = models.CharField(max_length=16, choices=Scope)
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=16, help_text="Whose phone it came from, E.164.")
    body = models.TextField(blank=True)
    carrier_word = models.CharField(max_length=8, blank=True, help_text="stop, start or help.")
    turned = models.BooleanField(
        default=False, help_text="Its carrier word changed whether this number takes texts."
    )
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Read by the scope's domain (what to take) and by the claim (an answer unread yet).
            models.Index(
                fields=["scope", "number", "id"],
                condition=Q(taken_at__isnull=True),
                name="inbound_untaken",
            ),
        ]


class OptOut(TimeSortedModel):
    """Whether a number takes texts in a scope, as of its last word on it."""

    scope = models.CharField(max_length=16, choices=Scope)
    number = models.CharField(max_length=16)
    opted_out = models.BooleanField()
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "number"], name="opt_out_once"),
        ]
