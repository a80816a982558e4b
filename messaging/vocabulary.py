"""Twilio's words, to be laid beside its manual: statuses, error codes, carrier words.

Sources: twilio.com/docs/messaging/api/message-resource (statuses), twilio.com/docs/api/errors
(codes), and its default words for long codes, which the carriers act on (FACTS, SMS law).
"""

from enum import StrEnum

from messaging.states import Finding


class Fault(StrEnum):
    """Whose fault a refusal or a failure is, and so what comes next."""

    NUMBER = "number"  # this number can't be reached, for good
    TEXT = "text"  # this text won't be carried, for good
    OPTED_OUT = "opted out"  # the person said stop
    OURS = "ours"  # our account, token or sender: mended by us, and no text's fault
    PASSING = "passing"  # later it may do


FAULTS: dict[int, Fault] = {
    # Answers to a create call.
    20429: Fault.PASSING,  # too many requests: never processed
    21211: Fault.NUMBER,  # not a valid number
    21214: Fault.NUMBER,  # can't be reached
    21217: Fault.NUMBER,  # doesn't look valid
    21266: Fault.NUMBER,  # is our own sender's
    21602: Fault.TEXT,  # no body
    21604: Fault.NUMBER,  # none given
    21610: Fault.OPTED_OUT,
    21611: Fault.PASSING,  # the sender's queue is full
    21612: Fault.NUMBER,  # can't be reached from this sender
    21614: Fault.NUMBER,  # not a mobile
    21617: Fault.TEXT,  # longer than 1600 characters
    # What became of an accepted message.
    30001: Fault.PASSING,  # the queue was full
    30003: Fault.PASSING,  # handset off or out of reach
    30004: Fault.NUMBER,  # blocked
    30005: Fault.NUMBER,  # unknown
    30006: Fault.NUMBER,  # landline or unreachable carrier
    30007: Fault.TEXT,  # filtered
    30008: Fault.PASSING,  # no reason known
    30036: Fault.PASSING,  # its ValidityPeriod ended
}

DROPPED_UNSENT = frozenset({30001, 30036})
"""Twilio gave the message up before any of it went out, so it may go again within its use."""


def fault_of(code: int) -> Fault:
    """Whose fault an error is. A code that isn't listed is ours to look at: tokens (20003),
    permissions (21408), senders (21606), suspension (30002). The text waits and isn't lost."""
    return FAULTS.get(code, Fault.OURS)


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
