"""Patients from a clinic's file: the file in parts, what was found wrong, and how far it is."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic, User


class ImportState(models.TextChoices):
    """checking, importing: a worker's turn. checked: a person's."""

    CHECKING = "checking", "Is being checked"
    CHECKED = "checked", "Checked: confirm it, or mend the file"
    IMPORTING = "importing", "Is being imported"
    DONE = "done", "Imported"
    FAILED = "failed", "Nothing was imported"


class ImportMode(models.TextChoices):
    """What becomes of the good rows where others are bad."""

    ALL = "all", "All rows, or none"
    GOOD = "good", "The good rows"


class Import(TimeSortedModel):
    """One file of patients. rows: how many it has; starts: how many of them start a schedule.

    good, there, bad: rows found so; there: patients of the clinic already, with the same facts.
    done: rows gone through in this state. trouble: how often a worker failed on it.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.CHECKING)
    mode = models.CharField(max_length=8, choices=ImportMode, blank=True)
    rows = models.PositiveIntegerField()
    starts = models.PositiveIntegerField()
    good = models.PositiveIntegerField(default=0)
    there = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    trouble = models.PositiveSmallIntegerField(default=0)
    uploaded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["importing", "done"], confirmed_by__isnull=False)
                & ~Q(mode="")
                | Q(state__in=["checking", "checked", "failed"]),
                name="import_confirmed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], ended_at__isnull=False)
                | Q(state__in=["checking", "checked", "importing"], ended_at__isnull=True),
                name="import_ended_has_instant",
            ),
        ]
        indexes = [
            # Read by take_imports, every few seconds.
            models.Index(
                fields=["id"],
                condition=Q(state__in=["checking", "importing"]),
                name="import_to_work_on",
            ),
            # Read by the sweep: files that nobody confirmed.
            models.Index(
                fields=["uploaded_at"], condition=Q(state="checked"), name="import_unconfirmed"
            ),
            # Read by the list of a clinic's imports, newest first.
            models.Index(fields=["clinic", "-id"], name="import_by_clinic"),
        ]


class ImportPart(TimeSortedModel):
    """Some rows of a file as they were read, kept until it ends. rows: as ImportRow.stored."""

    file = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    rows: Any = models.JSONField()
    checked = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="import_part_once"),
        ]


class ImportProblem(TimeSortedModel):
    """What is wrong in one field of one line, and how to mend it. Holds nothing of the line."""

    file = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField()
    field = models.CharField(max_length=24)
    message = models.CharField(max_length=200)

    class Meta:
        indexes = [
            # Read by the report, in the order of the file.
            models.Index(fields=["file", "id"], name="import_problem_by_file"),
        ]
