"""What a clinic sets up: who is on duty, and its policy."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.models import Clinic
from api import examples
from api.door import Door, etag
from api.entrance import Staff
from api.fields import LINE_OR_NONE, Hour, Id, Instant, OneOf, Strict, Text, Whole, YesNo
from api.schema import operation
from reminders import policies
from reminders.models import Duty, Site
from reminders.worklist import rota

CURRENCY = (r"([A-Z]{3})?", "Write a currency's code, like GBP.")
SHORT = (policies.SHORT_NUMBER.pattern, "Write digits, like 999 or 116 123.")


@extend_schema_field({"type": "string", "pattern": r"^\d{1,4}(\.\d{1,4})?$"})
class Price(serializers.DecimalField):
    """An amount of money that isn't below nothing, which the library's own pattern would allow."""


class DutySent(Strict):
    """Somebody on duty. user: the id of a member; null instants: no beginning, no end."""

    user = Id(source="user_id")
    rung = Whole(1, rota.RUNGS, help_text="Paged first: 1. Then upwards, while nobody answers.")
    number = Text(max_length=40, help_text="Where pages go, as people write it.")
    starts_at = Instant(required=False, allow_null=True)
    ends_at = Instant(required=False, allow_null=True)


class RotaSent(Strict):
    """The whole rota."""

    duties = serializers.ListField(child=DutySent(), max_length=100)


class DutyShown(serializers.Serializer[Any]):
    """Somebody on duty. deaf_since: since when their phone gets no pages, for it said STOP to them;
    START, sent to the number that pages come from, ends it."""

    user = serializers.UUIDField(source="user_id")
    name = serializers.CharField(source="user.name")
    rung = serializers.IntegerField()
    number = serializers.CharField(help_text="E.164.")
    starts_at = Instant(allow_null=True)
    ends_at = Instant(allow_null=True)
    deaf_since = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_deaf_since(self, duty: Duty) -> Any:
        since = self.context["deaf"].get(duty.id)
        return since and serializers.DateTimeField().to_representation(since)


class RotaShown(serializers.Serializer[Any]):
    """A clinic's rota, the lowest rung first. covered: somebody is on duty at this moment."""

    covered = serializers.BooleanField()
    duties = DutyShown(many=True)


class Policy(Strict):
    """A clinic's policy, whole.

    text_next_day, text_overdue: whether these reminders send a text; what they do besides stays.
    """

    text_next_day = YesNo()
    text_overdue = YesNo()
    texts_from = Hour(
        help_text="From when on texts go whose hour the patient didn't choose: 08:00 or later.",
    )
    texts_until = Hour(help_text="Until when they go: 21:00 or earlier.")
    later_minutes = Whole(15, 600, help_text='How long a "later" without a time waits.')
    on_time_days = Whole(0, 3, help_text="Whole days late that still count as on time.")
    page_minutes = Whole(1, 120, help_text="How long an urgent item waits on a rung of the rota.")
    result_days = Whole(
        1, 366, allow_null=True, help_text="A blood result is due so long after the last."
    )
    sites = serializers.ListField(
        child=OneOf(Site.choices), min_length=1, max_length=len(Site.choices)
    )
    out_of_hours = Text(
        max_length=40,
        kind=LINE_OR_NONE,
        help_text="Beside the clinic's own number, in safety texts.",
    )
    emergency = Text(max_length=16, kind=SHORT)
    crisis_line = Text(max_length=16, kind=SHORT)
    segment_price = Price(
        max_digits=8,
        decimal_places=4,
        min_value=0,
        allow_null=True,
        help_text="What a segment costs you; shown beside your own texts. null: not known.",
    )
    currency = Text(max_length=3, kind=CURRENCY, help_text="Of the price, like GBP, or empty.")


class Rota(Door):
    """/clinics/{clinic_id}/rota"""

    permission_classes = [Staff]

    @operation(
        "read_rota", "clinics", clinic=True, etag=True, answer=RotaShown, shows=examples.ROTA,
        problems=[403],
    )  # fmt: skip
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """Who is on duty, and whom urgent items page: the lowest rung first, then upwards."""
        clinic = clinic_for(self.who, clinic_id, May.SEE_PATIENTS)
        return self._shown(clinic, rota.rota_of(clinic.id))

    @operation(
        "set_rota",
        "clinics",
        clinic=True,
        decides=True,
        etag=True,
        body=RotaSent,
        sends={"duties": [examples.DUTY]},
        answer=RotaShown,
        shows=examples.ROTA,
        problems=[403],
    )
    def put(self, request: Request, clinic_id: UUID) -> Response:
        """Replace the whole rota. It holds at once, for items that wait too.

        While nobody is on duty an urgent item pages nobody: that is an alarm.
        """
        sent, seen = self.body(RotaSent), self.seen()
        clinic = clinic_for(self.who, clinic_id, May.SET_UP)
        turns = [rota.Turn(**duty) for duty in sent["duties"]]
        return self._shown(clinic, rota.set_rota(clinic, turns, seen, self.actor, self.now))

    def _shown(self, clinic: Clinic, duties: Sequence[Duty]) -> Response:
        covered = rota.is_covered(clinic.id, self.now)
        context = {"deaf": rota.deaf(duties)}
        answer = RotaShown({"covered": covered, "duties": duties}, context=context)
        return Response(answer.data, headers={"ETag": etag(rota.token_of(duties))})


class PolicyDoor(Door):
    """/clinics/{clinic_id}/policy"""

    permission_classes = [Staff]

    @operation(
        "read_policy", "clinics", clinic=True, answer=Policy, shows=examples.POLICY,
        problems=[403],
    )  # fmt: skip
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """The clinic's policy; the defaults, if it never chose another."""
        clinic = clinic_for(self.who, clinic_id, May.SEE_PATIENTS)
        return Response(Policy(policies.policy_of(clinic.id)).data)

    @operation(
        "set_policy",
        "clinics",
        clinic=True,
        body=Policy,
        sends=examples.POLICY,
        answer=Policy,
        shows=examples.POLICY,
        problems=[403],
    )
    def put(self, request: Request, clinic_id: UUID) -> Response:
        """Set the clinic's policy. It holds from now on."""
        sent = self.body(Policy)
        clinic = clinic_for(self.who, clinic_id, May.SET_UP)
        return Response(Policy(policies.set_policy(clinic, sent, self.actor)).data)
