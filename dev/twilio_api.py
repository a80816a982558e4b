"""Twilio's three calls: create a message, fetch one, list them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from dev import twilio_wire as wire
from dev.twilio_faults import Fault
from dev.twilio_ledger import Message, Row
from dev.twilio_world import WORLD, World

Form = Mapping[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ROOT = f"/{wire.API_VERSION}/"
_ACCOUNT = _ROOT + "Accounts/{account}"
_HTTP_ERRORS = {"429": 20429, "500": 20500, "503": 20503, "401": 20003}


def api_routes() -> list[web.RouteDef]:
    return [
        web.post(_ACCOUNT + "/Messages.json", create),
        web.get(_ACCOUNT + "/Messages.json", list_messages),
        web.get(_ACCOUNT + "/Messages/{sid}.json", fetch),
    ]


@web.middleware
async def as_twilio(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Basic auth, and every error in Twilio's JSON."""
    if not request.path.startswith(_ROOT):
        return await handler(request)
    try:
        _check_token(request)
        answer = await handler(request)
    except wire.TwilioError as refused:
        answer = _error(refused)
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        answer = _error(wire.TwilioError(20404, request.path))
    answer.headers["Twilio-Request-Id"] = "RQ" + secrets.token_hex(16)
    return answer


def _check_token(request: web.Request) -> None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise wire.TwilioError(20003) from None
    token = request.app[WORLD].tokens.get(user)
    if (
        scheme.lower() != "basic"
        or token is None
        or not hmac.compare_digest(token.encode(), password.encode())
    ):
        raise wire.TwilioError(20003)
    if not request.path.startswith(f"{_ROOT}Accounts/{user}/"):
        raise wire.TwilioError(
            20404, request.path
        )  # another account's things don't exist for this one


