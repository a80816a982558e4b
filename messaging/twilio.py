"""Twilio: the one file that imports its SDK.

The SDK builds requests and reads lists. What became of a posted text is judged from what went over
the wire, because the SDK's exceptions don't tell an answer of Twilio's from a proxy's.
"""

import base64
import json
import logging
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
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

from messaging.connections import NotWritten, Reply, TooLate, exchange
from messaging.states import Finding
from messaging.vocabulary import Fault, evidence_in, fault_of

log = logging.getLogger(__name__)

SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
MOST_VALIDITY = 36_000
LONGEST_WAIT = 3600.0
PAGE = 1000
DISORDER = timedelta(hours=1)
"""How far from newest-first a list may be: it is sorted by when texts went out, and we read it by
when they were created; and clocks differ."""


@dataclass(frozen=True)
class Answer:
    """What became of one posted text. wait: seconds until it may go again, None when not told."""

    finding: Finding
    sid: str = ""
    error_code: int | None = None
    wait: float | None = None
    opted_out: bool = False


@dataclass(frozen=True)
class Message:
    """A message as Twilio shows it."""

    sid: str
    to: str
    sender: str
    body: str
    inbound: bool
    status: str
    error_code: int | None
    created_at: datetime


class Unreadable(Exception):
    """Twilio didn't let us read, for now."""


def post(
    account: str,
    *,
    sender: str,
    to: str,
    body: str,
    callback: str,
    use_until: float,
    write_before: float,
) -> Answer:
    """Give one text to Twilio, and say what became of it. Never raises, never retries.

    `use_until` and `write_before` are instants of time.monotonic(): Twilio may keep the text until
    the one, and it isn't written after the other.
    """
    left = math.floor(use_until - time.monotonic())
    if left < 1:
        return Answer(Finding.NOT_TAKEN, wait=0)
    if account not in settings.TWILIO_ACCOUNTS:
        log.error("A sender's account %s isn't in TWILIO_ACCOUNTS", account)
        return Answer(Finding.NOT_TAKEN)
    wire = _Wire(write_before)
    try:
        _client(account, wire).messages.create(
            to=to,
            from_=sender,
            body=body,
            status_callback=callback,
            validity_period=min(left, MOST_VALIDITY),
        )
    except TooLate:
        return Answer(Finding.NOT_TAKEN, wait=0)
    except NotWritten:
        return Answer(Finding.NOT_TAKEN)
    except Exception:  # noqa: BLE001 - whatever it is, the rest of the batch is recorded
        if wire.reply is None:
            return Answer(Finding.DOUBTFUL if wire.tried else Finding.NOT_TAKEN)
        # Else it is the SDK's own opinion of the reply, which is judged here.
    return judge(wire.reply) if wire.reply else Answer(Finding.NOT_TAKEN)


def judge(reply: Reply) -> Answer:
    """What a reply to a create call says. Only Twilio's own JSON is certain, and no 5xx is: after
    a 500 the message may have gone (error 20500)."""
    try:
        fields = json.loads(reply.text)
    except ValueError:
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
    match fault_of(code):
        case Fault.NUMBER | Fault.TEXT:
            return Answer(Finding.REFUSED, error_code=code)
        case Fault.OPTED_OUT:
            return Answer(Finding.REFUSED, error_code=code, opted_out=True)
        case Fault.OURS:
            log.error("Twilio refuses texts for a reason of ours: error %s", code)
    return Answer(Finding.NOT_TAKEN, error_code=code, wait=_retry_after(reply))


def callback_url(sms_id: UUID, attempt: int) -> str:
    """Where Twilio reports on an attempt; the fragment asks it to retry a report five times."""
    return f"{settings.PUBLIC_URL}/api/v1/twilio/status/{sms_id}/{attempt}#rc=5&rp=all"


def fetch(account: str, sid: str) -> Message:
    """One message. Raises Unreadable."""
    try:
        return _message(_client(account, _Wire()).messages(sid).fetch())
    except _READING_FAILS as error:
        raise Unreadable(type(error).__name__) from error


def messages(account: str, since: datetime, *, to: str = "") -> list[Message]:
    """All messages created since, to one number or to any, inbound ones too. Raises Unreadable:
    half a list says nothing about what is not in it."""
    found = []
    try:
        api = _client(account, _Wire()).messages
        stream = api.stream(to=to, page_size=PAGE) if to else api.stream(page_size=PAGE)
        for instance in stream:
            message = _message(instance)
            if message.created_at < since - DISORDER:
                break
            if message.created_at >= since:
                found.append(message)
    except _READING_FAILS as error:
        raise Unreadable(type(error).__name__) from error
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


class _Wire(HttpClient):  # type: ignore[misc]  # the SDK has no types
    """One call's way to Twilio, and the reply as it came."""

    def __init__(self, write_before: float = math.inf) -> None:
        super().__init__(log, is_async=False)
        self.write_before = write_before
        self.tried = False  # something may have been written
        self.reply: Reply | None = None

    def request(
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
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        body = urlencode(data).encode() if data else None
        self.tried = True
        self.reply = exchange(method, url, sent, body, self.write_before)
        return Response(self.reply.status, self.reply.text, self.reply.headers)


def _client(account: str, wire: _Wire) -> Client:
    client = Client(account, settings.TWILIO_ACCOUNTS[account], http_client=wire)
    client.api.base_url = settings.TWILIO_BASE_URL
    return client


# KeyError, TypeError, AttributeError: an account that isn't set up, JSON in another shape.
_READING_FAILS = (
    NotWritten, OSError, HTTPException, TwilioException, ValueError, LookupError, TypeError,
    AttributeError,
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
