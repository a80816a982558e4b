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
from typing import TypeVar
from urllib.parse import urlsplit

import h11

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0

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
        sent = {"Host": parts.netloc, "Content-Length": str(len(body or b"")), **headers}
        request = h11.Request(method=method, target=path, headers=list(sent.items()))
        idle = _own().idle[origin]
        peer = await _in_hand(origin, idle)
        if time.monotonic() >= self.write_before:
            idle.append(peer)
            raise TooLate
        self.written = True
        try:
            async with asyncio.timeout(READ_SECONDS):
                self.reply = await peer.ask(request, body or b"")
        except BaseException:
            peer.transport.abort()
            raise
        if not peer.over:
            idle.append(peer)
        return self.reply


def run(work: Coroutine[object, object, Result]) -> Result:
    """Do it, and answer when it is done: on this thread's own loop, whose connections are kept."""
    return _own().loop.run_until_complete(work)


class _Peer(asyncio.Protocol):
    """One connection; h11 speaks HTTP on it. over: it can't be asked again."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.over = False
        self._http = h11.Connection(h11.CLIENT)
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._answer: asyncio.Future[Reply] | None = None

    def ask(self, request: h11.Request, body: bytes) -> asyncio.Future[Reply]:
        self._answer = asyncio.get_running_loop().create_future()
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        self.transport.write(b"".join(self._http.send(event) or b"" for event in events))
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the types
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.over = True  # it speaks without being asked
            return
        self._http.receive_data(data)
        self._read(self._answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.over = True
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._http.receive_data(b"")  # an answer may end with its connection
            self._read(self._answer)
        if not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def _read(self, answer: "asyncio.Future[Reply]") -> None:
        """Take what has come so far; the answer is known when it is whole."""
        try:
            while (event := self._http.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                match event:
                    case h11.Response():
                        self._head = event
                    case h11.Data(data=data):
                        self._body += data
                    case h11.EndOfMessage():
                        self._end(answer)
                        return
                    case h11.ConnectionClosed():
                        return
        except h11.RemoteProtocolError as error:
            self.over = True
            answer.set_exception(BadReply(str(error)))

    def _end(self, answer: "asyncio.Future[Reply]") -> None:
        assert self._head is not None  # noqa: S101 - for the types
        headers = {name.decode(): value.decode("latin-1") for name, value in self._head.headers}
        text = self._body.decode("utf-8", "replace")
        answer.set_result(Reply(self._head.status_code, headers, text))
        self._head, self._body = None, bytearray()
        if self._http.trailing_data[0] or self._http.our_state is not h11.DONE:
            self.over = True
        else:
            self._http.start_next_cycle()


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
    if kept.over or kept.transport.is_closing():
        return False
    poll = select.poll()
    poll.register(kept.transport.get_extra_info("socket"), select.POLLIN)
    return not poll.poll(0)
