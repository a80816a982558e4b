"""A model of Twilio in memory, in place of the gateway: it takes texts or doesn't, answers or
doesn't, lists what it took when it likes, and never forgets. Its replies are judged by the
product's own `twilio.judge`."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.conf import settings

from messaging.claim import LEASE, WINDOW
from messaging.connections import Reply
from messaging.gateway import Answer, Message, Post, Unreadable
from messaging.states import Finding
from messaging.twilio import judge

TOO_LONG, BAD_NUMBER, BLOCKED, WRONG_TOKEN = 21617, 21211, 21610, 20003
DROPPED = 30001
LONGEST = 1600

TAKEN = "taken"
OUTCOMES = {
    TAKEN: None,
    "taken, and no answer": None,
    "taken, and a 500": 500,
    "not taken, and no answer": None,
    "not taken, and a 503": 503,
    "no connection": None,
    "too many requests": 20429,
    "its queue is full": 21611,
    "this country isn't allowed": 21408,
    "not our sender": 21606,
}
"""What may become of a post, with the status or the error code of the answer."""


@dataclass
class Clock:
    """The story's clock; also in place of the module `time`."""

    began: datetime
    at: datetime

    def monotonic(self) -> float:
        return (self.at - self.began).total_seconds()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps in a story")


@dataclass(eq=False)
class Reader:
    """One who reads the list to settle doubts. alive: who else was at it when this one began; any
    of them reads at the same time, and may be shown the same old list."""

    alive: tuple["Reader", ...]

    def overlaps(self, other: "Reader") -> bool:
        return self is other or self in other.alive or other in self.alive


@dataclass(eq=False)
class Taken:
    """A message that the model took, and how it stands with it."""

    sid: str
    text: Post
    at: datetime
    status: str = "queued"
    error_code: int | None = None
    missed_by: list[Reader] = field(default_factory=list)

    @property
    def given_up(self) -> bool:
        return self.error_code == DROPPED


@dataclass(frozen=True)
class Report:
    """A status callback."""

    text_id: UUID
    attempt: int
    params: dict[str, str]


@dataclass(eq=False)
class Said:
    """A text that a phone sent to one of our numbers."""

    sid: str
    account: str
    to: str
    number: str
    body: str
    at: datetime

    @property
    def params(self) -> dict[str, str]:
        return {
            "MessageSid": self.sid, "AccountSid": self.account, "From": self.number, "To": self.to,
            "Body": self.body,
        }  # fmt: skip


class Witness(Protocol):
    """Who judges what the model sees."""

    def claimed(self, texts: Iterable[Post]) -> None:
        """These are to be posted."""

    def took(self, message: Taken) -> None:
        """This one was taken."""

    def answered(self, answers: Iterable[tuple[Post, Answer]]) -> None:
        """These answers arrived, and are to be recorded."""

    def told(self, said: Said) -> None:
        """The list shows what a phone said."""


