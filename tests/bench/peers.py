"""The community's promises of speed, on very many posts. Both sides of a ratio in one run."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from community.models import Bond, HouseRule, LiveText, LiveThread, RuleState
from community.moderation.queue import waiting
from community.posts.posting import reply
from community.reading.feeds import Order, Wanted, feed
from community.reading.keyset import Place
from community.reading.searching import Sort, search
from community.reading.threads import read_thread
from tests.bench.community_rows import NOW, Community
from tests.bench.measures import Cost, cost
from tests.bench.targets import Target
from tests.community import as_actor, wrote

PAGE = 20
RULES = 2_000
FEW_CASES, MANY_CASES = 1_000, 100_000
EACH_FOLLOWED = 20
BONDS = 1_000
COMMON, RARE = "headache", "headache nurse coffee"
ALIKE = 1.3
"""At most so many times the cost of a first page a deep one may have."""
BODY = "Since the change my nights are better, and the headaches come later in the week."


class Peers:
    """The measures, each as soon as it is known."""

    def __init__(self, community: Community) -> None:
        self.community, self.me = community, community.reader

    def measured(self) -> Iterator[Target]:
        yield from self._pages()
        yield from self._search()
        yield from self._with_bonds()
        yield from self._posting()
        yield self._queue()

    def _pages(self) -> Iterator[Target]:
        space = self.community.space.id
        self.community.follow(EACH_FOLLOWED)
        self.me.tags, self.me.interval_days = ["sleep", "mood"], 7
        deep = self._deep_in_the_feed()
        for what, wanted in (
            ("feed of all, new", Wanted(Order.NEW)),
            ("feed of a space, active", Wanted(Order.ACTIVE, space=space)),
            ("feed of a tag, new", Wanted(Order.NEW, tag="sleep")),
            ("feed of what is like mine, new", Wanted(Order.NEW, like_mine=True)),
            ("feed of what I follow, new", Wanted(Order.NEW, followed=True)),
        ):
            yield alike(
                f"{what}: a deep page against the first",
                lambda wanted=wanted: feed(self.me, wanted, None, PAGE),
                lambda wanted=wanted: feed(self.me, wanted, deep, PAGE),
            )
        long = self.community.long.id
        last = LiveText.objects.filter(thread=long).order_by("-published_at", "-post_id")[PAGE + 1]
        yield alike(
            "long thread: its last page against the first",
            lambda: read_thread(self.me, long, None, PAGE),
            lambda: read_thread(self.me, long, (last.published_at, last.post_id), PAGE),
        )

    def _deep_in_the_feed(self) -> Place:
        oldest = LiveThread.objects.order_by("published_at", "thread")[PAGE + 1]
        return oldest.active_at, oldest.thread_id

    def _search(self) -> Iterator[Target]:
        for what, words in (("a common word", COMMON), ("three words", RARE)):
            bare = cost(lambda words=words: run(BARE_SEARCH, [words, PAGE]))
            ours = cost(lambda words=words: search(self.me, words, "en", Sort.NEWEST, None, PAGE))
            yield Target(
                f"search, newest first, {what}: against the bare query", "times",
                ours.ms / bare.ms, 2, less=True, how=shown(ours, bare),
            )  # fmt: skip

        newest = cost(lambda: search(self.me, COMMON, "en", Sort.NEWEST, None, PAGE))
        best = cost(lambda: search(self.me, COMMON, "en", Sort.BEST, None, PAGE))
        yield Target(
            "search, best of a common word: against the newest", "times",
            best.ms / newest.ms, 10, less=True, how=shown(best, newest),
        )  # fmt: skip

    def _with_bonds(self) -> Iterator[Target]:
        """A reader whom very many have blocked, which nobody bounds."""

        def read() -> object:
            return feed(self.me, Wanted(Order.ACTIVE), None, PAGE)

        free = cost(read)
        self.community.bind(BONDS)
        bound = cost(read)
        yield Target(
            f"feed of all, read by somebody whom {BONDS:,} blocked: against nobody", "times",
            bound.ms / free.ms, 2, less=True, how=shown(bound, free),
        )  # fmt: skip
        Bond.objects.all().delete()

    def _posting(self) -> Iterator[Target]:
        thread = LiveThread.objects.order_by("-published_at").values_list("thread", flat=True)[0]

        def post() -> None:
            with transaction.atomic():
                actor = as_actor(self.community.writer)
                reply(self.community.writer.id, thread, wrote(BODY), actor, later)

        # Later than all there is, so that the limits of writing have nothing to say.
        later = NOW + timedelta(days=1)

        def insert() -> None:
            ids = {"post": uuid4(), "revision": uuid4(), "thread": thread, "body": BODY}
            wall = {"writer": self.community.writer.id, "space": self.community.space.id}
            with transaction.atomic():
                run(BARE_INSERT, {**ids, **wall, "at": later})

        bare = cost(insert)
        without = cost(post)
        HouseRule.objects.bulk_create(self._rules())
        post_once = cost(post)
        yield Target(
            f"posting through {RULES:,} rules: against none", "times",
            post_once.ms / without.ms, ALIKE, less=True, how=shown(post_once, without),
        )  # fmt: skip
        yield Target(
            "the same: against the bare insert of its text", "times",
            post_once.ms / bare.ms, 30, less=True, how=shown(post_once, bare),
        )  # fmt: skip

    def _rules(self) -> Iterator[HouseRule]:
        for number in range(1, RULES + 1):
            yield HouseRule(
                key=f"rule{number}",
                version=1,
                action="hold",
                phrases=[f"buy pill{number:04} ~ online", f"secret offer{number:04}"],
                description="Made up.",
                state=RuleState.ON,
                written_by=self.me,
                written_at=NOW,
                switched=number,
                switched_at=NOW,
            )

    def _queue(self) -> Target:
        def head() -> object:
            return list(waiting(self.me, NOW)[:PAGE])

        self.community.wait(FEW_CASES)
        few = cost(head)
        self.community.wait(MANY_CASES)
        many = cost(head)
        return Target(
            f"the queue's head, {MANY_CASES:,} cases against {FEW_CASES:,}", "times",
            many.ms / few.ms, ALIKE, less=True, how=shown(many, few),
        )  # fmt: skip


BARE_SEARCH = """
    SELECT * FROM community_livetext
    WHERE search @@ websearch_to_tsquery('english', %s) AND language = 'en'
    ORDER BY published_at DESC, post_id DESC LIMIT %s
