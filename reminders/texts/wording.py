"""The words of our texts: data, a file for each language, so that a translator can add one.

Texts name the service's sender and a way to reach it, and every text about a dose names its day, so
that a late one can't be taken for today's (FACTS, SMS law and carriers).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import phonenumbers
from babel.dates import format_date, format_time
from babel.localedata import locale_identifiers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from accounts.models import Clinic
from reminders.models import Patient

FOLDER = Path(__file__).parent / "wording"


@cache
def words(language: str) -> dict[str, Any]:
    """One language's file. KeyError-free by a test that all files hold the same keys."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def every(language: str, interval_days: int) -> str:
    """An interval as people say it: "every 3 weeks"."""
    phrases = words(language)["every"]
    weeks, days = divmod(interval_days, 7)
    if days:
        return str(phrases["days"]).format(n=interval_days)
    return str(phrases["week" if weeks == 1 else "weeks"]).format(n=weeks)


class Addressed(Protocol):
    """Whom a text speaks to: a patient, or as much of one as a text needs to know."""

    @property
    def clinic(self) -> Clinic: ...
    @property
    def number(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def wording(self) -> str: ...


Own = Mapping[tuple[UUID, str, str, str], str]
"""Clinics' own texts by clinic, language, wording and kind (templates.of)."""


def text(
    kind: str,
    patient: Addressed,
    day: date | None = None,
    interval_days: int = 7,
    own: Own | None = None,
) -> str:
    """The body of one text to a patient, in their language and wording.

    kind: a key of the language files (day, next, overdue, changed, resumed, paused, stopped,
    later, correction). day: the date it names. interval_days: what "then every ..." says. own: the
    clinics' own texts, which go before the built-in ones.
    """
    key = (patient.clinic.id, patient.language, patient.wording, kind)
    body = (own or {}).get(key) or words(patient.language)[patient.wording][kind]
    return fill(str(body), patient, day, interval_days)


def fill(body: str, patient: Addressed, day: date | None = None, interval_days: int = 7) -> str:
    """A text with its placeholders filled for one patient."""
    clinic, country = patient.clinic, _country(patient.number)
    return _filled(body, clinic.name, clinic.phone, country, patient.language, day, interval_days)


# Of one morning's texts most have the words of another.
@lru_cache(1000)
def _filled(
    body: str, name: str, phone: str, country: int, language: str, day: date | None, interval: int
) -> str:
    return body.format(
        clinic=name,
        phone=_dialled(phone, country),
        date=written(language, day) if day else "",
        every=every(language, interval),
    )


@lru_cache(1000)
def written(language: str, day: date) -> str:
    """A date as people write it in a language."""
    return format_date(day, words(language)["date"], locale=language)


def code_text(patient: Patient, number: str, code: str) -> str:
    """The text that brings a code to a patient's new number."""
    return str(words(patient.language)["number"]["code"]).format(
        clinic=patient.clinic.name, phone=callable_from(patient.clinic.phone, number), code=code
    )


def sign_in_text(patient: Patient, number: str, code: str) -> str:
    """The text that brings a code for signing in."""
    return str(words(patient.language)["number"]["sign_in"]).format(
        clinic=patient.clinic.name, phone=callable_from(patient.clinic.phone, number), code=code
    )


@dataclass(frozen=True)
class Said:
    """Dates, times and numbers as one patient would write them."""

    patient: Patient

    def answer(self, kind: str, **facts: object) -> str:
        """A fixed answer to what the patient wrote."""
        return str(words(self.patient.language)["answers"][kind]).format(
            clinic=self.patient.clinic.name, phone=self.phone(self.patient.clinic.phone), **facts
        )

    def date(self, day: date | None) -> str:
        """Like Monday 4 January; empty for none."""
        return written(self.patient.language, day) if day else ""

    def time(self, at: datetime | None) -> str:
        """The wall time where the patient is; empty for none."""
        if at is None:
            return ""
        local = at.astimezone(self.patient.zone).time()
        return format_time(local, "short", locale=locale_of(self.patient))

    def phone(self, number: str) -> str:
        """A number as they would dial it."""
        return callable_from(number, self.patient.number)


def locale_of(patient: Patient) -> str:
    """The language as it is written where the patient's phone is: 16:30 in Britain, 4:30 PM in
    America."""
    country = phonenumbers.region_code_for_country_code(_country(patient.number))
    local = f"{patient.language}_{country}"
    return local if local in locale_identifiers() else patient.language


def callable_from(phone: str, number: str) -> str:
    """A number as somebody at another number would dial it: national within one country."""
    return _dialled(phone, _country(number))


@lru_cache(1000)
def _dialled(phone: str, country: int) -> str:
    to, style = phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat
    at_home = to.country_code == country
    return phonenumbers.format_number(to, style.NATIONAL if at_home else style.INTERNATIONAL)


def _country(number: str) -> int:
    """The calling code of a number in E.164; no code is the beginning of another."""
    for end in (2, 3, 4):
        if (code := int(number[1:end])) in COUNTRY_CODE_TO_REGION_CODE:
            return code
    return 0
