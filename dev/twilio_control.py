"""What only a simulator can do, under /_sim/: faults, the ledger, the clock, and phones.

JSON in and out. An answer of 400 says what was wrong with the request.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from dev import twilio_wire as wire
from dev.twilio_carrier import NumberRule
from dev.twilio_ledger import Message, Phone, Row
from dev.twilio_world import WORLD, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HERE = Path(__file__).parent
_PAGE = {
    "/": ("twilio_phones.html", "text/html"),
    "/phones.css": ("twilio_phones.css", "text/css"),
    "/phones.js": ("twilio_phones.js", "text/javascript"),
}
# How many phones the page shows at once; its search finds the others.
PHONES_SHOWN = 200


def control_routes() -> list[web.RouteDef]:
    return [
        *(web.get(path, page) for path in _PAGE),
        web.get("/_sim/health", health),
        web.get("/_sim/faults", faults),
        web.post("/_sim/faults", add_fault),
        web.delete("/_sim/faults", clear_faults),
        web.delete("/_sim/faults/{id:[0-9]{1,9}}", clear_faults),
        web.post("/_sim/numbers", set_number),
        web.get("/_sim/senders", senders),
        web.post("/_sim/senders", set_sender),
        web.post("/_sim/list", set_list),
        web.post("/_sim/clock", set_clock),
        web.post("/_sim/inbound", inbound),
        web.post("/_sim/reset", reset),
        web.get("/_sim/ledger", ledger),
        web.get("/_sim/phones", phones),
        web.get("/_sim/phones/{number}", conversation),
    ]


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep other web pages in the same browser out, and say plainly what was wrong."""
    # A page elsewhere can't send JSON without asking first, nor name this host (DNS rebinding).
    if request.path.startswith(f"/{wire.API_VERSION}/"):
        return await handler(request)
    host = request.host.rpartition(":")[0] or request.host
    if host not in ("127.0.0.1", "localhost"):
        return web.json_response({"error": "Open this by 127.0.0.1 or localhost."}, status=403)
    if request.method == "POST" and request.content_type != "application/json":
        return web.json_response({"error": "Send Content-Type: application/json."}, status=415)
    try:
        answer = await handler(request)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return answer


async def _body(request: web.Request) -> Row:
    try:
        given = json.loads(await request.text() or "{}")
    except ValueError:
        raise ValueError("The body is not JSON.") from None
    if not isinstance(given, dict):
        raise ValueError("The body is not a JSON object.")
    return given


def _number(given: Row, name: str, low: float, high: float) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}.")
    return float(value)


# -- the page ---------------------------------------------------------------------------------


async def page(request: web.Request) -> web.StreamResponse:
    name, content_type = _PAGE[request.path]
    # Read each time: the page can be worked on while the simulator runs.
    return web.Response(
        text=(_HERE / name).read_text("utf-8"), content_type=content_type, charset="utf-8"
    )


async def phones(request: web.Request) -> web.StreamResponse:
    """Phones whose last text is the newest come first."""
    world = request.app[WORLD]
    version = world.ledger.version
    if request.query.get("since") == str(version):
        return web.Response(status=204)
    wanted = request.query.get("q", "").strip().removeprefix("+")
    found = (
        (number, phone)
        for number, phone in reversed(world.ledger.phones.items())
        if wanted in number
    )
    shown = [
        {"number": number, "texts": len(phone.texts)} | _last(phone)
        for number, phone in islice(found, PHONES_SHOWN)
    ]
    return web.json_response(
        {
            "version": version,
            "phones": shown,
            "total": len(world.ledger.phones),
            "senders": list(world.carrier.senders),
        }
    )


async def conversation(request: web.Request) -> web.StreamResponse:
    world, number = request.app[WORLD], request.match_info["number"]
    phone = world.ledger.phones.get(number) or Phone()
    if request.query.get("since") == str(phone.version):
        return web.Response(status=204)
    return web.json_response(
        {
            "number": number,
            "version": phone.version,
            "count": len(phone.texts),
            "texts": [_text(text) for text in phone.texts[-500:]],
            "blocked": sorted(
                sender for other, sender in world.ledger.opted_out if other == number
            ),
        }
    )


def _last(phone: Phone) -> Row:
    last = _text(phone.texts[-1])
    return {"body": last["body"], "at": last["at"], "direction": last["direction"]}


def _text(text: Message | Row) -> Row:
    """One text as a phone shows it: which way it went, and how far it has come."""
    if isinstance(text, dict):
        return {
            "key": f"{text['from']} {text['at']}",
            "direction": "carrier",
            "sender": text["from"],
            "body": text["body"],
            "at": text["at"],
            "status": "received",
            "error": None,
        }
    error = wire.DELIVERY_ERRORS.get(text.error_code or 0)
    return {
        "key": text.sid,
        "direction": "inbound" if text.inbound else "outbound",
        "sender": text.to if text.inbound else text.sender,
        "body": text.body,
        "at": (text.sent or text.created).isoformat(),
        "status": text.status,
        "error": f"{text.error_code}: {error[1]}" if error else None,
    }


# -- what tests ask ---------------------------------------------------------------------------