class TwilioModel:
    """See gateway.Gateway. skew: how far its clock is off when it says when a text was created."""

    def __init__(self, clock: Clock, skew: timedelta, witness: Witness) -> None:
        self.clock, self.skew, self.witness = clock, skew, witness
        self.taken: list[Taken] = []
        self.said: list[Said] = []
        self.reports: list[Report] = []
        self.blocked: set[tuple[str, str]] = set()
        self.bad_numbers: set[str] = set()
        self.refused: set[UUID] = set()
        self.locked_out: set[str] = set()
        self.unreadable = False
        self._shown: dict[str, list[Message] | None] | None = None

    # --- as the product sees it ------------------------------------------------------------------

    AT_ONCE = 256

    def post_all(self, texts: Sequence[Post], until: float) -> list[Future[Answer]]:
        self.witness.claimed(texts)
        answers = [self.post(text) for text in texts]
        self.witness.answered(zip(texts, answers, strict=True))
        return [answered(answer) for answer in answers]

    def await_some(self, answers: Collection[Future[Answer]], few: int, seconds: float) -> None:
        """All have come already."""

    def messages(
        self, account: str, since: datetime, until: float, *, to: str = ""
    ) -> list[Message]:
        if self._shown is None:
            listed = self.read(account, None, lags=False)
        else:
            listed = self._shown[account]
        if listed is None:
            raise Unreadable("the model's weather")
        found = [m for m in listed if m.created_at >= since and to in ("", m.to)]
        # One of a sender's own texts is stored; who settles passes over what came in.
        for said in self.said:
            if to and any(m.sid == said.sid for m in found):
                self.witness.told(said)
        return found

    def fetch_all(
        self, wanted: Sequence[tuple[str, str]], until: float
    ) -> Sequence[Message | None]:
        of_sid = {m.sid: m for m in self.taken}
        return [
            None
            if self.unreadable or account in self.locked_out
            else of_sid.get(sid) and self._message(of_sid[sid])
            for account, sid in wanted
        ]

    # --- what goes on at Twilio ------------------------------------------------------------------

    def post(self, text: Post, outcome: str = TAKEN) -> Answer:
        """What becomes of one post, by twilio._post's order: deadlines, connection, answer."""
        instant = self.clock.monotonic()
        if instant > text.write_before or text.use_until - instant < 1:
            return Answer(Finding.NOT_TAKEN, wait=0)
        if outcome == "no connection":
            return Answer(Finding.NOT_TAKEN, reached=False)
        if outcome == "not taken, and no answer":
            return Answer(Finding.DOUBTFUL)
        if outcome == "not taken, and a 503":
            return judge(Reply(503, {}, '{"code": 20503}'))
        code = self._refuses(text) or (OUTCOMES[outcome] if "taken" not in outcome else None)
        if code:
            return judge(_refusal(code))
        message = Taken(f"SM{len(self.taken):032x}", text, self.clock.at)
        self.taken.append(message)
        self.witness.took(message)
        if outcome == "taken, and no answer":
            return Answer(Finding.DOUBTFUL)
        if outcome == "taken, and a 500":
            return judge(Reply(500, {}, '{"code": 20500}'))
        return judge(Reply(201, {}, json.dumps({"sid": message.sid, "status": "queued"})))

    def _refuses(self, text: Post) -> int | None:
        if text.account in self.locked_out:
            return WRONG_TOKEN
        if len(text.body) > LONGEST:
            code = TOO_LONG
        elif text.to in self.bad_numbers:
            code = BAD_NUMBER
        elif (text.sender, text.to) in self.blocked:
            code = BLOCKED
        else:
            return None
        self.refused.add(text.id)
        return code

    def carry(self, message: Taken, status: str, error_code: int | None = None) -> None:
        """Let a message go on, and report it."""
        message.status, message.error_code = status, error_code
        params = {"MessageSid": message.sid, "MessageStatus": status}
        if message.error_code:
            params["ErrorCode"] = str(message.error_code)
        self.reports.append(Report(message.text.id, message.text.attempt, params))

    def hear(self, said: Said) -> None:
        """A phone sends a text: Twilio itself honours STOP and START, for the number written to."""
        self.said.append(said)
        word = said.body.upper()
        if word == "STOP":
            self.blocked.add((said.to, said.number))
        elif word == "START":
            self.blocked.discard((said.to, said.number))

    # --- the list --------------------------------------------------------------------------------

    def read(self, account: str, reader: Reader | None, *, lags: bool) -> list[Message] | None:
        """The list as it is shown now, newest first; None when it can't be read."""
        if self.unreadable or account in self.locked_out:
            return None
        mine = [m for m in self.taken if m.text.account == account]
        if lags:
            mine = [m for m in mine if not self._hides(m, reader)]
        inbound = [
            Message(s.sid, s.to, s.number, s.body, True, "received", None, s.at)
            for s in self.said
            if s.account == account
        ]
        listed = [self._message(m) for m in mine] + inbound
        return sorted(listed, key=lambda m: m.created_at, reverse=True)

    def _hides(self, message: Taken, reader: Reader | None) -> bool:
        """As far as the product allows for: as long as the quiet period at worst; and later once
        more, for readings that are made at the same time."""
        quiet = settings.TWILIO_QUIET_SECONDS + LEASE - WINDOW
        if self.clock.at - message.at < timedelta(seconds=quiet):
            return True
        if reader is None or not all(reader.overlaps(other) for other in message.missed_by):
            return False
        message.missed_by.append(reader)
        return True

    @contextmanager
    def showing(self, shown: dict[str, list[Message] | None]) -> Iterator[None]:
        """Let the product see the list as it was when it was read."""
        self._shown = shown
        try:
            yield
        finally:
            self._shown = None

    def _message(self, m: Taken) -> Message:
        return Message(
            m.sid, m.text.to, m.text.sender, m.text.body, False, m.status, m.error_code,
            m.at + self.skew,
        )  # fmt: skip


def _refusal(code: int) -> Reply:
    status = {WRONG_TOKEN: 401, 20429: 429, 21611: 429}.get(code, 400)
    headers = {"retry-after": "7"} if code == 20429 else {}
    return Reply(status, headers, json.dumps({"code": code}))


def answered(answer: Answer) -> Future[Answer]:
    """An answer that has come; of the other kind of Future, which needs no loop."""
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future
