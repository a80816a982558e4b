"""Patients: whom the clinic reminds, and how to reach them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import LINE_OR_NONE, Day, Hour, Id, OneOf, Strict, Text, Whole
from api.pages import Paged, page
from api.schema import operation
from api.texts import TextShown
from messaging.models import STATES
from reminders.models import ConsentSource, Language, Patient, Status, Wording
from reminders.patients import consent, enrolling, new_number
from reminders.reading import care

STATUSES_WANTED = [*Status.choices, ("none", "No schedule")]
LANGUAGES = "What the texts are written in."
NEW_NUMBER = {
    "number": "+447700900002",
    "asked_at": "2027-01-04T09:00:00Z",
    "expires_at": "2027-01-05T09:00:00Z",
    "text_state": "delivered",
}
NUMBER = "As people write it; without a country it is one of the clinic's country."


class Reach(Strict):
    """What is known of a patient, and how they want to be reached."""

    name = Text(max_length=120)
    reference = Text(
        max_length=40, kind=LINE_OR_NONE, required=False, help_text="The clinic's own number."
    )
    number = Text(max_length=40, help_text=NUMBER)
    time_zone = Text(max_length=64, help_text="Like Europe/London.")
    language = OneOf(Language.choices, help_text=LANGUAGES)
    hour = Hour(help_text="When reminders go out, where the patient is: HH:MM.")
    wording = OneOf(
        Wording.choices,
        required=False,
        help_text="discreet (if you don't say): texts name no injection. explicit: they do.",
    )
    consent_on = Day(help_text="When the patient agreed to texts.")
    consent_source = OneOf(ConsentSource.choices, help_text="How the patient agreed.")


class Enrolment(Reach):
    """A new patient. clinic: the id of one of your clinics."""

    clinic = Id()


class PatientChange(Reach):
    """What to change; what isn't named stays."""

    old_number = OneOf(
        [("lost", "Lost")],
        required=False,
        help_text="lost: nothing goes to the former number any more, and the worklist says so.",
    )


class Code(Strict):
    """What we texted to the new number."""

    code = Text(max_length=20, help_text="Six digits.")


class ScheduleInShort(serializers.Serializer[Any]):
    """A patient's latest schedule."""

    status = serializers.ChoiceField(Status.choices)
    review_on = serializers.DateField(allow_null=True)


class NewNumberShown(serializers.Serializer[Any]):
    """A number that waits for the code that we texted to it. text_state: of that text."""

    number = serializers.CharField(source="change.number", help_text="E.164.")
    asked_at = serializers.DateTimeField(source="change.asked_at")
    expires_at = serializers.DateTimeField(source="change.expires_at")
    text_state = serializers.ChoiceField(STATES)


class PatientShown(serializers.Serializer[Any]):
    """A patient. schedule: the latest one, null before the first. new_number: one that waits to be
    confirmed; until then our texts go to number. left_at: when another clinic took them over."""

    id = serializers.UUIDField()
    clinic = serializers.UUIDField(source="clinic_id")
    name = serializers.CharField()
    reference = serializers.CharField()
    number = serializers.CharField(help_text="E.164.")
    time_zone = serializers.CharField()
    language = serializers.ChoiceField(Language.choices)
    hour = Hour()
    wording = serializers.ChoiceField(Wording.choices)
    consent_on = serializers.DateField()
    consent_source = serializers.ChoiceField(ConsentSource.choices)
    created_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    schedule = serializers.SerializerMethodField()
    new_number = serializers.SerializerMethodField()

    @extend_schema_field(ScheduleInShort(allow_null=True))
    def get_schedule(self, patient: Patient) -> Any:
        schedule = self.context["schedules"].get(patient.id)
        return ScheduleInShort(schedule).data if schedule else None

    @extend_schema_field(NewNumberShown(allow_null=True))
    def get_new_number(self, patient: Patient) -> Any:
        found = self.context["new_numbers"].get(patient.id)
        return NewNumberShown(found).data if found else None


