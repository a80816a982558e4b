"""What can't be seen gives no word, count, title or name on any surface: every GET of the
community's API and of its pages, as their addresses list them, digests by e-mail, texts, and logs.

What a member gets is taken down byte by byte, then others write what this member isn't to see, in
every way there is, and it is taken down again: it must be the same. Broken by hand to see that it
fails: notices that don't ask whom a bond hides (telling._hides), a search that forgets the authors
of threads, replies counted for all readers alike, an export that lists notices of what is gone.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.cache import caches
from django.test import Client
from django.urls import URLPattern

from api.community.urls import urlpatterns
from api.door import Door
from community.members import entering
from community.members.bonds import set_bond
from community.members.leaving import leave
from community.models import (
    BondKind,
    Case,
    Channel,
    Contact,
    Decision,
    Draft,
    LiveText,
    Notice,
    Persona,
    Post,
    PostState,
    ReactionKind,
    SharedPost,
    Space,
    Thread,
)
from community.notices.digests import mail_members
from community.notices.texting import text_members
from community.posts.drafts import save_draft
from community.posts.editing import edit, withdraw
from community.posts.reacting import react
from community.reading.marks import mark_read
from community.reading.searching import Sort
from messaging.models import Sms
from tests.api.client import Caller
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, make_persona, seen, wrote
from tests.moderating import M, appeal, open_case, report, settle
from web.community.urls import urlpatterns as page_patterns

HERE = "/api/v1/community/"
PAGES = "pages"
"""What stands before the address of a page, below /community."""
CHANCE = re.compile(r'(name="(?:csrfmiddlewaretoken|form|ticket)" value=)"[^"]*"')
"""What is another each time a page is made."""
LATER = NOW + timedelta(hours=2)
WORD = "quillon"
"""A word of what isn't to be seen: in each body and title, with figures that number them."""

IDS: dict[str, Callable[[], Any]] = {
    "thread_id": lambda: Thread.objects.values_list("id", flat=True),
    "post_id": lambda: Post.objects.values_list("id", flat=True),
    "member_id": lambda: Persona.objects.values_list("id", flat=True),
    "case_id": lambda: Case.objects.values_list("id", flat=True)[:1],
    "decision_id": lambda: Decision.objects.values_list("id", flat=True),
    "space_id": lambda: Space.objects.values_list("id", flat=True),
    "share_id": lambda: SharedPost.objects.values_list("id", flat=True),
    # Of moderators' addresses nothing is looked for before it is asked who asks.
    "rule_id": lambda: [UUID(int=1)],
    "duty_id": lambda: [UUID(int=1)],
    "draft_id": lambda: Draft.objects.values_list("id", flat=True),
}
CHOSEN = {"kind": ["active", "new", "like", "followed"], "tag": ["sleep"], "what": ["claim"]}
QUERIES = {
    "threads": [
        "order=new",
        *("tag=sleep", "mine=like", "mine=followed", "space={space}"),
        # Which is first, and where the next page begins.
        *(
            f"order=active&page_size=1{which}"
            for which in ("", "&tag=sleep", "&mine=like", "&mine=followed", "&space={space}")
        ),
    ],
    "search": [
        *(f"words={words}&sort={sort}" for words in (WORD, "morning") for sort in Sort),
        "words=morning&language=de",
    ],
}  # fmt: skip
PARAMETERS = {"cursor", "page_size", "order", "tag", "mine", "space", "words", "sort", "language"}


def routes(patterns: Any = urlpatterns, before: str = "") -> Iterator[str]:
    """The paths of all that can be got."""
    for one in patterns:
        path = before + str(one.pattern)
        if not isinstance(one, URLPattern):
            yield from routes(one.url_patterns, path)
        elif hasattr(one.callback.view_class, "get"):  # type: ignore[attr-defined]
            yield path


def addresses(circle: Circle) -> Iterator[str]:
    """Every address that a member can get, of every row there is."""
    for route in routes():
        before, _, rest = route.partition("<uuid:")
        if rest:
            name, _, after = rest.partition(">")
            yield from (f"{before}{key}{after}" for key in IDS[name]())
            continue
        if route != "search":
            yield route
        for query in QUERIES.get(route, ()):
            yield f"{route}?{query.format(space=circle.sleep.id)}"


def pages(circle: Circle) -> Iterator[str]:
    """Every address of the community's pages, of every row there is, and each search."""
    for one in page_patterns:
        path = str(one.pattern)
        before, _, rest = path.partition("<")
        name, _, after = rest.partition(">")
        kind, _, name = name.partition(":")
        keys = IDS[name]() if kind == "uuid" else CHOSEN[name] if name else [""]
        yield from (f"{before}{key}{after}" for key in keys)
    yield from (f"/search?{query}" for query in QUERIES["search"])
    yield f"/rooms/{circle.sleep.id}?order=new"


