"""Twilio's words, to be laid beside its manual: statuses, error codes, carrier words.

Sources: twilio.com/docs/messaging/api/message-resource (statuses), twilio.com/docs/api/errors
(codes), and its default words for long codes, which the carriers act on (FACTS, SMS law).
"""

from enum import StrEnum

from messaging.gateway import Fault
from messaging.states import Finding

FAULTS: dict[int, Fault] = {
    # Answers to a create call.
    10001: Fault.ACCOUNT,  # not active: suspended, or without funds
    20003: Fault.ACCOUNT,  # token wrong or rotated
    20005: Fault.ACCOUNT,  # not active
    20006: Fault.ACCOUNT,  # access denied
    20008: Fault.ACCOUNT,  # test credentials
    20404: Fault.ACCOUNT,  # no such account
    20429: Fault.RATE,  # too many requests: never processed
    21211: Fault.NUMBER,  # not a valid number
    21212: Fault.SENDER,  # not a valid number to send from
    21214: Fault.NUMBER,  # can't be reached
    21217: Fault.NUMBER,  # doesn't look valid
    21265: Fault.NUMBER,  # a short code, which can't be sent to
    21266: Fault.NUMBER,  # is our own sender's
    # A premium or information service number: Twilio's changelog of 2024-07-10, "Updates to the
    # error code dictionary to clarify number validation errors".
    21268: Fault.NUMBER,
    21408: Fault.OURS,  # this country isn't allowed to the account: others are
    21601: Fault.SENDER,  # no number of this account's
    21602: Fault.TEXT,  # no body
    21603: Fault.SENDER,  # none given that can send
    21604: Fault.NUMBER,  # none given
    21606: Fault.SENDER,  # isn't ours, or can't send texts
    21608: Fault.NUMBER,  # a trial account may not text it
    21610: Fault.OPTED_OUT,
    21611: Fault.RATE,  # the sender's queue is full
    21612: Fault.NUMBER,  # can't be reached from this sender
    21614: Fault.NUMBER,  # not a mobile
    21617: Fault.TEXT,  # longer than 1600 characters
    21635: Fault.NUMBER,  # a landline
    21659: Fault.SENDER,  # not a number of Twilio's
    21660: Fault.SENDER,  # is another account's
    21661: Fault.SENDER,  # can't send texts
    30002: Fault.ACCOUNT,  # suspended
    63038: Fault.ACCOUNT,  # its limit for the day is used up
    # What became of an accepted message.
    30001: Fault.PASSING,  # the queue was full
    30003: Fault.PASSING,  # handset off or out of reach
    30004: Fault.PASSING,  # blocked, or out of reach
    30005: Fault.NUMBER,  # unknown
    30006: Fault.NUMBER,  # landline or unreachable carrier
    30007: Fault.TEXT,  # filtered
    30008: Fault.PASSING,  # no reason known
    30022: Fault.RATE,  # quicker than its campaign may send in the US
    # One carrier's daily limit is used up: to be slower doesn't help, and others may leave.
    30023: Fault.OURS,
    # Of one carrier, or of one number that changed its carrier: others may leave.
    30024: Fault.OURS,
    30027: Fault.OURS,  # one carrier's daily limit, as 30023
    30032: Fault.SENDER,  # a toll-free number that isn't verified
    30034: Fault.SENDER,  # a US number that isn't registered
    30036: Fault.PASSING,  # its ValidityPeriod ended
    30450: Fault.PASSING,  # its guard against fraud, for some minutes
}

DROPPED_UNSENT = frozenset({30001, 30036})
"""Twilio gave the message up before any of it went out, so it may go again within its use."""


def fault_of(code: int, status: int = 400) -> Fault:
    """Whose fault an error is. One that isn't listed is our account's when Twilio doesn't let us
    in, our pace's when it says so, else ours to look at: the text waits and isn't lost. Of several
    texts in a row it is taken for the account's, too (circuits.DOUBTFUL)."""
    unlisted = {401: Fault.ACCOUNT, 403: Fault.ACCOUNT, 429: Fault.RATE}
    return FAULTS.get(code, unlisted.get(status, Fault.OURS))


_STATUSES: dict[str, Finding] = {
    "accepted": Finding.ACCEPTED,
    "scheduled": Finding.ACCEPTED,
    "queued": Finding.ACCEPTED,
    "sending": Finding.ACCEPTED,
    "sent": Finding.SENT,
    "delivered": Finding.DELIVERED,
    "read": Finding.DELIVERED,
    "undelivered": Finding.UNDELIVERED,
    "failed": Finding.FAILED,
    "canceled": Finding.FAILED,
}


def evidence_in(status: str, error_code: int | None) -> Finding | None:
    """What a status of Twilio's is evidence of; None for one that we don't know."""
    finding = _STATUSES.get(status)
    if finding in {Finding.FAILED, Finding.UNDELIVERED} and error_code in DROPPED_UNSENT:
        return Finding.DROPPED
    return finding


class CarrierWord(StrEnum):
    """What a carrier word does."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_CARRIER_WORDS: dict[str, CarrierWord] = {
    **dict.fromkeys(
        ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"),
        CarrierWord.STOP,
    ),
    **dict.fromkeys(("START", "YES", "UNSTOP"), CarrierWord.START),
    **dict.fromkeys(("HELP", "INFO"), CarrierWord.HELP),
}


def carrier_word(body: str) -> CarrierWord | None:
    """The carrier word that is the whole text, whatever its case and the marks around it."""
    return _CARRIER_WORDS.get(body.strip(" \t\r\n.,;:!?\"'()*").upper())


def carrier_words() -> frozenset[str]:
    """All words that carriers act on, in capitals."""
    return frozenset(_CARRIER_WORDS)
