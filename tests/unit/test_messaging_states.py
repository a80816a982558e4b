"""Every state, every finding: written out by hand from DESIGN's table, not from the code."""

from itertools import product

import pytest

from messaging.states import RANK, Finding, Standing, State, target

S, F = State, Finding


def at(state: State, **other: bool) -> Standing:
    facts = {"cancel_wished": False, "in_use": True, "requeued": False, "current": True}
    return Standing(state=state, **(facts | other))


ORDER = [
    {S.QUEUED, S.SENDING, S.UNKNOWN, S.CANCELLED, S.EXPIRED, S.SUPPRESSED},
    {S.ACCEPTED},
    {S.SENT},
    {S.FAILED, S.UNDELIVERED},
    {S.DELIVERED},
]
EVIDENCE = {
    F.ACCEPTED: S.ACCEPTED,
    F.SENT: S.SENT,
    F.FAILED: S.FAILED,
    F.UNDELIVERED: S.UNDELIVERED,
    F.DELIVERED: S.DELIVERED,
}
# From where our own findings lead, and where to, for a text of use, not cancelled, not requeued.
DECISIONS = {
    F.REFUSED: ({S.SENDING, S.UNKNOWN}, S.FAILED),
    F.NOT_TAKEN: ({S.SENDING, S.UNKNOWN}, S.QUEUED),
    F.DOUBTFUL: ({S.SENDING}, S.UNKNOWN),
    F.NEVER_TAKEN: ({S.UNKNOWN}, S.QUEUED),
    F.UNANSWERED: ({S.UNKNOWN}, S.QUEUED),
    F.USE_OVER: ({S.UNKNOWN}, S.EXPIRED),
    F.DROPPED: ({S.SENDING, S.UNKNOWN, S.ACCEPTED}, S.QUEUED),
}


def rank(state: State) -> int:
    return next(rank for rank, states in enumerate(ORDER) if state in states)


def test_the_table_knows_every_finding_and_every_state():
    assert set(EVIDENCE) | set(DECISIONS) == set(Finding)
    assert set().union(*ORDER) == set(State)


@pytest.mark.parametrize(("finding", "leads_to"), EVIDENCE.items())
def test_evidence_moves_any_state_of_any_attempt_and_only_up(finding, leads_to):
    names = ("cancel_wished", "in_use", "requeued", "current")
    for state, *facts in product(State, *[[False, True]] * 4):
        moved = target(at(state, **dict(zip(names, facts, strict=True))), finding)
        assert moved == (leads_to if rank(leads_to) > rank(state) else state)


@pytest.mark.parametrize("finding", DECISIONS)
def test_what_we_decide_leads_only_along_its_arrows(finding):
    from_states, to = DECISIONS[finding]
    for state in State:
        if (finding, state) == (F.DROPPED, S.SENT):
            assert target(at(state), finding) == S.FAILED, "it may be with the carrier"
            continue
        assert target(at(state), finding) == (to if state in from_states else state)
        assert target(at(state, current=False), finding) == state


@pytest.mark.parametrize("finding", [f for f, (_, to) in DECISIONS.items() if to == S.QUEUED])
@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({"cancel_wished": True}, S.CANCELLED),
        ({"cancel_wished": True, "in_use": False}, S.CANCELLED),
        ({"in_use": False}, S.EXPIRED),
    ],
)
def test_every_arrow_into_queued_is_a_case(finding, facts, end):
    state = S.ACCEPTED if finding == F.DROPPED else S.UNKNOWN
    if finding == F.DROPPED and not facts.get("in_use", True):
        end = S.FAILED  # it is Twilio who gave it up, and says so
    assert target(at(state, **facts), finding) == end


def test_doubtful_twice_is_for_a_person_to_decide():
    assert target(at(S.UNKNOWN, requeued=True), F.NEVER_TAKEN) == S.EXPIRED


def test_ranks_are_those_of_the_design():
    assert {state: rank(state) for state in RANK} == RANK
