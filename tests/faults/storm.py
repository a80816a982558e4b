"""Faults at seeded random instants. The plan of a storm follows from its seed alone, so that it can
be played again; what it hits then is up to the processes."""

import heapq
import itertools
import random
import time
from collections.abc import Callable

from dev.environment import ACCOUNT, ROUTINE_NUMBER, URGENT_NUMBER
from dev.waiting import until
from tests.faults.harness import (
    BEATS,
    GROUPS,
    SIGCONT,
    SIGKILL,
    SIGSTOP,
    House,
    restart_postgres,
    send,
)
from tests.faults.judging import hurry

EVERY = {
    "kill child": 2.0,
    "stop child": 2.5,
    "kill group": 8.0,
    "stop group": 8.0,
    "kill beat": 6.0,
    "kill simulator": 7.0,
    "kill valkey": 8.0,
    "kill postgres": 8.0,
    "wrong token": 12.0,
    "freeze": 8.0,
    "certain": 0.7,
}
"""Each kind's seconds from one to the next, on average. certain: the next call, or callback, that
Twilio gets or makes goes wrong, each time in another of its ways."""

ANSWERS: list[dict[str, object]] = [
    {"kind": "429", "seconds": 1},
    {"kind": "500", "accepts": False},
    {"kind": "500", "accepts": True},
    {"kind": "503", "accepts": False},
    {"kind": "503", "accepts": True},
    {"kind": "garbage"},
    {"kind": "never_answer", "probability": 0.005},
    {"kind": "delay", "seconds": 3},
    {"kind": "delay", "seconds": 1, "accepts": False},
    {"kind": "reset_after"},
    {"kind": "reset_before"},
]
CALLBACKS = ("late", "doubled", "lost", "reordered", "forged")
LISTS = ("500", "garbage", "reset_before")

LAG = 1.0
"""Seconds that the list lags: less than the tests' quiet period of two."""

WRONG_TOKEN = 3.0
"""Seconds that our token is refused for each call."""

LONG_STOP = 17.0
"""Longer than a lease: who was stopped in the midst of posting must die when it wakes."""


