"""What is sent and answered about schedules."""

from datetime import date, datetime
from typing import Any

from rest_framework import serializers

from api.door import etag
from api.fields import LINES, Day, OneOf, Strict, Text, Whole
from api.texts import TextShown
from reminders.models import Status
from reminders.schedules.effects import OpenDose
from reminders.schedules.notices import Notice
from reminders.schedules.plan import Plan
from reminders.schedules.prescribing import Outcome, Preview

STATUS_IN_WORDS: dict[str, str] = {
    Status.RUNNING: "Running: reminders go out.",
    Status.PAUSED: "Paused: no reminders until somebody resumes it.",
    Status.STOPPED: "Ended: no reminders any more.",
}


# --- What is sent ---------------------------------------------------------------------------------


class Decision(Strict):
    """An interval from a date on, and why."""

    interval_days = Whole(1, 366, help_text="Days between injections, of those your clinic offers.")
    starts_on = Day(help_text="The first injection of the new plan: today at the earliest.")
    reason = Text(max_length=2000, kind=LINES, required=False, help_text="Why, for the record.")
    results = Text(
        max_length=2000, kind=LINES, required=False, help_text="The blood results it rests on."
    )


class Start(Decision):
    """The first decision. last_injection_on: an earlier injection, as a fact."""

    last_injection_on = Day(required=False, allow_null=True)


class IntervalChange(Decision):
    """A new decision on a schedule that runs."""

    open_dose = OneOf(
        [(fate.value, fate.value) for fate in OpenDose],
        required=False,
        help_text="What becomes of a dose that waits for an answer. If you don't say: it is closed "
        "if the new start is nearer to it than your clinic's least gap.",
    )


class Pause(Strict):
    """review_on: when somebody looks at it again, so that nobody is forgotten."""

    review_on = Day(help_text="After today, within a year.")
    reason = Text(max_length=2000, kind=LINES, required=False, help_text="Why, for the record.")


class Stop(Strict):
    """Why, for the record."""

    reason = Text(max_length=2000, kind=LINES, required=False)


# --- What is answered -----------------------------------------------------------------------------


class DecisionShown(serializers.Serializer[Any]):
    """One decision, as it was made."""

    number = serializers.IntegerField()
    interval_days = serializers.IntegerField()
    starts_on = serializers.DateField()
    reason = serializers.CharField()
    results = serializers.CharField()
    decided_by = serializers.CharField(source="decided_by.name")
    decided_at = serializers.DateTimeField()


class DoseShown(serializers.Serializer[Any]):
    """A dose on the patient's own date. remind_at: when its first reminder goes, or went, out."""

    date = serializers.DateField()
    interval_days = serializers.IntegerField()
    remind_at = serializers.DateTimeField()


class ScheduleShown(serializers.Serializer[Any]):
    """A schedule: every decision on it, the doses that wait for an answer, the next one."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    status_in_words = serializers.CharField()
    last_injection_on = serializers.DateField(allow_null=True)
    review_on = serializers.DateField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)
    versions = DecisionShown(many=True)
    waiting = DoseShown(many=True, help_text="Asked for, and not answered yet.")
    planned = DoseShown(allow_null=True)
    etag = serializers.CharField(help_text="Send it as If-Match with a decision.")


class NoticeShown(serializers.Serializer[Any]):
    """The text that tells the patient. leaves_at: null if the limits leave no room for one."""

    body = serializers.CharField()
    leaves_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(help_text="Whether the patient gets it, or what to do instead.")


class OutcomeShown(serializers.Serializer[Any]):
    """What a decision did. too_late: texts of the former plan that have left, or may have."""

    schedule = ScheduleShown()
    too_late = TextShown(many=True)
    too_late_note = serializers.CharField()
    notice = NoticeShown(allow_null=True)


class CautionShown(serializers.Serializer[Any]):
    """Something that may be meant, but should be seen before it is confirmed."""

    code = serializers.CharField()
    message = serializers.CharField()


class PreviewShown(serializers.Serializer[Any]):
    """What a change would do. before, after: dates of twelve weeks; gap_days: from the last
    injection to the first new date; open_dose: what becomes of one that waits for an answer."""

    schedule = ScheduleShown()
    before = serializers.ListField(child=serializers.DateField())
    after = serializers.ListField(child=serializers.DateField())
    gap_days = serializers.IntegerField(allow_null=True)
    cautions = CautionShown(many=True)
    open_dose = serializers.ChoiceField(
        [(fate.value, fate.value) for fate in OpenDose], allow_null=True
    )
    notice = NoticeShown()


def schedule(plan: Plan) -> dict[str, Any]:
    """A plan as it is shown."""
    return ScheduleShown(_schedule(plan)).data


def notice(told: Notice) -> dict[str, Any]:
    """A text to a patient, as it is shown."""
    return NoticeShown(_notice(told, "gets")).data


def outcome(done: Outcome) -> dict[str, Any]:
    """What a decision did, as it is shown."""
    return OutcomeShown(
        {
            "schedule": _schedule(done.plan),
            "too_late": done.too_late,
            "too_late_note": "Texts of the former plan have left, or may have: tell the patient "
            "what holds now."
            if done.too_late
            else "No text of the former plan is on its way.",
            "notice": _notice(done.notice, "gets") if done.notice else None,
        }
    ).data


def preview(shown: Preview) -> dict[str, Any]:
    """What a change would do, as it is shown."""
    return PreviewShown(
        {
            "schedule": _schedule(shown.plan),
            "before": shown.before,
            "after": shown.after,
            "gap_days": shown.gap_days,
            "cautions": shown.cautions,
            "open_dose": shown.open_dose,
            "notice": _notice(shown.notice, "would get"),
        }
    ).data


def _schedule(plan: Plan) -> dict[str, Any]:
    found = plan.schedule
    return {
        "id": found.id,
        "patient": plan.patient.id,
        "status": found.status,
        "status_in_words": STATUS_IN_WORDS[found.status],
        "last_injection_on": plan.last_injection_on,
        "review_on": found.review_on,
        "stopped_at": found.stopped_at,
        "versions": plan.versions,
        "waiting": [_dose(plan, dose.date, dose.version_id) for dose in plan.due],
        "planned": plan.planned and _dose(plan, plan.planned.date, plan.planned.version_id),
        "etag": etag(plan.token),
    }


def _dose(plan: Plan, day: date, version_id: Any) -> dict[str, Any]:
    version = next(version for version in plan.versions if version.id == version_id)
    remind_at: datetime = plan.reminder_at(day)
    return {"date": day, "interval_days": version.interval_days, "remind_at": remind_at}


def _notice(notice: Notice, gets: str) -> dict[str, Any]:
    note = (
        f"The patient {gets} this text."
        if notice.leaves_at
        else "No text can go out: there were too many this week. Tell the patient by phone."
    )
    return {**vars(notice), "note": note}
