"""A patient's schedule, and the care team's decisions on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.refusals import Conflict, Stale
from accounts.replies import Reply
from api import examples
from api import schedule_shapes as shapes
from api.door import Door, etag
from api.entrance import Staff
from api.schema import operation
from reminders.models import Patient
from reminders.reading import care
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import Plan
from reminders.schedules.prescribing import Outcome

PAUSED = {**examples.SCHEDULE, "status": "paused", "review_on": "2027-02-15", "planned": None}
"""For the examples."""


class ScheduleDoor(Door):
    """What the schedule's doors share: whoever decides on a past state is shown the present one."""

    permission_classes = [Staff]

    def answer(
        self, patient: Patient, decide: Callable[[], Outcome], status: int = 200
    ) -> Response:
        """Decide once, and answer what it did."""

        def act() -> Reply:
            with self._showing_the_present(patient):
                return Reply(status, shapes.outcome(decide()))

        response = self.once(act)
        response["ETag"] = response.data["schedule"]["etag"]
        return response

    @contextmanager
    def _showing_the_present(self, patient: Patient) -> Iterator[None]:
        try:
            yield
        except Stale as refusal:
            _show(refusal, refusal.facts["plan"])
            raise
        except Conflict as refusal:
            _show(refusal, care.schedule_for(self.who, patient.id, May.SEE_PATIENTS))
            raise


class Schedule(ScheduleDoor):
    """/patients/{patient_id}/schedule"""

    @operation(
        "read_schedule",
        "schedules",
        patient=True,
        etag=True,
        answer=shapes.ScheduleShown,
        shows=examples.SCHEDULE,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The patient's schedule: the one that runs or is paused, or else the last one.

        Its ETag names the state; send it back as If-Match with a decision.
        """
        plan = care.schedule_for(self.who, patient_id, May.SEE_PATIENTS)
        return Response(shapes.schedule(plan), headers={"ETag": etag(plan.token)})

    @operation(
        "start_schedule",
        "schedules",
        patient=True,
        etag=True,
        repeatable=True,
        body=shapes.Start,
        sends={
            "interval_days": 7,
            "starts_on": "2027-01-11",
            "reason": "First injections.",
            "last_injection_on": "2027-01-04",
        },
        answer=shapes.OutcomeShown,
        shows={**examples.OUTCOME, "notice": None},
        status=201,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Start a schedule.

        Reminders go out from its first date on, at the patient's hour.
        """
        sent = self.body(shapes.Start)
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        last = sent.pop("last_injection_on", None)
        return self.answer(
            patient,
            lambda: prescribing.start(patient.id, Decision(**sent), last, self.actor, self.now),
            status=201,
        )


class PreviewChange(ScheduleDoor):
    """/patients/{patient_id}/schedule/preview"""

    @operation(
        "preview_change",
        "schedules",
        patient=True,
        etag=True,
        body=shapes.IntervalChange,
        sends=examples.DECISION,
        answer=shapes.PreviewShown,
        shows=examples.PREVIEW,
        problems=[403, 409],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """What a change of interval would do. Changes nothing.

        Dates before and after for twelve weeks, the gap, what to be cautious of, and the text that
        the patient would get. Its ETag is the state that it was worked out on.
        """
        sent = self.body(shapes.IntervalChange)
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        with self._showing_the_present(patient):
            shown = prescribing.preview_change(patient, _decision(sent), self.actor, self.now)
        return Response(shapes.preview(shown), headers={"ETag": etag(shown.plan.token)})


class ChangeInterval(ScheduleDoor):
    """/patients/{patient_id}/schedule/change"""

    @operation(
        "change_interval",
        "schedules",
        patient=True,
        etag=True,
        repeatable=True,
        decides=True,
        body=shapes.IntervalChange,
        sends=examples.DECISION,
        answer=shapes.OutcomeShown,
        shows=examples.OUTCOME,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Give a running schedule a new interval from a date on.

        Texts of the former plan are cancelled at once; `too_late` names those that had left. The
        patient is told by a text, or `notice` says that somebody has to call.
        """
        sent, seen = self.body(shapes.IntervalChange), self.seen()
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        return self.answer(
            patient,
            lambda: prescribing.change_interval(
                patient.id, _decision(sent), seen, self.actor, self.now
            ),
        )


class Pause(ScheduleDoor):
    """/patients/{patient_id}/schedule/pause"""

    @operation(
        "pause_schedule",
        "schedules",
        patient=True,
        etag=True,
        repeatable=True,
        decides=True,
        body=shapes.Pause,
        sends={"review_on": "2027-02-15", "reason": "Infection."},
        answer=shapes.OutcomeShown,
        shows={**examples.OUTCOME, "schedule": PAUSED},
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Pause a running schedule until somebody resumes it.

        On the date of review it comes up in the worklist, so that nobody is forgotten. On a paused
        schedule this puts the review off; the patient isn't told.
        """
        sent, seen = self.body(shapes.Pause), self.seen()
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        return self.answer(
            patient,
            lambda: prescribing.pause(
                patient.id, sent["review_on"], sent.get("reason", ""), seen, self.actor, self.now
            ),
        )


class Resume(ScheduleDoor):
    """/patients/{patient_id}/schedule/resume"""

    @operation(
        "resume_schedule",
        "schedules",
        patient=True,
        etag=True,
        repeatable=True,
        decides=True,
        body=shapes.Decision,
        sends=examples.DECISION,
        answer=shapes.OutcomeShown,
        shows=examples.OUTCOME,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Let a paused schedule run again, from a date that you choose."""
        sent, seen = self.body(shapes.Decision), self.seen()
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        return self.answer(
            patient,
            lambda: prescribing.resume(patient.id, Decision(**sent), seen, self.actor, self.now),
        )


class Stop(ScheduleDoor):
    """/patients/{patient_id}/schedule/stop"""

    @operation(
        "stop_schedule",
        "schedules",
        patient=True,
        etag=True,
        repeatable=True,
        decides=True,
        body=shapes.Stop,
        sends={"reason": "Treatment has ended."},
        answer=shapes.OutcomeShown,
        shows={
            **examples.OUTCOME,
            "schedule": {
                **examples.SCHEDULE,
                "status": "stopped",
                "stopped_at": "2027-01-12T10:00:00Z",
                "planned": None,
            },
        },
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """End a schedule for good. Its history stays."""
        sent, seen = self.body(shapes.Stop), self.seen()
        patient = care.patient_for(self.who, patient_id, May.PRESCRIBE)
        return self.answer(
            patient,
            lambda: prescribing.stop(
                patient.id, sent.get("reason", ""), seen, self.actor, self.now
            ),
        )


def _decision(sent: dict[str, Any]) -> Decision:
    fate = sent.get("open_dose")
    return Decision(**{**sent, "open_dose": OpenDose(fate) if fate else None})


def _show(refusal: Stale | Conflict, plan: Plan) -> None:
    refusal.facts |= {"current": shapes.schedule(plan), "etag": etag(plan.token)}
