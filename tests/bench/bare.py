"""The least that could send a text and remember it: a loop that commits a row before and after each
call, and does nothing else. `python -m tests.bench.bare FIRST LAST` sends those rows of `bare`.

No pace, no opt-outs, no turns, no deadlines, no settling of what is in doubt: nobody may build on
it. It says how fast this machine, this Postgres and this provider could be at all. Its statements
are prepared, its requests are made and its answers are cut out by hand.
"""

import asyncio
import base64
import os
import sys
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from psycopg import pq

from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN

IN_FLIGHT = 256
CONNECTIONS = 8
"""To Postgres: a statement takes so little that more of them only wait for each other."""

TABLE = """
CREATE TABLE IF NOT EXISTS bare (
    id int PRIMARY KEY, "to" text, body text, state text, state_at timestamptz, sid text)
"""
_BEFORE = b"""UPDATE bare SET state = 'sending', state_at = clock_timestamp() WHERE id = $1
    RETURNING "to", body"""
_AFTER = b"""UPDATE bare SET state = 'accepted', state_at = clock_timestamp(), sid = $2
    WHERE id = $1"""


class Postgres:
    """A connection on which each statement is its own transaction, by libpq's own calls: psycopg's
    cursors cost three times as much."""

    def __init__(self) -> None:
        address = os.environ["DATABASE_URL"].encode()
        self.connection = pq.PGconn.connect(address)
        for name, statement in ((b"before", _BEFORE), (b"after", _AFTER)):
            self.connection.prepare(name, statement)
        self.connection.nonblocking = 1
        asyncio.get_running_loop().add_reader(self.connection.socket, self.read)

    def execute(self, name: bytes, *values: bytes) -> "asyncio.Future[pq.abc.PGresult]":
        self.answer: asyncio.Future[pq.abc.PGresult] = asyncio.get_running_loop().create_future()
        self.connection.send_query_prepared(name, values)
        self.connection.flush()
        return self.answer

    def read(self) -> None:
        self.connection.consume_input()
        while not self.connection.is_busy():
            result = self.connection.get_result()
            if result is None:
                return
            self.answer.set_result(result)


class Http(asyncio.Protocol):
    """One connection to the provider, for one call at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def post(self, head: bytes, body: bytes) -> asyncio.Future[bytes]:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0]):
            self.received = b""
            self.answer.set_result(body)


async def work(ids: Iterator[int], free: "asyncio.Queue[Postgres]") -> None:
    place = urlsplit(os.environ["TWILIO_BASE_URL"])
    token = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    head = (
        f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: Basic {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    _, http = await loop.create_connection(Http, place.hostname, place.port)
    for id_ in ids:
        postgres = await free.get()
        row = await postgres.execute(b"before", b"%d" % id_)
        free.put_nowait(postgres)
        to, body = row.get_value(0, 0) or b"", row.get_value(0, 1) or b""
        callback = f"http://bare/{id_}/1"
        text = {"To": to, "From": ROUTINE_NUMBER, "Body": body, "StatusCallback": callback}
        answer = await http.post(head, urlencode(text).encode())
        sid = answer.partition(b'"sid": "')[2].partition(b'"')[0]
        postgres = await free.get()
        await postgres.execute(b"after", b"%d" % id_, sid)
        free.put_nowait(postgres)
    http.transport.close()


async def send(first: int, last: int) -> None:
    ids, free = iter(range(first, last + 1)), asyncio.Queue[Postgres]()
    for _ in range(CONNECTIONS):
        free.put_nowait(Postgres())
    await asyncio.gather(*(work(ids, free) for _ in range(IN_FLIGHT // 2)))


if __name__ == "__main__":
    # Two processes of it, and so 256 in flight together, as two of our workers have.
    asyncio.run(send(int(sys.argv[1]), int(sys.argv[2])))
