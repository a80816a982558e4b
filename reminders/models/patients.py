"""Patients: people who inject, and how they want to be reached."""

from zoneinfo import ZoneInfo

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic

E164 = r"^\+[1-9][0-9]{6,14}$"


class Language(models.TextChoices):
    """Languages that there is a file of wording for."""

    ENGLISH = "en"
    WELSH = "cy"
    SPANISH = "es"
    FRENCH = "fr"
    GERMAN = "de"
    POLISH = "pl"


class Wording(models.TextChoices):
    """Discreet texts don't say what they are about; explicit ones are a recorded choice."""

    DISCREET = "discreet"
    EXPLICIT = "explicit"


class ConsentSource(models.TextChoices):
    """How the patient agreed to texts."""

    WRITTEN = "written"
    SPOKEN = "spoken"
    ONLINE = "online"


class Patient(TimeSortedModel):
    """A person who injects, and how they want to be reached.

    number: E.164. hour: local wall time of reminders, in time_zone. consent_on: the date on which
    they agreed to texts. left_at: when another clinic took them over; then number is blank, for
    no phone has two clinics.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    name = models.CharField(max_length=120)
    reference = models.CharField(max_length=40, blank=True, help_text="The clinic's own number.")
    number = models.CharField(max_length=16, blank=True)
    time_zone = models.CharField(max_length=64)
    language = models.CharField(max_length=8, choices=Language)
    hour = models.TimeField()
    wording = models.CharField(max_length=16, choices=Wording, default=Wording.DISCREET)
    consent_on = models.DateField()
    consent_source = models.CharField(max_length=16, choices=ConsentSource)
    left_at = models.DateTimeField(null=True)
    search = models.GeneratedField(
        expression=SearchVector("name", "reference", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=E164, left_at__isnull=True)
                | Q(number="", left_at__isnull=False),
                name="patient_number_e164",
            ),
            models.UniqueConstraint(
                fields=["clinic", "reference"],
                condition=~Q(reference=""),
                name="patient_reference_once",
            ),
        ]
        indexes = [
            # Read by the list of a clinic's patients, newest first.
            models.Index(fields=["clinic", "-id"], name="patient_by_clinic"),
            # Read by the search in that list.
            GinIndex(fields=["search"], name="patient_search"),
            # Read when a text comes in, and when a number is given to somebody.
            models.Index(fields=["number"], name="patient_by_number"),
        ]

    @property
    def zone(self) -> ZoneInfo:
        """The patient's time zone."""
        return ZoneInfo(self.time_zone)
