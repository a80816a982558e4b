"""A provider for the bench alone: answers as Twilio's create does after a while, and lists what it
took. `python -m tests.bench.provider PORT`.

The simulator knows far more of Twilio, which costs it a core at 700 texts a second: it would be
what is measured. It can forget to answer a part of what it
accepts, and counts what it accepted twice; GET and POST /bench tell and set that.
"""

import asyncio
import json
import random
import sys
from email.utils import formatdate
from urllib.parse import parse_qs, urlencode, urlsplit

PAGE = 1000


class Provider:
    """What was taken, in order; answers in `seconds`, but for the part `unanswered` never."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str | None]] = []
        self.callbacks: set[str] = set()
        self.twice = 0
        self.seconds, self.unanswered = 0.05, 0.0

    def take(self, form: dict[str, list[str]]) -> dict[str, str | None]:
        """Accept a text; as Twilio shows it."""
        now, sid = formatdate(usegmt=False), f"SM{random.getrandbits(128):032x}"
        account = form["account"][0]
        message = {
            "account_sid": account, "api_version": "2010-04-01", "body": form["Body"][0],
            "date_created": now, "date_sent": None, "date_updated": now,
            "direction": "outbound-api", "error_code": None, "error_message": None,
            "from": form["From"][0], "messaging_service_sid": None, "num_media": "0",
            "num_segments": "1", "price": None, "price_unit": "USD", "sid": sid,
            "status": "queued", "to": form["To"][0],
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
        }  # fmt: skip
        self.taken.append(message)
        # Its path is our id and the attempt: a second attempt of the same id is the same text.
        text = form["StatusCallback"][0].rpartition("/")[0]
        self.twice += text in self.callbacks
        self.callbacks.add(text)
        return message

    def page(self, path: str, asked: dict[str, list[str]]) -> dict[str, object]:
        """A page of what was taken, newest first."""
        begin, to = int(asked.get("Page", ["0"])[0]), asked.get("To", [""])[0]
        found = [m for m in reversed(self.taken) if not to or m["to"] == to]
        more = urlencode({"Page": begin + PAGE, "To": to}) if len(found) > begin + PAGE else ""
        return {
            "messages": found[begin : begin + PAGE],
            "next_page_uri": f"{path}?{more}" if more else None,
        }

    def one(self, sid: str) -> tuple[int, object]:
        """The status and the body of the answer to a fetch; what was forgotten isn't there."""
        found = [message for message in self.taken if message["sid"] == sid]
        return (200, found[0]) if found else (404, {"code": 20404, "status": 404})

    def told(self, asked: dict[str, list[str]]) -> dict[str, object]:
        """Set what is asked for, and answer the counts; `forget` begins anew."""
        if "forget" in asked:
            self.taken, self.callbacks, self.twice = [], set(), 0
        self.seconds = float(asked.get("seconds", [str(self.seconds)])[0])
        self.unanswered = float(asked.get("unanswered", [str(self.unanswered)])[0])
        return {"taken": len(self.taken), "twice": self.twice}


class Connection(asyncio.Protocol):
    """One connection, whose requests are answered in turn."""

    def __init__(self, provider: Provider) -> None:
        self.provider, self.received = provider, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        if len(rest) < int(length or 0):
            return
        self.received = b""
        self.asked(head.split(b" ", 2)[:2], rest)

    def asked(self, line: list[bytes], body: bytes) -> None:
        method, url = (part.decode() for part in line)
        parts = urlsplit(url)
        if parts.path == "/bench":
            self.answer(200, self.provider.told(parse_qs(parts.query)))
        elif method == "GET" and not parts.path.endswith("/Messages.json"):
            self.answer(*self.provider.one(parts.path.rpartition("/")[2].removesuffix(".json")))
        elif method == "GET":
            self.answer(200, self.provider.page(parts.path, parse_qs(parts.query)))
        else:
            account = parts.path.split("/")[3]
            message = self.provider.take(parse_qs(body.decode()) | {"account": [account]})
            if random.random() >= self.provider.unanswered:
                loop = asyncio.get_running_loop()
                loop.call_later(self.provider.seconds, self.answer, 201, message)

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.transport.write(
            b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(content), content)
        )


async def serve(port: int) -> None:
    provider = Provider()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
