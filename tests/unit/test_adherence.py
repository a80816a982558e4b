"""What became of doses: each of one kind, in figures, in a calendar and in a file."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import outbox
from messaging.evidence import Report, Source, advance
from messaging.models import Scope, Sms
from messaging.outbox import Text
from messaging.states import Finding, State
from reminders.doses import adherence
from reminders.doses.adherence import Became, Day, Figures
from reminders.models import Dose, DoseRecord, Patient, Policy, Schedule, ScheduleVersion
from tests.cast import NOW, Cast, make_patient

MONDAY = NOW.date()
DAY = timedelta(days=1)
LONG = (MONDAY - 400 * DAY, MONDAY + 400 * DAY)


def make_schedule(cast: Cast, patient: Patient) -> ScheduleVersion:
    return ScheduleVersion.objects.create(
        schedule=Schedule.objects.create(patient=patient), number=1, interval_days=7,
        starts_on=MONDAY, holds_from=MONDAY, decided_by=cast.clinician, decided_at=NOW,
    )  # fmt: skip


@pytest.fixture
def version(cast) -> ScheduleVersion:
    return make_schedule(cast, cast.ada)


def make_dose(version: ScheduleVersion, on: date, state: str, missed_because: str = "") -> Dose:
    step_at = NOW if state in {"planned", "due"} else None
    return Dose.objects.create(
        schedule=version.schedule, version=version, date=on, state=state, next_step_at=step_at,
        missed_because=missed_because,
    )  # fmt: skip


def tell(dose: Dose, number: int, told: str, taken_on: date | None = None) -> None:
    DoseRecord.objects.create(
        dose=dose, number=number, told=told, taken_on=taken_on, source="staff", recorded_at=NOW
    )


def became(cast: Cast) -> Became:
    """What became of the only dose."""
    (day,) = adherence.calendar(cast.ada, *LONG)
    return day.became


@pytest.mark.parametrize(
    ("after", "on_time_days", "expected"),
    [
        (0, None, "on_time"),
        (-5, None, "on_time"),  # ahead
        (1, None, "on_time"),  # what a clinic without a choice has
        (2, None, "late"),
        (1, 0, "late"),
        (3, 3, "on_time"),
        (4, 3, "late"),
        (60, 3, "late"),
    ],
)
def test_on_time_is_a_clinics_own_choice(cast, version, after, on_time_days, expected):
    if on_time_days is not None:
        Policy.objects.create(clinic=cast.clinic, on_time_days=on_time_days)
    tell(make_dose(version, MONDAY, "taken"), 1, "taken", MONDAY + after * DAY)
    assert adherence.calendar(cast.ada, *LONG) == [
        Day(MONDAY, Became(expected), MONDAY + after * DAY)
    ]


@pytest.mark.parametrize(
    ("state", "missed_because", "expected"),
    [
        ("due", "", "unknown"),
        ("skipped", "", "skipped"),
        ("missed", "no_answer", "missed_no_answer"),
        ("missed", "not_asked", "missed_not_asked"),
        ("taken", "", "unknown"),  # no record says when
    ],
)
def test_each_state_is_of_one_kind(cast, version, state, missed_because, expected):
    make_dose(version, MONDAY, state, missed_because)
    assert became(cast) == Became(expected)


@pytest.mark.parametrize("state", ["planned", "cancelled"])
def test_what_is_planned_or_cancelled_does_not_count(cast, version, state):
    make_dose(version, MONDAY, state)
    assert adherence.calendar(cast.ada, *LONG) == []
    assert adherence.clinic_figures(cast.clinic, *LONG).due == 0


def test_the_record_with_the_greatest_number_holds(cast, version):
    dose = make_dose(version, MONDAY, "taken")
    tell(dose, 1, "taken", MONDAY + 9 * DAY)
    assert became(cast) == Became.LATE
    tell(dose, 2, "taken", MONDAY)
    assert became(cast) == Became.ON_TIME


def test_a_dose_that_was_not_taken_after_all_has_no_date(cast, version):
    dose = make_dose(version, MONDAY, "taken")
    tell(dose, 1, "taken", MONDAY)
    tell(dose, 2, "not_taken")
    Dose.objects.filter(id=dose.id).update(state="missed", missed_because="no_answer")
    assert adherence.calendar(cast.ada, *LONG) == [Day(MONDAY, Became.NO_ANSWER, None)]


@pytest.mark.parametrize(
    ("found", "state", "expected"),
    [
        ([Finding.DOUBTFUL], State.UNKNOWN, "unknown"),
        ([Finding.DOUBTFUL, Finding.USE_OVER], State.EXPIRED, "unknown"),
        ([Finding.REFUSED], State.FAILED, "missed_not_asked"),
    ],
)
def test_nobody_is_blamed_while_nobody_knows_whether_our_text_arrived(
    cast, version, found, state, expected
):
    dose = make_dose(version, MONDAY, "missed", "not_asked")
    text = Text(
        Scope.CARE, cast.ada.id, dose.id, f"dose:{dose.id}:day", cast.ada.number, "Today.", NOW,
        NOW + DAY,
    )  # fmt: skip
    outbox.queue([text], NOW)
    Sms.objects.update(state=State.SENDING, attempt=1, sender=cast.sender, lease_until=NOW)
    sms = Sms.objects.get()
    for finding in found:
        advance([Report(sms.id, 1, Source.POST, finding)], NOW)
    assert Sms.objects.get().state == state
    assert became(cast) == Became(expected)


def test_a_period_has_both_its_ends(cast, version):
    for week in range(5):
        make_dose(version, MONDAY + 7 * week * DAY, "skipped")
    since, until = MONDAY + 7 * DAY, MONDAY + 21 * DAY
    expected = [since, since + 7 * DAY, until]
    assert [day.on for day in adherence.calendar(cast.ada, since, until)] == expected
    assert adherence.clinic_figures(cast.clinic, since, until).due == 3
    assert [row.on for row in adherence.rows(cast.clinic, since, until)] == expected


def test_a_clinics_figures_are_those_of_its_patients_and_no_others(cast, version):
    bo = make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
    theirs = make_patient(cast.other_clinic, cast.stranger, number="+447700900077")
    make_dose(version, MONDAY, "skipped")
    make_dose(make_schedule(cast, bo), MONDAY, "missed", "no_answer")
    make_dose(make_schedule(cast, theirs), MONDAY, "missed", "no_answer")
    none: dict[str, Any] = dict.fromkeys((each.value for each in Became), 0)
    assert adherence.clinic_figures(cast.clinic, *LONG) == Figures(
        **{**none, "due": 2, "skipped": 1, "missed_no_answer": 1}
    )
    assert {row.patient_id for row in adherence.rows(cast.clinic, *LONG)} == {cast.ada.id, bo.id}


def test_many_doses_cost_no_more_queries_than_one(cast, version):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            adherence.figures_of(adherence.calendar(cast.ada, *LONG))
            adherence.clinic_figures(cast.clinic, *LONG)
            assert sum(1 for _ in adherence.rows(cast.clinic, *LONG)) > 0
        return len(queries)

    make_dose(version, MONDAY, "due")
    one = cost()
    for week in range(1, 50):
        tell(make_dose(version, MONDAY + 7 * week * DAY, "taken"), 1, "taken", MONDAY)
    assert cost() == one <= 7
