"""Forgetting whose texts they were: of somebody who left nothing is kept by which they, or their
phone, could be found."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from messaging import outbox
from messaging.models import MAY_HAVE_LEFT_ANOTHER, Sms
from messaging.states import State

NOBODY = UUID(int=0)
"""Whose the texts are then."""

NO_NUMBER = "+1000000"
"""Where they went: in the form of a number, and nobody's (numbers of the US have ten figures)."""

DAY = timedelta(days=1)

_NOBODYS = {
    "owner_id": NOBODY,
    "about_id": NOBODY,
    # Which may name what the text was about; it has to be one of a kind.
    "dedup_key": Concat(Value("forgotten:"), Cast(F("id"), TextField())),
}

_UNDER_WAY = Q(state__in=[State.QUEUED, State.SENDING, State.UNKNOWN])


def forget_of(owner_id: UUID) -> None:
    """Cancel what waits for somebody, and forget that any text was theirs: words, number, and what
    it was about. Rows stay, for they are counted.

    What is under way, or may have left without our hearing of it, keeps its words and its number,
    by which settling finds out what became of it: nothing says whose they are, and a day after it
    ended `forget_what_ended` takes them too.
    """
    outbox.cancel_of(owner_id)
    theirs = Sms.objects.filter(owner_id=owner_id)
    # First those that it leaves, for afterwards nothing tells them from others.
    _blank(theirs.exclude(_UNDER_WAY | MAY_HAVE_LEFT_ANOTHER))
    theirs.update(**_NOBODYS)


def forget_what_ended(now: datetime) -> None:
    """Forget words and numbers of nobody's texts that ended a day ago."""
    ended = Sms.objects.filter(owner_id=NOBODY, state_at__lt=now - DAY).exclude(to=NO_NUMBER)
    _blank(ended.exclude(_UNDER_WAY))


def _blank(texts: QuerySet[Sms]) -> None:
    texts.update(**_NOBODYS, to=NO_NUMBER, next_to="", body="", body_digest="")
