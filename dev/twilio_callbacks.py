"""Twilio's calls to us: status callbacks and inbound texts, signed, in the background.

Callbacks can be made late, doubled, lost, out of order or forged on request.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Coroutine
from urllib.parse import urlencode

import aiohttp  # the Twilio SDK's own dependency
from yarl import URL

from dev import twilio_wire as wire
from dev.twilio_faults import Faults
from dev.twilio_ledger import Ledger, Message

# Calls under way at once. A product that hangs holds this many, each for 15 seconds at most.
PARALLEL = 64
# How long a callback that is to come out of order waits for a later one to overtake it.
OVERTAKEN_WITHIN = 2.0


class Callbacks:
    def __init__(self, ledger: Ledger, faults: Faults, tokens: dict[str, str]) -> None:
        self._ledger = ledger
        self._faults = faults
        self._tokens = tokens
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(PARALLEL)
        self._session: aiohttp.ClientSession | None = None
        # A held-back callback's message, until a later callback of it has been answered.
        self._overtaken: defaultdict[str, list[asyncio.Event]] = defaultdict(list)
        # Callbacks of one message normally go one after the other, each from the last one's end.
        self._last: dict[str, asyncio.Task[None]] = {}
        self.counts: Counter[str] = Counter()

    @property
    def pending(self) -> int:
        return len(self._tasks)

    async def open(self) -> None:
        # Idle connections are dropped early, before a server that closes them at 5 s does.
        connector = aiohttp.TCPConnector(limit=PARALLEL, keepalive_timeout=2)
        self._session = aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": "TwilioProxy/1.1"}
        )

    async def close(self) -> None:
        self.drop()
        if self._session is not None:
            await self._session.close()

    def drop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._last.clear()
        self._overtaken.clear()
        self.counts.clear()

    # -- what is said -------------------------------------------------------------------------

    def status(self, message: Message) -> None:
        """Tell the product of the message's status as it is now."""
        if not message.callback_url:
            return
        params = {
            "ApiVersion": wire.API_VERSION,
            "AccountSid": message.account_sid,
            "MessageSid": message.sid,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "To": message.to,
            "From": message.sender or "",
        }
        if message.service_sid:
            params["MessagingServiceSid"] = message.service_sid
        if message.error_code is not None:
            params["ErrorCode"] = str(message.error_code)
        self._spawn(self._tell(message, params, self._last.get(message.sid)), sid=message.sid)

    def inbound(self, message: Message, url: str) -> None:
        params = {
            "ApiVersion": wire.API_VERSION,
            "AccountSid": message.account_sid,
            "MessageSid": message.sid,
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "From": message.sender or "",
            "To": message.to,
            "Body": message.body,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
        }
        self._spawn(self._post(url, params, self._tokens[message.account_sid]))

    # -- how it is said -----------------------------------------------------------------------

    def _spawn(self, work: Coroutine[None, None, None], sid: str | None = None) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        if sid is not None:
            self._last[sid] = task

        def done(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            if sid is not None and self._last.get(sid) is ended:
                del self._last[sid]

        task.add_done_callback(done)

    async def _tell(
        self, message: Message, params: dict[str, str], before: asyncio.Task[None] | None
    ) -> None:
        url, token = message.callback_url, self._tokens[message.account_sid]
        last = params["MessageStatus"] in wire.FINAL
        fault = self._faults.draw("callback", to=message.to, account=message.account_sid, last=last)
        kind = fault.kind if fault else ""
        if fault and kind == "lost":
            self._faults.happened(fault)
            return
        if fault and kind == "reordered":
            overtaken = asyncio.Event()
            self._overtaken[message.sid].append(overtaken)
            # Let go of the queue, or the later callback would wait for this one.
            self._last.pop(message.sid, None)
            try:
                await asyncio.wait_for(overtaken.wait(), OVERTAKEN_WITHIN)
                self._faults.happened(fault)
            except TimeoutError:
                self._faults.unused(fault)  # nothing came after it, so nothing was out of order
        elif before is not None:
            await asyncio.wait([before])
        if fault and kind == "late":
            # Others of this message go their own ways meanwhile, as with Twilio.
            self._last.pop(message.sid, None)
            await asyncio.sleep(fault.seconds)
            self._faults.happened(fault)
        if fault and kind == "forged":
            await self._post(url, _contradicting(params), token="forged-" + token)
            self._faults.happened(fault)
        await self._post(url, params, token)
        if fault and kind == "doubled":
            await self._post(url, params, token)
            self._faults.happened(fault)
        for waiting in self._overtaken.pop(message.sid, []):
            waiting.set()

    async def _post(self, url: str, params: dict[str, str], token: str) -> None:
        """One webhook with the retries that its URL's fragment asks for."""
        # The fragment never leaves Twilio, and isn't signed.
        base, _, fragment = url.partition("#")
        override = wire.Override.of(fragment)
        headers = {
            "X-Twilio-Signature": wire.sign(token, base, params),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),  # the same over the retries
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        body = urlencode(params).encode()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + override.total_seconds
        async with self._slots:
            for attempt in range(override.retries + 1):
                left = deadline - loop.time()
                if left <= 0:
                    break
                outcome = await self._attempt(base, body, headers, override, left)
                self.counts["posted"] += 1
                self.counts[outcome] += 1
                if outcome == "ok" or not override.retries_after(outcome):
                    break
                # Twilio doesn't say how long it waits between retries; these are short.
                await asyncio.sleep(min(0.1 * 2**attempt, max(0.0, deadline - loop.time())))

    async def _attempt(
        self, url: str, body: bytes, headers: dict[str, str], override: wire.Override, left: float
    ) -> str:
        """'ok' or what went wrong, in the words of Twilio's retry policy."""
        assert self._session is not None  # noqa: S101 - opened before the first request is served
        timeout = aiohttp.ClientTimeout(
            total=left, sock_connect=override.connect_seconds, sock_read=override.read_seconds
        )
        try:
            # encoded=True: what is signed and what is sent have to be the same letters.
            async with self._session.post(
                URL(url, encoded=True),
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                await answer.read()
                if answer.status >= 500:
                    return "5xx"
                return "4xx" if answer.status >= 400 else "ok"
        except aiohttp.ServerTimeoutError as error:
            return "ct" if isinstance(error, aiohttp.ConnectionTimeoutError) else "rt"
        except TimeoutError:
            return "rt"
        except aiohttp.ClientConnectorError:
            return "ct"
        except (aiohttp.ClientError, ValueError):
            return "rt"


def _contradicting(params: dict[str, str]) -> dict[str, str]:
    """What a liar would say of the same message."""
    lie = {"MessageStatus": "delivered", "SmsStatus": "delivered"}
    if params["MessageStatus"] == "delivered":
        lie = {"MessageStatus": "failed", "SmsStatus": "failed", "ErrorCode": "30005"}
    return params | lie
