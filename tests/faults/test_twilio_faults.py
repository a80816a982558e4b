"""Each fault of Twilio's alone, on texts that chance chooses: each text leaves once."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from dev.environment import ACCOUNT, ROUTINE_NUMBER
from dev.waiting import until
from messaging.circuits import open_circuits
from messaging.models import Lane, Sms
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import State
from reminders.models import Cause, DailyCount, Dose, Patient, WorkItem
from reminders.planning.daily_count import count_today
from reminders.planning.steps import MOST_TROUBLE, plan_doses
from tests.faults.people import POISON
from tests.faults.tally import FEW_OR_MANY, MANY, come_to_rest, count, read_all_back, tell
from tests.living import enrol_many, start_now
from tests.processes import World
from tests.texts import now, queue_texts

ANSWERS: dict[str, dict[str, object]] = {
    "429": {"kind": "429"},
    "500": {"kind": "500"},
    "500, accepted": {"kind": "500", "accepts": True},
    "503": {"kind": "503"},
    "503, accepted": {"kind": "503", "accepts": True},
    "no answer": {"kind": "never_answer"},
    "garbage": {"kind": "garbage"},
    "accepted and reset": {"kind": "reset_after"},
    "reset": {"kind": "reset_before"},
}
LATE: dict[str, dict[str, object]] = {
    "answer after 30 s": {"kind": "delay"},
    "taken and answered after 30 s": {"kind": "delay", "accepts": False},
}
CALLBACKS = ("lost", "doubled", "reordered", "forged", "late")


class Writer:
    """Queues texts to phones, each another one's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = iter([f"+4477009{n:05}" for n in range(10_000, 30_000)])

    def write(self, many: int, **other: object) -> list[UUID]:
        """The texts' ids."""
        numbers = [next(self._numbers) for _ in range(many)]
        return queue_texts(numbers, owner_id=self._world.cast.ada.id, **other)


def until_it_struck(
    world: World, chance: random.Random, times: int, act: Callable[[], None], **spec: object
) -> int:
    """Let a fault strike every other call, by chance, until it has `times`; how often it did."""
    seed = chance.randrange(10_000)
    fault = world.simulator.inject(**{"probability": 0.5, "seed": seed, "count": times} | spec)
    kind = str(spec["kind"])

    def struck() -> int:
        return world.simulator.injected().get(kind, 0)

    before = struck()
    for _ in range(20):
        act()
        if struck() - before >= times:
            break
    world.simulator.clear_faults(fault)
    return struck() - before


