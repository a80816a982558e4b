"""A patient's side-effect diary."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May
from accounts.replies import Reply
from api.door import Door
from api.entrance import Staff
from api.fields import LINES, Day, Id, OneOf, Strict, Text, Whole
from api.pages import Paged, page
from api.periods import Period, bounds
from api.records import SIGNS
from api.schema import operation
from reminders.dates.schedule import local_date
from reminders.health import diary
from reminders.models import Severity, SideEffect, SideEffectEntry, Source
from reminders.reading import care

HOW_BAD = "; ".join(f"{value}: {words}" for value, words in Severity.choices) + "."
SENT: dict[str, Any] = {
    "effect": "tiredness",
    "severity": 2,
    "on_date": "2027-01-12",
    "note": "Slept most of Tuesday.",
}
SHOWN: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000d1a4",
    **SENT,
    "effect_in_words": "Tiredness",
    "severity_in_words": "Hard to ignore",
    "came_by": "staff",
    "text": None,
    "recorded_by": "Grace Example",
    "recorded_at": "2027-01-13T10:20:00Z",
    "corrects": None,
    "corrected_by": None,
}
TREND: dict[str, Any] = {
    "from": "2027-01-04",
    "to": "2027-01-17",
    "results": [
        {
            "effect": "tiredness",
            "effect_in_words": "Tiredness",
            "weeks": [{"starts_on": "2027-01-11", "worst": 2, "entries": 1}],
        }
    ],
}


class EntrySent(Strict):
    """An entry for the diary. corrects: the id of the entry in whose place it holds."""

    effect = OneOf(SideEffect.choices, help_text="One of the nine common side effects.")
    severity = Whole(0, 3, help_text=f"{HOW_BAD} Plain words, no clinical scale.")
    on_date = Day(help_text="When it was so, where the patient is: within the last year.")
    note = Text(max_length=2000, kind=LINES, required=False, default="")
    signs = serializers.ListField(
        child=OneOf(SIGNS),
        required=False,
        default=list,
        max_length=len(SIGNS),
        help_text="Urgent signs that the patient told you of. Those in the note are found.",
    )
    corrects = Id(required=False, allow_null=True, default=None)


class SideEffectEntryShown(serializers.Serializer[Any]):
    """An entry. corrected_by: the id of the entry that holds in its place, or null if it holds
    itself. severity: null where the patient's text didn't say."""

    id = serializers.UUIDField()
    effect = serializers.ChoiceField(SideEffect.choices)
    effect_in_words = serializers.CharField(source="get_effect_display")
    severity = serializers.IntegerField(allow_null=True, min_value=0, max_value=3)
    severity_in_words = serializers.SerializerMethodField()
    on_date = serializers.DateField()
    note = serializers.CharField()
    came_by = serializers.ChoiceField(Source.choices, source="source")
    text = serializers.UUIDField(
        source="answer.inbound_id",
        default=None,
        allow_null=True,
        help_text="The text it came by, as the list of answers names it; null for another way.",
    )
    recorded_by = serializers.SerializerMethodField(help_text="Null: the patient.")
    recorded_at = serializers.DateTimeField()
    corrects = serializers.UUIDField(source="corrects_id", allow_null=True)
    corrected_by = serializers.UUIDField(default=None, allow_null=True)

    def get_severity_in_words(self, entry: SideEffectEntry) -> str:
        return "" if entry.severity is None else Severity(entry.severity).label

    def get_recorded_by(self, entry: SideEffectEntry) -> str | None:
        return entry.recorded_by.name if entry.recorded_by else None


class DiaryPage(serializers.Serializer[Any]):
    """Entries, the last noted first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = SideEffectEntryShown(many=True)


class WeekShown(serializers.Serializer[Any]):
    """A week, from its Monday. worst: null if no entry says how bad it was."""

    starts_on = serializers.DateField()
    worst = serializers.IntegerField(allow_null=True, min_value=0, max_value=3)
    entries = serializers.IntegerField()


class EffectTrendShown(serializers.Serializer[Any]):
    """One effect's weeks; those without entries are left out."""

    effect = serializers.ChoiceField(SideEffect.choices)
    effect_in_words = serializers.CharField(source="effect.label")
    weeks = WeekShown(many=True)


class DiaryTrendShown(serializers.Serializer[Any]):
    """Each effect that has entries in the period."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateField(source="since"),
            "to": serializers.DateField(source="until"),
            "results": EffectTrendShown(many=True),
        }


class SideEffects(Door):
    """/patients/{patient_id}/side-effects"""

    permission_classes = [Staff]

    @operation(
        "list_side_effects",
        "health",
        patient=True,
        query=Paged,
        answer=DiaryPage,
        shows={"next": None, "results": [SHOWN]},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The patient's diary, the last noted first, with what was corrected."""
        query = self.query(Paged)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        found, following = page(diary.entries(patient), query, request)
        return Response(DiaryPage({"next": following, "results": found}).data)

    @operation(
        "note_side_effect",
        "health",
        patient=True,
        repeatable=True,
        body=EntrySent,
        sends=SENT,
        answer=SideEffectEntryShown,
        shows=SHOWN,
        status=201,
        problems=[403],
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Note what a patient has told you.

        The worst opens an item on the worklist. Urgent signs open one that pages: those you send,
        those in the note, and always fever for flu_like and low mood for mood, which may be that. A
        correction holds from now on; the first stays.
        """
        sent = self.body(EntrySent)
        patient = care.patient_for(self.who, patient_id, May.ENTER_RESULTS)

        def act() -> Reply:
            kept = diary.note_side_effect(
                patient.id,
                SideEffect(sent["effect"]),
                Severity(sent["severity"]),
                sent["on_date"],
                sent["note"],
                Source.STAFF,
                self.actor,
                self.now,
                corrects=sent["corrects"],
                signs=sent["signs"],
            )
            return Reply(201, SideEffectEntryShown(kept.entry).data)

        return self.once(act)


class SideEffectTrend(Door):
    """/patients/{patient_id}/side-effects/trend"""

    permission_classes = [Staff]

    @operation(
        "read_side_effect_trend",
        "health",
        patient=True,
        query=Period,
        answer=DiaryTrendShown,
        shows=TREND,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Week by week, how bad each side effect was at worst, and how often it was noted."""
        query = self.query(Period)
        patient = care.patient_for(self.who, patient_id, May.SEE_PATIENTS)
        since, until = bounds(query, local_date(self.now, patient.zone))
        shown = {"since": since, "until": until, "results": diary.trend(patient, since, until)}
        return Response(DiaryTrendShown(shown).data)
