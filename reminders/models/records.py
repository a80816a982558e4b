"""What patients answer, and what is known of an injection: append-only, the first record stays."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import User
from messaging.models import InboundSms
from reminders.models.patients import Patient
from reminders.models.schedules import Dose


class Source(models.TextChoices):
    """By which way something was told."""

    TEXT = "text", "By text"
    PAGE = "page", "On the patient's page"
    STAFF = "staff", "By the care team"


class Handled(models.TextChoices):
    """What became of a patient's text."""

    RECORDED = "recorded", "An injection was recorded"
    REMINDS_LATER = "reminds_later", "A later reminder was set"
    ANSWERED = "answered", "Answered by itself"
    ASKED_BACK = "asked_back", "We asked back"
    TO_READ = "to_read", "Put on the worklist"
    STOPPED = "stopped", "Our texts were stopped"
    STARTED = "started", "Our texts were started again"


class Answer(TimeSortedModel):
    """What we made of one inbound text for one patient, once. dose: which it was about, if any."""

    inbound = models.ForeignKey(InboundSms, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="answers")
    dose = models.ForeignKey(Dose, on_delete=models.PROTECT, null=True, related_name="+")
    meanings: Any = models.JSONField(default=list)
    urgent: Any = models.JSONField(default=list)
    handled = models.CharField(max_length=16, choices=Handled)
    handled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inbound", "patient"], name="answer_once"),
        ]
        indexes = [
            # Read by the conversation with a patient, newest first.
            models.Index(fields=["patient", "-id"], name="answer_by_patient"),
        ]


class Question(TimeSortedModel):
    """What we asked back of a number, until ends_at: digits count for it alone. At most one is
    open. text: whose meaning waits for the answer. choices: what each digit stands for, ids of
    patients or doses."""

    class Kind(models.TextChoices):
        WHO = "who", "Which of the patients on this phone"
        WHICH = "which", "Which of the dates"
        SECOND = "second", "Whether it is a second injection"

    number = models.CharField(max_length=16)
    kind = models.CharField(max_length=16, choices=Kind)
    text = models.ForeignKey(InboundSms, on_delete=models.PROTECT, related_name="+")
    choices: Any = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(closed_at__isnull=True), name="question_one_open"
            ),
        ]


class Told(models.TextChoices):
    """What a record says of its dose. Values of the first two are states of a dose."""

    TAKEN = "taken", "Injected"
    SKIPPED = "skipped", "Left out"
    NOT_TAKEN = "not_taken", "Not injected after all"


class Site(models.TextChoices):
    """Where (FACTS: abdomen or thigh, a new site each time; the upper arm by a clinic's choice)."""

    ABDOMEN_LEFT = "abdomen_left", "Belly, left"
    ABDOMEN_RIGHT = "abdomen_right", "Belly, right"
    THIGH_LEFT = "thigh_left", "Left thigh"
    THIGH_RIGHT = "thigh_right", "Right thigh"
    ARM_LEFT = "arm_left", "Left upper arm"
    ARM_RIGHT = "arm_right", "Right upper arm"


class DoseRecord(TimeSortedModel):
    """One thing told about one dose: the record with the greatest number holds, the others stay
    as they were (migration 0002 keeps them so).

    taken_on, taken_at: the patient's own date and wall time; the time may be unknown.
    as_prescribed: whether the dose was as prescribed; null if nobody said.
    """

    dose = models.ForeignKey(Dose, on_delete=models.PROTECT, related_name="records")
    number = models.PositiveSmallIntegerField()
    told = models.CharField(max_length=16, choices=Told)
    taken_on = models.DateField(null=True)
    taken_at = models.TimeField(null=True)
    site = models.CharField(max_length=16, choices=Site, blank=True)
    as_prescribed = models.BooleanField(null=True)
    note = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dose", "number"], name="dose_record_number_once"),
            models.CheckConstraint(
                condition=Q(told="taken", taken_on__isnull=False)
                | (
                    ~Q(told="taken")
                    & Q(
                        taken_on__isnull=True,
                        taken_at__isnull=True,
                        site="",
                        as_prescribed__isnull=True,
                    )
                ),
                name="dose_record_taken_has_date",
            ),
        ]


class Injection(TimeSortedModel):
    """An injection that belongs to no dose, as a fact: of a date that a change, pause or stop
    closed, or that no plan gave. Append-only; one that no other corrects holds.

    taken_on, taken_at, site, as_prescribed: as in DoseRecord. taken_on is null in a correction
    that takes the first back.
    """

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="injections", db_index=False
    )
    taken_on = models.DateField(null=True)
    taken_at = models.TimeField(null=True)
    site = models.CharField(max_length=16, choices=Site, blank=True)
    as_prescribed = models.BooleanField(null=True)
    note = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="correction"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_on__isnull=False)
                | Q(
                    corrects__isnull=False,
                    taken_at__isnull=True,
                    site="",
                    as_prescribed__isnull=True,
                ),
                name="injection_has_date",
            ),
        ]
        indexes = [
            # Read by whatever asks for a patient's injections; listed newest first.
            models.Index(fields=["patient", "-id"], name="injection_by_patient"),
        ]
