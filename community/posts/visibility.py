"""What can be seen: the only place where LiveText, LiveThread and LiveTag are written and deleted.

The caller holds the thread's lock and has moved the post before; what is shown follows from that.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from community.models import LiveTag, LiveText, LiveThread, Post, PostState, Thread

# One statement for one post and for a whole thread. The copies are those of the published
# revisions; the counters are counted, so that they are right after a time of not being seen.
_SHOW = """
    INSERT INTO community_livetext
        (post_id, revision_id, thread_id, space_id, author_id, opens, language, title, body, tags,
         advice, edited, search, published_at, hugs, same, helped)
    SELECT post.id, revision.id, post.thread_id, thread.space_id, post.author_id, post.opens,
           revision.language, revision.title, revision.body, revision.tags, revision.advice,
           revision.number > 1,
           setweight(to_tsvector(config.name, revision.title), 'A')
               || to_tsvector(config.name, revision.body),
           post.published_at,
           count(reaction) FILTER (WHERE reaction.kind = 'hugs'),
           count(reaction) FILTER (WHERE reaction.kind = 'same'),
           count(reaction) FILTER (WHERE reaction.kind = 'helped')
    FROM community_post post
    JOIN community_thread thread ON thread.id = post.thread_id
    JOIN community_revision revision ON revision.id = post.published_id
    CROSS JOIN LATERAL (
        SELECT CASE revision.language {configs} ELSE 'simple' END::regconfig
    ) config (name)
    LEFT JOIN community_reaction reaction ON reaction.post_id = post.id
    WHERE post.state = 'published' AND {which}
    GROUP BY post.id, thread.id, revision.id, config.name
    ON CONFLICT (post_id) DO UPDATE SET
        revision_id = EXCLUDED.revision_id, language = EXCLUDED.language, title = EXCLUDED.title,
        body = EXCLUDED.body, tags = EXCLUDED.tags, advice = EXCLUDED.advice,
        edited = EXCLUDED.edited, search = EXCLUDED.search
    RETURNING old.post_id IS NULL
"""

_COUNT_AGAIN = """
    WITH counted AS (
        UPDATE community_livethread live SET
            replies = seen.replies, active_at = newest.at, active_by_id = newest.by
        FROM (
            SELECT thread_id, count(*) FILTER (WHERE NOT opens) AS replies
            FROM community_livetext WHERE thread_id = ANY(%s::uuid[]) GROUP BY thread_id
        ) seen CROSS JOIN LATERAL (
            SELECT published_at AS at, author_id AS by FROM community_livetext text
            WHERE text.thread_id = seen.thread_id ORDER BY published_at DESC, post_id DESC LIMIT 1
        ) newest
        WHERE seen.thread_id = live.thread_id
        RETURNING live.thread_id, live.active_at
    )
    UPDATE community_livetag tag SET active_at = counted.active_at
    FROM counted WHERE counted.thread_id = tag.thread_id
"""

_MOVED_ON = """
    WITH newest AS (
        SELECT published_at AS at, author_id AS by FROM community_livetext
        WHERE thread_id = %(thread)s ORDER BY published_at DESC, post_id DESC LIMIT 1
    ), counted AS (
        UPDATE community_livethread SET
            replies = replies + %(replies)s, active_at = newest.at, active_by_id = newest.by
        FROM newest WHERE thread_id = %(thread)s
    )
    UPDATE community_livetag SET active_at = newest.at FROM newest WHERE thread_id = %(thread)s
"""

SEARCH_CONFIGS = {"en": "english", "es": "spanish", "fr": "french", "de": "german"}
"""Postgres's dictionaries by language. For the others it has none: words are found as written."""

_CONFIGS = " ".join(f"WHEN '{language}' THEN '{name}'" for language, name in SEARCH_CONFIGS.items())
# A reply to a thread that can't be seen comes with it, if that comes back.
_SHOW_POST = _SHOW.format(
    configs=_CONFIGS,
    which="""
        post.id = %s AND (post.opens OR EXISTS (
            SELECT FROM community_livethread live WHERE live.thread_id = post.thread_id
        ))
    """,
)
_SHOW_THREAD = _SHOW.format(configs=_CONFIGS, which="post.thread_id = %s")


