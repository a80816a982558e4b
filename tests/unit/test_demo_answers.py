"""The demo's people answer by themselves, in words that are understood, and have a past."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from dev import demo_people
from dev.demo_answers import LATEST, MIX, WORDS, Phones, Says
from dev.demo_people import PLACES
from dev.environment import ROUTINE_NUMBER
from dev.simulator_client import SimulatorClient
from messaging.models import Lane, Sms
from messaging.sending import send_due
from reminders.models import (
    BloodResult,
    Cause,
    Dose,
    DoseRecord,
    DoseState,
    Language,
    Patient,
    SideEffectEntry,
    Urgency,
    WorkItem,
    WorkNote,
)
from reminders.planning import plan_doses
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


def test_the_past_is_whole_and_what_was_missed_lately_is_on_the_worklist(db: None) -> None:
    demo_people.fill(NOW)
    fates = Counter(Dose.objects.values_list("state", flat=True))
    past = fates.total() - fates[DoseState.PLANNED] - fates[DoseState.CANCELLED]
    assert 0.8 * past < fates[DoseState.TAKEN] < past
    assert fates[DoseState.SKIPPED]
    assert fates[DoseState.MISSED]
    assert fates[DoseState.DUE] == 0
    assert DoseRecord.objects.count() == fates[DoseState.TAKEN] + fates[DoseState.SKIPPED]
    assert not DoseRecord.objects.filter(recorded_at__gt=NOW).exists()
    lately = Dose.objects.filter(
        state=DoseState.MISSED, date__gt=NOW.date() - timedelta(days=9), date__lt=NOW.date()
    )
    noted = set(WorkNote.objects.values_list("facts__dose", flat=True))
    assert lately
    assert {str(dose.id) for dose in lately} <= noted
    open_ = WorkItem.objects.filter(closed_at=None)
    causes = set(open_.values_list("cause", flat=True))
    assert causes >= {Cause.NO_ANSWER, Cause.TEXT_TO_READ, Cause.CALL_ME, Cause.OPTED_OUT}
    assert not open_.filter(urgency=Urgency.NOW).exists(), "nobody is paged by the filling"
    assert BloodResult.objects.count() > 500
    assert SideEffectEntry.objects.count() > 200
    # Nothing of it is asked for again.
    plan_doses(NOW)
    assert Sms.objects.filter(state="queued").count() < 5


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
