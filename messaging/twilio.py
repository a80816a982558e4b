"""Twilio: the one file that imports its SDK.

The SDK reads lists and checks signatures. Texts are posted without it, and what became of them is
judged from what went over the wire: its exceptions don't tell an answer of Twilio's from a proxy's,
and its work for each text is as much as all the rest of ours.
"""

import asyncio
import base64
import json
import logging
import math
import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from messaging.connections import (
    CONNECT_SECONDS,
    BadReply,
    Exchange,
    NotWritten,
    Reply,
    TooLate,
    run,
    start,
)
from messaging.gateway import Answer, Fault, Message, Post, Unreadable
from messaging.states import Finding
from messaging.vocabulary import evidence_in, fault_of

log = logging.getLogger(__name__)

SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
MOST_VALIDITY = 36_000
LONGEST_WAIT = 3600.0
MENDING = 5.0
"""Seconds that a text waits which came back for a fault of our account or sender: its circuit
holds it back, so that this is only how soon it leaves once that has closed."""

AT_ONCE = 384
"""Posts of one process that wait for their answers. Those that get none count until their time is
over, and must leave room for the others: of 2,000 a second, one in a hundred, for eight seconds."""

READ_AT_ONCE = 16
PAGE = 1000


def post_all(texts: Sequence[Post], until: float) -> list[asyncio.Future[Answer]]:
    """See Gateway."""
    tasks: list[asyncio.Future[Answer]] = [start(_post_in_turn(text)) for text in texts]
    run(_cancel_at(until, tasks))
    return tasks


def await_some(answers: Collection[asyncio.Future[Answer]], few: int, seconds: float) -> None:
    """See Gateway."""
    run(_await_some(answers, few, seconds))


async def _await_some(answers: Collection[asyncio.Future[Any]], few: int, seconds: float) -> None:
    left = sum(not answer.done() for answer in answers)
    enough = asyncio.Event()

    def one_less(_: asyncio.Future[Any]) -> None:
        nonlocal left
        left -= 1
        if left <= few:
            enough.set()

    waiting = [answer for answer in answers if not answer.done()]
    for answer in waiting:
        answer.add_done_callback(one_less)
    with suppress(TimeoutError):
        if left > few:
            await asyncio.wait_for(enough.wait(), seconds)
    for answer in waiting:
        answer.remove_done_callback(one_less)


async def _cancel_at(until: float, tasks: Sequence[asyncio.Future[Any]]) -> None:
    def cancel() -> None:
        for task in tasks:
            task.cancel()

    asyncio.get_running_loop().call_later(max(0.0, until - time.monotonic()), cancel)


async def _finish(tasks: Sequence[asyncio.Future[Any]], until: float) -> None:
    """Wait until all are done; at `until` the rest is cancelled."""
    _, late = await asyncio.wait(tasks, timeout=max(0.0, until - time.monotonic()))
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)


async def _post_in_turn(text: Post) -> Answer:
    call = Exchange(min(text.write_before, text.use_until))
    try:
        async with _room():
            return await _post(text, call)
    except asyncio.CancelledError:
        # Only _cancel_at does that.
        return Answer(Finding.DOUBTFUL) if call.written else Answer(Finding.NOT_TAKEN, wait=0)


async def _post(text: Post, call: Exchange) -> Answer:
    left = math.floor(text.use_until - time.monotonic())
    if left < 1:
        return Answer(Finding.NOT_TAKEN, wait=0)
    token = settings.TWILIO_ACCOUNTS.get(text.account)
    if token is None:
        return Answer(Finding.NOT_TAKEN, wait=MENDING, fault=Fault.ACCOUNT)
    form = {
        "To": text.to,
        "From": text.sender,
        "Body": text.body,
        "StatusCallback": _callback_url(text.id, text.attempt),
        # Counted from when Twilio has it: connecting may take its time, too.
        "ValidityPeriod": max(1, min(left - math.ceil(CONNECT_SECONDS), MOST_VALIDITY)),
    }
    url, headers = _creation(settings.TWILIO_BASE_URL, text.account, token)
    try:
        reply = await call.send("POST", url, headers, urlencode(form).encode())
    except TooLate:
        return Answer(Finding.NOT_TAKEN, wait=0)
    except NotWritten:
        return Answer(Finding.NOT_TAKEN, reached=False)
    except Exception:  # noqa: BLE001 - whatever it is, the rest of the batch is recorded
        return Answer(Finding.DOUBTFUL if call.written else Finding.NOT_TAKEN)
    return judge(reply)


@cache
def _creation(base_url: str, account: str, token: str) -> tuple[str, Mapping[str, str]]:
    """Where a text is posted to, and the headers. Not by the SDK: it builds and reads with as much
    work as all the rest of a post, and its opinion of an answer isn't ours."""
    headers = {
        "Authorization": _basic(account, token),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": "dosecircle",
    }
    return f"{base_url}/2010-04-01/Accounts/{account}/Messages.json", headers


