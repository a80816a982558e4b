"""Patients who sign in to their own pages."""

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import User
from reminders.models.patients import Patient


class PatientLogin(TimeSortedModel):
    """Whose own pages a user sees: the one link from a person who signs in to what is medical.

    welcome: the keyed digest of the one-time code that the clinic gave them, beside the one that we
    text; blank when none is open. tries: wrong ones given. code_until: until when the last code
    that we texted is good, and its words are kept; null when there is none.
    """

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="login")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    welcome = models.CharField(max_length=64, blank=True)
    welcome_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    code_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(welcome="", welcome_until__isnull=True)
                | (~Q(welcome="") & Q(welcome_until__isnull=False)),
                name="patient_login_welcome_ends",
            ),
        ]
        indexes = [
            # Read by the sweep: codes whose time is over.
            models.Index(
                fields=["code_until"],
                condition=Q(code_until__isnull=False),
                name="patient_login_code",
            ),
        ]
