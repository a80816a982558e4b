"""Texts to members who asked for them: that there is something new, and never what.

At most one a day, between 8 and 21 by their clock, and only while there is something that they can
see: a text that waits is taken back when what it was about is gone.

By the next tick, two seconds later, and not by whoever hides: a post goes in many ways (withdrawn,
hidden, removed, erased, with its thread, by a block, a mute or a choice), and one text tells of
several notices, so that each of these would have to look what is left for each who was told. A text
that was claimed for posting can't be cancelled anyway, for longer than that (claim.WINDOW). The one
that leaves so says only that there is something new; who looks finds what they may see.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import audit
from community.models import Channel, Contact, Notice
from community.notices.contacts import stop
from community.notices.hours import FIRST, awake_until, next_hour
from community.notices.telling import tellable
from community.notices.wording import words
from messaging import inbound, outbox
from messaging.models import Scope
from messaging.states import State
from messaging.vocabulary import CarrierWord

TEXT_LASTS = timedelta(minutes=15)
"""What couldn't leave by then isn't news any more; the next day's is."""


def text_members(now: datetime, most: int = 100) -> int:
    """Hear who said STOP, take back what is about nothing any more, and text up to `most` members
    of whom something waits; answers for how many of them it looked."""
    _hear(now, most)
    _take_back(now, most)
    return _text(now, most)


def _hear(now: datetime, most: int) -> None:
    """What members text back is nobody's to read, but for STOP, which ends it."""
    with transaction.atomic():
        texts = inbound.untaken(Scope.COMMUNITY, most)
        stopped = [text.number for text in texts if text.carrier_word == CarrierWord.STOP]
        if stopped:
            stop(stopped)
        inbound.take_inbound(texts, now)
        outbox.take(outbox.news(Scope.COMMUNITY, most))


def _take_back(now: datetime, most: int) -> None:
    """Cancel texts that wait while nothing that they tell of can be seen, or is unread, still."""
    with transaction.atomic():
        about = _waiting(texted_at__gte=now - TEXT_LASTS, persona=OuterRef("persona"))
        waiting = list(
            Contact.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(text_until__isnull=False)
            .annotate(alive=Exists(about))
            .order_by("text_until")[:most]
        )
        queued = outbox.in_states([contact.id for contact in waiting], [State.QUEUED])
        dead = [contact for contact in waiting if contact.id in queued and not contact.alive]
        too_late = {text.about_id for text in outbox.cancel([contact.id for contact in dead])}
        for contact in waiting:
            if contact in dead and contact.id not in too_late:
                # Nothing was told today, so that something else may be.
                contact.next_at = None
            if contact in dead or contact.id not in queued:
                contact.text_until = None
        Contact.objects.bulk_update(waiting, ["text_until", "next_at"])


def _text(now: datetime, most: int) -> int:
    with transaction.atomic():
        due = list(
            Contact.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(channel=Channel.SMS, next_at__lte=now, confirmed_at__isnull=False)
            .filter(persona__left_at__isnull=True)
            .select_related("persona")
            .annotate(news=Exists(_waiting(texted_at__isnull=True, persona=OuterRef("persona"))))
            .order_by("next_at")[:most]
        )
        texts, told = [], []
        for contact in due:
            zone = contact.persona.time_zone
            until = awake_until(zone, now)
            if not contact.news:
                contact.next_at = None
            elif until is None:
                contact.next_at = next_hour(zone, FIRST, now)
            else:
                contact.next_at = next_hour(zone, FIRST, now)
                contact.text_until = min(until, now + TEXT_LASTS)
                texts.append(_as_text(contact, now, contact.text_until))
                told.append(contact)
        Contact.objects.bulk_update(due, ["next_at", "text_until"])
        personas = [contact.persona_id for contact in told]
        _waiting(texted_at__isnull=True, persona__in=personas).update(texted_at=now)
        outbox.queue(texts, now)
        if told:
            ids = [str(contact.id) for contact in told]
            audit.record(audit.CLOCK, "text_members", clinic_id=None, subject_id=None, contacts=ids)
    return len(due)


def _waiting(**which: object) -> QuerySet[Notice]:
    """Notices that may be told now and are unread."""
    return tellable().filter(read_at__isnull=True, **which)


def _as_text(contact: Contact, now: datetime, until: datetime) -> outbox.Text:
    link = f"{settings.PUBLIC_URL}/community"
    return outbox.Text(
        scope=Scope.COMMUNITY,
        owner_id=contact.persona_id,
        about_id=contact.id,
        # One a day: the instant of tomorrow's look names the day of the member's own.
        dedup_key=f"news:{contact.id}:{contact.next_at:%Y%m%d}",
        to=contact.address,
        body=words(contact.persona.language)["text"]["news"].format(link=link),
        available_at=now,
        expires_at=until,
    )
