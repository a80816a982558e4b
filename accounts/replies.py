"""Replies kept for requests that are repeated with the same Idempotency-Key."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import KeptReply
from accounts.refusals import Conflict, Invalid, Refusal

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Reply:
    """What a request was answered: a status below 500 and a body that JSON can hold."""

    status: int
    body: Any


def once(
    owner_id: UUID, route: str, key: str, request_body: Any, act: Callable[[], Reply]
) -> Reply:
    """Act, and keep the reply in the act's own transaction; or answer as a first request with this
    key was answered, without acting again. Two at once take turns.

    owner_id: the user's or persona's; route: the path, with what it names; permission must have
    been checked, for a kept reply is shown without a further look. Raises Invalid for a key that
    can't be one, and Conflict if the key was used for another body. A refusal is not kept: nothing
    was done, so it may be retried. What the verb wrote down beside its refusal stays, as it does
    without a key: the words as a draft, the case of somebody in danger.
    """
    if not (1 <= len(key) <= 128 and key.isprintable() and key.isascii()):
        raise Invalid("idempotency_key", "Send 1 to 128 visible ASCII characters as the key.")
    digest = hashlib.sha256(json.dumps(request_body, sort_keys=True).encode()).hexdigest()
    with transaction.atomic():
        KeptReply.objects.filter(
            owner_id=owner_id, route=route, key=key, created_at__lt=Now() - KEPT_FOR
        ).delete()
        KeptReply.objects.bulk_create(
            [KeptReply(owner_id=owner_id, route=route, key=key, body_digest=digest)],
            ignore_conflicts=True,
        )
        kept = KeptReply.objects.select_for_update().get(owner_id=owner_id, route=route, key=key)
        if kept.body_digest != digest:
            raise Conflict(
                "idempotency_key_reused",
                "This Idempotency-Key was used with another body. Choose a new key.",
            )
        if kept.status:
            return Reply(kept.status, kept.reply)
        try:
            reply = act()
        except Refusal as refusal:
            # Raised below: here it would take back what the verb wrote down beside it.
            refused = refusal
            kept.delete()
        else:
            kept.status, kept.reply = reply.status, reply.body
            kept.save(update_fields=["status", "reply"])
            return reply
    raise refused


def forget_replies() -> None:
    """Forget replies older than a day."""
    KeptReply.objects.filter(created_at__lt=Now() - KEPT_FOR).delete()
