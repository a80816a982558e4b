"""Everything is down for five hours, or for nine days, at random instants of a played year, and up
again: what has passed goes unsent and somebody is told, and nothing floods."""

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection

from dev.simulator_client import SimulatorClient
from messaging.models import Lane, Sms
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import RANK
from reminders.conversation.news import take_news
from reminders.dates.ladder import FOLLOWING, Step, step_instant, use_ends
from reminders.models import Cause, Dose, Patient, WorkItem
from reminders.patients.enrolling import Enrolment, enrol
from reminders.planning.daily_count import count_today
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import Cast
from tests.faults.tally import FEW_OR_MANY, count

BEGINS = datetime(2024, 1, 1, 6, tzinfo=UTC)
ZONES = ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
STEPS = (Step.DAY, Step.NEXT, Step.OVERDUE)
LOOK = timedelta(hours=8)
PATIENTS = 8
_NEXT = """
    SELECT LEAST(
        (SELECT min(next_step_at) FROM reminders_dose),
        (SELECT min(available_at) FROM messaging_sms WHERE state = 'queued'))
"""


class Year:
    """A played clock, and who lives by it. Nobody answers, so each dose wants all its steps."""

    def __init__(
        self,
        cast: Cast,
        simulator: SimulatorClient,
        chance: random.Random,
        hours: tuple[int, int],
    ) -> None:
        self.now = BEGINS
        self._simulator = simulator
        self._cast = cast
        for n in range(PATIENTS):
            enrolment = Enrolment(
                name=f"P{n}",
                number=f"+447700900{100 + n}",
                time_zone=chance.choice(ZONES),
                language="en",
                hour=time(chance.randint(*hours), chance.choice([0, 30])),
                consent_on=BEGINS.date() - timedelta(days=9),
                consent_source="written",
            )
            patient = enrol(cast.clinic, enrolment, cast.actor, BEGINS)
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

    def evening(self, length: timedelta, chance: random.Random) -> datetime:
        """An instant some days ahead, from which on an outage is to cost a step its use."""
        ahead = self.now + timedelta(hours=chance.uniform(20, 60))
        self.live(ahead)
        doses = Dose.objects.filter(next_step_at__gt=ahead).select_related("schedule__patient")
        lasts = []
        for dose in doses:
            patient, step = dose.schedule.patient, FOLLOWING[Step(dose.step)]
            ends = use_ends(step, dose.date, patient.hour, patient.zone)
            assert dose.next_step_at is not None
            lasts.append((dose.next_step_at, ends))
        due, ends = min(lasts)
        return max(ahead, due - chance.random() * (length - (ends - due)))

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
    short = length < timedelta(days=1)
    # Five hours cost those their reminder who have theirs in the evening.
    year = Year(cast, simulator, chance, (17, 20) if short else (8, 20))
    harmful = 0
    while harmful < times:
        down = year.evening(length, chance)
        year.live(down)
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
        WorkItem.objects.filter(closed_at=None).update(closed_at=year.now, outcome="done")
    name = "5 hours" if short else "9 days"
    count(f"everything down for {name}", harmful, times, simulator, stamp="at")


def nothing_floods(simulator: SimulatorClient, before: set[int]) -> None:
    sent = [text for text in simulator.ledger()["messages"] if text["seq"] not in before]
    assert set(Counter(text["to"] for text in sent).values()) <= {1}


def everyone_is_told(unsent: list[tuple[Dose, Step]], down: datetime) -> None:
    """Who had no first reminder is on the worklist for that; for the others the patient is."""
    listed = set(WorkItem.objects.filter(opened_at__gte=down).values_list("patient_id", "cause"))
    people = {patient for patient, _ in listed}
    for dose, step in unsent:
        patient: Patient = dose.schedule.patient
        why = {(patient.id, cause) for cause in (Cause.NOT_ASKED, Cause.SEND_UNKNOWN)}
        told = why & listed if step == Step.DAY else patient.id in people
        assert told, (dose.date, step, patient.time_zone, patient.hour)
