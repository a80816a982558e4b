"""The states of an outbound text, and what moves it from one to the next. Drawn in ARCHITECTURE.md.

A text that is `queued` is moved by three conditional UPDATEs: the claim and the closing in
claim.py, and outbox.cancel. Everything after the claim is moved by evidence.advance, which asks
`target` here what each finding means.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a text is. Values are stored."""

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"


RANK: dict[State, int] = {
    State.ACCEPTED: 1,
    State.SENT: 2,
    State.FAILED: 3,
    State.UNDELIVERED: 3,
    State.DELIVERED: 4,
}
"""What Twilio's evidence says, of any attempt, from any state: ranks only rise. A text is
`delivered` though it was cancelled a moment before, because that is what happened."""

TAKEN = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED})
"""Taken by Twilio, and nothing bad is known since: should it fail after all, that is news."""

MAY_HAVE_LEFT = frozenset({State.SENDING, State.UNKNOWN, *RANK})
"""Too late to cancel: it may be on its way to the phone."""

NEWS = frozenset({State.FAILED, State.UNDELIVERED, State.EXPIRED, State.SUPPRESSED})
"""Ends without the text: the owner's domain is told of them, and told again when evidence that
comes later says otherwise."""


class Finding(StrEnum):
    """What was found out about one attempt. Values are stored with the events."""

    # Twilio's evidence, named as the state it leads to.
    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    # Twilio took it and gave it up before it went out: its own queue was full, or its time over.
    DROPPED = "dropped"
    # Our own knowledge, which counts for the present attempt only.
    REFUSED = "refused"  # this number or this text, for good
    NOT_TAKEN = "not_taken"  # certain: never written, or refused for a reason that may pass
    DOUBTFUL = "doubtful"  # written, and no answer that can be relied on
    NEVER_TAKEN = "never_taken"  # two whole readings of Twilio's list don't hold it
    UNANSWERED = "unanswered"  # doubtful, of a kind that may rather go twice than never
    USE_OVER = "use_over"  # doubtful still, and of no use any more


_DECIDED_FROM: dict[Finding, frozenset[State]] = {
    Finding.DROPPED: frozenset({State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT}),
    Finding.REFUSED: frozenset({State.SENDING, State.UNKNOWN}),
    Finding.NOT_TAKEN: frozenset({State.SENDING, State.UNKNOWN}),
    Finding.DOUBTFUL: frozenset({State.SENDING}),
    Finding.NEVER_TAKEN: frozenset({State.UNKNOWN}),
    Finding.UNANSWERED: frozenset({State.UNKNOWN}),
    Finding.USE_OVER: frozenset({State.UNKNOWN}),
}


@dataclass(frozen=True)
class Standing:
    """What decides beside the finding. in_use: still of use when it may next leave; requeued: was
    once proven never taken, and went back; current: the finding is of the present attempt."""

    state: State
    cancel_wished: bool
    in_use: bool
    requeued: bool
    current: bool


def target(at: Standing, finding: Finding) -> State:
    """The state that a finding leads to; the present one when it says nothing new."""
    if finding not in _DECIDED_FROM:
        evident = State(finding.value)
        return evident if RANK[evident] > RANK.get(at.state, 0) else at.state
    if not at.current or at.state not in _DECIDED_FROM[finding]:
        return at.state
    match finding:
        case Finding.REFUSED:
            return State.FAILED
        case Finding.DOUBTFUL:
            return State.UNKNOWN
        case Finding.USE_OVER:
            return State.EXPIRED
        case Finding.NEVER_TAKEN if at.requeued:
            # Doubtful twice: a person decides.
            return State.EXPIRED
        case Finding.DROPPED if at.state == State.SENT or not at.in_use:
            # Once sent, it may be with the carrier, whatever was said after that.
            return State.FAILED
    return _back_to_queue(at)


def _back_to_queue(at: Standing) -> State:
    """Every arrow into `queued` goes through here."""
    if at.cancel_wished:
        return State.CANCELLED
    return State.QUEUED if at.in_use else State.EXPIRED
