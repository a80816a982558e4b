"""The cast: who is in the tests, each for a reason."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts import audit
from accounts.models import Clinic, Membership, Role, User
from dev.environment import (
    ACCOUNT,
    COMMUNITY_NUMBER,
    MODERATORS_NUMBER,
    ROUTINE_NUMBER,
    STAFF_NUMBER,
    URGENT_NUMBER,
)
from messaging.models import Lane, Scope, Sender
from reminders.models import Patient
from reminders.patients.enrolling import Enrolment, enrol

PASSWORD = "correct horse battery staple"
NOW = datetime(2027, 1, 4, 8, 30, tzinfo=UTC)
"""A Monday morning in winter, half an hour before everybody's hour in London."""


@dataclass
class Cast:
    """clinic, clinician, coordinator, admin: one team, and Ada its patient. other_clinic and
    stranger exist only to have no access to the first one's things, and the other way round."""

    clinic: Clinic
    clinician: User
    coordinator: User
    admin: User
    ada: Patient
    other_clinic: Clinic
    stranger: User
    sender: Sender
    urgent_sender: Sender
    staff_sender: Sender
    moderators_sender: Sender
    community_sender: Sender

    @property
    def actor(self) -> audit.Actor:
        """The clinician as the one who acts."""
        return audit.by(self.clinician, "test")


def make_cast() -> Cast:
    """The cast, stored."""
    clinic = make_clinic("St Example")
    other = make_clinic("Elsewhere", phone="+442079460999")
    people = {
        role: make_user(f"{role}@example.org", clinic, role)
        for role in (Role.CLINICIAN, Role.COORDINATOR, Role.ADMIN)
    }
    return Cast(
        clinic=clinic,
        clinician=people[Role.CLINICIAN],
        coordinator=people[Role.COORDINATOR],
        admin=people[Role.ADMIN],
        ada=make_patient(clinic, people[Role.CLINICIAN]),
        other_clinic=other,
        stranger=make_user("stranger@example.net", other, Role.CLINICIAN),
        sender=make_sender(ROUTINE_NUMBER, Lane.ROUTINE),
        urgent_sender=make_sender(URGENT_NUMBER, Lane.URGENT),
        staff_sender=make_sender(STAFF_NUMBER, Lane.URGENT, scope=Scope.STAFF),
        moderators_sender=make_sender(MODERATORS_NUMBER, Lane.URGENT, scope=Scope.MODERATORS),
        community_sender=make_sender(COMMUNITY_NUMBER, Lane.ROUTINE, scope=Scope.COMMUNITY),
    )


def make_clinic(name: str, phone: str = "+442079460000") -> Clinic:
    return Clinic.objects.create(
        name=name, phone=phone, time_zone="Europe/London", intervals=[7, 14, 21]
    )


@cache
def hashed_password() -> str:
    """Hashed once: a good hash is slow, and every test has four users."""
    return make_password(PASSWORD)


def make_user(email: str, clinic: Clinic, role: str) -> User:
    name = email.partition("@")[0].title()
    user = User.objects.create(email=email, name=name, password=hashed_password())
    Membership.objects.create(user=user, clinic=clinic, role=role)
    return user


OTHER_ACCOUNT = "AC" + "07" * 16
OTHER_TOKEN = "the-other-accounts-token"
OTHER_NUMBER = "+15005550010"
"""A second account, which the simulator knows; the product only where a test says so."""


def make_sender(number: str, lane: str, rate: float = 1000, **other: Any) -> Sender:
    return Sender.objects.create(
        **{"account": ACCOUNT, "number": number, "scope": Scope.CARE, "lane": lane, "rate": rate}
        | other
    )


def make_patient(
    clinic: Clinic,
    clinician: User,
    *,
    name: str = "Ada Example",
    number: str = "+447700900001",
    time_zone: str = "Europe/London",
    language: str = "en",
    hour: time = time(9),
    now: datetime = NOW,
) -> Patient:
    return enrol(
        clinic,
        Enrolment(
            name=name,
            number=number,
            time_zone=time_zone,
            language=language,
            hour=hour,
            consent_on=date(2026, 1, 5),
            consent_source="written",
        ),
        audit.by(clinician, "test"),
        now,
    )
