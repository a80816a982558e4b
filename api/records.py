"""What became of doses, as it was told; and what patients wrote."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.replies import Reply
from api import examples
from api.door import Door
from api.entrance import Staff
from api.fields import LINES, Day, Hour, OneOf, Strict, Text, YesNo
from api.pages import Paged, page
from api.schedule_shapes import CautionShown
from api.schema import operation
from api.texts import TextShown
from reminders.doses.recording import Recorded, Telling, record_dose
from reminders.models import Dose, DoseState, Handled, Missed, Site, Source, Told
from reminders.reading import care
from reminders.understanding import Meaning, Sign

MEANINGS = [(meaning.value, meaning.value) for meaning in Meaning]
SIGNS = [(sign.value, sign.value) for sign in Sign]


class DoseTold(Strict):
    """What to record. taken_on, taken_at: where the patient is; the date is needed for taken."""

    told = OneOf(
        Told.choices,
        help_text="taken, skipped, or not_taken: takes back what was recorded before.",
    )
    taken_on = Day(required=False, help_text="The date of the injection.")
    taken_at = Hour(required=False, help_text="Its time, HH:MM, if it is known.")
    site = OneOf(Site.choices, required=False, help_text="Where, of the clinic's sites.")
    as_prescribed = YesNo(
        required=False,
        allow_null=True,
        help_text="For taken: whether the dose was as prescribed; null, or not sent: nobody said. "
        "false is put on the worklist.",
    )
    note = Text(max_length=500, kind=LINES, required=False)
    confirmed = YesNo(
        default=False, help_text="Yes, although another injection is recorded close to it."
    )


class RecordShown(serializers.Serializer[Any]):
    """One thing told of a dose. The one with the greatest number holds."""

    number = serializers.IntegerField()
    told = serializers.ChoiceField(Told.choices)
    taken_on = serializers.DateField(allow_null=True)
    taken_at = Hour(allow_null=True)
    site = serializers.CharField()
    as_prescribed = serializers.BooleanField(allow_null=True)
    note = serializers.CharField()
    came_by = serializers.ChoiceField(Source.choices, source="source")
    recorded_by = serializers.CharField(
        source="recorded_by.name", default=None, allow_null=True, help_text="null: the patient."
    )
    recorded_at = serializers.DateTimeField()


class DoseWithRecords(serializers.Serializer[Any]):
    """A dose of the past, or one that waits, with all that was told of it."""

    id = serializers.UUIDField()
    date = serializers.DateField()
    state = serializers.ChoiceField(DoseState.choices)
    missed_because = serializers.ChoiceField([("", "not missed"), *Missed.choices])
    records = serializers.SerializerMethodField()

    @extend_schema_field(RecordShown(many=True))
    def get_records(self, dose: Dose) -> Any:
        told = sorted(dose.records.all(), key=lambda record: record.number)
        return RecordShown(told, many=True).data


class DosesPage(serializers.Serializer[Any]):
    """Doses, the one planned last first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = DoseWithRecords(many=True)


class DoseRecorded(serializers.Serializer[Any]):
    """What was recorded. cautions: to be seen by whoever recorded it. too_late: texts about the
    dose that have left, or may have."""

    dose = DoseWithRecords()
    cautions = CautionShown(many=True)
    too_late = TextShown(many=True)


class AnswerShown(serializers.Serializer[Any]):
    """A text that a patient wrote, and what we made of it. urgent: signs of danger in it."""

    id = serializers.UUIDField()
    text = serializers.UUIDField(
        source="inbound_id", help_text="As the facts of worklist items name it."
    )
    body = serializers.CharField(source="inbound.body")
    received_at = serializers.DateTimeField(source="inbound.received_at")
    meanings = serializers.ListField(child=serializers.ChoiceField(MEANINGS))
    urgent = serializers.ListField(child=serializers.ChoiceField(SIGNS))
    handled = serializers.ChoiceField(Handled.choices)
    handled_in_words = serializers.CharField(source="get_handled_display")
    dose = serializers.UUIDField(source="dose_id", allow_null=True)


class AnswersPage(serializers.Serializer[Any]):
    """What the patient wrote, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = AnswerShown(many=True)


class DoseHistory(Door):
    """/patients/{patient_id}/doses/history"""

    permission_classes = [Staff]

    @operation(
        "list_dose_history",
        "doses",
        patient=True,
        query=Paged,
        answer=DosesPage,
        shows={"next": None, "results": [examples.DOSE]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's doses with what was told of each, the one planned last first."""
        doses = care.doses_for(self.who, patient_id)
        found, following = page(doses, self.query(Paged), request)
        return Response(DosesPage({"next": following, "results": found}).data)


class RecordDose(Door):
    """/patients/{patient_id}/doses/{dose_id}/record"""

    permission_classes = [Staff]

    @operation(
        "record_dose",
        "doses",
        patient=True,
        body=DoseTold,
        sends={"told": "taken", "taken_on": "2027-01-11", "site": "thigh_left"},
        answer=DoseRecorded,
        shows={"dose": examples.DOSE, "cautions": [], "too_late": []},
        problems=[403, 409],
        repeatable=True,
    )
    def post(self, request: Request, patient_id: UUID, dose_id: UUID) -> Response:
        """Record what became of a dose, or correct it: the first record is kept.

        Its reminders end. One with another injection recorded too close by is refused with
        `second_dose_close` until you say `confirmed`, and is put on the worklist then.
        """
        told = self.body(DoseTold)
        patient = care.patient_for(self.who, patient_id, May.RECORD)

        def act() -> Reply:
            done = record_dose(
                patient.id, dose_id, Telling(**told), Source.STAFF, self.actor, self.now
            )
            return Reply(200, _recorded(done))

        return self.once(act)


class Answers(Door):
    """/patients/{patient_id}/answers"""

    permission_classes = [Staff]

    @operation(
        "list_answers",
        "texts",
        patient=True,
        query=Paged,
        answer=AnswersPage,
        shows={"next": None, "results": [examples.ANSWER]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What a patient wrote, newest first, and what we made of each."""
        answers = care.answers_for(self.who, patient_id)
        found, following = page(answers, self.query(Paged), request)
        return Response(AnswersPage({"next": following, "results": found}).data)


def _recorded(done: Recorded) -> Any:
    return DoseRecorded(
        {"dose": done.dose, "cautions": done.cautions, "too_late": done.too_late}
    ).data
