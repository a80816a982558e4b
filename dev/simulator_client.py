"""The simulator's other side: start it, break it, ask it what it got. For tests and the demo."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypedDict
from urllib.parse import quote

import requests

from dev.stack import Process, Trouble, free_port, spawn

_ANSWERS_WITHIN = 30.0


class Text(TypedDict):
    """One message as the ledger shows it, either way. `id` and `attempt` are ours, from the
    status callback's URL; `at` is stamped by the played clock, `real_at` never is."""

    seq: int
    id: str | None
    attempt: int | None
    sid: str
    account_sid: str
    direction: str
    to: str
    sender: str | None
    body: str
    segments: int
    status: str
    error_code: int | None
    at: str
    sent_at: str | None
    real_at: str
    validity_seconds: int


class Tally(TypedDict):
    """What one of our ids got accepted, over its attempts. More than one is a double."""

    accepted: int
    attempts: list[int]
    sids: list[str]
    statuses: list[str]
    to: str


class Refusal(TypedDict):
    """A create call that was not accepted: Twilio's code, or the fault that stood in its way."""

    id: str | None
    attempt: int | None
    to: str
    sender: str | None
    code: int | None
    fault: str | None
    at: str
    real_at: str


class Ledger(TypedDict):
    messages: list[Text]
    inbound: list[Text]
    ids: dict[str, Tally]
    refused: list[Refusal]
    opted_out: list[dict[str, str]]
    next_seq: int
    calls: dict[str, int]
    callbacks: dict[str, int]


class SimulatorClient:
    """Every method answers when the simulator has done it; HTTP errors say what was wrong."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.process: Process | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy in the environment would only stand between
        self._argv: list[str] = []
        self._log: Path | None = None

    # -- the process --------------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        *,
        accounts: Mapping[str, str],
        senders: Sequence[str],
        inbound_url: str | None = None,
        port: int | None = None,
        ledger: Path | None = None,
        deliver_after: float = 0.05,
        log: Path | None = None,
    ) -> Self:
        """Start a simulator and wait until it answers. It ends when we do, even by kill -9.

        `accounts`: sid to token; `senders`: "+1...=RATE" or "+1...=RATE@ACxxx". Call this from
        the main thread. With `ledger`, `kill()` and `restart()` lose nothing it had accepted.
        """
        port = port or free_port()
        client = cls(f"http://127.0.0.1:{port}")
        argv = [sys.executable, "-m", "dev.twilio_simulator", "--port", str(port)]
        for sid, token in accounts.items():
            argv += ["--account", f"{sid}={token}"]
        for sender in senders:
            argv += ["--sender", sender]
        if inbound_url is not None:
            argv += ["--inbound-url", inbound_url]
        if ledger is not None:
            argv += ["--ledger", str(ledger)]
        client._argv = [*argv, "--deliver-after", str(deliver_after)]
        client._log = log
        client.restart()
        return client

    def restart(self) -> None:
        """Start it (again) as it was started first, on the same port."""
        root = Path(__file__).parent.parent
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        self.process = spawn(self._argv, env=os.environ | {"PYTHONPATH": path}, log=self._log)
        deadline = time.monotonic() + _ANSWERS_WITHIN
        while not self._is_ours():
            if self.process.poll() is not None:
                where = f": see {self._log}" if self._log else " for the reason it printed"
                self.process.kill()  # has ended: this reaps it
                raise Trouble(f"The Twilio simulator did not start{where}.")
            if time.monotonic() > deadline:
                self.process.kill()
                raise Trouble("The Twilio simulator does not answer.")
            time.sleep(0.02)

    def _is_ours(self) -> bool:
        try:
            return self.process is not None and self.health()["pid"] == self.process.pid
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    # -- what goes wrong ----------------------------------------------------------------------

    def inject(self, kind: str, **spec: object) -> int:
        """Add a fault; answers its id. dev/twilio_faults.py says the kinds and what a spec has:
        on, count, probability, seed, seconds, accepts, to, account."""
        return int(self._post("faults", {"kind": kind, **spec})["id"])

    def clear_faults(self, fault: int | None = None) -> None:
        self._call("DELETE", "faults" if fault is None else f"faults/{fault}")

    def injected(self) -> dict[str, int]:
        """How often each kind of fault really happened; of numbers as "number:30003"."""
        counts: dict[str, int] = self._get("faults")["injected"]
        return counts

    def break_number(
        self, number: str, code: int | None = None, *, stays: str | None = None
    ) -> None:
        """A phone that refuses or fails with a code of Twilio's, or whose texts stay "queued" or
        "sent"."""
        self._post("numbers", {"number": number, "code": code, "stays": stays})

    def mend_number(self, number: str) -> None:
        self._post("numbers", {"number": number, "code": None})

    def set_rate(self, sender: str, rate: float) -> None:
        self._post("senders", {"sender": sender, "rate": rate})

    def freeze(self, sender: str) -> None:
        """Nothing leaves this sender's queue: date_sent stays null."""
        self._post("senders", {"sender": sender, "frozen": True})

    def thaw(self, sender: str) -> None:
        self._post("senders", {"sender": sender, "frozen": False})

    def lag_list(self, seconds: float) -> None:
        self._post("list", {"lag_seconds": seconds})

    def set_clock(self, now: datetime | None) -> None:
        """The instant that messages are stamped with; None is the real clock again."""
        self._post("clock", {"now": now.isoformat() if now else None})

    def reset(self) -> None:
        self._post("reset", {})

    # -- phones -------------------------------------------------------------------------------

    def answer(self, phone: str, sender: str, body: str) -> str:
        """A phone sends a text to one of our senders; answers its sid."""
        return str(self._post("inbound", {"from": phone, "to": sender, "body": body})["sid"])

    def conversation(self, phone: str) -> list[dict[str, Any]]:
        """What the phone shows, oldest first, the carrier's own texts too."""
        texts: list[dict[str, Any]] = self._get(f"phones/{quote(phone)}")["texts"]
        return texts

    # -- what it got --------------------------------------------------------------------------

    def ledger(
        self, *, our_id: object = None, to: str | None = None, since_seq: int | None = None
    ) -> Ledger:
        asked = {"id": our_id, "to": to, "since_seq": since_seq}
        params = {name: str(value) for name, value in asked.items() if value is not None}
        found: Ledger = self._get("ledger", params)
        return found

    def accepted(self, our_id: object) -> int:
        """How many messages Twilio took for one of our ids, over all its attempts."""
        tally = self.ledger(our_id=our_id)["ids"].get(str(our_id).lower())
        return tally["accepted"] if tally else 0

    def doubles(self) -> dict[str, Tally]:
        return {
            ours: tally for ours, tally in self.ledger()["ids"].items() if tally["accepted"] > 1
        }

    def health(self) -> dict[str, Any]:
        state: dict[str, Any] = self._get("health")
        return state

    def wait_until_quiet(self, seconds: float = 10.0) -> None:
        """Until every message has come to its end and every callback has been made."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.health()
            if not state["under_way"] and not state["callbacks_pending"]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"The simulator is still busy: {state}")
            time.sleep(0.01)

    # -- HTTP ---------------------------------------------------------------------------------

    def _get(self, path: str, params: dict[str, str] | None = None) -> Any:
        return self._call("GET", path, params=params)

    def _post(self, path: str, body: Mapping[str, object]) -> Any:
        return self._call("POST", path, json=body)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(
            method, f"{self.base_url}/_sim/{path}", timeout=_ANSWERS_WITHIN, **options
        )
        if answer.status_code >= 400:
            raise ValueError(f"{method} {path}: {answer.text}")
        return answer.json()
