"""Breakages that the outbox's machine has to see: each is made by hand in the product's code, and
the machine plays until it fails. One that it doesn't see is a hole in what it judges.

Tried and not seen within a run: that messages of Twilio's list which are known already count for a
twin that was never taken (settling._known); that findings of former attempts decide; that reports
count in the order in which they come. Not to be seen: that a claim takes what is of no use any
more, for claim.close_useless comes before it.
"""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from messaging import claim, settling, states
from messaging.models import Sms
from messaging.states import Finding, State
from tests.property.test_outbox_machine import Outbox

Break = Callable[[pytest.MonkeyPatch], None]


def without(module: Any, statement: str, words: str, instead: str = "true") -> Break:
    """The statement says something else in one place."""

    def do(patch: pytest.MonkeyPatch) -> None:
        sql = getattr(module, statement)
        assert words in sql, "the statement has changed: name the words as they are now"
        patch.setattr(module, statement, sql.replace(words, instead))

    return do


def value(place: str, other: object) -> Break:
    return lambda patch: patch.setattr(place, other)


def _any_who_read(absent: Any) -> list[Any]:
    """settling._counted, but whoever has read counts, however many did at the same time."""
    enough = []
    for doubt in absent:
        row = Sms.objects.get(id=doubt.id)
        if row.state == State.UNKNOWN and row.attempt == doubt.attempt:
            row.quiet_reads += 1
            row.save()
            if row.quiet_reads >= settling.READINGS:
                enough.append(doubt)
    return enough


def _target(**ignored: Any) -> Callable[..., State]:
    """states.target, which takes this of a text for something else."""
    real = states.target

    def target(at: states.Standing, finding: Finding) -> State:
        return real(states.Standing(**{**vars(at), **ignored}), finding)

    return target


BREAKAGES: dict[str, Break] = {
    "one reading of the list counts twice": value("messaging.settling.READINGS", 1),
    "two who read at the same time have read twice": value(
        "messaging.settling._counted", _any_who_read
    ),
    "what is unknown isn't left in quiet": without(
        settling, "_TAKE_DOUBTS", "lease_until <= COALESCE(%(now)s::timestamptz, "
        "statement_timestamp()) - make_interval(secs => %(quiet)s)",
    ),
    "any text may be repeated": without(settling, "_MAY_REPEAT", "kind = 'repeat'"),
    "leases never end": without(settling, "_LEASES_OVER", "state = 'sending'", "false"),
    "who said stop isn't passed over": without(claim, "_CLAIM", "said.opted_out", "false"),
    "what is cancelled comes back": value(
        "messaging.evidence.target", _target(cancel_wished=False)
    ),
}  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_breakage_is_seen(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, breakage: str
) -> None:
    caplog.set_level(logging.CRITICAL)
    BREAKAGES[breakage](monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Outbox,
            settings=settings(
                settings.default, max_examples=400, stateful_step_count=50, phases=[Phase.generate]
            ),
        )
