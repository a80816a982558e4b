"""Other ways to hear than in the app: asked for by the member, confirmed by a code, and turned off
with one tap."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound
from community.members.locking import lock_persona
from community.models import Channel, Contact, Persona
from community.notices.hours import next_hour
from community.notices.wording import words
from messaging import inbound, outbox
from messaging.models import Kind, Lane, Scope
from messaging.numbers import read_number

CODE_LASTS = timedelta(hours=1)
"""E-mail may take a while."""
MOST_CODES = 3
"""Codes for one member and channel in a day: nobody's phone or mailbox is to be filled by us."""
DAY = timedelta(days=1)
MOST_TRIES = 5
EVERY = (1, 7)
"""Days between two digests."""
MAIL_AT = 9
"""The local hour of a digest."""

_LINK = signing.Signer(salt="community.off")


def contacts_of(persona: Persona) -> list[Contact]:
    """Where a persona hears, or asked to."""
    return list(Contact.objects.filter(persona=persona).exclude(address="").order_by("channel"))


def ask(
    persona: Persona,
    channel: Channel,
    address: str,
    every_days: int,
    actor: audit.Actor,
    now: datetime,
) -> Contact:
    """Ask to hear at an address. A code goes there; nothing else does before it was given back.

    Raises Invalid for an address that can't be one, and Conflict for a phone that said STOP to the
    community's texts, for too many codes in a day, and where no e-mail can be sent from here.
    """
    address = _address(channel, address)
    if every_days not in EVERY:
        raise Invalid("every_days", "Choose 1 (each day) or 7 (each week).", "every_days")
    with transaction.atomic():
        lock_persona(persona.id)
        contact, _ = Contact.objects.get_or_create(persona=persona, channel=channel)
        contact = Contact.objects.select_for_update(of=("self",)).get(id=contact.id)
        _count_code(contact, now)
        _end(contact)
        contact.address, contact.every_days = address, every_days
        if channel == Channel.SMS:
            _text_code(contact, persona, now)
        else:
            # Made and mailed by the next tick: mail is network, and this is a transaction.
            contact.next_at = now
        contact.save()
        audit.record(
            actor, "ask_to_hear", clinic_id=None, subject_id=persona.id, channel=channel.value
        )
    return contact


def confirm(
    persona: Persona, channel: Channel, code: str, actor: audit.Actor, now: datetime
) -> Contact:
    """Give the code back: from now on news goes there.

    Raises NotFound where nothing was asked for, Invalid for a wrong code, and Conflict for one that
    can't be used any more.
    """
    with transaction.atomic():
        contact = _lock(persona.id, channel)
        until = contact.code_until
        if not contact.code_digest or not until or until < now or contact.tries >= MOST_TRIES:
            raise Conflict("code_over", "This code can't be used any more. Ask for another.")
        right = constant_time_compare(_digest(contact, code), contact.code_digest)
        if right:
            contact.code_digest, contact.code_until, contact.confirmed_at = "", None, now
            contact.next_at = first_look(contact, persona, now)
            outbox.cancel([contact.id])
            outbox.blank([contact.id])
            audit.record(
                actor, "confirm_contact", clinic_id=None, subject_id=persona.id,
                channel=channel.value,
            )  # fmt: skip
        else:
            contact.tries += 1
        contact.save()
    if not right:
        raise Invalid("code", "We sent another code.", "code")
    return contact


def first_look(contact: Contact, persona: Persona, now: datetime) -> datetime | None:
    """When to look first for what there is to tell. A text waits for something to happen."""
    if contact.channel == Channel.SMS:
        return None
    return next_hour(persona.time_zone, MAIL_AT, now)


def turn_off(persona: Persona, channel: Channel, actor: audit.Actor) -> None:
    """Hear nothing more there; the address is forgotten. Raises NotFound where nobody hears."""
    with transaction.atomic():
        _turn_off(_lock(persona.id, channel), actor)


def off_link(contact: Contact) -> str:
    """The address of the page, and of the one-click POST (RFC 8058), that turns this off."""
    return f"{settings.PUBLIC_URL}/community/off/{_LINK.sign(str(contact.id))}"


def language_of_link(token: str) -> str:
    """The language of whom a link was made for. Raises NotFound for a link that isn't ours."""
    return _linked(token).persona.language


