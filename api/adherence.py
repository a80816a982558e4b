"""What became of a patient's and a clinic's doses."""

import csv
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.models import Clinic
from api.door import Door
from api.entrance import Staff
from api.fields import OneOf
from api.periods import Period, bounds
from api.schema import operation
from reminders.dates.schedule import local_date
from reminders.doses import adherence
from reminders.doses.adherence import IN_WORDS, Figures
from reminders.models import Patient
from reminders.policies import policy_of
from reminders.reading import care

CHOICES = [(became.value, words) for became, words in IN_WORDS.items()]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a cell begins that a spreadsheet would run."""

FIGURES = {
    "due": 12, "on_time": 8, "late": 1, "skipped": 1, "missed_no_answer": 1,
    "missed_not_asked": 0, "unknown": 1,
}  # fmt: skip
SHOWN = {"from": "2026-10-20", "to": "2027-01-11", "on_time_days": 1, "figures": FIGURES}
DAY = {
    "date": "2027-01-04",
    "became": "late",
    "became_in_words": "Injected late",
    "taken_on": "2027-01-06",
}


class FiguresShown(serializers.Serializer[Any]):
    """How many doses were due, and what became of them: the others add up to due."""

    def get_fields(self) -> dict[str, Any]:
        return {field.name: serializers.IntegerField() for field in fields(Figures)}


class ClinicAdherenceShown(serializers.Serializer[Any]):
    """A period's figures. A dose is in it by its own date."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateField(source="since"),
            "to": serializers.DateField(source="until"),
            "on_time_days": serializers.IntegerField(
                help_text="Days after its date within which an injection is on time here."
            ),
            "figures": FiguresShown(),
            **super().get_fields(),
        }


class DoseJudged(serializers.Serializer[Any]):
    """One dose. taken_on: when it was injected, null if it wasn't."""

    date = serializers.DateField(source="on")
    became = serializers.ChoiceField(CHOICES)
    became_in_words = serializers.SerializerMethodField()
    taken_on = serializers.DateField(allow_null=True)

    def get_became_in_words(self, day: adherence.Day) -> str:
        return IN_WORDS[day.became]


class PatientAdherenceShown(ClinicAdherenceShown):
    """A period's figures, and its calendar: each dose, by date."""

    calendar = DoseJudged(many=True)


class FileWanted(Period):
    """Which doses."""

    names = OneOf(
        [("true", "true"), ("false", "false")],
        default="false",
        help_text="true: with the patients' names. Without, a file says less if it gets lost.",
    )


class CsvOut(BaseRenderer):
    """Lets those in who ask for text/csv; the rows are written below."""

    media_type = "text/csv"
    format = "csv"


class PatientAdherence(Door):
    """/patients/{patient_id}/adherence"""

    permission_classes = [Staff]

    @operation(
        "read_adherence",
        "health",
        patient=True,
        query=Period,
        answer=PatientAdherenceShown,
        shows={**SHOWN, "calendar": [DAY]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What became of the patient's doses of a period, as figures and as a calendar.

        On time is an injection by so many days after its date as the clinic's policy says, or
        ahead of it. Doses that a change, a pause or a stop cancelled don't count.
        """
        query = self.query(Period)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        since, until = bounds(query, local_date(self.now, patient.zone))
        days = adherence.calendar(patient, since, until)
        shown = {
            "since": since,
            "until": until,
            "on_time_days": policy_of(patient.clinic_id).on_time_days,
            "figures": adherence.figures_of(days),
            "calendar": days,
        }
        return Response(PatientAdherenceShown(shown).data)


class ClinicAdherence(Door):
    """/clinics/{clinic_id}/adherence"""

    permission_classes = [Staff]

    @operation(
        "read_clinic_adherence",
        "health",
        query=Period,
        answer=ClinicAdherenceShown,
        shows=SHOWN,
        problems=[404],
    )
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """What became of the doses of all the clinic's patients in a period, as figures."""
        query = self.query(Period)
        clinic = clinic_for(self.who, clinic_id, May.SEE_PATIENTS)
        since, until = bounds(query, local_date(self.now, ZoneInfo(clinic.time_zone)))
        figures = adherence.clinic_figures(clinic, since, until)
        shown = {
            "since": since,
            "until": until,
            "on_time_days": policy_of(clinic.id).on_time_days,
            "figures": figures,
        }
        return Response(ClinicAdherenceShown(shown).data)


class PatientAdherenceFile(Door):
    """/patients/{patient_id}/adherence.csv"""

    permission_classes = [Staff]
    renderer_classes = [CsvOut]

    @operation(
        "export_adherence",
        "health",
        patient=True,
        query=FileWanted,
        answer={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, patient_id: UUID) -> StreamingHttpResponse:
        """The patient's doses of a period as a CSV file: a row for each."""
        query = self.query(FileWanted)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        return _file(patient, query, local_date(self.now, patient.zone))


class ClinicAdherenceFile(Door):
    """/clinics/{clinic_id}/adherence.csv"""

    permission_classes = [Staff]
    renderer_classes = [CsvOut]

    @operation(
        "export_clinic_adherence",
        "health",
        query=FileWanted,
        answer={(200, "text/csv"): OpenApiTypes.STR},
        problems=[404],
    )
    def get(self, request: Request, clinic_id: UUID) -> StreamingHttpResponse:
        """The doses of all the clinic's patients in a period as a CSV file: a row for each."""
        query = self.query(FileWanted)
        clinic = clinic_for(self.who, clinic_id, May.SEE_PATIENTS)
        return _file(clinic, query, local_date(self.now, ZoneInfo(clinic.time_zone)))


def _file(whose: Patient | Clinic, query: dict[str, Any], today: date) -> StreamingHttpResponse:
    since, until = bounds(query, today)
    return StreamingHttpResponse(
        _lines(adherence.rows(whose, since, until), names=query["names"] == "true"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="adherence.csv"'},
    )


def _lines(rows: Iterator[adherence.Row], *, names: bool) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    named = ["name"] if names else []
    yield write(
        ["patient", "reference", *named, "dose", "date", "interval_days", "became", "taken_on"]
    )
    for row in rows:
        named = [_harmless(row.name)] if names else []
        yield write(
            [row.patient_id, _harmless(row.reference), *named, row.dose_id, row.on,
             row.interval_days, row.became, row.taken_on]
        )  # fmt: skip


def _harmless(cell: str) -> str:
    """What people wrote, so that no spreadsheet runs it."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


class _Echo:
    """A file that hands each row back instead of keeping it."""

    def write(self, row: str) -> str:
        return row
