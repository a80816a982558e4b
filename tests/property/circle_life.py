"""Five members and two moderators for Hypothesis to play with: whatever they do to each other's
texts, in whatever order, over the product's own verbs and real Postgres. What is asked after each
act and at the end is in test_what_members_see.py. Rolled back at the end."""

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from accounts.refusals import Refusal
from community.members.bonds import lift_bond, set_bond
from community.models import BondKind, Case, MeasureKind, Persona, Post, ReactionKind, ReportReason
from community.moderation.deciding import Ruling, decide, token_of
from community.moderation.measures import Measure
from community.moderation.reports import Complaint, report_post
from community.posts.drafts import save_draft
from community.posts.editing import ask_for_a_person, edit, withdraw
from community.posts.posting import open_thread, reply
from community.posts.reacting import follow, react
from community.reading.marks import mark_read
from tests.cast import NOW
from tests.community import Circle, as_actor, held, make_circle, wrote

MARKS = {"Heron": "quillon", "Wren": "zebrafy", "Novice": "wombatly"}
"""A word of each member's own, in all that they write."""

ENDINGS = {
    "fine": "helps me in the morning",
    "waits": "is on www.example.com in the morning",
    "blocked": "and I know where you live in the morning",
    "crisis": "but I want to kill myself in the morning",
    "masked": "so call 07700 900123 in the morning",
    "advice": "so you should skip your dose in the morning",
}
kinds = st.sampled_from(["fine"] * 5 + list(ENDINGS))
who = st.integers(0, 2)
which = st.integers(0, 30)
several_tags = st.sampled_from([(), ("sleep",), ("sleep", "mood"), ("weekly", "pv")])


