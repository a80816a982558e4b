"""A change, a pause, a stop and a STOP at any moment of a reminder's life, real workers sending.

The promise: once a decision is answered, no text of the former plan leaves, or the answer named it.
"""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts.refusals import Stale
from dev.waiting import until
from messaging import inbound
from messaging.models import Sms
from reminders.models import Dose, Patient
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import read_plan
from tests.cast import Cast
from tests.faults.people import Told
from tests.faults.tally import count, read_all_back
from tests.living import enrol_many, start_now
from tests.processes import World

TICK_AFTER, SPREAD_SECONDS = 2.0, 9.0
"""From before the tick that makes a dose due until after its text was delivered."""


@dataclass
class Decided:
    """A decision that was answered: of whom, which dose it closed, and what it said was late."""

    patient: Patient
    dose_id: UUID
    answered_at: datetime
    named: set[UUID]


@pytest.mark.processes
@pytest.mark.parametrize(
    "many", [pytest.param(60, id="few"), pytest.param(4 * 22, id="many", marks=pytest.mark.soak)]
)
def test_no_text_of_the_old_plan_after_the_answer_unless_it_was_named(
    world: World, chance: random.Random, many: int
) -> None:
    patients = enrol_many(world.cast, many)
    # Answers take a while, so that decisions fall into the posting too.
    seed = chance.randrange(10_000)
    world.simulator.inject("delay", on="create", seconds=0.4, probability=0.5, seed=seed)
    world.start_web()
    world.start_worker(concurrency=2)
    for patient in patients:
        start_now(world.cast, patient)

    instants = sorted((chance.uniform(0, SPREAD_SECONDS), n) for n in range(many))
    told = Told()
    with ThreadPoolExecutor(17) as people:
        began = time.monotonic()
        ticking = people.submit(tick_later, world)
        stops, deciding = [], []
        # In the order of their instants: who comes later than there are threads waits for one.
        for instant, n in instants:
            at = began + instant
            if n % 4 == 3:
                stops.append(people.submit(say_stop, world.cast, patients[n], at, told))
            else:
                deciding.append(people.submit(decide, world.cast, patients[n], at, n % 4))
        # Not before: it would find the first ones due while the last ones are being enrolled.
        world.start_beat()
        decided = [decision.result() for decision in deciding]
        for stop in (*stops, ticking):
            stop.result()
    told.ended = {decision.dose_id: decision.named for decision in decided}
    # Once more, for what should not come.
    world.await_look("plan_doses")
    world.await_look("send_routine")
    until(lambda: not Sms.objects.filter(state__in=["sending", "unknown"]).exists(), 60, "rest")
    world.simulator.wait_until_quiet()

    assert world.simulator.injected()["delay"] > 0
    assert world.simulator.doubles() == {}
    outcomes = [judge(world, decision) for decision in decided]
    # The instants were spread well: some came before the text, some in its midst, some after it.
    assert {"never sent", "named"} <= set(outcomes), outcomes
    read_all_back(world.simulator)
    acts = len(decided) + len(told.opted_out)
    count("change, pause, stop and STOP at any instant", acts, many, world.simulator, told)


def tick_later(world: World) -> None:
    time.sleep(TICK_AFTER)
    world.tick("plan_doses")


def wait_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))


def say_stop(cast: Cast, patient: Patient, at: float, told: Told) -> None:
    """Wait for the instant, then have the phone say STOP, by the webhook's verb."""
    wait_until(at)
    try:
        sid = "SM" + uuid4().hex
        assert inbound.store(cast.sender, sid, patient.number, "STOP", timezone.now())
        told.opted_out[patient.number] = timezone.now()
    finally:
        connections.close_all()


def decide(cast: Cast, patient: Patient, at: float, kind: int) -> Decided:
    """At the instant change, pause or stop, closing the open dose; look again if it was stale."""
    wait_until(at)
    try:
        while True:
            try:
                return _decide(cast, patient, kind)
            except Stale:
                continue
    finally:
        connections.close_all()


def _decide(cast: Cast, patient: Patient, kind: int) -> Decided:
    now = timezone.now()
    plan = read_plan(patient)
    today = plan.today(now)
    token, actor = plan.token, cast.actor
    match kind % 3:
        case 0:
            decision = Decision(14, today + timedelta(days=3), open_dose=OpenDose.CLOSE)
            outcome = prescribing.change_interval(patient.id, decision, token, actor, now)
        case 1:
            review = today + timedelta(days=30)
            outcome = prescribing.pause(patient.id, review, "", token, actor, now)
        case _:
            outcome = prescribing.stop(patient.id, "", token, actor, now)
    answered_at = timezone.now()
    dose = Dose.objects.get(schedule__patient=patient, date=today)
    assert dose.state == "cancelled"
    return Decided(patient, dose.id, answered_at, {sms.id for sms in outcome.too_late})


def judge(world: World, decision: Decided) -> str:
    """What became of the closed dose's text. Fails if it left unnamed."""
    texts = list(Sms.objects.filter(about_id=decision.dose_id))
    assert len(texts) <= 1
    if not texts or world.simulator.accepted(texts[0].id) == 0:
        return "never sent"
    [text] = texts
    assert text.id in decision.named, f"{text.state} text of {decision.patient.name} was not named"
    return "named"