"""
BARE_INSERT = """
    WITH revision AS (
        INSERT INTO community_revision (id, post_id, number, by_id, language, title, body, tags,
                verdict, crisis, advice, masked, hits, rulebook, digest, at)
        VALUES (%(revision)s, %(post)s, 1, %(writer)s, 'en', '', %(body)s, '{}', 'published',
                false, false, false, '[]', 0, '', now())
    ), post AS (
        INSERT INTO community_post (id, thread_id, author_id, opens, state, state_at, published_at,
                published_id, latest, version, crisis)
        VALUES (%(post)s, %(thread)s, %(writer)s, false, 'published', now(), now(), %(revision)s,
                1, 2, false)
    ), thread AS (
        UPDATE community_livethread SET replies = replies + 1, active_at = %(at)s
        WHERE thread_id = %(thread)s
    )
    INSERT INTO community_livetext (post_id, revision_id, thread_id, space_id, author_id, opens,
            language, title, body, tags, advice, edited, search, published_at, hugs, same, helped)
    VALUES (%(post)s, %(revision)s, %(thread)s, %(space)s, %(writer)s, false, 'en', '', %(body)s,
            '{}', false, false, to_tsvector('english', %(body)s), %(at)s, 0, 0, 0)
"""


def alike(what: str, one: Callable[[], object], other: Callable[[], object]) -> Target:
    """Two pages that are to cost the same. Taken in turns, for the machine is uneven."""
    costs = [(cost(one), cost(other)) for _ in range(3)]
    first = min((pair[0] for pair in costs), key=lambda found: found.ms)
    second = min((pair[1] for pair in costs), key=lambda found: found.ms)
    return Target(what, "times", second.ms / first.ms, ALIKE, less=True, how=shown(second, first))


def shown(one: Cost, other: Cost) -> str:
    return f"{one.ms:.2f} and {other.ms:.2f} ms"


def run(statement: str, values: list[Any] | dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.description:
            cursor.fetchall()
