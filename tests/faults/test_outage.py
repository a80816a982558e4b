"""Everything is down for five hours, or for nine days, at random instants of a played year, and up
again: what has passed goes unsent and somebody is told, and nothing floods."""

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from dev.simulator_client import SimulatorClient
from messaging.models import Lane, Sms
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import RANK
from reminders import prescribing
from reminders.daily_count import count_today
from reminders.effects import Decision
from reminders.ladder import Step, step_instant, use_ends
from reminders.models import DailyCount, Dose, Patient, WorkItem
from reminders.news import take_news
from reminders.planning import plan_doses
from reminders.sweep import sweep
from tests.cast import Cast, make_patient
from tests.faults.tally import FEW_OR_MANY, count

BEGINS = datetime(2024, 1, 1, 6, tzinfo=UTC)
ZONES = ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
STEPS = (Step.DAY, Step.NEXT, Step.OVERDUE)
LOOK = timedelta(hours=4)
PATIENTS = 12
_NEXT = """
    SELECT LEAST(
        (SELECT min(next_step_at) FROM reminders_dose),
        (SELECT min(available_at) FROM messaging_sms WHERE state = 'queued'))
"""


class Year:
    """A played clock, and who lives by it. Nobody answers, so each dose wants all its steps."""

    def __init__(self, cast: Cast, simulator: SimulatorClient, chance: random.Random) -> None:
        self.now = BEGINS
        self._simulator = simulator
        self._cast = cast
        for n in range(PATIENTS):
            patient = make_patient(
                cast.clinic,
                cast.clinician,
                name=f"P{n}",
                number=f"+4477009{10_000 + n:05}",
                time_zone=chance.choice(ZONES),
                hour=time(chance.randint(8, 20), chance.choice([0, 30])),
                now=BEGINS,
            )
            first = (BEGINS + timedelta(days=chance.randint(1, 7))).date()
            interval = chance.choice([7, 14])
            prescribing.start(patient.id, Decision(interval, first), None, cast.actor, BEGINS)

    def live(self, until: datetime) -> None:
        """All that ticks, at each instant at which something is due, and every few hours."""
        while self.now < until:
            self.look()
            with connection.cursor() as cursor:
                cursor.execute(_NEXT)
                [due] = cursor.fetchone()
            wait = max(due or until, self.now + timedelta(minutes=1))
            self.now = min(wait, self.now + LOOK, until)

    def look(self) -> None:
        self._simulator.set_clock(self.now)
        plan_doses(self.now)
        send_due(Lane.ROUTINE, self.now)
        settle(self.now)
        read_back(self.now)
        take_news(self.now)
        sweep(self.now)
        count_today(self.now)

    def unsent(self, down: datetime, up: datetime) -> list[tuple[Dose, Step]]:
        """Steps whose use lay within an outage, and which had no text."""
        had = set(Sms.objects.filter(state__in=RANK).values_list("dedup_key", flat=True))
        found = []
        for dose in Dose.objects.filter(
            date__gte=down.date() - timedelta(days=4), date__lte=up.date() + timedelta(days=1)
        ).select_related("schedule__patient"):
            patient = dose.schedule.patient
            for step in STEPS:
                due = step_instant(step, dose.date, patient.hour, patient.zone)
                ends = use_ends(step, dose.date, patient.hour, patient.zone)
                if down < due and ends < up and f"dose:{dose.id}:{step}" not in had:
                    found.append((dose, step))
        return found


@pytest.mark.parametrize("length", [timedelta(hours=5), timedelta(days=9)], ids=["5 h", "9 days"])
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_everything_is_down(
    cast: Cast,
    simulator: SimulatorClient,
    chance: random.Random,
    length: timedelta,
    times: int,
) -> None:
    year = Year(cast, simulator, chance)
    harmful = 0
    while harmful < times:
        year.live(year.now + timedelta(hours=chance.uniform(60, 100)))
        down = year.now
        # Texts on which the outage falls: queued, and never sent.
        if chance.random() < 0.5:
            plan_doses(down)
        before = {text["seq"] for text in simulator.ledger()["messages"]}
        year.now = down + length
        year.look()
        nothing_floods(simulator, before)
        up = year.now
        year.live(up + timedelta(days=3))
        unsent = year.unsent(down, up)
        everyone_is_told(unsent, down)
        harmful += bool(unsent)
        WorkItem.objects.filter(closed_at=None).update(closed_at=year.now)
    name = "5 hours" if length < timedelta(days=1) else "9 days"
    count(f"everything down for {name}", harmful, times, simulator, stamp="at")


def nothing_floods(simulator: SimulatorClient, before: set[int]) -> None:
    sent = [text for text in simulator.ledger()["messages"] if text["seq"] not in before]
    assert set(Counter(text["to"] for text in sent).values()) <= {1}


def everyone_is_told(unsent: list[tuple[Dose, Step]], down: datetime) -> None:
    """A first reminder that was never sent is in the daily count of its day, or its dose is on the
    worklist as not asked for; of the others the patient is on the worklist."""
    listed = set(WorkItem.objects.filter(opened_at__gte=down).values_list("patient_id", "cause"))
    people = {patient for patient, _ in listed}
    days: Counter[object] = Counter()
    for dose, step in unsent:
        patient: Patient = dose.schedule.patient
        not_asked = (patient.id, "not_asked") in listed or (patient.id, "send_unknown") in listed
        if step != Step.DAY:
            assert patient.id in people, (dose.date, step, patient.time_zone, patient.hour)
        elif not not_asked:
            days[dose.date] += 1
    for day, wanted in days.items():
        counted = DailyCount.objects.filter(day=day).aggregate(n=Sum("not_texted"))["n"] or 0
        assert counted >= wanted, (day, wanted, counted)
