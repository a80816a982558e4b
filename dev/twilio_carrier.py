"""The way of a message: its sender's queue, the air, a phone; and back from a phone to us.

Each sender has a queue with a pace of its own in segments per second, as with Twilio. All of it
runs in one event loop, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import deque
from dataclasses import dataclass, field

from dev import twilio_wire as wire
from dev.twilio_callbacks import Callbacks
from dev.twilio_ledger import Ledger, Message

# A sender that was idle may send this much at once before the pace holds: the loop's timers
# aren't finer, and without it 500 a second would become 300.
SLACK_SECONDS = 0.02


@dataclass(slots=True)
class Sender:
    number: str
    rate: float  # segments per second
    account_sid: str | None = None  # None: any account may send with it
    frozen: bool = False
    waiting: deque[Message] = field(default_factory=deque)
    free_at: float = 0.0
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def stir(self) -> None:
        if self.waiting and not self.frozen:
            self.ready.set()
        else:
            self.ready.clear()

    def public(self) -> dict[str, object]:
        return {
            "sender": self.number,
            "rate": self.rate,
            "frozen": self.frozen,
            "account": self.account_sid,
            "waiting": len(self.waiting),
        }


@dataclass(slots=True)
class NumberRule:
    """What is wrong with a phone: an error code, or its reports never come."""

    code: int | None = None
    stays: str | None = None  # "queued" or "sent": goes no further than this

    @property
    def ends_with(self) -> int | None:
        """The code that an accepted message ends with; other codes refuse the create call."""
        return self.code if self.code in wire.DELIVERY_ERRORS else None


class Carrier:
    def __init__(
        self,
        ledger: Ledger,
        callbacks: Callbacks,
        senders: list[Sender],
        accounts: list[str],
        deliver_after: float,
    ) -> None:
        self._ledger = ledger
        self._callbacks = callbacks
        self._first_account = accounts[0]
        self._deliver_after = deliver_after
        self.senders = {sender.number: sender for sender in senders}
        self._rates = {sender.number: sender.rate for sender in senders}
        self.rules: dict[str, NumberRule] = {}
        self.inbound_url: str | None = None
        self._expiry: dict[str, asyncio.TimerHandle] = {}  # of each message that still waits
        self._timers: set[asyncio.TimerHandle] = set()
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, and take up what an earlier run of this ledger left on its way."""
        self._loops = [asyncio.create_task(self._drain(sender)) for sender in self.senders.values()]
        for message in self._ledger.messages:
            if message.status in wire.FINAL:
                continue
            if message.status in ("sending", "sent"):
                self._later(self._deliver_after, message)
            else:
                self.accept(message)

    def stop(self) -> None:
        for task in self._loops:
            task.cancel()
        self._forget()

    def reset(self) -> None:
        self._forget()
        self.rules.clear()
        for sender in self.senders.values():
            sender.waiting.clear()
            sender.rate, sender.frozen, sender.free_at = self._rates[sender.number], False, 0.0
            sender.stir()

    def _forget(self) -> None:
        for handle in (*self._expiry.values(), *self._timers):
            handle.cancel()
        self._expiry.clear()
        self._timers.clear()

    # -- to a phone ---------------------------------------------------------------------------

    def sender_for(self, account: str, number: str) -> Sender | None:
        sender = self.senders.get(number)
        return sender if sender and sender.account_sid in (None, account) else None

    def choose_sender(self, account: str, to: str) -> Sender | None:
        """A messaging service's choice: always the same sender for one phone."""
        pool = [sender for sender in self.senders.values() if sender.account_sid in (None, account)]
        return pool[zlib.crc32(to.encode()) % len(pool)] if pool else None

    def accept(self, message: Message) -> None:
        """Put an accepted message into its sender's queue."""
        if message.sender is None:
            sender = self.choose_sender(message.account_sid, message.to)
        else:
            sender = self.senders.get(message.sender)
        if sender is None:
            self._fail(message, 30008)  # a restart with other senders than before
            return
        if message.status == "accepted":
            self._ledger.move(message, "queued", sender=sender.number)
            self._callbacks.status(message)
        left = message.real_at + message.validity - time.time()
        loop = asyncio.get_running_loop()
        self._expiry[message.sid] = loop.call_later(max(0.0, left), self._expire, message)
        if self.rules.get(message.to, NumberRule()).stays == "queued":
            return  # never leaves the queue, but for its expiry
        sender.waiting.append(message)
        sender.stir()

    async def _drain(self, sender: Sender) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await sender.ready.wait()
            if not sender.waiting or sender.frozen:
                sender.stir()
                continue
            if sender.waiting[0].sid not in self._expiry:  # its validity was over before its turn
                sender.waiting.popleft()
                continue
            pause = sender.free_at - loop.time()
            if pause > 0.002:
                await asyncio.sleep(
                    min(pause, 0.25)
                )  # short, for the rate may be changed meanwhile
                continue
            message = sender.waiting.popleft()
            sender.free_at = (
                max(sender.free_at, loop.time() - SLACK_SECONDS) + message.segments / sender.rate
            )
            self._expiry.pop(message.sid).cancel()
            self._ledger.move(message, "sending")
            self._later(self._deliver_after / 4, message)

    def _later(self, seconds: float, message: Message) -> None:
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(handle)
            self._go_on(message)

        handle = loop.call_later(seconds, due)
        self._timers.add(handle)

    def _go_on(self, message: Message) -> None:
        rule = self.rules.get(message.to, NumberRule())
        code = rule.ends_with
        if message.status == "sending":
            if code is not None and wire.DELIVERY_ERRORS[code][0] == "failed":
                self._fail(message, code)
                return
            self._ledger.move(message, "sent", sent=True)
            self._callbacks.status(message)
            if rule.stays != "sent":
                self._later(self._deliver_after, message)
        elif code is not None:
            self._fail(message, code)
        else:
            self._ledger.move(message, "delivered")
            self._callbacks.status(message)

    def _expire(self, message: Message) -> None:
        del self._expiry[message.sid]
        self._fail(message, 30036)

    def _fail(self, message: Message, code: int) -> None:
        self._ledger.move(message, wire.DELIVERY_ERRORS[code][0], error=code)
        if message.to in self.rules and self.rules[message.to].code == code:
            self._ledger.count_fault(f"number:{code}")
        self._callbacks.status(message)

    @property
    def under_way(self) -> int:
        return len(self._expiry) + len(self._timers)

    # -- from a phone -------------------------------------------------------------------------

    def answer(self, phone: str, sender_number: str, body: str) -> Message:
        """A phone sends a text to one of our senders."""
        sender = self.senders[sender_number]
        now = self._ledger.now()
        message = Message(
            account_sid=sender.account_sid or self._first_account,
            to=sender_number,
            sender=phone,
            body=body,
            direction="inbound",
            status="received",
            created=now,
            sent=now,
            real_at=time.time(),
            segments=wire.count_segments(body),
        )
        self._ledger.add(message)
        word = wire.carrier_word(body)
        if word == "stop" and self._ledger.opt(phone, sender_number, out=True):
            self._ledger.note(phone, sender_number, wire.STOP_REPLY)
        elif word == "start" and self._ledger.opt(phone, sender_number, out=False):
            self._ledger.note(phone, sender_number, wire.START_REPLY)
        elif word == "help":
            self._ledger.note(phone, sender_number, wire.HELP_REPLY)
        # The product hears of carrier words too. With Twilio's own handling of opt-outs there is
        # no OptOutType among the parameters; that comes with its "Advanced Opt-Out" alone.
        if self.inbound_url:
            self._callbacks.inbound(message, self.inbound_url)
        return message