def turn_off_by_link(token: str) -> None:
    """As turn_off, by the link in an e-mail; again does nothing. Raises NotFound for a link that
    isn't ours."""
    with transaction.atomic():
        contact = _linked(token)
        locked = Contact.objects.select_for_update().get(id=contact.id)
        if locked.address:
            _turn_off(locked, audit.as_persona(contact.persona_id, ""))


def stop(numbers: list[str]) -> None:
    """Whoever has these numbers said STOP to the community's texts."""
    for contact in Contact.objects.select_for_update().filter(
        channel=Channel.SMS, address__in=numbers
    ).order_by("id"):  # fmt: skip
        _turn_off(contact, audit.CARRIER)


def forget(contact_id: UUID) -> None:
    """No mailbox has this address: nothing more goes there."""
    with transaction.atomic():
        contact = Contact.objects.select_for_update().get(id=contact_id)
        if contact.address:
            _turn_off(contact, audit.CLOCK)


def make_code(contact: Contact, now: datetime) -> str:
    """A new code for a locked contact, which the caller stores."""
    code = f"{secrets.randbelow(1_000_000):06}"
    contact.code_digest, contact.code_until = _digest(contact, code), now + CODE_LASTS
    contact.tries = 0
    return code


def _linked(token: str) -> Contact:
    try:
        id_ = UUID(_LINK.unsign(token))
    except (signing.BadSignature, ValueError):
        raise NotFound("link") from None
    contact = Contact.objects.select_related("persona").filter(id=id_).first()
    if contact is None:
        raise NotFound("link")
    return contact


def _lock(persona_id: UUID, channel: Channel) -> Contact:
    rows = Contact.objects.select_for_update().filter(persona=persona_id, channel=channel)
    contact = rows.exclude(address="").first()
    if contact is None:
        raise NotFound("contact")
    return contact


def _turn_off(contact: Contact, actor: audit.Actor) -> None:
    _end(contact)
    contact.address = ""
    contact.save()
    audit.record(
        actor, "turn_off", clinic_id=None, subject_id=contact.persona_id, channel=contact.channel
    )


def _end(contact: Contact) -> None:
    """What was on its way there is cancelled; codes are forgotten."""
    contact.code_digest, contact.code_until = "", None
    contact.confirmed_at = contact.next_at = contact.text_until = None
    outbox.cancel([contact.id])
    outbox.blank([contact.id])


def _count_code(contact: Contact, now: datetime) -> None:
    if contact.codes_from is None or now - contact.codes_from > DAY:
        contact.codes, contact.codes_from = 0, now
    if contact.codes >= MOST_CODES:
        raise Conflict("many_codes", "We have sent you several codes today. Try again tomorrow.")
    contact.codes += 1


def _address(channel: Channel, address: str) -> str:
    if channel == Channel.SMS:
        number = read_number(address, None)
        if number is None:
            raise Invalid(
                "number",
                "No phone has this number. Write it with its country, like +44 7911 123456.",
                "address",
            )
        if inbound.opted_out(Scope.COMMUNITY, [number]):
            raise Conflict(
                "stopped", "This phone said STOP to our texts. Text START to that number first."
            )
        return number
    if not settings.MAIL.host:
        raise Conflict("no_mail", "No e-mails are sent from here.")
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("address", "Write an e-mail address.", "address") from None
    return address


def _text_code(contact: Contact, persona: Persona, now: datetime) -> None:
    code = make_code(contact, now)
    said = words(persona.language)["text"]["code"]
    text = outbox.Text(
        scope=Scope.COMMUNITY,
        lane=Lane.ROUTINE,
        # None would be worse than two: a person waits for it.
        kind=Kind.REPEAT,
        owner_id=persona.id,
        about_id=contact.id,
        dedup_key=f"code:{contact.id}:{int(now.timestamp())}:{contact.codes}",
        to=contact.address,
        body=said.format(code=code),
        available_at=now,
        expires_at=now + CODE_LASTS,
        asked_for=True,
    )
    outbox.queue([text], now)


def _digest(contact: Contact, code: str) -> str:
    return salted_hmac(f"community.contact.{contact.id}", code, algorithm="sha256").hexdigest()
