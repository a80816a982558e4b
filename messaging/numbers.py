"""Telephone numbers as carriers write them, read from what people write."""

import phonenumbers

# Ofcom keeps +44 7700 900000-900999 for fiction: no phone has them, and libphonenumber refuses
# them. A clinic that trains its staff needs somebody to enrol who can't be texted.
FICTION = "+447700900"


def read_number(text: str, region: str | None) -> str | None:
    """The number, E.164, that a text is; without a country it is one of the region (two letters).
    None if no phone has it."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    fiction = number.startswith(FICTION) and len(number) == len(FICTION) + 3
    if parsed.extension or not (phonenumbers.is_valid_number(parsed) or fiction):
        return None
    return number
