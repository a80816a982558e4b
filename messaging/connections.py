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
        request = _request(method, path, parts.netloc, headers, body)
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


class _Peer(asyncio.Protocol):
    """One connection. over: it can't be asked again."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.over = False
        self._buffer = bytearray()
        self._answer: asyncio.Future[Reply] | None = None

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the types
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._look(ended=False)

    def connection_lost(self, error: Exception | None) -> None:
        self.over = True
        self._look(ended=error is None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def _look(self, *, ended: bool) -> None:
        """Whether the answer is whole by now."""
        if self._answer is None or self._answer.done():
            self.over = True  # it speaks without being asked
            return
        try:
            found = _parse(self._buffer, ended=ended)
        except (ValueError, IndexError):
            self.over = True
            self._answer.set_exception(BadReply())
            return
        if found is not None:
            reply, length = found
            self.over = (
                self.over
                or length != len(self._buffer)
                or reply.headers.get("connection", "").lower() == "close"
            )
            self._buffer.clear()
            self._answer.set_result(reply)


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


def _request(
    method: str, path: str, host: str, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    all_headers = {"Host": host, **headers}
    if body is not None:
        all_headers["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + (body or b"")


def _parse(buffer: bytearray, *, ended: bool) -> tuple[Reply, int] | None:
    """The answer at the beginning of the buffer and its length, or None while it isn't whole.
    Raises ValueError or IndexError for what is no HTTP."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    first, *lines = buffer[:head_end].decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1])
    if not first.startswith("HTTP/1.") or not 100 <= status < 600:
        raise ValueError(first)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    start = head_end + 4
    if status < 200:
        del buffer[:start]  # an interim answer: the real one follows
        return _parse(buffer, ended=ended)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        chunked = _chunks(buffer, start)
        if chunked is None:
            return None
        body, end = chunked
    elif "content-length" in headers or status in {204, 304}:
        end = start + int(headers.get("content-length", "0"))
        if end < start or len(buffer) < end:
            return None
        body = bytes(buffer[start:end])
    elif ended:
        body, end = bytes(buffer[start:]), len(buffer)
    else:
        return None
    return Reply(status, headers, body.decode("utf-8", "replace")), end


def _chunks(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """A body that comes in chunks, and where it ends; None while it isn't whole."""
    parts: list[bytes] = []
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(buffer[at:line_end].split(b";")[0], 16)
        at = line_end + 2
        if size == 0:
            # Trailers, if any, end with an empty line.
            if buffer[at : at + 2] == b"\r\n":
                return b"".join(parts), at + 2
            trailer_end = buffer.find(b"\r\n\r\n", at)
            return None if trailer_end < 0 else (b"".join(parts), trailer_end + 4)
        if len(buffer) < at + size + 2:
            return None
        parts.append(bytes(buffer[at : at + size]))
        at += size + 2