class Life(RuleBasedStateMachine):
    """The acts. A refusal is an act that did nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.number = count(1)
        self.now = NOW
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    @initialize()
    def begin(self) -> None:
        self.circle: Circle = make_circle()
        self.members = [self.circle.heron, self.circle.wren, self.circle.novice]
        for author in self.members[:2]:
            self._try(
                open_thread, author.id, self.circle.sleep.id, self._writing(author, "fine", "T")
            )

    def teardown(self) -> None:
        try:
            # What "masked" acts wrote is in no row of any table.
            assert held("07700 900123") == {}
            self.at_the_end()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def at_the_end(self) -> None:
        """For tests that ask something once."""

    def _try(self, verb: Any, *args: Any, by: Persona | None = None, **more: Any) -> Any:
        """One act, at the instant of the one before or some minutes later; and the database's own
        checks of it."""
        self.now += timedelta(minutes=7) if next(self.number) % 3 == 0 else timedelta()
        done = None
        try:
            with transaction.atomic():
                actor = as_actor(by or Persona(id=args[0]))
                done = verb(*args, **more, actor=actor, now=self.now)
        except Refusal:
            pass
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        return done

    def _writing(self, author: Persona, kind: str, title: str = "", tags: Any = ()) -> Any:
        """Something to write, with a word that no other text has."""
        letters = "".join(chr(97 + int(digit)) for digit in f"{next(self.number):03}")
        mark = MARKS[author.pseudonym]
        title = f"{mark} {letters}q" if title else ""
        return wrote(f"This {mark} {letters}z {ENDINGS[kind]}", title, tags=tags)

    def _post(self, which: int) -> Post:
        """Some post, the newest the most often."""
        posts = Post.objects.order_by("-id")
        return posts[which % posts.count()]

    # --- what members do -------------------------------------------------------------------------

    @rule(who=who, kind=kinds, tags=several_tags, work=st.booleans())
    def opens(self, who: int, kind: str, tags: tuple[str, ...], work: bool) -> None:
        author = self.members[who]
        space = self.circle.work if work else self.circle.sleep
        self._try(open_thread, author.id, space.id, self._writing(author, kind, "T", tags))

    @rule(who=who, which=which, kind=kinds)
    def replies(self, who: int, which: int, kind: str) -> None:
        author = self.members[who]
        thread = self._post(which).thread_id
        self._try(reply, author.id, thread, self._writing(author, kind))

    @rule(which=which, kind=kinds, tags=several_tags)
    def edits(self, which: int, kind: str, tags: tuple[str, ...]) -> None:
        post = self._post(which)
        if post.author_id in {member.id for member in self.members}:
            author = next(one for one in self.members if one.id == post.author_id)
            title, tags = ("T", tags) if post.opens else ("", ())
            writing = self._writing(author, kind, title, tags)
            self._try(edit, author.id, post.id, writing, post.version)

    @rule(which=which)
    def withdraws(self, which: int) -> None:
        post = self._post(which)
        self._try(withdraw, post.author_id, post.id, post.version)

    @rule(which=which)
    def asks_for_a_person(self, which: int) -> None:
        post = self._post(which)
        self._try(ask_for_a_person, post.author_id, post.id, post.version)

    @rule(who=who, which=which, kinds=st.sets(st.sampled_from(ReactionKind)))
    def reacts(self, who: int, which: int, kinds: set[ReactionKind]) -> None:
        self._try(react, self.members[who].id, self._post(which).id, kinds)

    @rule(who=who, other=who, kind=st.sampled_from(BondKind))
    def hides(self, who: int, other: int, kind: BondKind) -> None:
        self._try(_at(set_bond), self.members[who].id, self.members[other].id, kind)

    @rule(who=who, other=who)
    def sees_again(self, who: int, other: int) -> None:
        self._try(_at(lift_bond), self.members[who].id, self.members[other].id)

    @rule(who=who, which=which, follows=st.booleans())
    def follows(self, who: int, which: int, follows: bool) -> None:
        thread = self._post(which).thread_id
        self._try(_at(follow), self.members[who].id, thread, follows=follows)

    @rule(who=who, which=which)
    def has_read(self, who: int, which: int) -> None:
        post = self._post(which)
        me = self.members[who]
        try:
            mark_read(me, post.thread_id, post.id)
        except Refusal:
            return

    @rule(who=who, which=which, kind=kinds)
    def drafts(self, who: int, which: int, kind: str) -> None:
        me = self.members[who]
        try:
            save_draft(
                me.id, self._writing(me, kind), self.now, thread_id=self._post(which).thread_id
            )
        except Refusal:
            return

    @rule(who=who, which=which)
    def reports(self, who: int, which: int) -> None:
        me = self.members[who]
        words = self._writing(me, "fine").body
        complaint = Complaint(ReportReason.ADVICE, words)
        self._try(report_post, me.id, self._post(which).id, complaint)

    # --- what moderators do ----------------------------------------------------------------------

    @rule(
        which=which,
        kind=st.sampled_from(
            [
                *(MeasureKind.APPROVE, MeasureKind.APPROVE, MeasureKind.REQUEST_CHANGES),
                *(MeasureKind.REJECT, MeasureKind.HIDE, MeasureKind.REMOVE, MeasureKind.RESTORE),
                *(MeasureKind.MASK, MeasureKind.MOVE, MeasureKind.NO_ACTION),
            ]
        ),
        newest=st.booleans(),
    )
    def decides(self, which: int, kind: MeasureKind, newest: bool) -> None:
        cases = Case.objects.filter(closed_at__isnull=True, post__isnull=False).order_by("id")
        if not cases.exists():
            return
        case = cases.select_related("post")[which % cases.count()]
        post = case.post
        revision = post.revisions.order_by("-number" if newest else "number").first()
        words = self._writing(case.about, "fine")
        measure = Measure(
            kind,
            title=words.title,
            body=words.body if kind == MeasureKind.MASK else "",
            space=self.circle.work.id if kind == MeasureKind.MOVE else None,
        )
        ruling = Ruling((measure,), revision.id, "unkind", words.body)
        owl = self.circle.owl
        self._try(decide, owl, case.id, token_of(case, post), ruling, by=owl)


def _at(verb: Any) -> Any:
    """A verb that doesn't ask when it is."""

    def act(*args: Any, now: Any, **more: Any) -> Any:
        return verb(*args, **more)

    return act


def ids(rows: Any) -> list[UUID]:
    """The keys of texts, in their order."""
    return [row.post_id for row in rows]
