"""The numbers that we send from."""

import re

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.refusals import Conflict, Invalid
from messaging.models import E164, Lane, Scope, Sender


def add_sender(
    actor: audit.Actor,
    *,
    account: str,
    number: str,
    scope: Scope,
    lane: Lane,
    rate: float,
    standby: bool = False,
) -> Sender:
    """Add a number to send from, or change its account, lane, pace (segments a second) and whether
    it stands by: then it sends only while no sender of the first line can, and only once a text to
    it has reached us, or what people answer to it would be lost.

    Raises Invalid for what Twilio or the settings don't know, and Conflict for another scope: a
    number's answers and opt-outs belong to the scope that it began with.
    """
    if account not in settings.TWILIO_ACCOUNTS:
        raise Invalid("unknown_account", "This account isn't in TWILIO_ACCOUNTS.", "account")
    if not re.fullmatch(E164, number):
        raise Invalid("not_e164", "Write the number as +447700900123.", "number")
    if not 0 < rate <= 10_000:
        raise Invalid("rate", "Give a pace above 0 and up to 10000 segments a second.", "rate")
    with transaction.atomic():
        sender, new = Sender.objects.select_for_update().get_or_create(
            number=number,
            defaults={"account": account, "scope": scope},
        )
        if sender.scope != scope:
            raise Conflict(
                "other_scope", f"This number is a sender of scope {sender.scope}.", "scope"
            )
        sender.account, sender.lane, sender.rate, sender.standby = account, lane, rate, standby
        sender.save(update_fields=["account", "lane", "rate", "standby"])
        audit.record(
            actor,
            "add_sender" if new else "change_sender",
            clinic_id=None,
            subject_id=sender.id,
            lane=lane,
            rate=rate,
            standby=standby,
        )
    return sender
