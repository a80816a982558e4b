"""The demo's people answer by themselves, in words that are understood."""

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from dev.demo_answers import LATEST, MIX, WORDS, Phones, Says
from dev.demo_people import PLACES
from dev.environment import ROUTINE_NUMBER
from dev.simulator_client import SimulatorClient
from messaging.models import Lane
from messaging.sending import send_due
from reminders.models import (
    Language,
    Patient,
)
from reminders.understanding import understand
from tests.cast import Cast, make_patient
from tests.texts import queue_text

NOW = datetime(2026, 11, 23, 16, 20, 41, tzinfo=UTC)
MEANT: dict[Says, tuple[set[str], bool]] = {
    Says.DONE: ({"taken"}, False),
    Says.LATER: ({"later"}, False),
    Says.SKIP: ({"skip"}, False),
    Says.EFFECT: ({"taken", "side_effect"}, False),
    Says.CALL: ({"call_me"}, False),
    Says.FEVER: ({"side_effect"}, True),
    Says.UNCLEAR: (set(), False),
}


@pytest.mark.parametrize("language", Language.values)
def test_what_they_say_is_understood_as_they_mean_it(language: str) -> None:
    assert set(WORDS[language]) == set(Says) - {Says.NOTHING}
    for says, bodies in WORDS[language].items():
        for body in bodies:
            said = understand(body, language, digits=True)
            assert (set(said.meanings), bool(said.urgent)) == MEANT[says], body


def test_most_are_done_some_are_later_and_a_few_say_nothing() -> None:
    mix = Counter(MIX)
    assert set(mix) == set(Says)
    assert mix[Says.DONE] > len(MIX) / 2 - 1
    assert mix[Says.NOTHING] <= 2


def test_every_phone_answers_but_the_visitors_and_those_answered_by_hand(
    cast: Cast, simulator: SimulatorClient
) -> None:
    visitor = make_patient(cast.clinic, cast.clinician, number="+447700900777")
    phones = Phones(simulator, kept=[visitor.number])
    for patient in (cast.ada, visitor):
        remind(patient)
    assert phones.look(0.0) == 0, "nobody types that fast"
    assert phones.look(LATEST) == 1
    assert [text["sender"] for text in simulator.ledger()["inbound"]] == [cast.ada.number]
    # Somebody takes Ada's phone.
    simulator.answer(cast.ada.number, ROUTINE_NUMBER, "done")
    remind(cast.ada, "next")
    phones.look(2 * LATEST)
    assert phones.look(4 * LATEST) == 0


def test_a_safety_text_names_the_numbers_of_the_clinics_own_country() -> None:
    assert {(place.phone[:2], place.emergency) for place in PLACES} == {
        ("+4", "999"),
        ("+1", "911"),
    }


def remind(patient: Patient, step: str = "day") -> None:
    """A reminder of a dose reaches a patient's phone."""
    key = f"dose:{uuid4()}:{step}"
    queue_text(patient.number, f"{step}: your day.", owner_id=patient.id, dedup_key=key)
    send_due(Lane.ROUTINE)
