"""Whatever became of doses, the figures add up to what was due, and agree with an account of our
own that knows nothing of SQL."""

from collections import Counter
from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminders.doses import adherence
from reminders.doses.adherence import Became
from reminders.models import Dose, DoseRecord, Policy, Schedule, ScheduleVersion
from tests.cast import NOW, Cast, make_patient

DAY = timedelta(days=1)
MONDAY = NOW.date()

# A date (weeks on), how the dose ended, and what was told of it: each a kind, and days after it.
tellings = st.lists(
    st.tuples(
        st.sampled_from(["taken", "taken", "skipped", "not_taken"]),
        st.sampled_from([-7, 0, 1, 2, 3, 4, 30]),
    ),
    max_size=3,
)
ends = st.sampled_from(
    ["told", "told", "told", "told", "planned", "due", "cancelled", "no_answer", "not_asked"]
)
histories = st.lists(
    st.tuples(st.integers(0, 14), ends, tellings), max_size=12, unique_by=lambda dose: dose[0]
)


def expected(end: str, told: list[tuple[str, int]], on_time_days: int) -> Became | None:
    """What became of one dose, as one would say it. None: it doesn't count."""
    if end in {"planned", "cancelled"}:
        return None
    if end in {"no_answer", "not_asked"}:
        return Became(f"missed_{end}")
    if end == "due" or not told:
        return Became.UNKNOWN
    kind, after = told[-1]
    if kind == "skipped":
        return Became.SKIPPED
    if kind == "not_taken":
        return Became.NO_ANSWER
    return Became.ON_TIME if after <= on_time_days else Became.LATE


def store(version: ScheduleVersion, week: int, end: str, told: list[tuple[str, int]]) -> None:
    """One dose as the verbs would leave it."""
    state, because = end, ""
    if end == "told":
        last = told[-1][0] if told else "due"
        state, because = ("missed", "no_answer") if last == "not_taken" else (last, "")
    elif end in {"no_answer", "not_asked"}:
        state, because = "missed", end
    dose = Dose.objects.create(
        schedule=version.schedule, version=version, date=MONDAY + 7 * week * DAY, state=state,
        missed_because=because, next_step_at=NOW if state in {"planned", "due"} else None,
    )  # fmt: skip
    for number, (kind, after) in enumerate(told, 1):
        taken_on = dose.date + after * DAY if kind == "taken" else None
        DoseRecord.objects.create(
            dose=dose, number=number, told=kind, taken_on=taken_on, source="text", recorded_at=NOW
        )


# Each history is rolled back, so the cast is as it was.
@settings(suppress_health_check=list(HealthCheck))
@given(
    st.lists(histories, min_size=1, max_size=3),
    st.sampled_from([None, 0, 1, 3]),
    st.integers(0, 5),
    st.integers(0, 14),
)
def test_the_figures_add_up(cast: Cast, lives, on_time_days, one, other):
    since, until = (MONDAY + 7 * week * DAY for week in sorted((one, other)))
    with transaction.atomic():
        if on_time_days is not None:
            Policy.objects.create(clinic=cast.clinic, on_time_days=on_time_days)
        whole: Counter[str] = Counter()
        for n, doses in enumerate(lives):
            patient = make_patient(cast.clinic, cast.clinician, number=f"+4477009001{n:02}")
            version = ScheduleVersion.objects.create(
                schedule=Schedule.objects.create(patient=patient), number=1, interval_days=7,
                starts_on=MONDAY, holds_from=MONDAY, decided_by=cast.clinician, decided_at=NOW,
            )  # fmt: skip
            planned = 0
            counts: Counter[str] = Counter()
            for week, end, told in doses:
                if end == "planned":
                    planned += 1
                    if planned > 1:  # there is one at most
                        continue
                store(version, week, end, told)
                kind = expected(end, told, 1 if on_time_days is None else on_time_days)
                if kind and since <= MONDAY + 7 * week * DAY <= until:
                    counts[kind] += 1
            days = adherence.calendar(patient, since, until)
            figures = asdict(adherence.figures_of(days))
            assert figures.pop("due") == len(days) == sum(figures.values())
            assert figures == {each.value: counts[each] for each in Became}
            assert [day.on for day in days] == sorted(day.on for day in days)
            whole += counts
        of_clinic = asdict(adherence.clinic_figures(cast.clinic, since, until))
        assert of_clinic.pop("due") == sum(of_clinic.values()) == whole.total()
        assert of_clinic == {each.value: whole[each] for each in Became}
        rows = Counter(row.became for row in adherence.rows(cast.clinic, since, until))
        assert rows == whole
        transaction.set_rollback(True)
