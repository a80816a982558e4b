"""What stories of texts are made of: people, wishes, workers, and our own notes on each text."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import strategies as st

from messaging import outbox
from messaging.claim import Claimed
from messaging.gateway import Answer, Message
from messaging.models import Kind, Lane, Scope
from messaging.settling import Doubt
from messaging.states import State
from tests.property.twilio_model import Reader

PHONES = ("+447700900001", "+447700900002")
BODIES = ("Monday: your injection.", "Thursday: your injection.")
BEGAN = datetime(2027, 1, 4, 9, tzinfo=UTC)
QUIET = 120
LONGEST_WAIT = 7.0
"""Seconds: whose use ends before Twilio lets it go again expires at once."""

OPEN = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN})
NO_END = OPEN | {State.ACCEPTED, State.SENT}
UNDER_WAY = NO_END - {State.QUEUED}
BACK = frozenset({State.QUEUED, State.CANCELLED, State.EXPIRED})
ARROWS = {
    State.QUEUED: BACK | {State.SENDING, State.SUPPRESSED},
    State.SENDING: BACK | {State.UNKNOWN, State.FAILED},
    State.UNKNOWN: BACK | {State.FAILED},
    State.ACCEPTED: BACK | {State.FAILED},
    State.SENT: BACK | {State.FAILED},
}
"""The arrows of ARCHITECTURE.md, but for Twilio's evidence: that leads from any state up."""


lanes = st.sampled_from([Lane.ROUTINE, Lane.ROUTINE, Lane.URGENT])
uses = st.sampled_from([3600, 3600, 3600, 300, 20])
PEOPLE = [uuid4() for _ in range(3)]
"""The first two share a phone."""


@dataclass(frozen=True)
class Wish:
    """A text to be queued. later, use: seconds until it may leave, and of its use from then on;
    twins: another to the same phone with the same words."""

    person: int
    body: str
    use: int
    later: int
    kind: Kind
    lane: Lane
    scope: Scope
    twins: bool
    of_the_last: bool


wishes = st.builds(
    Wish,
    person=st.integers(0, 2),
    body=st.sampled_from([*BODIES, *BODIES, *BODIES, "x" * 1601]),
    use=uses,
    later=st.sampled_from([0, 0, 0, 30]),
    kind=st.sampled_from([Kind.ONCE, Kind.ONCE, Kind.REPEAT]),
    lane=lanes,
    scope=st.sampled_from([Scope.CARE, Scope.CARE, Scope.COMMUNITY]),
    twins=st.booleans(),
    of_the_last=st.booleans(),
)


@dataclass
class Note:
    """One text as we know it. claims: at which act each attempt was claimed; ended: at which act
    it was cancelled, and whether we were told that it was too late; next_to: its owner's number,
    where that changed while the text was under way."""

    text: outbox.Text
    claims: dict[int, int] = field(default_factory=dict)
    ended: int | None = None
    too_late: bool = False
    next_to: str | None = None

    def comes_back(self) -> None:
        """It is queued again, and goes to the number that its owner has by now."""
        if self.next_to:
            self.text = replace(self.text, to=self.next_to)


@dataclass
class Row:
    """One text as it is stored."""

    state: State
    attempt: int
    requeued: bool
    untaken: bool
    state_at: datetime
    expires_at: datetime


@dataclass(eq=False)
class Batch:
    """What a worker has claimed, and what became of it so far."""

    claimed: list[Claimed]
    answers: dict[UUID, Answer] = field(default_factory=dict)

    @property
    def unposted(self) -> list[Claimed]:
        return [text for text in self.claimed if text.id not in self.answers]


@dataclass(eq=False)
class Settler(Reader):
    """One who settles: its doubts by account, and the list as it read it."""

    doubts: dict[str, list[Doubt]] = field(default_factory=dict)
    shown: dict[str, list[Message] | None] | None = None
