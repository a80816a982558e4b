"""Callers, and the instant at which they call."""

from datetime import datetime

import pytest
from django.test import Client

from api.door import Door
from community.members import entering
from community.models import Persona
from reminders.models import PatientLogin
from reminders.patients import signing_in
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.api.client import Caller, signed_in
from tests.cast import NOW, Cast
from tests.community import Circle, make_circle


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Hashing as slowly as it should costs each test of the cast two seconds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The cast's Monday morning: what the doors pass on as now."""
    monkeypatch.setattr(Door, "now", NOW)
    return NOW


@pytest.fixture
def anonymous(db) -> Caller:
    return Caller()


@pytest.fixture
def clinician(cast: Cast) -> Caller:
    return signed_in(cast.clinician)


@pytest.fixture
def coordinator(cast: Cast) -> Caller:
    return signed_in(cast.coordinator)


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return signed_in(cast.admin)


@pytest.fixture
def patient(cast: Cast) -> Caller:
    """Ada herself, with the token that her pages give her for the community."""
    signing_in.invite(cast.ada.id, cast.actor, NOW)
    browser = Client()
    browser.force_login(PatientLogin.objects.get(patient=cast.ada).user)
    return Caller(browser.post("/me/token").json()["token"])


@pytest.fixture
def stranger(cast: Cast) -> Caller:
    """A clinician, but of another clinic."""
    return signed_in(cast.stranger)


@pytest.fixture
def ada(cast: Cast) -> str:
    """The path of Ada, who has no schedule."""
    return f"/api/v1/patients/{cast.ada.id}"


@pytest.fixture
def weekly(cast: Cast, ada: str) -> str:
    """The path of Ada's schedule: weekly from today on."""
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    return f"{ada}/schedule"


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def here(persona: Persona) -> Caller:
    """A persona who has come in."""
    return Caller(entering._session(persona, NOW).token)
