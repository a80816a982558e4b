"""Which digits a patient may answer with: those that our texts about the dose offered, 1 for done,
2 for later, 3 for skip. A clinic's own text may leave them out; then a digit is a person's to read.
"""

import re
from collections.abc import Iterable, Iterator

from messaging import outbox
from messaging.states import State
from reminders.models import Dose, Patient
from reminders.texts.wording import Said
from reminders.understanding import Meaning, understand

MEANS = {"1": Meaning.TAKEN, "2": Meaning.LATER, "3": Meaning.SKIP}
HEARD_AFTER = frozenset({"day", "next", "overdue", "later"})
"""Kinds of texts about a dose: a digit may answer them."""
OFFER = re.compile(r"(?<![\w{+])([123])(?![\w}])[\s:=)\-\u2013]*([^,.;!?0-9{}]*)")
"""A digit that stands alone, and the words that follow it."""


def offers(body: str) -> Iterator[tuple[str, str]]:
    """The digits that a text offers, each with the words for what it means."""
    for found in OFFER.finditer(body):
        yield found[1], found[2].strip()


def wrong_offers(body: str, language: str) -> list[str]:
    """The digits that a text offers with words that don't say what the digit does."""
    return [
        digit
        for digit, words in offers(body)
        if set(understand(words, language).meanings) != {MEANS[digit]}
    ]


def offered(patient: Patient, doses: Iterable[Dose]) -> bool:
    """Whether a text about one of these doses, that wasn't cancelled, offered digits."""
    said = Said(patient)
    dates = {dose.id: said.date(dose.date) for dose in doses}
    for sms in outbox.texts_about(list(dates)):
        if sms.state == State.CANCELLED:
            continue
        body = sms.body
        # Dates, numbers and names have digits of their own.
        for part in (dates[sms.about_id], said.phone(patient.clinic.phone), patient.clinic.name):
            body = body.replace(part, " ")
        if any(True for _ in offers(body)):
            return True
    return False
