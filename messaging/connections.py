"""Kept-alive HTTP connections to a provider, with limits on every call and no retries.

The order matters: the socket in hand first, then the check of the deadline, then the write. So what
fails before is certain never to have left, and what is late is never written.
"""

import os
import select
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0

Origin = tuple[str, str]

_tls = ssl.create_default_context()
_idle: defaultdict[Origin, deque[HTTPConnection]] = defaultdict(deque)
# A connection that two processes write to is nobody's: a child starts with none.
os.register_at_fork(after_in_child=_idle.clear)


class NotWritten(Exception):
    """Not a byte of the request has left this machine: there was no connection."""


class TooLate(NotWritten):
    """Not a byte has left, because its time was over."""


@dataclass(frozen=True)
class Reply:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    write_before: float,
) -> Reply:
    """Send one request and read its answer.

    `write_before` is an instant of time.monotonic(). Raises NotWritten when nothing left, TooLate
    when for that reason; OSError or HTTPException when the request may have arrived, and its
    answer did not.
    """
    parts = urlsplit(url)
    origin = (parts.scheme, parts.netloc)
    connection = _in_hand(origin)
    if time.monotonic() >= write_before:
        _idle[origin].append(connection)
        raise TooLate
    connection.sock.settimeout(READ_SECONDS)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except BaseException:
        connection.close()
        raise
    if response.will_close:
        connection.close()
    else:
        _idle[origin].append(connection)
    named = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, named, text)


def _in_hand(origin: Origin) -> HTTPConnection:
    """A connected connection that nobody else holds."""
    idle = _idle[origin]
    while True:
        try:
            kept = idle.pop()
        except IndexError:
            return _connected(origin)
        if _quiet(kept):
            return kept
        kept.close()


def _connected(origin: Origin) -> HTTPConnection:
    scheme, place = origin
    connection = (
        HTTPSConnection(place, timeout=CONNECT_SECONDS, context=_tls)
        if scheme == "https"
        else HTTPConnection(place, timeout=CONNECT_SECONDS)
    )
    try:
        connection.connect()
    except (OSError, HTTPException) as error:
        connection.close()
        raise NotWritten from error
    # The library would connect anew, and write, behind the back of the check.
    connection.auto_open = 0
    return connection


def _quiet(connection: HTTPConnection) -> bool:
    """Whether a kept connection is open still: one that can be read was closed by its peer."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
