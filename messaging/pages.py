"""What pages have in common, whomever they call: rungs, how long a page is of use, what is lost.

Who is on duty, what is due and what a page says belongs to the domains.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Q

from messaging import outbox
from messaging.states import NEWS, State

LEAST_USE = timedelta(minutes=3)
"""How long a page may wait at least for a sender: longer than silence is kept from being an alarm,
or nobody would hear that there is none."""

LOST = frozenset(NEWS - {State.EXPIRED})
"""Ends of a page that reached no phone. One that expired was followed by the next."""


class OnRung(Protocol):
    """A duty."""

    rung: int


Duty = TypeVar("Duty", bound=OnRung)


@dataclass(frozen=True)
class Stuck:
    """What is in the way of a page (a case, an item, a text, a duty), by its id, and since when."""

    id: UUID
    since: datetime


def in_force(now: datetime) -> Q:
    """The duties whose starts_at and ends_at hold an instant; null is no beginning, no end."""
    begun = Q(starts_at__isnull=True) | Q(starts_at__lte=now)
    return begun & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))


def lost(about_ids: Collection[UUID]) -> list[Stuck]:
    """The latest page about each of these to each phone, where it didn't reach it."""
    latest = {(page.about_id, page.to): page for page in outbox.texts_about(about_ids)}
    return [Stuck(page.id, page.state_at) for page in latest.values() if page.state in LOST]


def climb(rung: int, rota: Sequence[Duty]) -> tuple[int, list[Duty]]:
    """The next rung of a rota above this one and who is on it; past the last one everybody."""
    above = [duty.rung for duty in rota if duty.rung > rung]
    higher = min(above, default=rung + 1)
    return higher, [duty for duty in rota if not above or duty.rung == higher]
