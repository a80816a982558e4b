"""The outbox as its users see it: queue a text, cancel it, ask what became of it.

Called inside the transaction of the act that wants the text, so that the act and its text stand or
fall together. Nothing here speaks to the network.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from accounts.columns import array, columns
from messaging.models import Kind, Lane, Scope, Sms, SmsEvent
from messaging.segments import count_segments
from messaging.states import MAY_HAVE_LEFT, TAKEN, Finding, State


@dataclass(frozen=True)
class Text:
    """A text to be queued. Instants are aware; `to` is E.164; `dedup_key` names the one step of
    the one thing it is about, so that asking twice queues once.

    last_word: goes although the number has said stop: the one confirmation of that (FACTS, SMS
    law), and answers about danger."""

    scope: Scope
    owner_id: UUID
    about_id: UUID
    dedup_key: str
    to: str
    body: str
    available_at: datetime
    expires_at: datetime
    clinic_id: UUID | None = None
    kind: Kind = Kind.ONCE
    lane: Lane = Lane.ROUTINE
    asked_for: bool = False
    last_word: bool = False


def digest(body: str) -> str:
    """What two bodies are compared by: SHA-256, hexadecimal."""
    return hashlib.sha256(body.encode()).hexdigest()


def queue(texts: Iterable[Text], now: datetime) -> None:
    """Queue texts, in the caller's transaction. A key that is queued or sent already adds none."""
    rows = list(texts)
    if not rows:
        return
    # Of one morning's texts most have the words of another: each words once, and where they are.
    bodies = {body: place for place, body in enumerate(dict.fromkeys(row.body for row in rows), 1)}
    values = columns(rows, _ASKED) | {
        "words": array([bodies[row.body] for row in rows]),
        "bodies": array(bodies),
        "digests": array(map(digest, bodies)),
        "segments": array(map(count_segments, bodies)),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, values)


def cancel(about_ids: Collection[UUID]) -> list[Sms]:
    """Cancel what is queued about these, and wish it of what is on its way.

    One statement after the caller holds its own locks: a row that a claim holds is waited for, and
    then seen as it is. Answers the texts for which it was too late (they may reach the phone).
    """
    return _cancel_among(Sms.objects.filter(about_id__in=about_ids)) if about_ids else []


def cancel_of(owner_id: UUID) -> list[Sms]:
    """The same for all texts of one person."""
    return _cancel_among(Sms.objects.filter(owner_id=owner_id))


def is_queued_or_went(dedup_key: str) -> bool:
    """Whether there is a text for this step already: queueing it again would add none."""
    return Sms.objects.filter(dedup_key=dedup_key).exclude(state=State.CANCELLED).exists()


def texts_with(dedup_keys: Collection[str]) -> dict[str, Sms]:
    """The texts for these steps that are queued or went, by their keys."""
    found = Sms.objects.filter(dedup_key__in=dedup_keys).exclude(state=State.CANCELLED)
    return {sms.dedup_key: sms for sms in found}


def blank(about_ids: Collection[UUID]) -> None:
    """Forget the words of texts about these, as of codes that are used up. Cancel them before: one
    that could still go must not go blank."""
    Sms.objects.filter(about_id__in=about_ids).update(body="")


def waits(about_id: UUID) -> bool:
    """Whether a text about something is queued."""
    return Sms.objects.filter(about_id=about_id, state=State.QUEUED).exists()


def move(about_id: UUID, available_at: datetime, expires_at: datetime) -> None:
    """Let what is queued about something leave at another time."""
    Sms.objects.filter(about_id=about_id, state=State.QUEUED).update(
        available_at=available_at, expires_at=expires_at
    )