def refresh(post: Post, thread: Thread) -> bool:
    """Make what can be seen follow from the state of a post that was moved, or whose revision
    changed; answers whether it came to be seen. With its opener a whole thread comes and goes."""
    if post.state == PostState.PUBLISHED:
        return _show(post, thread)
    _take_away(post, thread)
    return False


def take_all_away(posts: Sequence[Post]) -> None:
    """Take away what can be seen of posts that were erased, their threads locked."""
    opened = [post.thread_id for post in posts if post.opens]
    replied = {post.thread_id for post in posts} - set(opened)
    LiveThread.objects.filter(thread__in=opened).delete()
    LiveText.objects.filter(thread__in=opened).delete()
    LiveText.objects.filter(post__in=[post.id for post in posts]).delete()
    _count_again(replied)


def follow(thread: Thread) -> None:
    """Make the space and the pin of what can be seen those of its thread, which changed."""
    LiveThread.objects.filter(thread=thread).update(space=thread.space_id, pinned=thread.pinned)
    LiveText.objects.filter(thread=thread).update(space=thread.space_id)


def join(thread: Thread, into: Thread) -> None:
    """Let all that can be seen in a thread be seen in another that can, both locked. The posts
    have moved there already, and the opener opens no more."""
    LiveThread.objects.filter(thread=thread).delete()
    LiveText.objects.filter(thread=thread).delete()
    _show_by(_SHOW_THREAD, into.id)
    _count_again([into.id])


def is_seen(thread: Thread) -> bool:
    """Whether a thread can be seen."""
    return LiveThread.objects.filter(thread=thread).exists()


def _show(post: Post, thread: Thread) -> bool:
    """Answers whether it came to be seen."""
    fresh = _show_by(_SHOW_POST, post.id) == [True]
    if not post.opens:
        if fresh:
            _moved_on(thread, +1)
        return fresh
    if not fresh:
        _tag(LiveThread.objects.get(thread=thread), post)
        return False
    _show_by(_SHOW_THREAD, thread.id)
    last = _last(thread)
    live = LiveThread.objects.create(
        thread=thread,
        space_id=thread.space_id,
        author_id=post.author_id,
        pinned=thread.pinned,
        published_at=post.published_at or last.published_at,
        active_at=last.published_at,
        active_by_id=last.author_id,
        replies=LiveText.objects.filter(thread=thread, opens=False).count(),
    )
    _tag(live, post)
    return True


def _take_away(post: Post, thread: Thread) -> None:
    if post.opens:
        LiveThread.objects.filter(thread=thread).delete()
        LiveText.objects.filter(thread=thread).delete()
        return
    deleted, _ = LiveText.objects.filter(post=post).delete()
    if deleted:
        _moved_on(thread, -1)


def _tag(live: LiveThread, opener: Post) -> None:
    """Let a thread's tags be those of its opener."""
    tags = opener.published.tags if opener.published else []
    if live.tags == tags:
        return
    LiveThread.objects.filter(thread=live.thread_id).update(tags=tags)
    LiveTag.objects.filter(thread=live).delete()
    LiveTag.objects.bulk_create(
        LiveTag(thread=live, tag=tag, published_at=live.published_at, active_at=live.active_at)
        for tag in tags
    )


def _moved_on(thread: Thread, replies: int) -> None:
    """There are so many more replies, and with them the instant of the newest changed."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED_ON, {"thread": thread.id, "replies": replies})


def _last(thread: Thread) -> LiveText:
    """The newest text of a thread that can be seen; there is one."""
    seen = LiveText.objects.filter(thread=thread).order_by("-published_at", "-post")
    return seen.only("published_at", "author")[0]


def _count_again(threads: Iterable[UUID]) -> None:
    """Let the figures of threads that can be seen follow from what can be seen in them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_AGAIN, [list(threads)])


def _show_by(statement: str, key: UUID) -> list[bool]:
    """Show what a statement says; answers for each text whether it wasn't seen before."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return [fresh for (fresh,) in cursor.fetchall()]