def _error(refused: wire.TwilioError, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(refused.payload(), status=refused.status, headers=headers)


# -- the calls --------------------------------------------------------------------------------


async def create(request: web.Request) -> web.StreamResponse:
    world, form = request.app[WORLD], await request.post()
    world.calls["create"] += 1
    account, to = request.match_info["account"], wire.first(form, "To")
    fault = world.faults.draw("create", to=to, account=account)
    if fault is None:
        return web.json_response(_accept(world, account, form), status=201)
    if not fault.accepts and fault.kind != "delay":
        world.ledger.refuse(_refusal(world, form, _HTTP_ERRORS.get(fault.kind), fault.kind))
        return await _go_wrong(request, fault, web.Response())
    if not fault.accepts:
        await asyncio.sleep(fault.seconds)  # it is taken in the end, even if the caller has gone
    try:
        resource = _accept(world, account, form)
    except wire.TwilioError:
        world.faults.unused(fault)
        raise
    return await _go_wrong(request, fault, web.json_response(resource, status=201))


async def fetch(request: web.Request) -> web.StreamResponse:
    world, account = request.app[WORLD], request.match_info["account"]
    world.calls["fetch"] += 1
    message = world.ledger.by_sid.get(request.match_info["sid"])
    if message is None or message.account_sid != account:
        raise wire.TwilioError(20404, request.path)
    fault = world.faults.draw("fetch", to=message.to, account=account)
    answer = web.json_response(message.resource())
    return answer if fault is None else await _go_wrong(request, fault, answer)


async def list_messages(request: web.Request) -> web.StreamResponse:
    world, account = request.app[WORLD], request.match_info["account"]
    world.calls["list"] += 1
    fault = world.faults.draw("list", to=request.query.get("To", ""), account=account)
    answer = web.json_response(_page(world, account, request))
    return answer if fault is None else await _go_wrong(request, fault, answer)


async def _go_wrong(request: web.Request, fault: Fault, answer: web.Response) -> web.StreamResponse:
    """Answer as the fault says, whatever the right answer would have been."""
    transport = request.transport
    request.app[WORLD].faults.happened(fault)
    if fault.kind == "delay":
        if fault.accepts:
            await asyncio.sleep(fault.seconds)
    elif fault.kind == "garbage":
        garbage = b'{"sid": "SM\x00\xff<html>'
        return web.Response(body=garbage, status=answer.status, content_type="application/json")
    elif fault.kind == "never_answer":
        while transport is not None and not transport.is_closing():
            await asyncio.sleep(0.1)
    elif fault.kind in ("reset_after", "reset_before"):
        if isinstance(transport, asyncio.WriteTransport):
            # Lingering for no time at all makes the close an RST.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            transport.abort()
    else:
        headers = (
            {"Retry-After": str(max(1, round(fault.seconds)))} if fault.kind == "429" else None
        )
        return _error(wire.TwilioError(_HTTP_ERRORS[fault.kind]), headers)
    return answer


# -- create -----------------------------------------------------------------------------------


def _accept(world: World, account: str, form: Form) -> Row:
    try:
        message = _judged(world, account, form)
    except wire.TwilioError as refused:
        world.ledger.refuse(_refusal(world, form, refused.code))
        raise
    world.ledger.add(message)  # in the ledger before it is answered
    resource = message.resource()  # as it is at first: an empty queue lets it go at once
    world.carrier.accept(message)
    return resource


def _judged(world: World, account: str, form: Form) -> Message:
    """The message that a create call asks for, or the first thing that is wrong with it."""
    to, body = wire.first(form, "To"), wire.first(form, "Body")
    service, callback = wire.first(form, "MessagingServiceSid"), wire.first(form, "StatusCallback")
    _check_texts(to, wire.first(form, "From"), service, body)
    if callback and not _is_url(callback):
        raise wire.TwilioError(21609, callback)
    sender = wire.first(form, "From") or _sender_of(world, account, service, to)
    if not wire.E164.fullmatch(sender) and not wire.SHORT_CODE.fullmatch(sender):
        raise wire.TwilioError(21212, sender)
    if world.carrier.sender_for(account, sender) is None:
        raise wire.TwilioError(21606, sender)
    if (to, sender) in world.ledger.opted_out:
        raise wire.TwilioError(21610)
    rule = world.carrier.rules.get(to)
    if rule is not None and rule.code in wire.REFUSALS:
        world.ledger.count_fault(f"number:{rule.code}")
        raise wire.TwilioError(rule.code, to)
    return Message(
        account_sid=account,
        to=to,
        # With a service the sender shows only once the message has been queued.
        sender=None if service else sender,
        body=body,
        direction="outbound-api",
        status="accepted" if service else "queued",
        created=world.ledger.now(),
        real_at=time.time(),
        segments=wire.count_segments(body),
        callback_url=callback,
        service_sid=service or None,
        validity=_validity(wire.first(form, "ValidityPeriod")),
    )


def _check_texts(to: str, sender: str, service: str, body: str) -> None:
    """What can be said without knowing the account or the phone."""
    if not to:
        raise wire.TwilioError(21604)
    if not sender and not service:
        raise wire.TwilioError(21603)
    if not body:
        raise wire.TwilioError(21602)
    if not wire.E164.fullmatch(to):
        raise wire.TwilioError(21211, to)
    if to == sender:
        raise wire.TwilioError(21266, to)
    if len(body) > wire.MAX_BODY:
        raise wire.TwilioError(21617)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _sender_of(world: World, account: str, service: str, to: str) -> str:
    """Any well-formed service will do; all senders are in its pool."""
    chosen = world.carrier.choose_sender(account, to)
    if not wire.SERVICE_SID.fullmatch(service) or chosen is None:
        raise wire.TwilioError(21701, service)
    return chosen.number


def _validity(text: str) -> int:
    if not text:
        return wire.MAX_VALIDITY_SECONDS
    seconds = wire.whole_number(text)
    if seconds is None or not 1 <= seconds <= wire.MAX_VALIDITY_SECONDS:
        raise wire.TwilioError(20001, f"ValidityPeriod {text}")  # the code is our guess
    return seconds


def _refusal(world: World, form: Form, code: int | None, fault: str | None = None) -> Row:
    ours, attempt = wire.our_id(wire.first(form, "StatusCallback"))
    return {
        "id": ours,
        "attempt": attempt,
        "to": wire.first(form, "To"),
        "sender": wire.first(form, "From") or None,
        "code": code,
        "fault": fault,
        "at": world.ledger.now().isoformat(),
        "real_at": datetime.now(UTC).isoformat(),
    }


# -- list -------------------------------------------------------------------------------------


def _page(world: World, account: str, request: web.Request) -> Row:
    query = {name: value for name, value in request.query.items() if value}
    size = min(1000, max(1, wire.whole_number(query.get("PageSize", "")) or 50))
    number = wire.whole_number(query.get("Page", "")) or 0
    before = _after_token(world, query.get("PageToken", ""), number)

    newest = time.time() - world.list_lag  # what is younger isn't in the list yet
    matching = (
        message
        for message in world.ledger.listed(
            account, query.get("To", ""), query.get("From", ""), before
        )
        if (not world.list_lag or message.real_at <= newest) and _sent_within(message, query)
    )
    found: list[Message] = []
    more = False
    for message in matching:
        more = len(found) == size
        if more:
            break
        found.append(message)

    def uri(page: int, token: str = "") -> str:
        filters = {name: query[name] for name in _FILTERS if name in query}
        pages = {"PageSize": str(size), "Page": str(page)} | ({"PageToken": token} if token else {})
        return f"{request.path}?{urlencode(filters | pages)}"

    start = number * size
    return {
        "first_page_uri": uri(0),
        # Twilio's tokens name the last message of the page before: new messages shift nothing.
        "next_page_uri": uri(number + 1, "PA" + found[-1].sid) if more else None,
        "previous_page_uri": None,  # the SDK goes forward only, and so do we
        "uri": request.path_qs,
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(found) - 1),
        # Newest first by when they went out, as far as a page shows it: one that lay in Twilio's
        # queue for hours stands before those that were made since.
        "messages": [message.resource() for message in sorted(found, key=_went_out, reverse=True)],
    }


def _went_out(message: Message) -> datetime:
    return message.sent or datetime.max.replace(tzinfo=UTC)


_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


def _after_token(world: World, token: str, number: int) -> int | None:
    if not token:
        if number:
            raise wire.TwilioError(20001, "Page without its PageToken")
        return None
    last = world.ledger.by_sid.get(token.removeprefix("PA"))
    if last is None:
        raise wire.TwilioError(20001, "PageToken")
    return last.seq


def _sent_within(message: Message, query: Mapping[str, str]) -> bool:
    """Twilio compares days in UTC. A message that still waits has no date and never matches."""
    for name in _FILTERS[2:]:
        if name not in query:
            continue
        try:
            day = date.fromisoformat(query[name][:10])
        except ValueError:
            raise wire.TwilioError(20001, f"{name} {query[name]}") from None
        if message.sent is None:
            return False
        sent = message.sent.date()
        if not {"DateSent": sent == day, "DateSent<": sent <= day, "DateSent>": sent >= day}[name]:
            return False
    return True