def readdress(owner_id: UUID, to: str, now: datetime) -> list[Sms]:
    """Cancel what is queued for this owner and queue it again to another number, in one go; and
    let what is under way go there too, should it come back.

    Answers the texts for which it was too late: they go, or went, to the former number.
    """
    waiting, doubtful = [State.QUEUED], [State.SENDING, State.UNKNOWN]
    rows = list(
        Sms.objects.select_for_update()
        .filter(owner_id=owner_id, state__in=_MAY_COME_BACK, cancel_wished=False)
        .order_by("id")
    )
    under_way = [row.id for row in rows if row.state not in waiting]
    Sms.objects.filter(id__in=under_way).update(
        next_to=Case(When(to=to, then=Value("")), default=Value(to))
    )
    elsewhere = [row for row in rows if row.to != to]
    queued = [row for row in elsewhere if row.state in waiting]
    _cancel(queued)
    queue((replace(_as_text(row), to=to) for row in queued), now)
    return [row for row in elsewhere if row.state in doubtful]


def texts_of(owner_id: UUID, scope: Scope) -> QuerySet[Sms]:
    """The texts of one person, for a page of them."""
    return Sms.objects.filter(owner_id=owner_id, scope=scope)


def texts_about(about_ids: Collection[UUID]) -> list[Sms]:
    """All texts about these, oldest first."""
    return list(Sms.objects.filter(about_id__in=about_ids).order_by("id"))


def left_between(owner_ids: Collection[UUID], keys: str, since: datetime, until: datetime) -> bool:
    """Whether a text to one of these people, whose key begins so, left (or may have) meanwhile."""
    return Sms.objects.filter(
        owner_id__in=owner_ids,
        dedup_key__startswith=keys,
        state__in=MAY_HAVE_LEFT,
        claimed_at__gt=since,
        claimed_at__lt=until,
    ).exists()


def in_doubt() -> QuerySet[Sms]:
    """Texts of which nobody knows whether they reached anybody: not yet, or never any more."""
    gave_up = SmsEvent.objects.filter(sms=OuterRef("pk"), status=Finding.USE_OVER)
    return Sms.objects.filter(Q(state=State.UNKNOWN) | Q(Exists(gave_up), state=State.EXPIRED))


def taken(sms_ids: Collection[UUID]) -> set[UUID]:
    """Which of these texts Twilio took and, as far as is known, carried (states.TAKEN)."""
    rows = Sms.objects.filter(id__in=sms_ids, state__in=TAKEN)
    return set(rows.values_list("id", flat=True))


def in_states(about_ids: Collection[UUID], states: Collection[State]) -> set[UUID]:
    """About which of these there is a text in one of these states."""
    if not about_ids:
        return set()
    rows = Sms.objects.filter(about_id__in=about_ids, state__in=states)
    return set(rows.values_list("about_id", flat=True))


def unasked_since(
    owner_ids: Collection[UUID], since: datetime, without: Collection[UUID] = ()
) -> list[tuple[UUID, datetime]]:
    """Whom we texted without being asked, and when, oldest first: what the limits count.

    The instant is when it left, or, while it waits, the first at which it can. What was cancelled,
    expired or suppressed didn't reach anybody and doesn't count; nor does what is still queued
    about `without`, for a caller who is to cancel it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _UNASKED,
            {
                "owners": array(owner_ids),
                "since": since,
                "counted": array([State.QUEUED, *MAY_HAVE_LEFT]),
                "without": array(without),
            },
        )
        return [
            (owner_id, datetime.fromtimestamp(seconds, UTC))
            for owner_id, seconds in cursor.fetchall()
        ]


def news(scope: Scope, most: int) -> Sequence[Sms]:
    """Texts that ended badly (states.NEWS), or of which that turned out to be wrong, and that
    their domain has not taken yet; locked until the caller's transaction ends, in which it does."""
    return list(
        Sms.objects.select_for_update(skip_locked=True)
        .filter(scope=scope, untaken=True)
        .order_by("id")[:most]
    )


def take(rows: Iterable[Sms]) -> None:
    """Mark news as taken."""
    Sms.objects.filter(id__in=[row.id for row in rows]).update(untaken=False)


