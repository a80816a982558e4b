"""Twilio's vocabulary, in one place: a reviewer can lay this file beside Twilio's manual.

Nothing here has a state or talks to anything. The simulator is written against Twilio's public
pages and against what its SDK parses; where a rule is our guess, the comment says so.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

API_VERSION = "2010-04-01"

# E.164. Twilio also asks whether the number can exist; the demo's numbers belong to nobody on
# purpose, so form is all that is judged here and single numbers are made bad by /_sim/numbers.
E164 = re.compile(r"\+[1-9]\d{6,14}")
SHORT_CODE = re.compile(r"\d{3,8}")
SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")

MAX_BODY = 1600
MAX_VALIDITY_SECONDS = 36_000  # ten hours, and what holds when no ValidityPeriod is given

# https://www.twilio.com/docs/messaging/guides - the words carriers and Twilio act on by default,
# when they are the whole text, in any case.
STOP_WORDS = frozenset(
    {"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this "
    "number. Reply START to resubscribe."
)
START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."

# After one of these nothing more happens to a message.
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})

# Errors that a create call is refused with: HTTP status and text.
REFUSALS: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource {what} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service is temporarily unavailable. Please try again."),
    20001: (400, "Invalid parameter: {what}"),
    21211: (400, "Invalid 'To' Phone Number: {what}"),
    21212: (400, "Invalid From Number (caller ID): {what}"),
    21266: (400, "'To' and 'From' number cannot be the same: {what}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region of: {what}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The From phone number {what} is not a valid, SMS-capable inbound phone number or "
        "short code for your account.",
    ),
    21608: (400, "The number {what} is unverified. Trial accounts cannot send messages to it."),
    21609: (400, "The 'StatusCallback' URL {what} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (
        400,
        "The combination of 'To' ({what}) and 'From' can't be sent to.",
    ),
    21614: (400, "'To' number is not a valid mobile number: {what}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21701: (404, "The Messaging Service {what} does not exist"),
    30002: (403, "Account suspended"),
}

# Errors that end a message that had been accepted: its last status and text.
DELIVERY_ERRORS: dict[int, tuple[str, str]] = {
    30001: ("failed", "Queue overflow"),
    30003: ("undelivered", "Unreachable destination handset"),
    30004: ("undelivered", "Message blocked"),
    30005: ("undelivered", "Unknown destination handset"),
    30006: ("undelivered", "Landline or unreachable carrier"),
    30007: ("undelivered", "Message filtered"),
    30008: ("undelivered", "Unknown error"),
    30036: ("failed", "Validity Period Expired"),
}

# The GSM 03.38 alphabet; what lies in its extension table costs two places.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


def _packed(widths: Iterable[int], room: int) -> int:
    """Segments of `room` places, where a character of two places isn't cut in half."""
    segments, left = 1, room
    for width in widths:
        if width > left:
            segments, left = segments + 1, room
        left -= width
    return segments


def count_segments(body: str) -> int:
    if all(letter in GSM_BASIC or letter in GSM_EXTENDED for letter in body):
        widths = [2 if letter in GSM_EXTENDED else 1 for letter in body]
        return 1 if sum(widths) <= 160 else _packed(widths, 153)
    widths = [2 if ord(letter) > 0xFFFF else 1 for letter in body]  # UCS-2 sends surrogate pairs
    return 1 if sum(widths) <= 70 else _packed(widths, 67)


def rfc2822(instant: datetime | None) -> str | None:
    """Twilio's dates: whole seconds, "+0000" in the end."""
    return None if instant is None else format_datetime(instant)


def whole_number(text: str) -> int | None:
    """Not for more digits than any of these have: int() of thousands of them is an error."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def carrier_word(body: str) -> str | None:
    """'stop', 'start' or 'help' when the whole text is one of the carrier's words."""
    word = body.strip().upper()
    for meaning, words in (("stop", STOP_WORDS), ("start", START_WORDS), ("help", HELP_WORDS)):
        if word in words:
            return meaning
    return None


def sign(token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: https://www.twilio.com/docs/usage/security#validating-requests

    Written out, not taken from the SDK: the product checks it with the SDK's own validator, and
    a check by the very code that signed would show less.
    """
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


@dataclass(eq=False)
class TwilioError(Exception):
    """A create, fetch or list call answered with an error of Twilio's."""

    code: int
    what: str = ""

    @property
    def status(self) -> int:
        return REFUSALS[self.code][0]

    def payload(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": REFUSALS[self.code][1].format(what=self.what),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Override:
    """Connection overrides in a webhook URL's fragment, with Twilio's defaults and bounds:
    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """

    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0

    @classmethod
    def of(cls, fragment: str) -> Override:
        given = dict(pair.split("=", 1) for pair in fragment.split("&") if "=" in pair)

        def number(key: str, low: int, high: int, default: int) -> int:
            asked = whole_number(given.get(key, ""))
            return default if asked is None else min(high, max(low, asked))

        return cls(
            retries=number("rc", 0, 5, 1),
            policy=frozenset(given.get("rp", "ct").split(",")),
            connect_seconds=number("ct", 100, 10_000, 5_000) / 1000,
            read_seconds=number("rt", 100, 15_000, 15_000) / 1000,
            total_seconds=number("tt", 100, 15_000, 15_000) / 1000,
        )

    def retries_after(self, failure: str) -> bool:
        return "all" in self.policy or failure in self.policy


_OUR_ID = re.compile(r"/([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})/(\d{1,9})/?$")


def our_id(callback_url: str) -> tuple[str | None, int | None]:
    """The id and the attempt that the product puts at the end of its callback URL's path."""
    path = callback_url.partition("#")[0].partition("?")[0]
    found = _OUR_ID.search(path)
    return (found[1].lower(), int(found[2])) if found else (None, None)


def first(form: Mapping[str, object], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
