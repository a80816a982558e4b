"""The names of staff, which no pseudonym may hold: known soon, and read cheaply."""

import pytest

from accounts.models import Role, User
from accounts.refusals import Invalid
from community.members import staff_names
from community.members.pseudonyms import check_pseudonym, key_of
from tests.cast import Cast, make_user


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The process's own clock, which has read nothing yet."""
    now = [0.0]
    monkeypatch.setattr(staff_names, "monotonic", lambda: now[0])
    monkeypatch.setattr(staff_names, "_known", staff_names.NOTHING)
    return now


def refused(cast: Cast, pseudonym: str) -> bool:
    try:
        check_pseudonym(pseudonym, "en", cast.stranger)
    except Invalid as refusal:
        return refusal.code == "pseudonym_real_name"
    return False


def test_a_name_that_was_changed_is_known_within_minutes_and_the_old_one_free(cast, clock):
    jane = make_user("jane@example.org", cast.clinic, Role.CLINICIAN)
    User.objects.filter(id=jane.id).update(name="Jane Roeburn")
    assert refused(cast, "Sunny Jane Roeburn")
    assert refused(cast, "Dr Roeburn")
    User.objects.filter(id=jane.id).update(name="Jane Marlowe")
    clock[0] += staff_names.FRESH.total_seconds()
    assert refused(cast, "Dr Marlowe")
    assert not refused(cast, "Dr Roeburn")


def test_who_comes_is_known_at_once(cast, clock):
    assert not refused(cast, "Nurse Roeburn")
    jane = make_user("jane@example.org", cast.clinic, Role.COORDINATOR)
    User.objects.filter(id=jane.id).update(name="Jane Roeburn")
    assert refused(cast, "Nurse Roeburn")


def test_only_new_names_are_compared_anew(cast, clock):
    compared: list[str] = []

    def noted(name: str) -> str:
        compared.append(name)
        return key_of(name)

    staff_names.staff_names(noted)
    first = len(compared)
    assert first == 8, "four of the cast, each whole and by surname"
    clock[0] += staff_names.FRESH.total_seconds()
    staff_names.staff_names(noted)
    assert len(compared) == first
