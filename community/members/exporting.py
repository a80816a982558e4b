"""Everything of a member's, for themselves: one JSON document, written as it is read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F

from accounts import audit
from community.members.bonds import bonds_of
from community.members.profile import profile_of
from community.models import (
    Appeal,
    Contact,
    Decision,
    Draft,
    Follow,
    Persona,
    Quiet,
    Reaction,
    ReadMark,
    Report,
    Revision,
    Sanction,
    SharedPost,
)
from community.notices.telling import notices_of

Rows = Iterable[Mapping[str, object]]

ROWS = 500
"""Read at a time."""


def export(persona: Persona, actor: audit.Actor, now: datetime) -> Iterator[str]:
    """All that is a member's, in pieces of one JSON object: {"made_at", "profile", and a list for
    each name of `_lists`}. Nobody else's words are in it, but what moderators wrote to them."""
    audit.record(actor, "export", clinic_id=None, subject_id=persona.id)
    return _written(persona, now)


def _written(persona: Persona, now: datetime) -> Iterator[str]:
    about = {
        "id": persona.id,
        "pseudonym": persona.pseudonym,
        "role": persona.role,
        "joined_at": persona.joined_at,
        "accepted_rules": persona.accepted_rules,
        **vars(profile_of(persona)),
    }
    yield f'{{"made_at": {_json(now)}, "profile": {_json(about)}'
    for name, rows in _lists(persona).items():
        yield f', "{name}": ['
        for number, row in enumerate(rows):
            yield f"{', ' if number else ''}{_json(row)}"
        yield "]"
    yield "}"


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _lists(me: Persona) -> dict[str, Rows]:
    """The lists of an export, by name."""
    return {
        "texts": (_text(one, me) for one in _texts(me).iterator(ROWS)),
        "drafts": Draft.objects.filter(persona=me).values(
            "space", "thread", "title", "body", "tags", "saved_at"
        ),
        "reactions": Reaction.objects.filter(persona=me)
        .values("post", "kind", "created_at")
        .iterator(ROWS),
        "follows": Follow.objects.filter(persona=me).values("thread").iterator(ROWS),
        "read": ReadMark.objects.filter(persona=me).values("thread", "read_to").iterator(ROWS),
        "bonds": bonds_of(me).values("other", "kind", pseudonym=F("other__pseudonym")),
        "contacts": Contact.objects.filter(persona=me).values(
            "channel", "address", "confirmed_at", "every_days"
        ),
        "notices": notices_of(me).values("kind", "thread", "post", "at", "read_at").iterator(ROWS),
        "quiet": Quiet.objects.filter(persona=me).values("kind"),
        "decisions": (_decision(one) for one in _decisions(me).iterator(ROWS)),
        "sanctions": Sanction.objects.filter(persona=me).values(
            "kind", "starts_at", "ends_at", "lifted_at"
        ),
        "appeals": Appeal.objects.filter(by=me).values(
            "decision", "words", "at", "upheld", "answer", "decided_at"
        ),
        "reports": Report.objects.filter(reporter=me)
        .values("post", "reason", "words", "at", "outcome", "decided_at")
        .iterator(ROWS),
        "shared": SharedPost.objects.filter(persona=me).values("post", "shared_at", "revoked_at"),
    }


def _texts(me: Persona) -> Any:
    return (
        Revision.objects.filter(post__author=me)
        .select_related("post")
        .order_by("post_id", "number")
    )


def _text(revision: Revision, me: Persona) -> dict[str, Any]:
    post = revision.post
    return {
        "post": post.id,
        "thread": post.thread_id,
        "opens": post.opens,
        "state": post.state,
        "published_at": post.published_at,
        "number": revision.number,
        "is_published": revision.id == post.published_id,
        "by_you": revision.by_id == me.id,
        "language": revision.language,
        "title": revision.title,
        "body": revision.body,
        "tags": revision.tags,
        "verdict": revision.verdict,
        "written_at": revision.at,
    }


def _decisions(me: Persona) -> Any:
    return Decision.objects.filter(about=me).order_by("id")


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "post": decision.post_id,
        "measures": [measure["kind"] for measure in decision.measures],
        "reason": decision.reason,
        "words": decision.words,
        "at": decision.at,
        "appeal_until": decision.appeal_until,
        "overturned_at": decision.overturned_at,
    }
