"""Notices as they are told: only what the reader can see at that moment, in the reader's words.

The app, digests and texts all ask `tellable`, when they tell and not before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import audit
from accounts.refusals import Invalid
from community.members.locking import lock_persona
from community.members.names import name_of
from community.models import (
    Appeal,
    Bond,
    BondKind,
    Decision,
    LiveText,
    Notice,
    NoticeKind,
    Persona,
    Quiet,
    Reaction,
    Report,
)
from community.notices.wording import words
from community.notices.writing import PERSONAL

OF_TEXTS = (
    NoticeKind.REPLY,
    NoticeKind.FOLLOWED,
    NoticeKind.REACTION,
    NoticeKind.APPROVED,
    NoticeKind.MOVED,
)
"""Kinds that tell of a text, and aren't told while that can't be seen."""

MANY = 99
"""Unread ones are counted up to here."""


@dataclass(frozen=True)
class Told:
    """A notice in words. decision: what was decided about the reader, of a notice of that."""

    notice: Notice
    words: str
    decision: Decision | None = None


def tellable() -> QuerySet[Notice]:
    """The notices that may be told to their personas now: of texts that can be seen, whose author
    and whose thread's author neither is hidden from the reader by a block or a mute; of reactions
    that weren't taken back, of somebody who isn't hidden; and of kinds that the reader wants. In
    one query, for a reader or for many."""
    live = (
        LiveText.objects.filter(post=OuterRef("post"))
        .exclude(Exists(_hides("author")))
        .exclude(Exists(_hides("thread__author")))
    )
    reacted = Reaction.objects.filter(post=OuterRef("post")).exclude(Exists(_hides("persona")))
    unwanted = Quiet.objects.filter(persona=OuterRef("persona"), kind=OuterRef("kind"))
    return Notice.objects.filter(
        ~Q(kind__in=OF_TEXTS) | Exists(live),
        ~Q(kind=NoticeKind.REACTION) | Exists(reacted),
        Q(kind__in=PERSONAL) | ~Exists(unwanted),
    )


def _hides(author: str) -> QuerySet[Bond]:
    """Bonds that hide whoever wrote a text, or reacted to one, from the reader of a notice."""
    reader = OuterRef(OuterRef("persona"))
    return Bond.objects.filter(
        Q(persona=reader, other=OuterRef(author))
        | Q(persona=OuterRef(author), other=reader, kind=BondKind.BLOCK)
    )


def notices_of(persona: Persona) -> QuerySet[Notice]:
    """What a persona may be told now, for a page of it."""
    return tellable().filter(persona=persona)


def unread(persona: Persona) -> int:
    """How many of them are unread, but at most MANY + 1: which stands for more."""
    return len(notices_of(persona).filter(read_at__isnull=True).values("id")[: MANY + 1])


def mark_read(persona: Persona, up_to: UUID, now: datetime) -> None:
    """Mark a persona's notices as read, up to this one by age."""
    mine = Notice.objects.filter(persona=persona, id__lte=up_to, read_at__isnull=True)
    mine.update(read_at=now)


def quiet_kinds(persona: Persona) -> list[str]:
    """The kinds of which a persona doesn't want to be told."""
    return sorted(Quiet.objects.filter(persona=persona).values_list("kind", flat=True))


def set_quiet(persona: Persona, kinds: Sequence[NoticeKind], actor: audit.Actor) -> list[str]:
    """Let these be the kinds of which a persona isn't told, in the app or elsewhere.

    Raises Invalid for one that can't be turned off: what is decided about somebody is theirs to
    know.
    """
    fixed = sorted(set(kinds) & PERSONAL)
    if fixed:
        raise Invalid("kind", f"This can't be turned off: {', '.join(fixed)}.", "quiet")
    with transaction.atomic():
        lock_persona(persona.id)
        Quiet.objects.filter(persona=persona).exclude(kind__in=kinds).delete()
        Quiet.objects.bulk_create(
            [Quiet(persona=persona, kind=kind) for kind in sorted(set(kinds))],
            ignore_conflicts=True,
        )
        audit.record(
            actor, "set_quiet", clinic_id=None, subject_id=persona.id, kinds=sorted(set(kinds))
        )
    return quiet_kinds(persona)


def in_words(notices: Sequence[Notice], reader: Persona) -> list[Told]:
    """Notices in the reader's language, in a fixed number of queries. One whose text went away
    since it was asked for is left out."""
    said = words(reader.language)
    texts = _texts(notices)
    titles = _titles(notices)
    decisions = _decisions(notices)
    reports = Report.objects.in_bulk([n.report_id for n in notices if n.report_id])
    told = []
    for notice in notices:
        kind, facts = str(notice.kind), {}
        if kind in OF_TEXTS:
            text = texts.get(notice.post_id)
            if text is None or text.thread_id not in titles:
                continue
            who = name_of(text.author, reader.language)
            facts = {"who": who, "title": titles[text.thread_id]}
            if kind == NoticeKind.MOVED and not text.opens:
                kind = "merged"
        elif kind == NoticeKind.REPORT:
            kind = f"report_{reports[notice.report_id].outcome}" if notice.report_id else ""
        elif notice.decision_id is not None:
            kind = _kind_of(notice, decisions[notice.decision_id])
        sentence = said["notice"].get(kind)
        if sentence is None:
            continue
        of_one = notice.kind == NoticeKind.DECISION and notice.decision_id is not None
        decision = decisions[notice.decision_id] if of_one else None
        told.append(Told(notice, sentence.format(**facts), decision))
    return told


def _texts(notices: Sequence[Notice]) -> dict[UUID | None, LiveText]:
    posts = [notice.post_id for notice in notices if notice.kind in OF_TEXTS]
    rows = LiveText.objects.filter(post__in=posts).select_related("author")
    return {row.post_id: row for row in rows}


def _titles(notices: Sequence[Notice]) -> dict[UUID, str]:
    posts = [notice.post_id for notice in notices if notice.kind in OF_TEXTS]
    threads = LiveText.objects.filter(post__in=posts).values("thread")
    openers = LiveText.objects.filter(thread__in=threads, opens=True)
    return dict(openers.values_list("thread_id", "title"))


def _decisions(notices: Sequence[Notice]) -> dict[UUID | None, Decision]:
    ids = [notice.decision_id for notice in notices if notice.decision_id]
    return {row.id: row for row in Decision.objects.filter(id__in=ids).select_related("appeal")}


def _kind_of(notice: Notice, decision: Decision) -> str:
    if notice.kind == NoticeKind.APPEAL:
        appeal: Appeal | None = getattr(decision, "appeal", None)
        return "appeal_upheld" if appeal is not None and appeal.upheld else "appeal_not_upheld"
    return "decision_post" if decision.post_id else "decision_you"
