"""A community of very many posts, made by the database itself."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from community.models import Persona, Space, Thread
from tests.community import make_persona, make_space

NOW = datetime(2027, 1, 4, 9, 5, tzinfo=UTC)
"""Each post was written two seconds after the one before it, the last one then."""

IN_A_THREAD = 10
"""Texts in every thread but the long one."""

WORDS = (
    "sleep night tired morning injection headache week nurse counts blood walk coffee garden dog "
    "work friday better worse chills fever appetite bus train colour slow letter notebook calendar"
)


class Community:
    """A reader, and others who wrote all there is; `long` is one thread with a fifth of it."""

    def __init__(self) -> None:
        self.reader: Persona = make_persona("Reader", approved=20)
        self.writer: Persona = make_persona("Writer", approved=20)
        self.space: Space = make_space("sleep")
        self.long: Thread = Thread.objects.create(
            space=self.space, author=self.writer, opened_at=NOW
        )
        self.posts = 0

    def grow(self, posts: int) -> None:
        """Add posts until there are so many: four fifths in threads of ten, the rest in `long`."""
        with connection.cursor() as cursor:
            # These rows are right: no need to check them one by one, nor to keep the indexes of
            # words up to date meanwhile.
            cursor.execute("SET session_replication_role = replica")
            indexes = _set_aside(cursor, "community_livetext", "gin")
            values = {
                "first": self.posts,
                "last": posts - 1,
                "now": NOW,
                "author": self.writer.id,
                "space": self.space.id,
                "long": self.long.id,
                "each": IN_A_THREAD,
                "words": WORDS,
            }
            for statement in (*MAKE.split(";"), *indexes, "VACUUM ANALYZE"):
                cursor.execute(statement, values if "%(" in statement else None)
            cursor.execute("RESET session_replication_role")
        self.posts = posts

    def follow(self, each: int) -> None:
        """Let the reader follow every so many-th thread."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO community_follow (id, thread_id, persona_id)
                    SELECT uuidv7(), thread_id, %s FROM (
                        SELECT thread_id, row_number() OVER (ORDER BY thread_id) AS nth
                        FROM community_livethread
                    ) numbered WHERE nth %% %s = 0
                """,
                [self.reader.id, each],
            )
            cursor.execute("VACUUM ANALYZE community_follow")

    def bind(self, bonds: int) -> None:
        """Let so many others have blocked the reader, none of whom wrote anything: what is left out
        is looked for, and the page is as long as before."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH others AS (
                    INSERT INTO community_persona (id, pseudonym, pseudonym_key, role, language,
                            time_zone, accepted_rules, joined_at, condition, tags, approved_posts)
                        SELECT gen_random_uuid(), n, 'b' || n, 'member', 'en', 'UTC', 1, now(), '',
                            '{}', 0
                        FROM generate_series(1, %s) n
                        RETURNING id
                )
                INSERT INTO community_bond (id, persona_id, other_id, kind)
                    SELECT uuidv7(), id, %s, 'block' FROM others
                """,
                [bonds, self.reader.id],
            )
            cursor.execute("VACUUM ANALYZE community_persona, community_bond")

    def wait(self, cases: int) -> None:
        """Let so many posts wait for a moderator."""
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM community_case")
            cursor.execute(
                """
                INSERT INTO community_case (id, kind, post_id, about_id, urgency, crisis, version,
                        opened_at, rung, rounds)
                    SELECT uuidv7(), 'review', id, author_id, 3, false, 1, state_at, 0, 0
                    FROM community_post LIMIT %s
                """,
                [cases],
            )
            cursor.execute("VACUUM ANALYZE community_case")
            cursor.execute("RESET session_replication_role")


def _set_aside(cursor: Any, table: str, kind: str) -> list[str]:
    """Drop the indexes of a kind of a table; answers how to make them again."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s",
        [table, f"%USING {kind}%"],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]


# n: of a text; of every fifth ten the texts are in the long thread, whose opener is text 0.
MAKE = """
CREATE TEMP TABLE fresh AS
    SELECT n, uuidv7() AS post, uuidv7() AS revision,
        n / %(each)s %% 5 = 0 AS in_long,
        (n %% %(each)s = 0 AND n / %(each)s %% 5 <> 0) OR n = 0 AS opens,
        %(now)s::timestamptz - interval '30 days' + n * interval '2 seconds' AS at,
        'I write about ' || split_part(%(words)s, ' ', 1 + n %% 27) || ' and '
            || split_part(%(words)s, ' ', 1 + n / 27 %% 27) || ', number ' || n || '.' AS body
    FROM generate_series(%(first)s::int, %(last)s::int) AS n;

CREATE TEMP TABLE threads AS
    SELECT n / %(each)s AS of, uuidv7() AS thread, at FROM fresh WHERE opens AND n <> 0;

INSERT INTO community_thread
        (id, space_id, author_id, read_only, pinned, slow_seconds, opened_at)
    SELECT thread, %(space)s, %(author)s, false, false, 0, at FROM threads;

CREATE TEMP TABLE placed AS
    SELECT fresh.*, coalesce(threads.thread, %(long)s) AS thread
    FROM fresh LEFT JOIN threads ON threads.of = fresh.n / %(each)s AND NOT in_long;

INSERT INTO community_revision (id, post_id, number, by_id, language, title, body, tags, verdict,
        crisis, advice, masked, hits, rulebook, digest, at)
    SELECT revision, post, 1, %(author)s, 'en', CASE WHEN opens THEN 'Thread ' || n ELSE '' END,
        body, '{sleep}', 'published', false, false, false, '[]', 0, md5(body), at
    FROM placed;

INSERT INTO community_post (id, thread_id, author_id, opens, state, state_at, published_at,
        published_id, latest, version, crisis)
    SELECT post, thread, %(author)s, opens, 'published', at, at, revision, 1, 2, false
    FROM placed;

INSERT INTO community_livetext (post_id, revision_id, thread_id, space_id, author_id, opens,
        language, title, body, tags, advice, edited, search, published_at, hugs, same, helped)
    SELECT post, revision, thread, %(space)s, %(author)s, opens, 'en',
        CASE WHEN opens THEN 'Thread ' || n ELSE '' END, body, '{sleep}', false, false,
        to_tsvector('english', body), at, 0, 0, 0
    FROM placed;

INSERT INTO community_livethread (thread_id, space_id, author_id, tags, pinned, published_at,
        active_at, active_by_id, replies)
    SELECT thread, %(space)s, %(author)s, '{sleep}', false, min(at), max(at), %(author)s,
        count(*) - 1
    FROM placed GROUP BY thread
    ON CONFLICT (thread_id) DO UPDATE SET
        active_at = EXCLUDED.active_at,
        replies = community_livethread.replies + EXCLUDED.replies + 1;

DELETE FROM community_livetag;
INSERT INTO community_livetag (id, thread_id, tag, published_at, active_at)
    SELECT uuidv7(), thread_id, 'sleep', published_at, active_at FROM community_livethread;

DROP TABLE fresh, threads, placed
"""
