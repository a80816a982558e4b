"""Patients on the move: to another number, and to another clinic."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic, User
from reminders.models.patients import E164, Patient


class NumberChange(TimeSortedModel):
    """A new number of a patient's that waits to be confirmed by the code we texted to it.

    code: its keyed digest, never itself. tries: wrong codes given. At most one is open.
    """

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed"
        REPLACED = "replaced", "Another number was asked for, or none any more"
        WRONG = "wrong", "Too many wrong codes"
        LATE = "late", "Not confirmed in time"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="number_changes")
    number = models.CharField(max_length=16)
    code = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(outcome=""), name="number_change_one_open"
            ),
            models.CheckConstraint(
                condition=Q(number__regex=E164), name="number_change_number_e164"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True)
                | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="number_change_ended_with_outcome",
            ),
        ]
        indexes = [
            # Read by a text from a number that may be one of these.
            models.Index(fields=["number", "-asked_at"], name="number_change_by_number"),
            # Read by the sweep: codes that nobody gave in time.
            models.Index(fields=["expires_at"], condition=Q(outcome=""), name="number_change_open"),
        ]


class Transfer(TimeSortedModel):
    """A patient offered to another clinic, which takes them over or doesn't. At most one is open.

    became: the patient whom they are there.
    """

    class State(models.TextChoices):
        OFFERED = "offered", "Waits for the other clinic"
        ACCEPTED = "accepted", "Taken over"
        DECLINED = "declined", "Declined by the other clinic"
        WITHDRAWN = "withdrawn", "Withdrawn"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="transfers")
    to_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=State, default=State.OFFERED)
    reason = models.TextField(blank=True)
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    became: Any = models.OneToOneField(
        Patient, on_delete=models.PROTECT, null=True, related_name="came_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(state="offered"), name="transfer_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="offered", decided_at__isnull=True)
                | (~Q(state="offered") & Q(decided_at__isnull=False)),
                name="transfer_decided_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", became__isnull=False)
                | (~Q(state="accepted") & Q(became__isnull=True)),
                name="transfer_accepted_became_somebody",
            ),
        ]
        indexes = [
            # Read by the list of what is offered to a clinic.
            models.Index(fields=["to_clinic", "-id"], name="transfer_by_receiver"),
        ]
