"""A patient's blood results, and a clinic's files of them."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.replies import Reply
from api import blood_shapes as shapes
from api.door import Door
from api.entrance import Staff
from api.pages import Paged, page
from api.parsers import Csv
from api.periods import Period, bounds
from api.schema import operation
from reminders.dates.schedule import local_date
from reminders.health import blood
from reminders.health.blood_import import Mode, import_results
from reminders.reading import care


class BloodResults(Door):
    """/patients/{patient_id}/blood-results"""

    permission_classes = [Staff]

    @operation(
        "list_blood_results",
        "health",
        patient=True,
        query=Paged,
        answer=shapes.ResultsPage,
        shows={"next": None, "results": [shapes.SHOWN]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The patient's results, the last entered first, with what was corrected."""
        query = self.query(Paged)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        found, following = page(blood.results(patient), query, request)
        return Response(shapes.ResultsPage({"next": following, "results": found}).data)

    @operation(
        "enter_blood_result",
        "health",
        patient=True,
        repeatable=True,
        body=shapes.ResultSent,
        sends=shapes.SENT,
        answer=shapes.BloodResultShown,
        shows=shapes.SHOWN,
        status=201,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Enter a result.

        Values far outside of what a laboratory can find are refused as typing errors. No result is
        judged: neither an interval nor advice follows from it.
        """
        sent = self.body(shapes.ResultSent)
        patient = care.patient_for(self.who, patient_id, May.ENTER_RESULTS)

        def act() -> Reply:
            result = blood.enter_result(patient.id, shapes.entry(sent), self.actor, self.now)
            return Reply(201, shapes.BloodResultShown(result).data)

        return self.once(act)


class CorrectResult(Door):
    """/patients/{patient_id}/blood-results/{result_id}/correct"""

    permission_classes = [Staff]

    @operation(
        "correct_blood_result",
        "health",
        patient=True,
        repeatable=True,
        body=shapes.ResultSent,
        sends=shapes.SENT,
        answer=shapes.BloodResultShown,
        shows={**shapes.SHOWN, "corrects": "0198c0de-0000-7000-8000-00000000b10c"},
        status=201,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID, result_id: UUID) -> Response:
        """Enter what a result should have been.

        It holds in the other's place; the first stays in the list as it was.
        """
        sent = self.body(shapes.ResultSent)
        patient = care.patient_for(self.who, patient_id, May.ENTER_RESULTS)

        def act() -> Reply:
            result = blood.correct_result(
                patient.id, result_id, shapes.entry(sent), self.actor, self.now
            )
            return Reply(201, shapes.BloodResultShown(result).data)

        return self.once(act)


class TakeBackResult(Door):
    """/patients/{patient_id}/blood-results/{result_id}/take-back"""

    permission_classes = [Staff]

    @operation(
        "take_back_blood_result",
        "health",
        patient=True,
        repeatable=True,
        body=shapes.TakenBack,
        sends={},
        answer=shapes.BloodResultShown,
        shows={
            **shapes.SHOWN,
            "value": None,
            "corrects": "0198c0de-0000-7000-8000-00000000b10c",
        },
        status=201,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID, result_id: UUID) -> Response:
        """Take a result back, as when it was another patient's.

        It leaves the trend; in the list it stays, with what took it back.
        """
        self.body(shapes.TakenBack)
        patient = care.patient_for(self.who, patient_id, May.ENTER_RESULTS)

        def act() -> Reply:
            result = blood.correct_result(patient.id, result_id, None, self.actor, self.now)
            return Reply(201, shapes.BloodResultShown(result).data)

        return self.once(act)


class BloodTrend(Door):
    """/patients/{patient_id}/blood-results/trend"""

    permission_classes = [Staff]

    @operation(
        "read_blood_trend",
        "health",
        patient=True,
        query=Period,
        answer=shapes.BloodTrendShown,
        shows=shapes.TREND,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Each test's results by date, and the decisions on the schedule to draw over them."""
        query = self.query(Period)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        since, until = bounds(query, local_date(self.now, patient.zone))
        return Response(shapes.trend(blood.trend(patient, since, until), since, until))


class ImportResults(Door):
    """/clinics/{clinic_id}/blood-results/import"""

    permission_classes = [Staff]
    parser_classes = [Csv]

    @operation(
        "import_blood_results",
        "health",
        query=shapes.ImportWanted,
        body=OpenApiTypes.STR,
        sends=shapes.FILE,
        media_type="text/csv",
        answer=shapes.ResultsReport,
        shows=shapes.REPORT,
        problems=[403, 404],
    )
    def post(self, request: Request, clinic_id: UUID) -> Response:
        """Import a file of results. Send it with dry_run first.

        CSV in UTF-8, with comma, semicolon or tab; its first line names the columns: reference
        (your own number of the patient), test (as we name it, or its LOINC code), value, unit,
        taken_on, and note if you like. In mode all nothing is stored while a row is bad: look at
        `stored`. A file that is sent again stores nothing twice.
        """
        query = self.query(shapes.ImportWanted)
        clinic = clinic_for(self.who, clinic_id, May.ENTER_RESULTS)
        sent: Any = request.data
        report = import_results(
            clinic,
            sent.get("text", ""),
            Mode(query["mode"]),
            self.actor,
            self.now,
            dry_run=query["dry_run"] == "true",
        )
        return Response(shapes.ResultsReport(report).data)
