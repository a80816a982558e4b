"""Texts for tests of messaging: queue one, and look at what became of it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from messaging import outbox
from messaging.models import Scope, Sms

NUMBER = "+447700900123"

_keys = count()


def now() -> datetime:
    return datetime.now(UTC)


def queue_text(to: str = NUMBER, body: str = "Monday: your injection.", **other: Any) -> UUID:
    """Queue one text that is due and of use for an hour; its id."""
    [sms_id] = queue_texts([to], body, **other)
    return sms_id


def queue_texts(
    numbers: list[str], body: str = "Monday: your injection.", **other: Any
) -> list[UUID]:
    """Queue one text to each number; their ids, in the same order."""
    instant = now()
    texts = [
        outbox.Text(
            **{
                "scope": Scope.CARE,
                "owner_id": uuid4(),
                "about_id": uuid4(),
                "dedup_key": f"test:{next(_keys)}",
                "to": number,
                "body": body,
                "available_at": instant - timedelta(seconds=1),
                "expires_at": instant + timedelta(hours=1),
            }
            | other
        )
        for number in numbers
    ]
    outbox.queue(texts, instant)
    keys = [text.dedup_key for text in texts]
    wanted = Sms.objects.filter(dedup_key__in=keys).exclude(state="cancelled")
    found = dict(wanted.values_list("dedup_key", "id"))
    return [found[key] for key in keys]


def get(sms_id: UUID) -> Sms:
    return Sms.objects.get(id=sms_id)


def state(sms_id: UUID) -> str:
    return get(sms_id).state