class Storm:
    """`play` does it all on the calling thread, which has to be the main one."""

    def __init__(self, house: House, seconds: float, seed: int) -> None:
        self.house = house
        self.planned = plan(seconds, seed)
        self._seconds = seconds
        self._chance = random.Random(f"{seed} targets")
        self._order = itertools.count()
        self._ahead: list[tuple[float, int, Callable[[], None]]] = []
        self._seeds = itertools.count(seed * 1000)
        self._certain_ones = itertools.cycle([*ANSWERS, *({"kind": kind} for kind in CALLBACKS)])
        self._stopped: set[int] = set()
        self._token_wrong_until = 0.0
        self._gives_up_at = 0.0

    def play(self) -> None:
        begun = time.monotonic()
        self._gives_up_at = begun + 2 * self._seconds
        for instant, kind in self.planned:
            self._at(begun + instant, self._do(kind))
        self.trouble_twilio()
        while self._ahead:
            instant, _, act = heapq.heappop(self._ahead)
            time.sleep(max(0.0, instant - time.monotonic()))
            act()
        # What a killed simulator forgot before it happened.
        others: list[dict[str, object]] = [{"kind": kind} for kind in (*CALLBACKS, "401")]
        for spec in (*ANSWERS, *others):
            if spec["kind"] in self.missing():
                self.house.simulator.inject(**spec | {"probability": 1.0, "count": 1})
        until(self._all_happened, 30, "each fault has happened")

    def _all_happened(self) -> bool:
        hurry()  # an open circuit lets nothing go for up to a minute
        return not self.missing()

    def missing(self) -> set[str]:
        """Kinds that have not befallen a call yet."""
        kinds = {"401", *CALLBACKS, *(str(spec["kind"]) for spec in ANSWERS)}
        return kinds - set(self.house.simulator.injected())

    def trouble_twilio(self) -> None:
        """Faults that strike calls by chance. A simulator that was killed has forgotten them."""
        twilio = self.house.simulator
        twilio.clear_faults()
        if time.monotonic() < self._token_wrong_until:
            # Alone: another fault that strikes the same call would come first.
            twilio.inject("401", on="any", account=ACCOUNT)
            return
        for spec in ANSWERS:
            twilio.inject(on="create", seed=next(self._seeds), **{"probability": 0.02} | spec)
        for kind in CALLBACKS:
            seed = next(self._seeds)
            twilio.inject(kind, probability=0.06, seed=seed, seconds=2)
        for kind in LISTS:
            twilio.inject(kind, on="list", probability=0.05, seed=next(self._seeds))
        twilio.lag_list(LAG)
        self.house.done["list lag"] += 1

    def calm(self) -> None:
        """The end of all faults: everything runs, and Twilio works."""
        house = self.house
        for pid in self._stopped:
            send(pid, SIGCONT)
        house.simulator.clear_faults()
        house.simulator.lag_list(0)
        for number in (ROUTINE_NUMBER, URGENT_NUMBER):
            house.simulator.thaw(number)
        for name in ("web", *GROUPS, *BEATS):
            house.start(name)

    def _at(self, instant: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._ahead, (instant, next(self._order), act))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._at(time.monotonic() + seconds, act)

    def _again(self, name: str, act: Callable[[], None]) -> None:
        """It found nobody to strike in that group, which is starting, or has ended and is started
        as by a supervisor: a little later, then."""
        self.house.start(name)
        if time.monotonic() < self._gives_up_at:
            self._later(0.5, act)

    def _do(self, kind: str) -> Callable[[], None]:
        act: Callable[[], None] = getattr(self, "_" + kind.replace(" ", "_"))
        return act

    # -- one method for each kind ---------------------------------------------------------------

    def _kill_child(self) -> None:
        name = self._group()
        if self.house.hit_child(name, SIGKILL, self._chance) is None:
            self._again(name, self._kill_child)
        else:
            self.house.done["kill child"] += 1

    def _stop_child(self) -> None:
        name = self._group()
        pid = self.house.hit_child(name, SIGSTOP, self._chance)
        if pid is None:
            self._again(name, self._stop_child)
            return
        self.house.done["stop child"] += 1
        long = self.house.done["stop child"] % 5 == 1 and self._seconds >= LONG_STOP
        self._wake_after(LONG_STOP if long else self._chance.uniform(0.1, 4), pid)

    def _kill_group(self) -> None:
        name = self._group()
        if self.house.running[name].poll() is not None:
            self._again(name, self._kill_group)
            return
        self.house.kill(name, "kill group")
        self._later(self._chance.uniform(0, 3), lambda: self.house.start(name))

    def _stop_group(self) -> None:
        name = self._group()
        if self.house.running[name].poll() is not None:
            self._again(name, self._stop_group)
            return
        for pid in (self.house.running[name].pid, *self.house.children(name)):
            if send(pid, SIGSTOP):
                self._wake_after(self._chance.uniform(0.1, 4), pid)
        self.house.done["stop group"] += 1

    def _kill_beat(self) -> None:
        name = self._chance.choice(sorted(BEATS))
        self.house.kill(name, "kill beat")
        self._later(self._chance.uniform(0, 3), lambda: self.house.start(name))

    def _kill_simulator(self) -> None:
        self.house.simulator.kill()
        time.sleep(self._chance.uniform(0, 1))
        self.house.simulator.restart()
        self.house.done["kill simulator"] += 1
        self.trouble_twilio()

    def _kill_valkey(self) -> None:
        self.house.stack.valkey.kill()
        time.sleep(self._chance.uniform(0, 1))
        self.house.stack.valkey.start()
        self.house.done["kill valkey"] += 1

    def _kill_postgres(self) -> None:
        restart_postgres(self.house)

    def _wrong_token(self) -> None:
        self._token_wrong_until = time.monotonic() + WRONG_TOKEN
        self.trouble_twilio()
        self.house.done["wrong token"] += 1
        self._later(WRONG_TOKEN, self.trouble_twilio)

    def _freeze(self) -> None:
        number = self._chance.choice([ROUTINE_NUMBER, URGENT_NUMBER])
        self.house.simulator.freeze(number)
        self.house.done["freeze"] += 1
        self._later(self._chance.uniform(2, 5), lambda: self.house.simulator.thaw(number))

    def _certain(self) -> None:
        self.house.simulator.inject(**next(self._certain_ones) | {"probability": 1.0, "count": 1})
        self.house.done["certain"] += 1

    def _group(self) -> str:
        return self._chance.choice(sorted(GROUPS))

    def _wake_after(self, seconds: float, pid: int) -> None:
        self._stopped.add(pid)

        def wake() -> None:
            self._stopped.discard(pid)
            send(pid, SIGCONT)

        self._later(seconds, wake)


def plan(seconds: float, seed: int) -> list[tuple[float, str]]:
    """When what happens: each kind at least twice, however short the storm."""
    chance = random.Random(seed)
    return sorted(
        (chance.uniform(0, seconds), kind)
        for kind, every in EVERY.items()
        for _ in range(max(2, round(seconds / every)))
    )
