"""Signs of danger in a patient's text: an urgent item, and the fixed safety answer at once. Within
the transaction of a caller who holds the locks of text and patients."""

from collections.abc import Sequence
from datetime import datetime

from messaging.models import InboundSms
from reminders.conversation import replies
from reminders.models import Cause, Patient
from reminders.understanding import Understood
from reminders.worklist.items import Finding, open_items


def tell_the_team(
    said: Understood, patients: Sequence[Patient], text: InboundSms, now: datetime
) -> None:
    """Open an urgent item for each whose phone it is, if there are signs in the text. Also for what
    was denied: a false alarm costs a call."""
    named = {match.what for match in said.matched if not match.negated}
    facts = {
        "text": str(text.id),
        "signs": [sign.value for sign in said.urgent],
        "denied": [sign.value for sign in said.urgent if f"urgent.{sign}" not in named],
    }
    if said.urgent:
        open_items((Finding(patient.id, Cause.URGENT_SIGN, facts) for patient in patients), now)


def answer(said: Understood, patients: Sequence[Patient], text: InboundSms, now: datetime) -> None:
    """Send the safety answers that the text's signs have, to its phone."""
    replies.send_safety(said.urgent, patients[0], text, now)
