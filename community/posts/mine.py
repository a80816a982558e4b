"""A member's own posts, in whatever state: they alone read their revisions here."""

from uuid import UUID

from django.db.models import F, QuerySet

from accounts.refusals import NotFound
from community.models import Persona, PostState, Revision


def my_posts(persona: Persona, before: UUID | None = None) -> QuerySet[Revision]:
    """The newest revision of each of a persona's posts, with the post, those begun last first;
    before: the id of a post after which to begin."""
    mine = (
        Revision.objects.filter(post__author=persona, number=F("post__latest"))
        .exclude(post__state=PostState.ERASED)
        .select_related("post__thread", "post__published")
        .order_by("-post_id")
    )
    return mine.filter(post__lt=before) if before else mine


def my_post(persona: Persona, post_id: UUID) -> Revision:
    """The newest revision of one's own post; NotFound for another's."""
    found = my_posts(persona).filter(post=post_id).first()
    if found is None:
        raise NotFound("post")
    return found
