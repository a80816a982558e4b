"""Everything that one simulator is made of, in one hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web  # the Twilio SDK's own dependency

from dev.twilio_callbacks import Callbacks
from dev.twilio_carrier import Carrier
from dev.twilio_faults import Faults
from dev.twilio_ledger import Ledger


@dataclass(slots=True)
class World:
    tokens: dict[str, str]  # by account sid
    ledger: Ledger
    faults: Faults
    callbacks: Callbacks
    carrier: Carrier
    list_lag: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    def reset(self) -> None:
        self.carrier.reset()
        self.callbacks.drop()
        self.faults.clear()
        self.ledger.reset()
        self.calls.clear()
        self.list_lag = 0.0


WORLD = web.AppKey("world", World)
