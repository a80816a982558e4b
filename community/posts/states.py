"""The states of a post, and the one function that moves it. The database holds the same arrows.

An edit that waits moves nothing: the approved text stays to be seen meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F

from accounts import audit
from community.models import Post, PostState, Revision

S = PostState

ARROWS: dict[PostState, frozenset[PostState]] = {
    S.PENDING: frozenset({S.PUBLISHED, S.CHANGES_REQUESTED, S.REJECTED, S.WITHDRAWN}),
    S.PUBLISHED: frozenset({S.HIDDEN, S.CHANGES_REQUESTED, S.REMOVED, S.WITHDRAWN}),
    S.HIDDEN: frozenset({S.PUBLISHED, S.CHANGES_REQUESTED, S.REMOVED, S.WITHDRAWN}),
    # The author wrote it anew, or asked a person to look at it.
    S.BLOCKED: frozenset({S.PUBLISHED, S.PENDING, S.WITHDRAWN}),
    S.CHANGES_REQUESTED: frozenset({S.PUBLISHED, S.PENDING, S.WITHDRAWN}),
    # By an upheld appeal.
    S.REJECTED: frozenset({S.PUBLISHED, S.WITHDRAWN}),
    S.REMOVED: frozenset({S.PUBLISHED}),
    S.WITHDRAWN: frozenset(),
    S.ERASED: frozenset(),
}
"""From any of them a post may also be erased."""


def can_move(post: Post, to: PostState) -> bool:
    """Whether an arrow leads there."""
    state = PostState(post.state)
    return to in ARROWS[state] or (to == S.ERASED and state != S.ERASED)


def move(
    post: Post, to: PostState, actor: audit.Actor, now: datetime, revision: Revision | None
) -> None:
    """Take a locked post along an arrow (or along none, where it is there already), store it, and
    write it down: folding these rows gives the state. revision: the one that is, or would be, seen.

    What can be seen is the caller's to set afterwards (visibility.py), in the same transaction.
    """
    before = post.state
    post.version += 1
    if before == to and post.published == revision:
        post.save(update_fields=["version", "latest", "crisis"])
        return
    post.state, post.published = to, revision
    if before != to:
        post.state_at = now
    moved = ["state", "state_at", "published", "published_at", "version", "latest", "crisis"]
    post.save(update_fields=moved)
    write_down(post, before, actor)


def erase_all(posts: Sequence[Post], actor: audit.Actor, now: datetime) -> None:
    """Erase locked posts: nothing of them is seen again, and each is written down."""
    before: dict[str, list[UUID]] = {}
    for post in posts:
        before.setdefault(post.state, []).append(post.id)
    Post.objects.filter(id__in=[post.id for post in posts]).update(
        state=S.ERASED, state_at=now, published=None, version=F("version") + 1
    )
    for state, ids in before.items():
        audit.record_each(
            actor,
            "move_post",
            clinic_id=None,
            subject_ids=ids,
            **{"from": state},
            to=S.ERASED.value,
            revision=None,
        )


def write_down(post: Post, before: str, actor: audit.Actor) -> None:
    """One audit row for a transition: ids alone, and the digest of what is seen."""
    audit.record(
        actor,
        "move_post",
        clinic_id=None,
        subject_id=post.id,
        **{"from": before},
        to=post.state,
        revision=str(post.published_id) if post.published_id else None,
    )