async def health(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    return web.json_response(
        {
            "pid": os.getpid(),  # on a port that was taken it is another's
            "messages": len(world.ledger.messages),
            # Both zero: nothing more will happen by itself.
            "under_way": world.carrier.under_way,
            "callbacks_pending": world.callbacks.pending,
            "callbacks": dict(world.callbacks.counts),
            "calls": dict(world.calls),
        }
    )


async def ledger(request: web.Request) -> web.StreamResponse:
    """Everything received; ?id= and ?to= narrow it, ?since_seq= leaves out what was seen."""
    world = request.app[WORLD]
    ours, to = request.query.get("id", "").lower(), request.query.get("to", "")
    messages: list[Message] = world.ledger.messages
    if ours:
        messages = world.ledger.by_our_id.get(ours, [])
    elif "since_seq" in request.query:
        messages = messages[int(request.query["since_seq"]) :]
    kept = [message for message in messages if not to or to in (message.to, message.sender)]
    return web.json_response(
        {
            "messages": [message.entry() for message in kept if not message.inbound],
            "inbound": [message.entry() for message in kept if message.inbound],
            "ids": world.ledger.summary(ours),
            "refused": [
                row
                for row in world.ledger.refused
                if ours in ("", row["id"]) and to in ("", row["to"])
            ],
            "opted_out": [
                {"phone": phone, "sender": sender}
                for phone, sender in sorted(world.ledger.opted_out)
            ],
            "next_seq": len(world.ledger.messages),
            "calls": dict(world.calls),
            "callbacks": dict(world.callbacks.counts),
        }
    )


async def faults(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    return web.json_response(
        {
            "active": [fault.public() for fault in world.faults.active.values()],
            "injected": dict(world.ledger.injected),
        }
    )


async def add_fault(request: web.Request) -> web.StreamResponse:
    return web.json_response(
        request.app[WORLD].faults.add(await _body(request)).public(), status=201
    )


async def clear_faults(request: web.Request) -> web.StreamResponse:
    """All of them, or one. What was injected stays counted."""
    fault_id = request.match_info.get("id")
    request.app[WORLD].faults.clear(int(fault_id) if fault_id else None)
    return web.json_response({})


async def set_number(request: web.Request) -> web.StreamResponse:
    """{"number", "code"}: this phone refuses or fails so; null mends it. {"number", "stays"}."""
    world, given = request.app[WORLD], await _body(request)
    number, code, stays = given.get("number"), given.get("code"), given.get("stays")
    if not isinstance(number, str) or not number:
        raise ValueError("number is missing.")
    if code is not None and code not in wire.REFUSALS and code not in wire.DELIVERY_ERRORS:
        raise ValueError(f"code must be one of {sorted({*wire.REFUSALS, *wire.DELIVERY_ERRORS})}.")
    if stays not in (None, "queued", "sent"):
        raise ValueError("stays must be queued or sent.")
    world.carrier.rules.pop(number, None)
    if code is not None or stays is not None:
        world.carrier.rules[number] = NumberRule(code, stays)
    return web.json_response({"number": number, "code": code, "stays": stays})


async def senders(request: web.Request) -> web.StreamResponse:
    carrier = request.app[WORLD].carrier
    return web.json_response({"senders": [sender.public() for sender in carrier.senders.values()]})


async def set_sender(request: web.Request) -> web.StreamResponse:
    """{"sender", "rate"?, "frozen"?}: another pace, or nothing leaves its queue."""
    world, given = request.app[WORLD], await _body(request)
    sender = world.carrier.senders.get(str(given.get("sender")))
    if sender is None:
        raise ValueError(f"sender must be one of {sorted(world.carrier.senders)}.")
    if "rate" in given:
        sender.rate = _number(given, "rate", 0.001, 100_000)
        sender.free_at = 0.0
    if "frozen" in given:
        sender.frozen = given["frozen"] is True
        sender.stir()
    return web.json_response(sender.public())


async def set_list(request: web.Request) -> web.StreamResponse:
    """{"lag_seconds"}: messages younger than this aren't in Twilio's list yet."""
    world = request.app[WORLD]
    world.list_lag = _number(await _body(request), "lag_seconds", 0, 86_400)
    return web.json_response({"lag_seconds": world.list_lag})


async def set_clock(request: web.Request) -> web.StreamResponse:
    """{"now": instant | null}: what messages are stamped with. Queues go by the real clock."""
    world, text = request.app[WORLD], (await _body(request)).get("now")
    played = None
    if text is not None:
        played = datetime.fromisoformat(str(text))
        if played.tzinfo is None:
            raise ValueError("now must say its offset, as in 2026-03-29T01:00:00+00:00.")
        played = played.astimezone(UTC)
    world.ledger.played = played
    return web.json_response({"now": world.ledger.now().isoformat()})


async def inbound(request: web.Request) -> web.StreamResponse:
    """{"from", "to", "body"}: a phone sends a text to one of our senders."""
    world, given = request.app[WORLD], await _body(request)
    fields: list[Any] = [given.get(name) for name in ("from", "to", "body")]
    if not all(isinstance(value, str) and value for value in fields):
        raise ValueError("from, to and body must be texts.")
    phone, sender, body = fields
    if not wire.E164.fullmatch(phone):
        raise ValueError("from must be a number in E.164 form, as +447700900123.")
    if sender not in world.carrier.senders:
        raise ValueError(f"to must be one of {sorted(world.carrier.senders)}.")
    if len(body) > wire.MAX_BODY:
        raise ValueError(f"body may have {wire.MAX_BODY} characters.")
    return web.json_response({"sid": world.carrier.answer(phone, sender, body).sid}, status=201)


async def reset(request: web.Request) -> web.StreamResponse:
    """Everything empty; accounts, senders and their first pace stay."""
    world: World = request.app[WORLD]
    world.reset()
    return web.json_response({"at": time.time()})