# By SQL, for this is done for each text: Django's own takes several times as long.
_ASKED = (
    "scope", "lane", "kind", "clinic_id", "owner_id", "about_id", "dedup_key", "to", "asked_for",
    "last_word", "available_at", "expires_at",
)  # fmt: skip
# Keys sort by the instant at which they were made, and no text waits for weeks: so years of them
# aren't read. (A story may be played ahead of Postgres's clock, which makes the keys.)
_UNASKED = """
    SELECT owner_id, EXTRACT(EPOCH FROM leaves_at)::float8 FROM (
        SELECT owner_id, COALESCE(claimed_at, available_at) AS leaves_at FROM messaging_sms
        WHERE owner_id = ANY(%(owners)s::uuid[]) AND id >= (SELECT uuidv7(
                LEAST(%(since)s - statement_timestamp(), interval '0') - interval '30 days'))
            AND NOT asked_for
            AND state = ANY(%(counted)s::text[])
            AND NOT (state = 'queued' AND about_id = ANY(%(without)s::uuid[]))
    ) AS sms
    WHERE leaves_at >= %(since)s ORDER BY leaves_at
"""
_QUEUE = """
    INSERT INTO messaging_sms
        (id, scope, lane, kind, clinic_id, owner_id, about_id, dedup_key, "to", asked_for,
         last_word, available_at, expires_at, body, body_digest, segments, queued_at, state,
         cancel_wished, attempt, refusals, requeued, quiet_reads, account, untaken)
    SELECT uuidv7(), scope, lane, kind, clinic_id, owner_id, about_id, dedup_key, "to", asked_for,
        last_word, available_at, expires_at, (%(bodies)s::text[])[words],
        (%(digests)s::text[])[words], (%(segments)s::int[])[words], %(now)s::timestamptz, 'queued',
        false, 0, 0, false, 0, '', false
    FROM unnest(
        %(scope)s::text[], %(lane)s::text[], %(kind)s::text[], %(clinic_id)s::uuid[],
        %(owner_id)s::uuid[], %(about_id)s::uuid[], %(dedup_key)s::text[], %(to)s::text[],
        %(asked_for)s::bool[], %(last_word)s::bool[], %(available_at)s::timestamptz[],
        %(expires_at)s::timestamptz[], %(words)s::int[]
    ) AS new(scope, lane, kind, clinic_id, owner_id, about_id, dedup_key, "to", asked_for,
        last_word, available_at, expires_at, words)
    ON CONFLICT DO NOTHING
"""


# Twilio may give up what it has accepted.
_MAY_COME_BACK = [State.QUEUED, State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT]


def _cancel_among(texts: QuerySet[Sms]) -> list[Sms]:
    rows = list(texts.select_for_update().filter(state__in=_MAY_COME_BACK).order_by("id"))
    _cancel(rows)
    return [row for row in rows if row.state in (State.SENDING, State.UNKNOWN)]


def _cancel(rows: Sequence[Sms]) -> None:
    """Wish for the cancelling of rows that the caller has locked, and cancel those not claimed."""
    unclaimed = Q(state=State.QUEUED)
    Sms.objects.filter(id__in=[row.id for row in rows]).update(
        cancel_wished=True,
        state=Case(When(unclaimed, then=Value(State.CANCELLED)), default=F("state")),
        state_at=Case(When(unclaimed, then=Now()), default=F("state_at")),
    )


def _as_text(row: Sms) -> Text:
    return Text(
        scope=Scope(row.scope),
        owner_id=row.owner_id,
        about_id=row.about_id,
        dedup_key=row.dedup_key,
        to=row.to,
        body=row.body,
        available_at=row.available_at,
        expires_at=row.expires_at,
        clinic_id=row.clinic_id,
        kind=Kind(row.kind),
        lane=Lane(row.lane),
        asked_for=row.asked_for,
        last_word=row.last_word,
    )
