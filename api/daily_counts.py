"""What was due at a clinic, day by day, against what was asked and arrived."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from api.door import Door
from api.entrance import Staff
from api.fields import Instant
from api.schema import operation
from reminders.dates.schedule import local_date
from reminders.planning.daily_count import counts_of

DAYS = timedelta(days=31)

COUNT = {
    "day": "2027-01-04", "step": "day", "counted_at": "2027-01-04T10:00:00Z", "due": 12,
    "closed": 1, "waiting": 0, "sent": 1, "delivered": 9, "unknown": 0, "failed": 1,
    "not_texted": 0, "stuck": 0, "missing": 0, "repaired": 0,
}  # fmt: skip


class DailyCountShown(serializers.Serializer[Any]):
    """One step of the doses of one day, by the patients' own dates. The others add up to due,
    repaired aside."""

    day = serializers.DateField()
    step = serializers.ChoiceField(
        [
            ("day", "The reminder on the day"),
            ("next", "The one on the next day"),
            ("overdue", "The one after two days"),
        ]
    )
    counted_at = Instant(help_text="The last time.")
    due = serializers.IntegerField(help_text="So far: of doses whose hour has come.")
    closed = serializers.IntegerField(help_text="Closed by a decision, or answered before.")
    waiting = serializers.IntegerField(help_text="The text is to leave still.")
    sent = serializers.IntegerField(help_text="On its way, without a last word.")
    delivered = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Nobody knows yet whether it left.")
    failed = serializers.IntegerField(help_text="It didn't arrive, or didn't leave in time.")
    not_texted = serializers.IntegerField(
        help_text="There was no text: too late, no room for it, or the clinic's policy has none."
    )
    stuck = serializers.IntegerField(help_text="Planning fails; it is on the worklist.")
    missing = serializers.IntegerField(help_text="There was no dose where one was due.")
    repaired = serializers.IntegerField(help_text="So many that were missing are planned now.")


class DailyCountsShown(serializers.Serializer[Any]):
    """The last 31 days, the latest first."""

    counts = DailyCountShown(many=True)


class DailyCounts(Door):
    """/clinics/{clinic_id}/daily-counts"""

    permission_classes = [Staff]

    @operation(
        "read_daily_counts", "clinics", clinic=True, answer=DailyCountsShown,
        shows={"counts": [COUNT]}, problems=[403],
    )  # fmt: skip
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """The clinic's daily counts: each step that was due is in one of the figures. They are
        taken by the hour, and again on the day after."""
        clinic = clinic_for(self.who, clinic_id, May.SEE_PATIENTS)
        since = local_date(self.now, ZoneInfo(clinic.time_zone)) - DAYS
        return Response(DailyCountsShown({"counts": counts_of(clinic.id, since)}).data)
