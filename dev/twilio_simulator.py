"""A Twilio that runs on this machine: `python -m dev.twilio_simulator --help`.

It speaks HTTP as Twilio's Messages API does (dev/twilio_api.py), so that the product's own
gateway and Twilio's own SDK talk to it unchanged. What only a simulator can do lies under /_sim
(dev/twilio_control.py), and at / there are phones to read and to answer on.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from pathlib import Path

from aiohttp import web

from dev import twilio_wire as wire
from dev.twilio_api import api_routes, as_twilio
from dev.twilio_callbacks import Callbacks
from dev.twilio_carrier import Carrier, Sender
from dev.twilio_control import control_routes, only_from_here
from dev.twilio_faults import Faults
from dev.twilio_ledger import Ledger
from dev.twilio_world import WORLD, World

# Loopback and nothing else: whoever reaches the simulator can read and write everyone's texts.
HOST = "127.0.0.1"


def _account(text: str) -> tuple[str, str]:
    sid, _, token = text.partition("=")
    if not re.fullmatch(r"AC[0-9a-zA-Z]{1,64}", sid) or not token:
        raise argparse.ArgumentTypeError(f"{text!r} is not ACxxx=token")
    return sid, token


def _sender(text: str) -> Sender:
    number, _, rest = text.partition("=")
    rate, _, account = rest.partition("@")
    if not wire.E164.fullmatch(number) and not wire.SHORT_CODE.fullmatch(number):
        raise argparse.ArgumentTypeError(
            f"{number!r} is neither a number in E.164 form nor a short code"
        )
    try:
        pace = float(rate or 1)
    except ValueError:
        pace = 0.0
    if not 0 < pace <= 100_000:
        raise argparse.ArgumentTypeError(f"{rate!r} is not a pace in segments per second")
    return Sender(number=number, rate=pace, account_sid=account or None)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.twilio_simulator", description="Twilio, on this machine."
    )
    parser.add_argument(
        "--port",
        type=int,
        required=True,
        help="0 lets the kernel choose; the first line says which",
    )
    parser.add_argument(
        "--account", type=_account, action="append", required=True, metavar="ACxxx=TOKEN"
    )
    parser.add_argument(
        "--sender",
        type=_sender,
        action="append",
        required=True,
        metavar="+1...=RATE[@ACxxx]",
        help="a number of ours, its pace in segments per second, and the account it belongs to",
    )
    parser.add_argument("--inbound-url", help="where answers from phones are posted")
    parser.add_argument(
        "--ledger", type=Path, help="keep what was accepted in this file, over restarts"
    )
    parser.add_argument(
        "--deliver-after",
        type=float,
        default=0.05,
        metavar="SECONDS",
        help="from sent to delivered",
    )
    options = parser.parse_args(argv)
    accounts = dict(options.account)
    for sender in options.sender:
        if sender.account_sid is not None and sender.account_sid not in accounts:
            parser.error(f"{sender.number} belongs to {sender.account_sid}, which has no --account")
    return options


def build(options: argparse.Namespace) -> web.Application:
    ledger = Ledger(options.ledger)
    faults = Faults(ledger)
    tokens = dict(options.account)
    callbacks = Callbacks(ledger, faults, tokens)
    carrier = Carrier(ledger, callbacks, options.sender, list(tokens), options.deliver_after)
    carrier.inbound_url = options.inbound_url
    app = web.Application(middlewares=[as_twilio, only_from_here])
    app[WORLD] = World(tokens, ledger, faults, callbacks, carrier)
    app.add_routes(api_routes() + control_routes())
    return app


async def serve(options: argparse.Namespace) -> None:
    app = build(options)
    world = app[WORLD]
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await world.callbacks.open()
    try:
        site = web.TCPSite(runner, HOST, options.port, backlog=1024)
        await site.start()
        world.carrier.start()
        port = runner.addresses[0][1]
        sys.stdout.write(f"Twilio simulator on http://{HOST}:{port}/\n")
        sys.stdout.flush()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await stop.wait()
    finally:
        world.carrier.stop()
        await world.callbacks.close()
        await runner.cleanup()


def main(argv: list[str] | None = None) -> int:
    options = _arguments(argv)
    try:
        asyncio.run(serve(options))
    except OSError as error:
        # A port taken, a ledger that can't be written: one line, not a traceback.
        sys.stderr.write(f"The Twilio simulator could not start: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