def pages_got_by(me: Persona, circle: Circle) -> dict[str, Any]:
    """All pages that a member can get; those that are for sending alone are left out."""
    client = Client(headers={"X-Request-ID": "same"})
    client.cookies["community"] = entering._session(me, NOW).token
    got = {}
    for path in pages(circle):
        answered = client.get(f"/community{path}")
        if answered.status_code == 405:
            continue
        allowed = (403,) if path.startswith("/moderation") else (200, 404)
        assert answered.status_code in allowed, path
        said = CHANCE.sub(r"\1", answered.content.decode())
        # What was looked for stands in the form.
        got[PAGES + path] = (answered.status_code, said.replace(f'value="{WORD}"', ""))
    return got


def got_by(me: Persona, circle: Circle) -> dict[str, Any]:
    """All that a member can get, by address."""
    caches["pace"].clear()
    caller = Caller(entering._session(me, NOW).token)
    headers = {"Authorization": f"Bearer {caller.token}", "X-Request-ID": "same"}
    got = {}
    for path in addresses(circle):
        answered = caller.send("GET", HERE + path, b"", dict(headers))
        allowed = (403,) if path.startswith("moderation/") else (200, 404)
        assert answered.status in allowed, (path, answered)
        got[path] = (answered.status, dict(answered.headers), answered.body)
    return got | pages_got_by(me, circle)


@pytest.fixture
def circle(db, monkeypatch) -> Circle:
    """Wren, who reads, and hears by e-mail and by text; her thread, and one of Lark's, which she
    follows and has read."""
    monkeypatch.setattr(Door, "now", NOW)
    mail.outbox.clear()
    circle = make_circle()
    circle.wren.tags = ["sleep"]
    circle.wren.save()
    hers = begin(circle.wren, circle.sleep, "Mine of the morning.", tags=("sleep",)).post
    larks = begin(circle.lark, circle.sleep, "Larks sing in the morning.").post
    answer(circle.wren, larks.thread, "They do each morning.")
    for post in (hers, larks):
        mark_read(circle.wren, post.thread_id, post.id)
    for channel, address in ((Channel.MAIL, "w@example.org"), (Channel.SMS, "+447700900401")):
        Contact.objects.create(persona=circle.wren, channel=channel, address=address,
                               confirmed_at=NOW, next_at=NOW)  # fmt: skip
    return circle


def threads_read(circle: Circle) -> list[Thread]:
    """Wren's and Lark's."""
    return list(Thread.objects.filter(author__in=[circle.wren, circle.lark]).order_by("id"))


def hears_nothing() -> bool:
    """Whether the digest and the text of the day have nothing to tell."""
    mail_members(LATER)
    text_members(LATER)
    return not mail.outbox and not Sms.objects.exists()


class Unseen:
    """Others write, in every way in which none of it can be seen in the end: each text has WORD in
    it, and so has its author's name."""

    def __init__(self, circle: Circle) -> None:
        self.circle = circle
        self.hers, self.larks = threads_read(circle)
        self.number = itertools.count()
        self.reporters = [self.somebody(), self.somebody()]

    def somebody(self) -> Persona:
        return make_persona(f"{WORD}{next(self.number)}", approved=20)

    def words(self, more: str = "") -> str:
        return f"{WORD}{next(self.number)} helps me in the morning {more}"

    def write(self, author: Persona | None = None, more: str = "") -> list[Post]:
        """A thread, and a reply: of which Wren is told, if it can be seen."""
        author = author or self.somebody()
        opened = begin(author, self.circle.sleep, self.words(more), WORD, tags=("sleep",))
        return [opened.post, answer(author, self.hers, self.words(more)).post]

    def take_away(self) -> None:
        """What could be seen, and can't any more."""
        followed = answer(self.somebody(), self.larks, self.words()).post
        written = self.write()
        # It goes with its thread.
        answer(self.somebody(), written[0].thread, self.words())
        for post in [*written, followed]:
            withdraw(post.author_id, post.id, post.version, as_actor(post.author), NOW)
        for post in self.write():
            for reporter in self.reporters:
                report(reporter, post, words=self.words())
        erasing = self.somebody()
        self.write(erasing)
        leave(erasing.id, erase=True, actor=as_actor(erasing), now=NOW)

    def decide(self) -> None:
        for kind in (M.HIDE, M.REMOVE, M.REQUEST_CHANGES):
            for post in self.write():
                report(self.reporters[0], post, words=self.words())
                ruled = settle(self.circle.owl, open_case(post), kind, words=self.words())
            appeal(ruled, self.words())

    def wait(self) -> None:
        """What never could be seen."""
        post = Post.objects.get(thread=self.larks, opens=True)
        lark, writing = self.circle.lark, wrote(self.words("on www.example.com"), WORD)
        edit(lark.id, post.id, writing, post.version, as_actor(lark), NOW)
        self.write(self.circle.novice)
        for post in self.write(make_persona(f"{WORD}{next(self.number)}", joined=NOW)):
            settle(self.circle.owl, open_case(post), M.REJECT, words=self.words())
        for more in (
            "on www.example.com", "and I know where you live", "but I want to kill myself"
        ):  # fmt: skip
            self.write(more=more)
        writing = wrote(self.words(), WORD)
        save_draft(self.reporters[0].id, writing, NOW, space_id=self.circle.sleep.id)
        save_draft(self.reporters[0].id, writing, NOW, thread_id=self.hers.id)


