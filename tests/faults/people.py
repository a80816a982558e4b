"""What people do while a storm lasts: they queue texts, change plans, and send STOP, at random
instants and from threads of their own. They try again while the database is away, as a program that
calls us would, and remember what they were told."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import requests
from django.db import InterfaceError, OperationalError, connections, transaction
from django.utils import timezone

from accounts.refusals import Stale
from dev.environment import ROUTINE_NUMBER, URGENT_NUMBER
from dev.simulator_client import SimulatorClient
from messaging import outbox
from messaging.models import Lane, OptOut, Scope, Sms
from messaging.states import MAY_HAVE_LEFT
from reminders.models import Dose, Patient
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import read_plan
from tests.faults.harness import House
from tests.living import enrol_many, start_now

T = TypeVar("T")
GONE = (OperationalError, InterfaceError)
POISON = "p" * 1700
"""A body that is too long for Twilio: refused for good, and only that one."""


@dataclass
class Told:
    """What people were answered, for the judge. All by our ids.

    stored: texts whose queueing was confirmed. ended: a plan or a text was cancelled, and the
    answer named these as maybe on their way, by what it was about. opted_out: when a number's STOP
    was seen stored. unsure: answers that got lost with the database.
    """

    stored: set[UUID] = field(default_factory=set)
    ended: dict[UUID, set[UUID]] = field(default_factory=dict)
    opted_out: dict[str, datetime] = field(default_factory=dict)
    unsure: int = 0


class People:
    """`start` before the storm; `finish` after it."""

    def __init__(self, house: House, seconds: float, seed: int, patients: int) -> None:
        self.house = house
        self.told = Told()
        self._seconds = seconds
        self._seed = seed
        self._keys = itertools.count()
        self._over = threading.Event()
        self._errors: list[BaseException] = []
        self.patients = enrol_many(house.cast, patients)
        # Two patients on one phone, whose reminders are the same text.
        first, second = self.patients[:2]
        Patient.objects.filter(id=second.id).update(number=first.number)
        # And one whose doses can't be planned: there is no such zone.
        self.poisoned = self.patients[2]
        start_now(house.cast, self.poisoned)
        Patient.objects.filter(id=self.poisoned.id).update(time_zone="Nowhere/At_All")
        self._threads = [
            *(self._person(self._write, number) for number in range(2)),
            *(self._person(self._prescribe, number) for number in range(4)),
            self._person(self._stop_texts, 0),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(120)
        assert not self._errors, self._errors

    def _person(self, work: Callable[[random.Random, int], None], number: int) -> threading.Thread:
        def run() -> None:
            try:
                work(random.Random(f"{self._seed} {work.__name__} {number}"), number)
            except BaseException as error:  # noqa: BLE001 - shown by finish
                self._errors.append(error)
            finally:
                connections.close_all()

        return threading.Thread(target=run, daemon=True)

    def _goes_on(self, wait: float) -> bool:
        return not self._over.wait(wait)

    # -- texts ------------------------------------------------------------------------------------

    def _write(self, chance: random.Random, number: int) -> None:
        """Queue a few texts at a time; take some of them back a little later."""
        if number == 0:
            self._queue([self._text(self._phone(chance), POISON)])
        cancels: list[tuple[float, UUID]] = []
        while self._goes_on(chance.expovariate(3)):
            texts = [self._any_text(chance) for _ in range(chance.randint(1, 6))]
            if chance.random() < 0.3:  # two people on one phone are told the same
                texts.append(self._text(texts[0].to, texts[0].body))
            self._queue(texts)
            if chance.random() < 0.5:
                taken_back = time.monotonic() + chance.uniform(0, 4), texts[0].about_id
                cancels.append(taken_back)
            for due in [cancel for cancel in cancels if cancel[0] <= time.monotonic()]:
                cancels.remove(due)
                self._cancel(due[1])

    def _any_text(self, chance: random.Random) -> outbox.Text:
        lane = chance.choice([Lane.ROUTINE, Lane.ROUTINE, Lane.URGENT])
        use = chance.choice([3600, 3600, 3600, chance.uniform(3, 12)])
        body = f"Text {next(self._keys)}"
        return self._text(self._phone(chance), body, lane=lane, use=use)

    def _text(
        self, to: str, body: str, *, lane: Lane = Lane.ROUTINE, use: float = 3600
    ) -> outbox.Text:
        now = timezone.now()
        return outbox.Text(
            scope=Scope.CARE,
            owner_id=self.house.cast.ada.id,
            about_id=uuid4(),
            dedup_key=f"soak:{uuid4()}",
            to=to,
            body=body,
            available_at=now,
            expires_at=now + timedelta(seconds=use),
            lane=lane,
            clinic_id=self.house.cast.clinic.id,
        )

    def _phone(self, chance: random.Random) -> str:
        return f"+4477009{chance.randrange(10_000, 10_060)}"

    def _queue(self, texts: list[outbox.Text]) -> None:
        def queue() -> list[UUID]:
            with transaction.atomic():
                outbox.queue(texts, timezone.now())
            keys = [text.dedup_key for text in texts]
            return list(Sms.objects.filter(dedup_key__in=keys).values_list("id", flat=True))

        stored = insist(queue)
        assert len(stored) == len(texts)
        self.told.stored |= set(stored)

    def _cancel(self, about_id: UUID) -> None:
        try:
            with transaction.atomic():
                named = outbox.cancel([about_id])
                asked = outbox.texts_about([about_id])
                named += [sms for sms in asked if sms.state in MAY_HAVE_LEFT]
        except GONE:
            connections.close_all()
            self.told.unsure += 1
        else:
            self.told.ended[about_id] = {sms.id for sms in named}

    # -- plans ------------------------------------------------------------------------------------

    def _prescribe(self, chance: random.Random, number: int) -> None:
        """Start plans at random instants; end most of them a little later, one way or another."""
        own = [patient for patient in self.patients[number::4] if patient != self.poisoned]
        ahead = [(chance.uniform(0, self._seconds * 0.7), patient, False) for patient in own]
        ahead += [
            (start + chance.uniform(0, self._seconds * 0.4), patient, True)
            for start, patient, _ in ahead
            if chance.random() < 0.7
        ]
        begun = time.monotonic()
        for instant, patient, ends in sorted(ahead, key=lambda moment: moment[0]):
            time.sleep(max(0.0, begun + instant - time.monotonic()))
            if ends:
                self._end_plan(patient, chance)
            else:
                insist(lambda patient=patient: self._start_plan(patient))

    def _start_plan(self, patient: Patient) -> None:
        if not Dose.objects.filter(schedule__patient=patient).exists():
            start_now(self.house.cast, patient)

    def _end_plan(self, patient: Patient, chance: random.Random) -> None:
        kind = chance.randrange(3)
        while True:
            try:
                dose_id, named = self._decide(patient, kind)
            except Stale:
                continue
            except GONE:
                connections.close_all()
                self.told.unsure += 1
            else:
                self.told.ended[dose_id] = named
            return

    def _decide(self, patient: Patient, kind: int) -> tuple[UUID, set[UUID]]:
        now, actor = timezone.now(), self.house.cast.actor
        plan = read_plan(patient)
        today, token = plan.today(now), plan.token
        dose = Dose.objects.get(schedule__patient=patient, date=today)
        if kind == 0:
            decision = Decision(14, today + timedelta(days=3), open_dose=OpenDose.CLOSE)
            outcome = prescribing.change_interval(patient.id, decision, token, actor, now)
        elif kind == 1:
            review = today + timedelta(days=30)
            outcome = prescribing.pause(patient.id, review, "", token, actor, now)
        else:
            outcome = prescribing.stop(patient.id, "", token, actor, now)
        return dose.id, {sms.id for sms in outcome.too_late}

    # -- STOP -------------------------------------------------------------------------------------

    def _stop_texts(self, chance: random.Random, number: int) -> None:
        """Some phones say STOP, and see it stored; texts to them go on being queued."""
        twilio = SimulatorClient(self.house.simulator.base_url)
        waiting: set[str] = set()
        while self._goes_on(chance.expovariate(1)):
            if len(waiting) + len(self.told.opted_out) < 12:
                phone = self._phone(chance)
                try:
                    for sender in (ROUTINE_NUMBER, URGENT_NUMBER)[: chance.randint(1, 2)]:
                        twilio.answer(phone, sender, "STOP")
                    waiting.add(phone)
                except (requests.RequestException, ValueError):
                    pass  # the simulator is being killed just now
            self._see_stored(waiting)

    def _see_stored(self, waiting: set[str]) -> None:
        said = OptOut.objects.filter(number__in=list(waiting), opted_out=True)
        for phone in insist(lambda: list(said.values_list("number", flat=True))):
            waiting.discard(phone)
            self.told.opted_out[phone] = datetime.now(UTC)


def insist(do: Callable[[], T], seconds: float = 60) -> T:
    """Do it again while the database is away."""
    until = time.monotonic() + seconds
    while True:
        try:
            return do()
        except GONE:
            connections.close_all()
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
