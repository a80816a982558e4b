"""The care team's worklist, what was done about its items, and who is on duty."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic, User
from reminders.models.patients import E164, Patient


class Cause(models.TextChoices):
    """Why somebody has to look. URGENCY says how soon."""

    URGENT_SIGN = "urgent_sign", "The patient wrote of an urgent sign"
    SECOND_DOSE = "second_dose", "Two injections may lie too close together"
    NOT_AS_PRESCRIBED = "not_as_prescribed", "An injection was not as prescribed"
    CALL_ME = "call_me", "The patient asks to be called"
    NO_ANSWER = "no_answer", "No answer for 48 hours"
    NOT_ASKED = "not_asked", "A reminder did not reach the patient"
    UNDELIVERED = "undelivered", "A text was not delivered"
    OPTED_OUT = "opted_out", "The patient stopped our texts"
    NUMBER_LOST = "number_lost", "The patient's phone is lost, and the new number not confirmed"
    NUMBER_DOUBTFUL = "number_doubtful", "The patient's number may be wrong"
    NUMBER_UNREACHABLE = "number_unreachable", "The patient's number can't be texted"
    HELD_BACK = "held_back", "A text was held back: too many in a week"
    SIDE_EFFECT = "side_effect", "The patient wrote of a side effect"
    TEXT_TO_READ = "text_to_read", "A text that was not understood"
    REVIEW_DUE = "review_due", "A pause is due for review"
    SEND_UNKNOWN = "send_unknown", "Nobody knows whether a text arrived"
    PLAN_FAILED = "plan_failed", "The reminder of a dose failed three times"
    NO_PLAN = "no_plan", "A running schedule has no planned dose"
    CONSENT_MISSING = "consent_missing", "Consent to texts is missing"
    RESULT_DUE = "result_due", "A blood result is due"


class Urgency(models.IntegerChoices):
    """How soon somebody has to look; the worklist's first order."""

    NOW = 0, "Now"
    TODAY = 1, "Today"
    SOON = 2, "When there is time"


URGENCY: dict[Cause, Urgency] = {
    Cause.URGENT_SIGN: Urgency.NOW,
    Cause.REVIEW_DUE: Urgency.SOON,
    Cause.RESULT_DUE: Urgency.SOON,
    Cause.HELD_BACK: Urgency.SOON,
}
"""Causes that aren't today's business."""

NEXT_STEP: dict[Cause, str] = {
    Cause.URGENT_SIGN: "Call the patient now. The fixed safety text has told them where to get "
    "help at once; it is no substitute for your call.",
    Cause.SECOND_DOSE: "Call the patient and find out what was injected, and when. A clinician "
    "says how to go on.",
    Cause.NOT_AS_PRESCRIBED: "Call the patient and find out what was injected. A clinician says "
    "how to go on.",
    Cause.CALL_ME: "Call the patient.",
    Cause.NO_ANSWER: "Call the patient, ask whether the injection was done, and record it. A "
    "clinician says how to go on with a dose that is more than two days late.",
    Cause.NOT_ASKED: "Call the patient: our text did not reach them. Ask whether the injection was "
    "done, and record it.",
    Cause.UNDELIVERED: "Check the number with the patient, and correct it.",
    Cause.NUMBER_LOST: "Get a number from the patient at which they can be reached, and enter it.",
    Cause.NUMBER_DOUBTFUL: "Check the number with the patient, and correct it. Somebody wrote from "
    "it that it isn't theirs, or the code to a new number wasn't given in time.",
    Cause.NUMBER_UNREACHABLE: "Get a number from the patient that can be texted, and enter it. If "
    "this one is right after all, close the item: our texts go to it again.",
    Cause.OPTED_OUT: "Ask the patient how they want to be reached. Their plan goes on, only the "
    "texts have stopped. START from their own phone brings them back.",
    Cause.HELD_BACK: "Tell the patient what the text would have said.",
    Cause.SIDE_EFFECT: "Read what the patient wrote, and answer them.",
    Cause.TEXT_TO_READ: "Read the text, and answer the patient.",
    Cause.REVIEW_DUE: "Decide on the pause: resume the schedule, stop it, or put the review off by "
    "pausing it until another day.",
    Cause.SEND_UNKNOWN: "Call the patient: ask whether the text arrived, and say what it said.",
    Cause.PLAN_FAILED: "Call the patient about this dose, and tell support: its reminders don't go "
    "out.",
    Cause.NO_PLAN: "Check the patient's dates, and tell support: no reminder was planned.",
    Cause.CONSENT_MISSING: "No text goes to the patient. Ask whether they agree to texts again: "
    "entering the new date of consent, or START from their phone, closes this by itself. Until "
    "then remind them in another way.",
    Cause.RESULT_DUE: "See that blood is taken, or enter the result.",
}
"""What to do next about each cause, in words for the care team. After two days a late dose is a
clinician's to decide (FACTS, Missed doses)."""


class Outcome(models.TextChoices):
    """How an item ended."""

    DONE = "done", "Dealt with"
    NOT_NEEDED = "not_needed", "Nothing to do"
    BY_EVENT = "by_event", "Settled by what happened since"


class WorkItem(TimeSortedModel):
    """Something for the care team to look at: at most one open for each patient and cause.

    facts: ids and dates of its latest finding, at last_at; no texts. times: how many findings it
    has; its notes keep each. owner: who looks after it until owned_until, a lease. rung: how far up
    the rota it has climbed, and next_page_at when it climbs on while nobody has taken it (urgent
    ones only).
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="work_items")
    cause = models.CharField(max_length=24, choices=Cause)
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    facts: Any = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    owned_until = models.DateTimeField(null=True)
    rung = models.PositiveIntegerField(default=0)
    next_page_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "cause"],
                condition=Q(closed_at__isnull=True),
                name="work_item_one_open",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="")
                | (Q(closed_at__gte=F("opened_at")) & ~Q(outcome="")),
                name="work_item_closed_after_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=True, owned_until__isnull=True)
                | Q(owner__isnull=False, owned_until__isnull=False),
                name="work_item_owned_on_a_lease",
            ),
        ]
        indexes = [
            # Read by the worklist: a clinic's open items, the most urgent and oldest first.
            models.Index(
                fields=["clinic", "urgency", "id"],
                condition=Q(closed_at__isnull=True),
                name="work_item_open",
            ),
            # Read by page_staff: who has to be paged now.
            models.Index(
                fields=["next_page_at"],
                condition=Q(next_page_at__isnull=False),
                name="work_item_next_page",
            ),
        ]


class WorkNote(TimeSortedModel):
    """What happened to an item, in order: append-only (migration 0002). by: null for the clock and
    for events. facts: of the finding that opened it or merged into it."""

    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        NOTE = "note", "Note"
        MERGED = "merged", "Happened again"
        TAKEN = "taken", "Taken"
        HANDED_BACK = "handed_back", "Handed back"
        PAGED = "paged", "Staff paged"
        CLOSED = "closed", "Closed"

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=16, choices=Kind)
    text = models.TextField(blank=True)
    facts: Any = models.JSONField(default=dict)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()


class Duty(TimeSortedModel):
    """Somebody whom urgent items page: the lowest rung first, then up. number: where, E.164.
    starts_at, ends_at: null is without a beginning or an end."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="rota")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    rung = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=16)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=E164), name="duty_number_e164"),
            models.CheckConstraint(condition=Q(rung__gte=1), name="duty_rung_from_one"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="duty_ends_after_its_start",
            ),
        ]
