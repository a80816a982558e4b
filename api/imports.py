"""Taking over a clinic's patients from a spreadsheet."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import OneOf, Strict
from api.pages import Paged, page
from api.parsers import Csv
from api.schema import operation
from reminders.models import ImportMode, ImportState
from reminders.patients import importing
from reminders.reading import clinics

FILE = """\
name,reference,number,language,hour,consent_on,consent_source,interval_days,starts_on
Ada Example,H-1042,07700 900001,en,09:00,2026-12-01,written,14,2027-01-11
"""
SHOWN: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000001907",
    "clinic": examples.CLINIC,
    "state": "checked",
    "state_in_words": "Checked: confirm it, or mend the file",
    "mode": None,
    "rows": 120,
    "starts": 118,
    "good": 117,
    "there": 2,
    "bad": 1,
    "done": 120,
    "uploaded_by": "Grace Example",
    "uploaded_at": "2027-01-04T09:00:00Z",
    "ended_at": None,
}
PROBLEM = {"line": 42, "field": "hour", "message": "Write a time of day like 09:00."}


class ImportShown(serializers.Serializer[Any]):
    """A file of patients. starts: rows that start a schedule. good, there, bad: rows found so;
    there: patients whom the clinic has already. done: rows gone through in this state."""

    id = serializers.UUIDField()
    clinic = serializers.UUIDField(source="clinic_id")
    state = serializers.ChoiceField(ImportState.choices)
    state_in_words = serializers.CharField(source="get_state_display")
    mode = serializers.SerializerMethodField(help_text="all or good, once it is confirmed.")
    rows = serializers.IntegerField()
    starts = serializers.IntegerField()
    good = serializers.IntegerField()
    there = serializers.IntegerField()
    bad = serializers.IntegerField()
    done = serializers.IntegerField()
    uploaded_by = serializers.CharField(source="made_by.name")
    uploaded_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_mode(self, file: Any) -> str | None:
        return file.mode or None


class ImportsPage(serializers.Serializer[Any]):
    """Files, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = ImportShown(many=True)


class ImportProblemShown(serializers.Serializer[Any]):
    """What is wrong in a field of a line of the file, and how to mend it."""

    line = serializers.IntegerField(help_text="The first line of a file, its columns, is 1.")
    field = serializers.CharField(help_text="The column; blank: the line as a whole.")
    message = serializers.CharField()


class ImportProblemsPage(serializers.Serializer[Any]):
    """Problems in the order of the file."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = ImportProblemShown(many=True)


class Confirmation(Strict):
    """What becomes of the good rows where others are bad."""

    mode = OneOf(ImportMode.choices, help_text="all: all rows or none. good: the good rows.")


class Imports(Door):
    """/clinics/{clinic_id}/imports"""

    permission_classes = [Staff]
    parser_classes = [Csv]

    @operation(
        "list_imports",
        "imports",
        query=Paged,
        answer=ImportsPage,
        shows={"next": None, "results": [SHOWN]},
        problems=[403, 404],
    )
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """The clinic's files of patients, newest first."""
        files = clinics.imports_for(self.who, clinic_id)
        found, following = page(files, self.query(Paged), request)
        return Response(ImportsPage({"next": following, "results": found}).data)

    @operation(
        "upload_patients",
        "imports",
        body=OpenApiTypes.STR,
        sends=FILE,
        media_type="text/csv",
        answer=ImportShown,
        shows={**SHOWN, "state": "checking", "good": 0, "there": 0, "bad": 0, "done": 0},
        status=201,
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, clinic_id: UUID) -> Response:
        """Send a file of patients, to be checked.

        CSV in UTF-8, with comma, semicolon or tab; its first line names the columns: name,
        reference, number, language, hour, consent_on, consent_source, and as you like time_zone
        (else the clinic's), wording (else discreet), and for the first schedule interval_days,
        starts_on, last_injection_on. Nobody is enrolled before it is confirmed. A row whose
        reference the clinic has, with the same facts, counts as there, and is not imported again.
        """
        clinic = clinic_for(self.who, clinic_id, May.ENROL)
        sent: Any = request.data
        text = sent.get("text", "")

        def act() -> Reply:
            file = importing.upload(clinic, text, self.actor, self.now)
            return Reply(201, ImportShown(file).data)

        response = self.once(act)
        response["Location"] = f"/api/v1/imports/{response.data['id']}"
        return response


class OneImport(Door):
    """/imports/{import_id}"""

    permission_classes = [Staff]

    @operation("read_import", "imports", answer=ImportShown, shows=SHOWN, problems=[403, 404])
    def get(self, request: Request, import_id: UUID) -> Response:
        """One file: what was found in it, and how far it is."""
        return Response(ImportShown(clinics.import_for(self.who, import_id)).data)


class ImportProblems(Door):
    """/imports/{import_id}/problems"""

    permission_classes = [Staff]

    @operation(
        "list_import_problems",
        "imports",
        query=Paged,
        answer=ImportProblemsPage,
        shows={"next": None, "results": [PROBLEM]},
        problems=[403, 404],
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        """What is wrong with a file, line by line, and how to mend it."""
        problems = clinics.import_problems_for(self.who, import_id)
        found, following = page(problems, self.query(Paged), request, newest_first=False)
        return Response(ImportProblemsPage({"next": following, "results": found}).data)


class ConfirmImport(Door):
    """/imports/{import_id}/confirm"""

    permission_classes = [Staff]

    @operation(
        "confirm_import",
        "imports",
        body=Confirmation,
        sends={"mode": "good"},
        answer=ImportShown,
        shows={**SHOWN, "state": "importing", "mode": "good", "done": 0},
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Enrol the patients of a checked file, and start their schedules, in one go.

        If it names schedules, that is for a clinician. In mode all, nothing is imported if
        something has become bad since the check: the file is checked again.
        """
        mode = ImportMode(self.body(Confirmation)["mode"])
        file = clinics.import_to_confirm(self.who, import_id)

        def act() -> Reply:
            return Reply(
                200, ImportShown(importing.confirm(file.id, mode, self.actor, self.now)).data
            )

        return self.once(act)
