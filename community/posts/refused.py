"""What was refused is not lost: its words are kept as a draft, and a sign of danger in them is
heard, whatever was wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.refusals import Refusal
from community.crisis_help import Help, help_for
from community.models import Persona
from community.moderation.words import hear
from community.posts.drafts import keep_draft
from community.posts.judging import Writing
from community.posts.limits import HEARD

KEPT = "Your words are kept as a draft."


@contextmanager
def not_lost(
    author_id: UUID,
    writing: Writing,
    actor: audit.Actor,
    now: datetime,
    *,
    space_id: UUID | None = None,
    thread_id: UUID | None = None,
) -> Iterator[None]:
    """One transaction that writes something. If it is refused, a sign of danger in the words calls
    a person, and the refusal holds `help`; and for a space or a thread they are kept as a draft,
    which the refusal says."""
    try:
        with transaction.atomic():
            yield
    except Refusal as refusal:
        words = f"{writing.title}\n{writing.body}" if writing.title else writing.body
        help_ = hear_refused(author_id, words, actor, now)
        if help_ is not None:
            refusal.facts["help"] = help_
        draft_of_one = space_id is not None or thread_id is not None
        if draft_of_one and keep_draft(
            author_id, writing, now, space_id=space_id, thread_id=thread_id
        ):
            refusal.message = f"{refusal.message} {KEPT}"
        raise


def hear_refused(author_id: UUID, words: str, actor: audit.Actor, now: datetime) -> Help | None:
    """Listen to words that could not be taken, as far as HEARD: where there is a sign of danger in
    them a person is called, and their author is to see this help at once. None of who has left."""
    with transaction.atomic():
        there = Persona.objects.select_for_update(no_key=True).filter(left_at__isnull=True)
        author = there.filter(id=author_id).first()
        if author is None:
            return None
        heard = hear(author, words[:HEARD], "refused", actor, now)
    return help_for(author.language, author.time_zone) if heard.crisis else None