def quick_reads(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Nobody waits eight seconds on every push for an answer that never comes."""
    patch.setattr("messaging.connections.READ_SECONDS", seconds)


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_answers(
    world: World, chance: random.Random, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """All in one database, each judged with those before it."""
    writer = Writer(world)
    quick_reads(monkeypatch, 0.3 if times < MANY else 8)

    def send() -> None:
        writer.write(2 * times)
        come_to_rest()

    for fault, spec in ANSWERS.items():
        before = Sms.objects.count()
        struck = until_it_struck(world, chance, times, send, **spec)
        read_all_back(world.simulator)
        count(fault, struck, times, world.simulator, since=before)


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_late_answers(
    world: World, chance: random.Random, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Longer than we listen. The one that is taken late is not in any list until then."""
    writer = Writer(world)
    few = times < MANY
    quick_reads(monkeypatch, 0.3 if few else 8)
    for fault, spec in LATE.items():
        written: list[UUID] = []

        def send(written: list[UUID] = written) -> None:
            written += writer.write(2 * times)
            send_due(Lane.ROUTINE)

        spec |= {"seconds": 1.0 if few else 30.0}
        before = world.simulator.injected().get("delay", 0)
        fault_id = world.simulator.inject(**spec | {"count": times})
        send()
        assert Sms.objects.filter(id__in=written, state=State.UNKNOWN).count() == times
        until(
            lambda ids=written: {str(id_) for id_ in ids} <= set(world.simulator.ledger()["ids"]),
            60,
            "all are taken in the end",
        )
        world.simulator.clear_faults(fault_id)
        come_to_rest()
        read_all_back(world.simulator)
        struck = world.simulator.injected()["delay"] - before
        count(fault, struck, times, world.simulator, since=Sms.objects.count() - len(written))


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_callbacks(world: World, chance: random.Random, settings, times: int) -> None:
    writer = Writer(world)
    world.start_web()
    settings.PUBLIC_URL = world.web_url

    def send() -> None:
        writer.write(2 * times)
        send_due(Lane.ROUTINE)
        world.simulator.wait_until_quiet(30)

    for kind in CALLBACKS:
        before = Sms.objects.count()
        struck = until_it_struck(world, chance, times, send, kind=kind, seconds=0.5)
        read_all_back(world.simulator)
        verdict = count(f"callbacks {kind}", struck, times, world.simulator, since=before)
        assert set(verdict.ends) == {"delivered"}, "nothing that was forged is believed"


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_the_list_lags(
    world: World, chance: random.Random, monkeypatch: pytest.MonkeyPatch, settings, times: int
) -> None:
    """Texts that were taken, and some that weren't, while nobody who reads it sees the newest. By
    the real clock, a minute's lag being a second's or six, and the quiet period as much longer."""
    lag = 0.7 if times < MANY else 6.0
    settings.TWILIO_QUIET_SECONDS = 2 * lag
    monkeypatch.setattr("messaging.claim.LEASE", 0.2)  # the row's; that of this process stays
    writer = Writer(world)
    world.simulator.lag_list(lag)

    def send() -> None:
        writer.write(2 * times)
        send_due(Lane.ROUTINE)
        settle()

    world.simulator.inject("reset_before", probability=0.1, seed=chance.randrange(10_000))
    struck = until_it_struck(world, chance, times, send, kind="reset_after")
    unseen = Sms.objects.filter(state=State.UNKNOWN).count()
    assert unseen >= times, "the list doesn't show them yet"
    come_to_rest(90, hurried=False)
    read_all_back(world.simulator)
    count("the list lags by a minute", struck, times, world.simulator)


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_texts_wait_in_twilios_queue(world: World, chance: random.Random, times: int) -> None:
    """They have no date of sending, by which a list could be asked for."""
    writer = Writer(world)
    world.simulator.freeze(ROUTINE_NUMBER)

    def send() -> None:
        writer.write(2 * times)
        come_to_rest()

    struck = until_it_struck(world, chance, times, send, kind="reset_after")
    assert {text["sent_at"] for text in world.simulator.ledger()["messages"]} == {None}
    assert not Sms.objects.exclude(state=State.ACCEPTED).exists()
    world.simulator.thaw(ROUTINE_NUMBER)
    read_all_back(world.simulator)
    count("waiting in Twilio's queue without a date", struck, times, world.simulator)


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_two_patients_on_one_phone(world: World, chance: random.Random, times: int) -> None:
    """The same text twice to one phone, the first of which is in doubt: two come."""
    ids: list[UUID] = []

    def send() -> None:
        numbers = [f"+4477009{len(ids) + n:05}" for n in range(times)]
        ids.extend(queue_texts(numbers * 2, owner_id=world.cast.ada.id))
        come_to_rest()

    kind = chance.choice(["reset_after", "500"])
    spec: dict[str, object] = {"accepts": True} if kind == "500" else {}
    struck = until_it_struck(world, chance, times, send, kind=kind, **spec)
    read_all_back(world.simulator)
    count("two patients on one phone", struck, times, world.simulator)
    tally = world.simulator.ledger()["ids"]
    assert sorted(tally) == sorted(str(id_) for id_ in ids)


TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_wrong_token_for_ten_minutes(world: World, chance: random.Random, times: int) -> None:
    """By a played clock. No text fails for it; all leave within a minute of its end."""
    writer = Writer(world)
    simulator = world.simulator
    instant = now()
    periods = 0

    def look(at: datetime) -> None:
        send_due(Lane.ROUTINE, at)
        settle(at)

    for _ in range(times):
        begins = instant
        refused = simulator.injected().get("401", 0)
        fault = simulator.inject("401", on="any", account=ACCOUNT)
        writer.write(2, available_at=instant, expires_at=instant + timedelta(hours=9))
        while instant < begins + TEN_MINUTES:
            if chance.random() < 0.3:
                writer.write(2, available_at=instant, expires_at=instant + timedelta(hours=9))
            look(instant)
            instant += timedelta(seconds=chance.uniform(2, 60))
        waiting = Sms.objects.filter(state=State.QUEUED).count()
        assert waiting
        assert open_circuits()
        simulator.clear_faults(fault)
        periods += simulator.injected()["401"] > refused
        for _ in range(40):
            instant += timedelta(seconds=2)
            look(instant)
        assert not Sms.objects.filter(state__in=[State.QUEUED, State.SENDING]).exists()
    read_all_back(simulator, instant)
    verdict = count("wrong token for ten minutes", periods, times, simulator)
    assert set(verdict.ends) == {"delivered"}


@pytest.mark.processes
@pytest.mark.parametrize("times", FEW_OR_MANY)
def test_poison(world: World, chance: random.Random, times: int) -> None:
    """Texts that Twilio won't have, and patients whose doses can't be planned, among others."""
    patients = enrol_many(world.cast, 2 * times)
    poisoned = set(chance.sample(patients, times))
    for patient in patients:
        start_now(world.cast, patient)
    # There is no such zone.
    Patient.objects.filter(id__in=[p.id for p in poisoned]).update(time_zone="Nowhere/At_All")
    for _ in range(MOST_TROUBLE + 1):
        plan_doses(now())
    assert Dose.objects.filter(trouble=MOST_TROUBLE).count() == times
    told = WorkItem.objects.filter(cause=Cause.PLAN_FAILED).values_list("patient_id", flat=True)
    assert set(told) == {patient.id for patient in poisoned}
    # Nor do they cost others the daily count.
    count_today(now())
    assert DailyCount.objects.filter(clinic=world.cast.clinic).exists()

    writer = Writer(world)
    writer.write(times)
    bad = writer.write(times, body=POISON)
    come_to_rest()
    read_all_back(world.simulator)
    tell()
    refused = Sms.objects.filter(id__in=bad, state=State.FAILED, error_code=21617).count()
    verdict = count("poison rows", refused + len(poisoned), 2 * times, world.simulator)
    assert verdict.ends == {"delivered": 2 * times, "failed": times}