def _basic(account: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()


def judge(reply: Reply) -> Answer:
    """What a reply to a create call says. Only Twilio's own JSON is certain, and no 5xx is: after
    a 500 the message may have gone (error 20500)."""
    try:
        fields = json.loads(reply.text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return Answer(Finding.DOUBTFUL, error_code=reply.status)
    if reply.status < 300:
        sid = fields.get("sid")
        if not isinstance(sid, str) or not SID.fullmatch(sid):
            return Answer(Finding.DOUBTFUL, error_code=reply.status)
        evidence = evidence_in(str(fields.get("status")), _whole(fields.get("error_code")))
        return Answer(evidence or Finding.ACCEPTED, sid)
    code = _whole(fields.get("code"))
    if code is None or not 400 <= reply.status < 500:
        return Answer(Finding.DOUBTFUL, error_code=code or reply.status)
    fault = fault_of(code, reply.status)
    match fault:
        case Fault.NUMBER | Fault.TEXT | Fault.OPTED_OUT:
            return Answer(Finding.REFUSED, error_code=code, fault=fault)
        case Fault.ACCOUNT | Fault.SENDER:
            # What holds it back is the circuit; when that closes it leaves at once.
            return Answer(Finding.NOT_TAKEN, error_code=code, wait=MENDING, fault=fault)
        case Fault.OURS:
            log.error("Twilio refuses a text for a reason of ours: error %s", code)
    return Answer(Finding.NOT_TAKEN, error_code=code, wait=_retry_after(reply), fault=fault)


def _callback_url(sms_id: UUID, attempt: int) -> str:
    """Where Twilio reports on an attempt; the fragment asks it to retry a report five times."""
    return f"{settings.PUBLIC_URL}/api/v1/twilio/status/{sms_id}/{attempt}#rc=5&rp=all"


def fetch_all(wanted: Sequence[tuple[str, str]], until: float) -> list[Message | None]:
    """See Gateway."""
    return run(_fetch_all(wanted, until))


async def _fetch_all(wanted: Sequence[tuple[str, str]], until: float) -> list[Message | None]:
    room = asyncio.Semaphore(READ_AT_ONCE)

    async def fetch(account: str, sid: str) -> Message | None:
        async with room:
            _call.set(Exchange())
            try:
                return _message(await _client(account).messages(sid).fetch_async())
            except _READING_FAILS:
                return None

    tasks = [asyncio.ensure_future(fetch(*each)) for each in wanted]
    await _finish(tasks, until)
    return [None if task.cancelled() else task.result() for task in tasks]


def messages(account: str, since: datetime, until: float, *, to: str = "") -> list[Message]:
    """See Gateway."""
    try:
        return run(_messages(account, since, until, to))
    except _READING_FAILS as error:
        raise Unreadable(type(error).__name__) from error


async def _messages(account: str, since: datetime, until: float, to: str) -> list[Message]:
    found = []
    _call.set(Exchange())
    asked = {"to": to} if to else {}
    async with asyncio.timeout(until - time.monotonic()):
        async for instance in await _client(account).messages.stream_async(page_size=PAGE, **asked):
            message = _message(instance)
            if message.created_at >= since:
                found.append(message)
            elif isinstance(instance.date_sent, datetime) and instance.date_sent < since:
                # Newest first is by when they went out: an old one that waited for hours may stand
                # before ours, but behind one that went out before, there is nothing made since.
                break
    return found


def signature_ok(
    account: str, url: str, params: Mapping[str, Any], signature: str, settings_header: str = ""
) -> bool:
    """Whether Twilio signed this request with that account's token.

    `url` is the public one, with its query; `settings_header` is the header
    X-Twilio-Webhooks-Signature-Settings, which names the algorithm.
    """
    token = settings.TWILIO_ACCOUNTS.get(account)
    if not token:
        return False
    algorithm = get_signature_algorithm(settings_header)
    return bool(RequestValidator(token).validate(url, params, signature, algorithm))


_here = threading.local()


def _room() -> asyncio.Semaphore:
    """This thread's: a semaphore belongs to one loop."""
    if not hasattr(_here, "room"):
        _here.room = asyncio.Semaphore(AT_ONCE)
    found: asyncio.Semaphore = _here.room
    return found


_call: ContextVar[Exchange] = ContextVar("_call")
"""The call that this task makes: the SDK has no place for what it doesn't know."""


class _Wire(HttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's way to Twilio: our own connections."""

    def __init__(self) -> None:
        super().__init__(log, is_async=True)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the SDK's own signature
    ) -> Response:
        url = f"{uri}?{urlencode(params)}" if params else uri
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = _basic(*auth)
        body = urlencode(data).encode() if data else None
        reply = await _call.get().send(method, url, sent, body)
        return Response(reply.status, reply.text, reply.headers)


def _client(account: str) -> Client:
    return _client_of(account, settings.TWILIO_ACCOUNTS[account], settings.TWILIO_BASE_URL)


@cache
def _client_of(account: str, token: str, base_url: str) -> Client:
    """One for each account: making one costs more than posting with it."""
    client = Client(account, token, http_client=_Wire())
    client.api.base_url = base_url
    return client


# KeyError, TypeError, AttributeError: an account that isn't set up, JSON in another shape.
_READING_FAILS = (
    NotWritten, OSError, BadReply, TwilioException, ValueError, LookupError, TypeError,
    AttributeError, RecursionError,
)  # fmt: skip


def _message(instance: MessageInstance) -> Message:
    if not isinstance(instance.sid, str) or not isinstance(instance.date_created, datetime):
        raise ValueError("not a message")
    return Message(
        sid=instance.sid,
        to=instance.to or "",
        sender=instance.from_ or "",
        body=instance.body or "",
        inbound=instance.direction == "inbound",
        status=str(instance.status),
        error_code=_whole(instance.error_code),
        created_at=instance.date_created,
    )


def _whole(value: object) -> int | None:
    """A code that fits its column; None for anything else."""
    return value if type(value) is int and 0 < value < 2**31 else None


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else None
