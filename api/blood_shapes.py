"""What is sent and answered about blood results."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import LINES, Day, OneOf, Strict, Text
from reminders.health.blood import BloodTrend, Entry
from reminders.health.blood_import import Mode
from reminders.health.blood_tests import TESTS, UNITS, plain
from reminders.models import BloodResult, BloodTest, ResultSource

FIGURE = r"^[0-9]{1,6}(\.[0-9]{1,3})?$"
CODES = ", ".join(f"{test}: {kind.loinc}" for test, kind in TESTS.items())

SENT: dict[str, Any] = {
    "test": "haematocrit",
    "value": "43.5",
    "unit": "%",
    "taken_on": "2027-01-11",
}
SHOWN: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000b10d",
    **SENT,
    "test_in_words": "Haematocrit",
    "loinc": "4544-3",
    "note": "",
    "came_by": "staff",
    "entered_by": "Grace Example",
    "entered_at": "2027-01-12T09:40:00Z",
    "corrects": None,
    "corrected_by": None,
}
TREND: dict[str, Any] = {
    "from": "2026-01-13",
    "to": "2027-01-12",
    "series": [
        {
            "test": "haematocrit",
            "test_in_words": "Haematocrit",
            "loinc": "4544-3",
            "unit": "L/L",
            "points": [{"taken_on": "2027-01-11", "value": "0.435", "result": SHOWN["id"]}],
        }
    ],
    "decisions": [
        {
            "schedule": "0198c0de-0000-7000-8000-0000000005c4",
            "number": 1,
            "interval_days": 7,
            "starts_on": "2027-01-11",
            "schedule_stopped_at": None,
        }
    ],
}
FILE = """\
reference,test,value,unit,taken_on,note
H-1042,haematocrit,0.435,L/L,2027-01-11,
H-1042,777-3,310,10*9/L,2027-01-11,
"""
REPORT: dict[str, Any] = {
    "rows": 120,
    "new": 117,
    "repeated": 2,
    "problems": [
        {
            "line": 42,
            "field": "value",
            "message": "Haematocrit in L/L is a number from 0.05 to 0.85: check the value and its "
            "unit.",
        }
    ],
    "stored": False,
}


@extend_schema_field({"type": "string", "pattern": FIGURE})
class Figure(serializers.Field[Decimal, Any, str, Any]):
    """A number in digits, as a string: so nothing on the way rounds it."""

    default_error_messages = {
        "required": "Send this field.",
        "null": "This can't be null.",
        "invalid": 'Send digits as a string, like "0.43": three decimals at most.',
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not re.fullmatch(FIGURE, data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


# --- What is sent ---------------------------------------------------------------------------------


class ResultSent(Strict):
    """One result, as the laboratory wrote it."""

    test = OneOf(BloodTest.choices, help_text=f"With its LOINC code, {CODES}.")
    value = Figure()
    unit = OneOf([(unit, unit) for unit in UNITS], help_text="UCUM; haematocrit has two.")
    taken_on = Day(help_text="When the blood was taken: not after today, where the patient is.")
    note = Text(max_length=2000, kind=LINES, required=False, default="")


class TakenBack(Strict):
    """Nothing has to be said."""


class ImportWanted(Strict):
    """How to import."""

    dry_run = OneOf(
        [("true", "true"), ("false", "false")],
        default="false",
        help_text="true: answer what would be done, and do nothing.",
    )
    mode = OneOf(
        [(mode.value, mode.value) for mode in Mode],
        default=Mode.ALL.value,
        help_text="all: all rows or none. good: the good rows.",
    )


def entry(sent: dict[str, Any]) -> Entry:
    """What a ResultSent took in, for the verbs."""
    return Entry(**{**sent, "test": BloodTest(sent["test"])})


# --- What is answered -----------------------------------------------------------------------------


class BloodResultShown(serializers.Serializer[Any]):
    """A result as it was entered. value: null if it takes back the one that it corrects.
    corrected_by: the id of the result that holds in its place, or null if it holds itself."""

    id = serializers.UUIDField()
    test = serializers.ChoiceField(BloodTest.choices)
    test_in_words = serializers.CharField(source="get_test_display")
    loinc = serializers.SerializerMethodField()
    value = Figure(allow_null=True)
    unit = serializers.CharField(help_text="UCUM.")
    taken_on = serializers.DateField()
    note = serializers.CharField()
    came_by = serializers.ChoiceField(ResultSource.choices, source="source")
    entered_by = serializers.CharField(source="entered_by.name")
    entered_at = serializers.DateTimeField()
    corrects = serializers.UUIDField(source="corrects_id", allow_null=True)
    corrected_by = serializers.UUIDField(default=None, allow_null=True)

    def get_loinc(self, result: BloodResult) -> str:
        return TESTS[BloodTest(result.test)].loinc


class ResultsPage(serializers.Serializer[Any]):
    """Results, the last entered first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = BloodResultShown(many=True)


class PointShown(serializers.Serializer[Any]):
    """A result in the unit of its series. result: its id."""

    taken_on = serializers.DateField()
    value = Figure()
    result = serializers.UUIDField()


class SeriesShown(serializers.Serializer[Any]):
    """One test's results, by date."""

    test = serializers.ChoiceField(BloodTest.choices)
    test_in_words = serializers.CharField(source="test.label")
    loinc = serializers.CharField()
    unit = serializers.CharField(help_text="UCUM. Haematocrit is in L/L: percent divided by 100.")
    points = PointShown(many=True)


class DecisionDrawn(serializers.Serializer[Any]):
    """A decision on a schedule, to draw over the counts: which interval holds from when."""

    schedule = serializers.UUIDField(source="schedule_id")
    number = serializers.IntegerField()
    interval_days = serializers.IntegerField()
    starts_on = serializers.DateField()
    schedule_stopped_at = serializers.DateTimeField(source="schedule.stopped_at", allow_null=True)


class BloodTrendShown(serializers.Serializer[Any]):
    """Counts and decisions side by side. No interval, alarm or advice is made of them."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateField(source="since"),
            "to": serializers.DateField(source="until"),
            "series": SeriesShown(many=True),
            "decisions": DecisionDrawn(many=True),
        }


class ResultProblem(serializers.Serializer[Any]):
    """What is wrong in a column of a line of the file, and how to mend it."""

    line = serializers.IntegerField(help_text="The first line of a file, its columns, is 1.")
    field = serializers.CharField(help_text="The column; blank: the line as a whole.")
    message = serializers.CharField()


class ResultsReport(serializers.Serializer[Any]):
    """What was found in a file. new: results that are good and weren't there; repeated: good ones
    that were there, or are in the file twice. stored: whether the new ones are in now."""

    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    repeated = serializers.IntegerField()
    problems = ResultProblem(many=True)
    stored = serializers.BooleanField()


def trend(found: BloodTrend, since: Any, until: Any) -> dict[str, Any]:
    """A trend as it is shown."""
    series = [
        {
            "test": each.test,
            "loinc": each.loinc,
            "unit": each.unit,
            "points": [
                {"taken_on": result.taken_on, "value": value, "result": result.id}
                for result, value in each.points
            ],
        }
        for each in found.series
    ]
    shown = {"since": since, "until": until, "series": series, "decisions": found.versions}
    return BloodTrendShown(shown).data