class PatientsPage(serializers.Serializer[Any]):
    """Patients, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = PatientShown(many=True)


class PatientsWanted(Paged):
    """Which patients."""

    clinic = Id(required=False, help_text="Of one of your clinics.")
    status = OneOf(
        STATUSES_WANTED,
        required=False,
        help_text="Of the latest schedule; none: there never was one.",
    )
    interval_days = Whole(
        1, 366, in_query=True, required=False, help_text="Of the dose that is planned."
    )
    search = Text(
        max_length=200,
        required=False,
        help_text="Words that begin a part of the name or the reference, or a number.",
    )


class PatientReaddressed(PatientShown):
    """A patient with a new number. too_late: texts that still went, or go, to the former number."""

    too_late = serializers.SerializerMethodField()

    @extend_schema_field(TextShown(many=True))
    def get_too_late(self, patient: Patient) -> Any:
        return TextShown(self.context["too_late"], many=True).data


class Patients(Door):
    """/patients"""

    permission_classes = [Staff]

    @operation(
        "list_patients",
        "patients",
        query=PatientsWanted,
        answer=PatientsPage,
        shows={"next": examples.NEXT, "results": [examples.PATIENT]},
    )
    def get(self, request: Request) -> Response:
        """The patients of your clinics, newest first."""
        query = self.query(PatientsWanted)
        found, following = page(
            care.patients_for(
                self.who,
                clinic_id=query.get("clinic"),
                status=query.get("status", ""),
                interval_days=query.get("interval_days"),
                search=query.get("search", ""),
            ),
            query,
            request,
        )
        answer = PatientsPage({"next": following, "results": found}, context=_context(found))
        return Response(answer.data)

    @operation(
        "enrol_patient",
        "patients",
        body=Enrolment,
        sends=examples.ENROLMENT,
        answer=PatientShown,
        shows={**examples.PATIENT, "schedule": None},
        status=201,
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request) -> Response:
        """Enrol a patient who has agreed to texts.

        Nothing is sent until a schedule is started.
        """
        sent = self.body(Enrolment)
        clinic = clinic_for(self.who, sent.pop("clinic"), May.ENROL)

        def act() -> Reply:
            patient = enrolling.enrol(clinic, enrolling.Enrolment(**sent), self.actor, self.now)
            return Reply(
                201, PatientShown(patient, context={"schedules": {}, "new_numbers": {}}).data
            )

        response = self.once(act)
        response["Location"] = f"{request.path}/{response.data['id']}"
        return response


class OnePatient(Door):
    """/patients/{patient_id}"""

    permission_classes = [Staff]

    @operation(
        "read_patient", "patients", patient=True, answer=PatientShown, shows=examples.PATIENT
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """One patient."""
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        return Response(PatientShown(patient, context=_context([patient])).data)

    @operation(
        "change_patient",
        "patients",
        patient=True,
        body=PatientChange,
        sends={"number": "+44 7700 900002", "hour": "18:30"},
        answer=PatientShown,
        shows={**examples.PATIENT, "hour": "18:30", "new_number": NEW_NUMBER},
        problems=[403, 409],
    )
    def patch(self, request: Request, patient_id: UUID) -> Response:
        """Change what is known of a patient, or how to reach them.

        A new number gets a code, and waits as `new_number` until that is given; the number that the
        patient has ends the waiting. A new hour or zone moves the reminders that are to come.
        """
        sent = self.body(PatientChange, partial=True)
        patient = care.patient_for(self.who, patient_id, May.ENROL)
        changed = enrolling.change_patient(patient.id, sent, self.actor, self.now)
        context = _context([changed.patient])
        return Response(PatientShown(changed.patient, context=context).data)


class ConfirmNumber(Door):
    """/patients/{patient_id}/number/confirm"""

    permission_classes = [Staff]

    @operation(
        "confirm_number",
        "patients",
        patient=True,
        body=Code,
        sends={"code": "061974"},
        answer=PatientReaddressed,
        shows={
            **examples.PATIENT,
            "number": "+447700900002",
            "too_late": [{**examples.TEXT, "state": "sending"}],
        },
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Confirm a new number by the code that we texted to it.

        From now on texts go there, those that wait, too. One for which that was too late is named
        in `too_late`. After five wrong codes the number has to be asked for again.
        """
        code = self.body(Code)["code"]
        patient = care.patient_for(self.who, patient_id, May.ENROL)
        # Never under an Idempotency-Key: a refusal would undo that the wrong code was counted.
        done = new_number.confirm_new_number(patient.id, code, self.actor, self.now)
        context = {**_context([done.patient]), "too_late": done.too_late}
        return Response(PatientReaddressed(done.patient, context=context).data)


class WithdrawConsent(Door):
    """/patients/{patient_id}/consent/withdraw"""

    permission_classes = [Staff]

    @operation(
        "withdraw_consent",
        "patients",
        patient=True,
        answer=PatientShown,
        shows=examples.PATIENT,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Stop all texts to a patient who no longer agrees to them. Their plan stays.

        A later `consent_on`, or START from their phone, lets texts go again.
        """
        patient = care.patient_for(self.who, patient_id, May.ENROL)
        withdrawn = consent.withdraw_consent(patient.id, self.actor, self.now)
        return Response(PatientShown(withdrawn, context=_context([withdrawn])).data)


def _context(found: Sequence[Patient]) -> dict[str, Any]:
    """The latest schedule of each patient, and their new number; a few queries for all."""
    return {"schedules": care.plans_of(found), "new_numbers": care.new_numbers_of(found)}
