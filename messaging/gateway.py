"""What a provider of texts is to us: it takes them, says what became of them, and lists them.

Twilio (twilio.py) is the one there is. Another would be another module with these functions.
"""

from asyncio import Future
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from messaging.states import Finding


class Fault(StrEnum):
    """Whose fault a refusal or a failure is, and so what comes next."""

    NUMBER = "number"  # this number can't be reached, for good
    TEXT = "text"  # this text won't be carried, for good
    OPTED_OUT = "opted out"  # the person said stop
    ACCOUNT = "account"  # our account or token: nothing leaves until it's mended
    SENDER = "sender"  # our sender: nothing leaves from it until it's mended
    OURS = "ours"  # ours to look at, but others may leave: this text waits and isn't lost
    RATE = "rate"  # we are too quick for the sender: all of it slows down
    PASSING = "passing"  # later it may do


@dataclass(frozen=True, kw_only=True)
class Post:
    """A text to be given to a provider. Instants are of time.monotonic(): it may keep the text
    until the one, and it isn't written after the other."""

    id: UUID
    attempt: int
    account: str
    sender: str
    to: str
    body: str
    use_until: float
    write_before: float


@dataclass(frozen=True)
class Answer:
    """What became of one posted text. wait: seconds until it may go again, None when not told.
    reached: the provider was there; false when no connection to it could be had."""

    finding: Finding
    sid: str = ""
    error_code: int | None = None
    wait: float | None = None
    fault: Fault | None = None
    reached: bool = True


@dataclass(frozen=True)
class Message:
    """A message as the provider shows it."""

    sid: str
    to: str
    sender: str
    body: str
    inbound: bool
    status: str
    error_code: int | None
    created_at: datetime


class Unreadable(Exception):
    """The provider didn't let us read, for now."""


class Gateway(Protocol):
    """A provider."""

    AT_ONCE: int
    """So many posts of a process are under way together; the others wait for their turn."""

    def post_all(self, texts: Sequence[Post], until: float) -> Sequence[Future[Answer]]:
        """Begin to give texts to the provider, and say of each what became of it, at `until` (of
        time.monotonic()) at the latest. Goes on while this thread is in `await_some`. Never raises,
        never retries."""

    def await_some(self, answers: Collection[Future[Answer]], few: int, seconds: float) -> None:
        """Wait until at most a few of these answers are still to come, but no longer than so many
        seconds."""

    def fetch_all(
        self, wanted: Sequence[tuple[str, str]], until: float
    ) -> Sequence[Message | None]:
        """Messages by account and sid; None for what couldn't be read until then."""

    def messages(
        self, account: str, since: datetime, until: float, *, to: str = ""
    ) -> Sequence[Message]:
        """All messages created since, to one number or to any, inbound ones too. Raises
        Unreadable, also when they aren't all read at `until` (of time.monotonic()): half a list
        says nothing about what is not in it."""
