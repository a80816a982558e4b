"""Telephone numbers as people write them, and as carriers do."""

from collections.abc import Iterable
from functools import cache

import phonenumbers

from accounts.refusals import Invalid

# Ofcom keeps +44 7700 900000-900999 for fiction: no phone has them, and libphonenumber refuses
# them. A clinic that trains its staff needs somebody to enrol who can't be texted.
FICTION = "+447700900"


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
    try:
        parsed = phonenumbers.parse(text, _region(clinic_phone))
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    fiction = number.startswith(FICTION) and len(number) == len(FICTION) + 3
    if parsed.extension or not (phonenumbers.is_valid_number(parsed) or fiction):
        return None
    return number