def test_every_query_is_asked():
    """A new parameter of a list must be asked for here, too."""
    document = (Path(__file__).parent.parent.parent / "api" / "openapi.yaml").read_text()
    paths = re.split(rf"^  (?={HERE})", document, flags=re.MULTILINE)[1:]
    asked = {
        name
        for path in paths
        if not path.startswith(f"{HERE}moderation/")
        for name in re.findall(r"- in: query\n +name: (\w+)", path)
    }
    assert asked == PARAMETERS


def test_what_nobody_can_see_changes_no_byte(circle, caplog):
    before = got_by(circle.wren, circle)
    unseen = Unseen(circle)
    unseen.take_away()
    unseen.decide()
    unseen.wait()
    states = set(Post.objects.values_list("state", flat=True))
    assert states == set(PostState)
    assert Notice.objects.filter(persona=circle.wren).count() > 5
    after = got_by(circle.wren, circle)
    # How many there were to decide, of all in 30 days, is said to all.
    changed = {path for path in before if before[path] != after[path]}
    changed -= {"figures", f"{PAGES}/figures"}
    assert changed == set()
    # Somebody's page says that they are here, and no more.
    theirs = {f"members/{key}" for key in IDS["member_id"]()}
    theirs |= {f"{PAGES}/{path}" for path in theirs}
    said = [got for path, got in after.items() if path not in theirs]
    assert WORD not in json.dumps(said) + caplog.text
    assert "Novice" not in json.dumps(said)
    assert hears_nothing()


@pytest.mark.parametrize("kinds", [
    [BondKind.MUTE, BondKind.BLOCK], [],
], ids=["by the reader", "by the other"])  # fmt: skip
def test_whom_a_bond_hides_changes_no_byte(circle, kinds, caplog):
    """The reader mutes, then blocks the other; or the other blocks the reader."""
    heron, wren = circle.heron, circle.wren
    hers, larks = threads_read(circle)
    last = [
        begin(circle.lark, circle.sleep, tags=("sleep",), now=NOW - timedelta(hours=hours)).post
        for hours in (1, 2)
    ]
    for post in last:
        mark_read(wren, post.thread_id, post.id)
    before = got_by(wren, circle)
    theirs = begin(heron, circle.sleep, f"{WORD} in the morning", WORD, tags=("sleep",)).post
    # Later than all there is, and first where it was last: it would change the active order.
    threads = (larks, hers, *(post.thread for post in last), theirs.thread)
    for minute, thread in enumerate(threads, start=1):
        answer(heron, thread, f"{WORD} in the morning", NOW + timedelta(minutes=minute))
    # In a thread of theirs nothing is seen either, be it the reader's own.
    answer(wren, theirs.thread, "They do each morning.")
    for text in LiveText.objects.filter(thread__in=[hers, larks]).exclude(author=heron):
        react(heron.id, text.post_id, set(ReactionKind), as_actor(heron), NOW)
    if not kinds:
        set_bond(heron.id, wren.id, BondKind.BLOCK, as_actor(heron))
        own = {"my-posts", "me/export", f"{PAGES}/mine"}
        check_hidden(heron, before, got_by(wren, circle), own)
    for kind in kinds:
        set_bond(wren.id, heron.id, kind, as_actor(wren))
        # What is the reader's own, and names whom they hid.
        own = {"my-posts", "me/export", "bonds", f"{PAGES}/mine", f"{PAGES}/settings/hidden"}
        check_hidden(heron, before, got_by(wren, circle), own)
    assert seen(theirs)
    assert WORD not in caplog.text
    assert hears_nothing()


def check_hidden(
    other: Persona, before: dict[str, Any], after: dict[str, Any], own: set[str]
) -> None:
    """Whether nothing but what is the reader's own has changed, and nothing is the other's."""
    page = f"members/{other.id}"
    assert after[page][0] == 404
    changed = {path for path in before if before[path] != after[path]}
    assert changed <= {*own, page, f"{page}/texts", f"{PAGES}/{page}"}
    assert after[f"{PAGES}/{page}"][0] == 404
    assert WORD not in json.dumps(list(after.values()))
    assert other.pseudonym not in json.dumps(
        [got for path, got in after.items() if path not in own]
    )
