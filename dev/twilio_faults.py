"""Faults on request, and an honest count of those that really happened: a fault test that
injected nothing has shown nothing, and has to be able to tell.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import asdict, dataclass, field
from typing import Any

from dev.twilio_ledger import Ledger

# What may go wrong with an answer. True: by default the call has its effect all the same, which
# is what makes it hard; a spec's "accepts" says otherwise.
ANSWER_KINDS = {
    "delay": True,  # accepted at once, answered `seconds` later; accepts=false: taken only then
    "garbage": True,  # 201 and a body that isn't JSON
    "never_answer": True,  # the socket is held until the caller gives up
    "reset_after": True,  # accepted, then RST
    "reset_before": False,
    "500": False,  # Twilio says of 500 and 503 that the message may have gone: accepts=true
    "503": False,
    "429": False,  # never processed: always safe to retry
    "401": False,  # as with a token that was rotated
}
NEVER_ACCEPT = frozenset({"429", "401", "reset_before"})
CALLBACK_KINDS = frozenset({"late", "doubled", "lost", "reordered", "forged"})
CALLS = frozenset({"create", "fetch", "list", "any"})


@dataclass(slots=True)
class Fault:
    id: int
    kind: str
    on: str  # a call, or "callback"
    count: int | None = None  # how many times in all; None: until it is cleared
    probability: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    accepts: bool = False
    to: str | None = None  # only for this number
    account: str | None = None
    injected: int = 0
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - a play to be replayed, not a secret

    def strikes(self) -> bool:
        """Throw the dice: a seed gives the same throws again."""
        return self.probability >= 1 or self._dice.random() < self.probability

    def public(self) -> dict[str, Any]:
        shown = asdict(self)
        del shown["_dice"]
        return shown


class Faults:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ids = itertools.count(1)
        self.active: dict[int, Fault] = {}

    def add(self, spec: dict[str, Any]) -> Fault:
        """ValueError says what is wrong with the spec."""
        spec = dict(spec)
        kind = str(spec.pop("kind", ""))
        if kind not in ANSWER_KINDS and kind not in CALLBACK_KINDS:
            raise ValueError(
                f"kind must be one of {sorted(ANSWER_KINDS)} or {sorted(CALLBACK_KINDS)}"
            )
        on = "callback" if kind in CALLBACK_KINDS else str(spec.pop("on", "create"))
        if kind in ANSWER_KINDS and on not in CALLS:
            raise ValueError(f"on must be one of {sorted(CALLS)}")
        spec.setdefault("accepts", ANSWER_KINDS.get(kind, False))
        if spec["accepts"] and kind in NEVER_ACCEPT:
            raise ValueError(f"{kind} never accepts")
        unknown = set(spec) - {
            "count",
            "probability",
            "seed",
            "seconds",
            "accepts",
            "to",
            "account",
        }
        if unknown:
            raise ValueError(f"unknown: {sorted(unknown)}")
        for name in ("count", "probability", "seconds"):
            if not isinstance(spec.get(name, 0), int | float) and spec[name] is not None:
                raise ValueError(f"{name} must be a number")
        fault = Fault(id=next(self._ids), kind=kind, on=on, **spec)
        self.active[fault.id] = fault
        return fault

    def draw(
        self, call: str, *, to: str = "", account: str = "", last: bool = False
    ) -> Fault | None:
        """The fault that befalls this call, if any; it has not been counted yet.

        `last`: nothing follows this callback, so nothing could overtake it.
        """
        for fault in self.active.values():
            if fault.on != call and not (fault.on == "any" and call != "callback"):
                continue
            if (fault.to and fault.to != to) or (fault.account and fault.account != account):
                continue
            if last and fault.kind == "reordered":
                continue
            if fault.count is not None and fault.injected >= fault.count:
                continue
            if fault.strikes():
                fault.injected += 1
                return fault
        return None

    def happened(self, fault: Fault) -> None:
        """Counted when it has been done, not when it was meant to be."""
        self._ledger.count_fault(fault.kind)

    def unused(self, fault: Fault) -> None:
        """It was drawn, but there was nothing for it to befall."""
        fault.injected -= 1

    def clear(self, fault_id: int | None = None) -> None:
        if fault_id is None:
            self.active.clear()
        else:
            self.active.pop(fault_id, None)
