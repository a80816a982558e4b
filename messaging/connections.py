"""Kept-alive HTTP connections to a provider, with limits on every call and no retries.

The order matters: the socket in hand first, then the check of the deadline, then the write. So what
fails before is certain never to have left, and what is late is never written.

Ours, and not the SDK's: its asynchronous client ignores the time limit given to it, its blocking
one costs five times as much, and neither lets us look at the clock between connecting and writing.
"""

import asyncio
import math
import os
import select
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
IDLE_SECONDS = 30.0
"""For so long a connection is kept that nobody uses. What stands between us and a provider forgets
those of last night without a word, and each text written into one would have to be settled."""

Origin = tuple[str, str]
Result = TypeVar("Result")

_tls = ssl.create_default_context()


class NotWritten(Exception):
    """Not a byte of the request has left this machine: there was no connection."""


class TooLate(NotWritten):
    """Not a byte has left, because its time was over."""


class BadReply(Exception):
    """An answer came that isn't HTTP, or not a whole one."""


@dataclass(frozen=True)
class Reply:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Exchange:
    """One call, as far as it has come. `write_before` is an instant of time.monotonic()."""

    write_before: float = math.inf
    written: bool = False
    reply: Reply | None = None

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Send one request and read its answer.

        Raises NotWritten when nothing left, TooLate when for that reason; OSError or BadReply when
        the request may have arrived, and its answer did not.
        """
        parts = urlsplit(url)
        origin = (parts.scheme, parts.netloc)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = _written(method, path, {"Host": parts.netloc, **headers}, body or b"")
        idle = _own().idle[origin]
        peer = await _in_hand(origin, idle)
        if time.monotonic() >= self.write_before:
            idle.append(peer)
            raise TooLate
        self.written = True
        try:
            async with asyncio.timeout(READ_SECONDS):
                self.reply = await peer.ask(request)
        except BaseException:
            peer.transport.abort()
            raise
        if not peer.over:
            idle.append(peer)
        return self.reply


def run(work: Coroutine[object, object, Result]) -> Result:
    """Do it, and answer when it is done: on this thread's own loop, whose connections are kept."""
    return _own().loop.run_until_complete(work)


def start(work: Coroutine[object, object, Result]) -> asyncio.Task[Result]:
    """Begin it; it goes on whenever this thread runs something."""
    return _own().loop.create_task(work)


class _Peer(asyncio.Protocol):
    """One connection; httptools reads what comes on it. over: it can't be asked again, nor
    after idle_until."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._answer: asyncio.Future[Reply] | None = None
        self._parser = HttpResponseParser(self)
        self.on_message_begin()
        self.over = False
        self.idle_until = time.monotonic() + IDLE_SECONDS

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.over = True  # it speaks without being asked
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self.over = True
            if not self._answer.done():
                self._answer.set_exception(BadReply(str(error)))

    def connection_lost(self, error: Exception | None) -> None:
        self.over = True
        if self._answer is None or self._answer.done():
            return
        if error is None and self._ends_with_its_connection():
            self.on_message_complete()
        else:
            self._answer.set_exception(error or ConnectionResetError())

    # -- called by the parser -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self.over = True  # one answer more than there were requests
        self._headers: dict[str, str] = {}
        self._headed, self._body = False, b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        # 1xx: an answer is still to come.
        if self._answer is None or self._answer.done() or 100 <= status < 200:
            return
        text = self._body.decode("utf-8", "replace")
        self._answer.set_result(Reply(status, self._headers, text))
        self.idle_until = time.monotonic() + IDLE_SECONDS
        self.over = self.over or not self._parser.should_keep_alive()

    def _ends_with_its_connection(self) -> bool:
        """Whether the answer is whole when nothing more comes: it said no length."""
        return self._headed and not {"content-length", "transfer-encoding"} & self._headers.keys()


def _written(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = f"{method} {path} HTTP/1.1\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


class _Own:
    """A thread's loop, and the connections that wait on it to be asked again."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.idle: defaultdict[Origin, deque[_Peer]] = defaultdict(deque)

    def __del__(self) -> None:
        if self.loop.is_closed():
            return
        for peers in self.idle.values():
            for peer in peers:
                peer.transport.abort()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


_here = threading.local()
_of_parents: list[_Own] = []


def _own() -> _Own:
    if not hasattr(_here, "own"):
        _here.own = _Own()
    found: _Own = _here.own
    return found


def _start_anew() -> None:
    """A connection that two processes write to is nobody's: a child starts with none, and doesn't
    even close its parent's."""
    if hasattr(_here, "own"):
        _of_parents.append(_here.own)
        del _here.own


os.register_at_fork(after_in_child=_start_anew)


async def _in_hand(origin: Origin, idle: deque[_Peer]) -> _Peer:
    """A connected connection that nobody else holds."""
    while idle:
        kept = idle.pop()
        if _quiet(kept):
            return kept
        kept.transport.abort()
    scheme, place = origin
    parts = urlsplit(f"//{place}")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, peer = await asyncio.get_running_loop().create_connection(
                _Peer,
                parts.hostname or "",
                parts.port or (443 if scheme == "https" else 80),
                ssl=_tls if scheme == "https" else None,
            )
    except (OSError, ValueError) as error:
        raise NotWritten from error
    return peer


def _quiet(kept: _Peer) -> bool:
    """Whether a kept connection is open still: one that can be read was closed by its peer."""
    if kept.over or kept.transport.is_closing() or time.monotonic() > kept.idle_until:
        return False
    poll = select.poll()
    poll.register(kept.transport.get_extra_info("socket"), select.POLLIN)
    return not poll.poll(0)
