"""Any interleaving of writing, taking away, blocking, reading and telling: what leaves us, by
e-mail or text, tells of what its reader could see at the moment it left.

The model knows each reply to Heron's thread, who reacts to it, what a moderator let in, and who
hides whom; what is told is compared with it.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from community.members.bonds import lift_bond, sees, set_bond
from community.models import (
    BondKind,
    Channel,
    Contact,
    LiveText,
    MeasureKind,
    Notice,
    NoticeKind,
    Persona,
    ReactionKind,
)
from community.notices import telling
from community.notices.digests import mail_members
from community.notices.texting import text_members
from community.posts.editing import withdraw
from community.posts.reacting import react
from messaging.models import Sms
from messaging.states import State
from tests.cast import NOW
from tests.community import answer, as_actor, begin, make_circle
from tests.moderating import open_case, settle

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
writers = st.sampled_from(["wren", "lark"])
which = st.integers(0, 5)


class Telling(RuleBasedStateMachine):
    """Heron, who began a thread, hears by e-mail each day and by text."""

    def __init__(self) -> None:
        super().__init__()
        self.story = transaction.atomic()
        self.story.__enter__()
        mail.outbox.clear()
        self.now = NOW
        self.circle = make_circle()
        self.thread = begin(self.circle.heron, self.circle.sleep).post.thread
        self.opener = LiveText.objects.get(thread=self.thread)
        self.replies: list[dict[str, Any]] = []
        self.approved: list[dict[str, Any]] = []
        self.reacted: list[dict[str, Any]] = []
        self.reactors: set[str] = set()
        self.hidden: set[tuple[str, str]] = set()
        self.quiet = False
        self.texts = 0
        for channel, address in ((Channel.MAIL, "h@example.org"), (Channel.SMS, "+447700900401")):
            Contact.objects.create(
                persona=self.circle.heron, channel=channel, address=address, confirmed_at=NOW,
                next_at=NOW + HOUR if channel == Channel.MAIL else None,
            )  # fmt: skip

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.story.__exit__(None, None, None)

    # --- the model --------------------------------------------------------------------------------

    def hides(self, other: str) -> bool:
        return bool({("heron", other), (other, "heron")} & self.hidden)

    def expected(self) -> list[dict[str, Any]]:
        """What can be told now. An approval is Heron's to know, whatever they want to be told."""
        replies = [one for one in self.replies if not self.hides(one["by"]) and not self.quiet]
        reacted = self.reacted if any(not self.hides(one) for one in self.reactors) else []
        told = [*replies, *reacted, *self.approved]
        return [one for one in told if one["live"] and not one["read"]]

    def happened(self) -> list[dict[str, Any]]:
        return [*self.replies, *self.reacted, *self.approved]

    def persona(self, name: str) -> Persona:
        found: Persona = getattr(self.circle, name)
        return found

    # --- what people do ---------------------------------------------------------------------------

    @rule(by=writers)
    def write(self, by: str) -> None:
        if not sees(self.persona(by).id, self.circle.heron.id):
            return  # the thread isn't there for them
        posted = answer(self.persona(by), self.thread, "Same here.", now=self.now)
        self.replies.append(
            {"post": posted.post, "by": by, "live": True, "read": False, "mailed": False}
        )

    @precondition(lambda self: len(self.approved) < 3)
    @rule()
    def let_in(self) -> None:
        """Heron writes what has to wait, and a moderator lets it in."""
        post = answer(self.circle.heron, self.thread, "See www.example.com.", now=self.now).post
        settle(self.circle.owl, open_case(post), MeasureKind.APPROVE, now=self.now)
        self.approved.append(
            {"post": post, "by": "heron", "live": True, "read": False, "mailed": False}
        )

    @rule(by=writers, kinds=st.sets(st.sampled_from(ReactionKind)))
    def react(self, by: str, kinds: set[ReactionKind]) -> None:
        me = self.persona(by)
        if not sees(me.id, self.circle.heron.id):
            return
        react(me.id, self.opener.post_id, kinds, as_actor(me), self.now)
        if kinds and not self.reacted and sees(self.circle.heron.id, me.id):
            self.reacted.append({"live": True, "read": False, "mailed": False})
        (self.reactors.add if kinds else self.reactors.discard)(by)

    @precondition(lambda self: self.replies or self.approved)
    @rule(n=which)
    def take_away(self, n: int) -> None:
        texts = [*self.replies, *self.approved]
        text = texts[n % len(texts)]
        if text["live"]:
            post, by = text["post"], self.persona(text["by"])
            post.refresh_from_db()
            withdraw(by.id, post.id, post.version, as_actor(by), self.now)
            text["live"] = False

    @rule(other=writers, kind=st.sampled_from(list(BondKind)), theirs=st.booleans())
    def hide(self, other: str, kind: BondKind, theirs: bool) -> None:
        one, two = (other, "heron") if theirs else ("heron", other)
        if (two, one) in self.hidden:
            return  # who blocked first isn't found by the other
        set_bond(self.persona(one).id, self.persona(two).id, kind, as_actor(self.persona(one)))
        self.hidden.discard((one, two))
        # A mute of theirs hides nothing from Heron.
        if not (theirs and kind == BondKind.MUTE):
            self.hidden.add((one, two))

    @precondition(lambda self: self.hidden)
    @rule(n=which)
    def see_again(self, n: int) -> None:
        one, two = sorted(self.hidden)[n % len(self.hidden)]
        lift_bond(self.persona(one).id, self.persona(two).id, as_actor(self.persona(one)))
        self.hidden.discard((one, two))

    @rule()
    def read(self) -> None:
        newest = Notice.objects.filter(persona=self.circle.heron).order_by("-id").first()
        if newest is not None:
            telling.mark_read(self.circle.heron, newest.id, self.now)
            for one in self.happened():
                one["read"] = True

    @rule()
    def want_or_not(self) -> None:
        self.quiet = not self.quiet
        kinds = [NoticeKind.REPLY] if self.quiet else []
        telling.set_quiet(self.circle.heron, kinds, as_actor(self.circle.heron))

    # --- what the clock does ----------------------------------------------------------------------

    @rule(hours=st.sampled_from([0.1, 1, 5, 24]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def mail(self) -> None:
        due = Contact.objects.filter(channel=Channel.MAIL, next_at__lte=self.now).exists()
        mail_members(self.now)
        fresh = [one for one in self.expected() if not one["mailed"]] if due else []
        lines = sum(message.body.count("\n- ") for message in mail.outbox)
        assert lines == len(fresh)
        for one in fresh:
            one["mailed"] = True
        mail.outbox.clear()

    @rule()
    def text(self) -> None:
        text_members(self.now)
        waiting = list(Sms.objects.filter(state=State.QUEUED))
        assert len(waiting) <= 1
        for sms in waiting:
            if sms.expires_at > self.now:
                assert self.expected(), "a text that tells of nothing waits to leave"
                assert 8 <= self.now.hour < 21, "London, in winter"
                assert "Same" not in sms.body

    @rule(arrives=st.booleans())
    def text_leaves(self, arrives: bool) -> None:
        """Right after the look that every two seconds takes back what is about nothing."""
        self.text()
        waiting = Sms.objects.filter(state=State.QUEUED)
        sent = waiting.filter(expires_at__gt=self.now)
        if arrives:
            sent.update(state=State.DELIVERED, claimed_at=self.now)
        waiting.filter(expires_at__lte=self.now).update(state=State.EXPIRED)
        days = Sms.objects.filter(state=State.DELIVERED).values_list("claimed_at", flat=True)
        assert len({instant.date() for instant in days}) == len(days), "two on one day"

    @rule()
    def look(self) -> None:
        """In the app."""
        assert telling.unread(self.circle.heron) == len(self.expected())


@pytest.mark.django_db
def test_what_is_told_can_be_seen_at_the_moment_it_leaves() -> None:
    hard = max(1, settings.default.max_examples // 100)
    run_state_machine_as_test(
        Telling, settings=settings(max_examples=7 * hard, stateful_step_count=20)
    )
