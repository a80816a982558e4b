"""Injections that belong to no dose: facts beside the plan."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.replies import Reply
from api.door import Door
from api.entrance import Staff
from api.fields import LINES, Day, Hour, Nothing, OneOf, Strict, Text, YesNo
from api.pages import Paged, page
from api.schedule_shapes import CautionShown
from api.schema import operation
from reminders.doses.noting import Injected, Noted, correct_injection, note_injection
from reminders.models import Site, Source
from reminders.reading import care

SENT: dict[str, Any] = {"taken_on": "2027-01-11", "site": "thigh_left", "as_prescribed": True}
SHOWN: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-0000000017ec",
    **SENT,
    "taken_at": None,
    "note": "",
    "came_by": "staff",
    "recorded_by": "Grace Example",
    "recorded_at": "2027-01-12T10:02:00Z",
    "corrects": None,
    "corrected_by": None,
}
FORMER = "0198c0de-0000-7000-8000-0000000017eb"


class InjectionTold(Strict):
    """What to note. taken_on, taken_at: where the patient is."""

    taken_on = Day(help_text="The date of the injection, within the last year.")
    taken_at = Hour(required=False, help_text="Its time, HH:MM, if it is known.")
    site = OneOf(Site.choices, required=False, help_text="Where, of the clinic's sites.")
    as_prescribed = YesNo(
        required=False,
        allow_null=True,
        help_text="Whether the dose was as prescribed; null, or not sent: nobody said. false is "
        "put on the worklist.",
    )
    note = Text(max_length=500, kind=LINES, required=False)
    confirmed = YesNo(
        default=False, help_text="Yes, although another injection is recorded close to it."
    )


class InjectionShown(serializers.Serializer[Any]):
    """An injection of no dose. taken_on: null in what took another back. corrected_by: the id of
    the one that holds in its place, or null if it holds itself."""

    id = serializers.UUIDField()
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
    corrects = serializers.UUIDField(source="corrects_id", allow_null=True)
    corrected_by = serializers.UUIDField(default=None, allow_null=True)


class InjectionsPage(serializers.Serializer[Any]):
    """Injections of no dose, the last noted first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = InjectionShown(many=True)


class InjectionNoted(serializers.Serializer[Any]):
    """What was noted. cautions: to be seen by whoever noted it."""

    injection = InjectionShown()
    cautions = CautionShown(many=True)


class Injections(Door):
    """/patients/{patient_id}/injections"""

    permission_classes = [Staff]

    @operation(
        "list_injections",
        "doses",
        patient=True,
        query=Paged,
        answer=InjectionsPage,
        shows={"next": None, "results": [SHOWN]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's injections that belong to no dose, with what was corrected.

        Those of doses are in the history of doses.
        """
        query = self.query(Paged)
        found, following = page(care.injections_for(self.who, patient_id), query, request)
        return Response(InjectionsPage({"next": following, "results": found}).data)

    @operation(
        "note_injection",
        "doses",
        patient=True,
        repeatable=True,
        body=InjectionTold,
        sends=SENT,
        answer=InjectionNoted,
        shows={"injection": SHOWN, "cautions": []},
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Note an injection that belongs to no dose.

        As of a date that a change of plan, a pause or a stop closed. It moves no plan, and counts
        as the last injection from then on. Where the plan has a dose to record instead, it is
        refused with `dose_there`; with another injection too close by, with `second_dose_close`
        until you say `confirmed`, and is put on the worklist then.
        """
        told = self.body(InjectionTold)
        patient = care.patient_for(self.who, patient_id, May.RECORD)

        def act() -> Reply:
            done = note_injection(patient.id, Injected(**told), Source.STAFF, self.actor, self.now)
            return Reply(201, _noted(done))

        return self.once(act)


class CorrectInjection(Door):
    """/patients/{patient_id}/injections/{injection_id}/correct"""

    permission_classes = [Staff]

    @operation(
        "correct_injection",
        "doses",
        patient=True,
        path={"injection": FORMER},
        repeatable=True,
        body=InjectionTold,
        sends=SENT,
        answer=InjectionNoted,
        shows={"injection": {**SHOWN, "corrects": FORMER}, "cautions": []},
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID, injection_id: UUID) -> Response:
        """Note what an injection should have been.

        It holds in the other's place; the first stays in the list as it was.
        """
        told = self.body(InjectionTold)
        patient = care.patient_for(self.who, patient_id, May.RECORD)

        def act() -> Reply:
            done = correct_injection(
                patient.id, injection_id, Injected(**told), Source.STAFF, self.actor, self.now
            )
            return Reply(201, _noted(done))

        return self.once(act)


class TakeBackInjection(Door):
    """/patients/{patient_id}/injections/{injection_id}/take-back"""

    permission_classes = [Staff]

    @operation(
        "take_back_injection",
        "doses",
        patient=True,
        path={"injection": FORMER},
        repeatable=True,
        body=Nothing,
        sends={},
        answer=InjectionNoted,
        shows={
            "injection": {
                **SHOWN, "taken_on": None, "site": "", "as_prescribed": None, "corrects": FORMER,
            },
            "cautions": [],
        },
        status=201,
        problems=[403, 409],
    )  # fmt: skip
    def post(self, request: Request, patient_id: UUID, injection_id: UUID) -> Response:
        """Take an injection back that wasn't one.

        In the list it stays, with what took it back.
        """
        self.body(Nothing)
        patient = care.patient_for(self.who, patient_id, May.RECORD)

        def act() -> Reply:
            done = correct_injection(
                patient.id, injection_id, None, Source.STAFF, self.actor, self.now
            )
            return Reply(201, _noted(done))

        return self.once(act)


def _noted(done: Noted) -> Any:
    return InjectionNoted({"injection": done.injection, "cautions": done.cautions}).data
