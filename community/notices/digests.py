"""Digests by e-mail: what a member may see at the moment it goes, in their words and language.

A look is claimed by its row and committed before anything is sent, so two workers send one digest,
and no transaction waits for a mail server. A digest that may have gone isn't sent again: a worker
that dies with it costs that mail, and what it would have told is in the next one, for notices are
marked only when the server has taken them.
"""

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from community.models import Channel, Contact, Notice
from community.notices.contacts import MAIL_AT, forget, make_code, off_link
from community.notices.hours import next_hour
from community.notices.telling import in_words, tellable
from community.notices.wording import words

log = logging.getLogger(__name__)

MOST_TOLD = 20
"""Notices in one digest; that there are more, it says."""

AGAIN = timedelta(minutes=15)
"""After the server took nothing, for certain."""


@dataclass(frozen=True)
class _Claimed:
    """A look that is ours. code: what to send instead of a digest, "" else."""

    contact_id: UUID
    code: str


def mail_members(now: datetime, most: int = 20) -> int:
    """Send up to `most` digests and codes that are due; answers for how many it looked."""
    claimed = _claim(now, most)
    if not claimed:
        return 0
    server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("the mail server can't be reached: %s", type(error).__name__)
        _again([one.contact_id for one in claimed], now)
        return 0
    try:
        for one in claimed:
            _mail(one, server, now)
    finally:
        server.close()
    return len(claimed)


def _claim(now: datetime, most: int) -> list[_Claimed]:
    with transaction.atomic():
        due = list(
            Contact.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(channel=Channel.MAIL, next_at__lte=now, persona__left_at__isnull=True)
            .select_related("persona")
            .order_by("next_at")[:most]
        )
        claimed = []
        for contact in due:
            code = ""
            if contact.confirmed_at is None:
                code, contact.next_at = make_code(contact, now), None
            else:
                zone = contact.persona.time_zone
                contact.next_at = next_hour(zone, MAIL_AT, now, contact.every_days)
            claimed.append(_Claimed(contact.id, code))
        Contact.objects.bulk_update(due, ["next_at", "code_digest", "code_until", "tries"])
    return claimed


def _again(contact_ids: list[UUID], now: datetime) -> None:
    """Look again soon: nothing was handed over."""
    Contact.objects.filter(id__in=contact_ids).exclude(address="").update(next_at=now + AGAIN)


def _mail(one: _Claimed, server: BaseEmailBackend, now: datetime) -> None:
    """Send one; what is told, and whether it is wanted still, is asked now, as late as can be."""
    contact = Contact.objects.select_related("persona").filter(id=one.contact_id).first()
    if contact is None or not contact.address or (contact.confirmed_at is None) != bool(one.code):
        return
    told: list[UUID] = []
    if one.code:
        subject, body = _code(contact, one.code)
    else:
        subject, body, told = _digest(contact)
        if not told:
            return
    message = EmailMessage(subject, body, to=[contact.address], connection=server)
    link = off_link(contact)
    message.extra_headers = {
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "Auto-Submitted": "auto-generated",
    }
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        if all(code >= 500 for code, _ in refused.recipients.values()):
            forget(contact.id)
        else:
            _again([contact.id], now)
    except smtplib.SMTPResponseException as refused:
        log.warning("contact %s: the mail server said %s", contact.id, refused.smtp_code)
        if refused.smtp_code < 500:
            _again([contact.id], now)
    except (OSError, smtplib.SMTPException) as error:
        # It may have gone.
        log.warning("contact %s: %s", contact.id, type(error).__name__)
    else:
        Notice.objects.filter(id__in=told).update(mailed_at=now)


def _code(contact: Contact, code: str) -> tuple[str, str]:
    said = words(contact.persona.language)["mail"]
    return said["code_subject"], said["code"].format(code=code) + "\n"


def _digest(contact: Contact) -> tuple[str, str, list[UUID]]:
    """Subject, body, and the notices in it; none: there is nothing to tell."""
    persona = contact.persona
    waiting = tellable().filter(persona=persona, read_at__isnull=True, mailed_at__isnull=True)
    newest = list(waiting.order_by("-id")[: MOST_TOLD + 1])
    told = in_words(newest[:MOST_TOLD], persona)
    said = words(persona.language)["mail"]
    lines = [said["begin"], "", *(f"- {one.words}" for one in told), ""]
    if len(newest) > MOST_TOLD:
        lines.append(said["more"])
    lines.append(said["see"].format(link=f"{settings.PUBLIC_URL}/community"))
    lines += ["", said["off"].format(link=off_link(contact))]
    return said["subject"], "\n".join(lines) + "\n", [one.notice.id for one in told]
