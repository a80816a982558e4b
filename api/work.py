"""How the work goes, for those who keep the service running."""

from typing import Any

from django.http import HttpResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinics_of
from api.door import Door
from api.entrance import Anybody, Staff
from api.schema import operation
from community.alarms import alarms as community_alarms
from messaging.clock import read_clock
from reminders.planning import alarms, daily_count


class AlarmShown(serializers.Serializer[Any]):
    """Something that somebody has to look at now."""

    name = serializers.CharField(
        help_text="planning_silent, sending_silent, hearing_silent, paging_silent, circuit_open, "
        "count_late, doses_missing, nobody_on_duty, page_lost, duty_opted_out; of the community "
        "no_moderator_on_duty, crisis_paging_silent, crisis_finds_nobody, crisis_page_lost or "
        "moderator_opted_out."
    )
    seconds = serializers.FloatField(help_text="For how long it has been so.")


class WorkShown(serializers.Serializer[Any]):
    """All alarms; none is well."""

    alarms = AlarmShown(many=True)


class Work(Door):
    """/health/work"""

    authentication_classes = []
    permission_classes = [Anybody]

    @operation("work", "service", answer=WorkShown, shows={"alarms": []})
    def get(self, request: Request) -> Response:
        """Whether reminders are planned and sent. 503, with what is wrong, if not.

        For a monitor: workers that are all dead can't tell. Names no clinic and nobody.
        """
        now = read_clock()
        found = [
            {"name": alarm.name, "seconds": round(alarm.seconds, 1)}
            for alarm in (*alarms.alarms(now), *community_alarms(now))
        ]
        return Response({"alarms": found}, 503 if found else 200)


class Metrics(Door):
    """/metrics"""

    permission_classes = [Staff]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """The same and more as figures, in Prometheus's text format: over all clinics, and the
        steps due today at each clinic that the caller belongs to."""
        registry, now = CollectorRegistry(), read_clock()
        for name, value in alarms.figures(now).items():
            Gauge(f"dosecircle_{name}", name.replace("_", " "), registry=registry).set(value)
        labels = ("clinic", "step", "figure")
        steps = Gauge("dosecircle_steps_today", "steps due today", labels, registry=registry)
        for count in daily_count.counts_today(now, clinics_of(self.who, May.SEE_PATIENTS)):
            for figure in daily_count.FIGURES:
                value = getattr(count, figure)
                steps.labels(str(count.clinic_id), count.step, figure).set(value)
        return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")
