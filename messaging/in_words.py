"""What became of a text, in words for a care team."""

from messaging.gateway import Fault
from messaging.states import State

STATE_IN_WORDS: dict[str, str] = {
    State.QUEUED: "Waits for its time.",
    State.SENDING: "Is being given to the carrier.",
    State.UNKNOWN: "May have gone: the carrier's answer was lost, and we are finding out.",
    State.ACCEPTED: "Taken by the carrier.",
    State.SENT: "Sent by the carrier; no word yet from the phone.",
    State.DELIVERED: "Arrived on the phone.",
    State.UNDELIVERED: "Did not arrive on the phone.",
    State.FAILED: "Could not be sent.",
    State.CANCELLED: "Cancelled before it went.",
    State.EXPIRED: "Did not go in time, and is of no use any more.",
    State.SUPPRESSED: "Not sent: the patient has stopped our texts.",
}
FAULT_IN_WORDS: dict[Fault, str] = {
    Fault.NUMBER: "This number can't get our texts: check it with the patient.",
    Fault.TEXT: "The carrier refuses this text.",
    Fault.PASSING: "The phone or the network was out of reach for a while.",
    Fault.OPTED_OUT: "The patient has stopped our texts.",
    **dict.fromkeys(
        (Fault.ACCOUNT, Fault.SENDER, Fault.OURS), "A fault on our side: tell support."
    ),
    Fault.RATE: "Too many texts at once: it goes again by itself.",
}
