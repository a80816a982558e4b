"""What was put on a member by decisions, and holds now."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.refusals import Forbidden
from community.models import Persona, Sanction, SanctionKind


def in_force(persona: Persona, now: datetime) -> QuerySet[Sanction]:
    """The sanctions that hold at an instant, those that end last first."""
    return _holding(now).filter(persona=persona).order_by("-ends_at")


def suspensions(now: datetime) -> QuerySet[Sanction]:
    """Everybody's suspensions that hold at an instant."""
    return _holding(now).filter(kind=SanctionKind.SUSPEND)


def _holding(now: datetime) -> QuerySet[Sanction]:
    return Sanction.objects.filter(lifted_at__isnull=True, starts_at__lte=now, ends_at__gt=now)


def check_may_write(persona: Persona, now: datetime) -> None:
    """Nothing, if a member may have something published now; Forbidden else, with the end."""
    sanction = in_force(persona, now).first()
    if sanction is not None:
        raise Forbidden(
            "silenced",
            "You can read, but not post, until the time in `until`. You were told why, and how to "
            "appeal.",
            until=sanction.ends_at,
        )


def check_may_enter(persona: Persona, now: datetime) -> None:
    """Nothing, if a member may come in; Forbidden for one who is suspended."""
    suspended = suspensions(now).filter(persona=persona).order_by("-ends_at").first()
    if suspended is not None:
        raise Forbidden(
            "suspended",
            "You can't come in until the time in `until`. You were told why, and how to appeal.",
            until=suspended.ends_at,
        )
