"""Ada's dose of Monday is asked about, and phones answer."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

from messaging import inbound
from messaging.models import Sms
from reminders.conversation import hearing
from reminders.models import Dose, WorkItem
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, Cast

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
_sids = count()


def ask(cast: Cast) -> None:
    """Ada's dose of Monday is due, and her reminder is queued."""
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    plan_doses(NINE)


def write(cast: Cast, body: str, at: datetime = NINE + timedelta(minutes=5), number="") -> None:
    """A text comes in, and is handled."""
    sid = f"SM{next(_sids):032}"
    assert inbound.store(cast.sender, sid, number or cast.ada.number, body, at)
    assert hearing.hear(at) == 1


def dose_of(cast: Cast, day: date = MONDAY) -> Dose:
    return Dose.objects.get(schedule__patient=cast.ada, date=day)


def answers() -> list[str]:
    """Bodies of our answers, oldest first."""
    return list(
        Sms.objects.filter(dedup_key__startswith="answer:")
        .order_by("id")
        .values_list("body", flat=True)
    )


def causes() -> set[str]:
    return set(WorkItem.objects.filter(closed_at=None).values_list("cause", flat=True))
