"""Telephone numbers as people write them, and as carriers do."""

from collections.abc import Iterable
from functools import cache

import phonenumbers

from accounts.refusals import Invalid
from messaging.numbers import read_number


def e164(number: str, clinic_phone: str) -> str:
    """A number as carriers write it; without a country it is one of the clinic's country."""
    found = _parse(number, clinic_phone)
    if found is None:
        raise Invalid(
            "number",
            "No phone has this number. Write it with its country, like +44 7911 123456.",
            "number",
        )
    return found


def numbers_like(text: str, clinic_phones: Iterable[str]) -> set[str]:
    """The numbers that a text may mean to people at these phones; none if it isn't a number."""
    return {found for phone in clinic_phones if (found := _parse(text, phone)) is not None}


@cache
def _region(clinic_phone: str) -> str | None:
    return phonenumbers.region_code_for_number(phonenumbers.parse(clinic_phone))


def _parse(text: str, clinic_phone: str) -> str | None:
    return read_number(text, _region(clinic_phone))
