"""Any interleaving of members who write, change, take away, report and appeal, and of moderators
who take cases, hand them on and decide, over real Postgres: what is promised holds after each act.

An act that is refused changes nothing. What is judged is in moderation_notes.py. Broken by hand to
see that it fails, each within 25 stories: an expired lease that blocks; a living one that doesn't;
deciding on oneself; a notice missing, or told twice; reports that are not answered. Rarer faults
(publishing the silenced, an appeal that publishes another wording, deciding on an old sight) need
more stories than a push can afford: test_deciding.py and test_appeals.py have those, and
`HYPOTHESIS_PROFILE=hard`. What needs two connections at once is in test_moderators_at_once.py.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from accounts.models import User
from accounts.refusals import Refusal
from community.members.entering import rename
from community.models import (
    Appeal,
    Case,
    Decision,
    LiveText,
    MeasureKind,
    Persona,
    PersonaLink,
    Post,
    PostState,
    ReactionKind,
    ReportReason,
)
from community.moderation import appeals, claiming, reports
from community.moderation.deciding import Ruling, decide, token_of
from community.moderation.measures import LEADS_TO, SANCTIONS, Measure
from community.posts.editing import ask_for_a_person, edit, withdraw
from community.posts.reacting import react
from tests.cast import NOW
from tests.community import answer, as_actor, begin, make_circle, wrote
from tests.property import moderation_notes as notes

M = MeasureKind
which = st.integers(0, 7)
BODIES = (
    "Same for me.",
    "Ring 07700 900123, I sleep badly.",
    "See https://pills.example/buy now.",
    "I know where you live.",
    "I want to kill myself.",
)
bodies = st.sampled_from(BODIES[:1] * 3 + BODIES)
SENTENCES: tuple[tuple[MeasureKind, ...], ...] = (
    (M.APPROVE,), (M.APPROVE, M.MOVE), (M.REQUEST_CHANGES,), (M.REJECT,), (M.REJECT, M.SILENCE),
    (M.HIDE,), (M.HIDE, M.WARN), (M.REMOVE, M.SUSPEND), (M.RESTORE,), (M.MASK,), (M.MASK, M.WARN),
    (M.MOVE,), (M.MERGE,), (M.WARN,), (M.SILENCE,), (M.NO_ACTION,), (M.APPROVE, M.SILENCE),
)  # fmt: skip


class Moderating(RuleBasedStateMachine):
    """The acts. A moderator writes and reports too, so that they try to decide on themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.circle = circle = make_circle()
        self.writers = [circle.heron, circle.wren, circle.novice, circle.owl]
        self.moderators = [circle.owl, circle.lark, circle.eagle]
        self.now = NOW
        self.ever: set[UUID] = set()
        self.leases: dict[UUID, tuple[UUID, Any]] = {}
        self.looked: dict[UUID, tuple[str, Any]] = {}
        self.decided: dict[UUID, tuple[notes.Snapshot, int]] = {}
        for writer in self.writers:
            user = User.objects.create(email=f"{writer.pseudonym.lower()}@example.org", name="A B")
            PersonaLink.objects.create(user=user, persona=writer)
        begin(circle.heron, circle.sleep)
        begin(circle.novice, circle.sleep)
        self.ever = {revision for revision, *_ in notes.take().live.values()}

    def teardown(self) -> None:
        try:
            notes.each_wording_has_the_verdict_that_the_rules_give_it()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def act(self, verb: Callable[[], Any]) -> Any:
        """One act, and what must hold after it; None for one that was refused."""
        before = notes.take()
        self.refused: Refusal | None = None
        done = None
        try:
            with transaction.atomic():
                done = verb()
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        except Refusal as refusal:
            self.refused = refusal
        after = notes.take()
        if self.refused is not None:
            assert after == before, "refused, and yet something was done"
            return None
        notes.one_row_for_each_transition(before, after)
        notes.folding_gives_the_state()
        notes.each_adverse_decision_is_told_once_with_why_and_how_to_appeal()
        notes.what_is_seen_is_a_judged_wording()
        notes.reporters_count_once_and_stay_unknown()
        notes.nobody_decides_on_themselves_or_what_they_began()
        notes.one_open_case_and_one_decision_for_each()
        notes.the_silenced_are_not_published(before, after, self.ever, self.now)
        self.ever |= {revision for revision, *_ in after.live.values()}
        return done

    # --- members ----------------------------------------------------------------------------------

    @precondition(lambda self: Post.objects.filter(opens=True).count() < 6)
    @rule(which=which, body=bodies)
    def somebody_begins_a_thread(self, which: int, body: str) -> None:
        self.act(lambda: begin(self._one(self.writers, which), self.circle.sleep, body,
                               now=self.now))  # fmt: skip

    @rule(which=which, thread=which, body=bodies)
    def somebody_replies(self, which: int, thread: int, body: str) -> None:
        there = self._one(LiveText.objects.filter(opens=True).order_by("post"), thread)
        if there is not None:
            author = self._one(self.writers, which)
            self.act(lambda: answer(author, there.thread_id, body, self.now))

    @rule(which=which, body=bodies)
    def somebody_changes_their_post(self, which: int, body: str) -> None:
        post = self._post(which)
        writing = wrote(body, "Nights" if post.opens else "")
        actor = as_actor(post.author)
        self.act(lambda: edit(post.author_id, post.id, writing, post.version, actor, self.now))

    @rule(which=which)
    def somebody_takes_their_post_away_or_asks_for_a_person(self, which: int) -> None:
        post = self._post(which)
        verb = ask_for_a_person if post.state == "blocked" else withdraw
        actor = as_actor(post.author)
        self.act(lambda: verb(post.author_id, post.id, post.version, actor, self.now))

    @rule(which=which, name=st.sampled_from(["Plover", "Dipper", "Siskin"]))
    def somebody_changes_their_pseudonym(self, which: int, name: str) -> None:
        me = self._one(self.writers, which)
        silent = notes.silenced(me.id, self.now)
        done = self.act(lambda: rename(me.id, name, as_actor(me), self.now))
        assert not (done and silent), "published by the door of pseudonyms"

    @rule(who=which, which=which, kind=st.sampled_from(ReactionKind))
    def somebody_reacts(self, who: int, which: int, kind: ReactionKind) -> None:
        live = self._one(LiveText.objects.order_by("-post"), which)
        if live is not None:
            me = self._one(self.writers, who)
            silent = notes.silenced(me.id, self.now)
            done = self.act(lambda: react(me.id, live.post_id, {kind}, as_actor(me), self.now))
            assert not (done and silent), "published by the door of reactions"

    @rule(who=which, which=which, reason=st.sampled_from(ReportReason), again=st.booleans())
    def somebody_reports(self, who: int, which: int, reason: ReportReason, again: bool) -> None:
        live = self._one(LiveText.objects.order_by("-post").select_related("post"), which)
        if live is None:
            return
        reporters = [*self.writers, self.circle.lark]
        # Often two at once, so that posts are hidden by weight.
        for reporter in (self._one(reporters, who), self._one(reporters, who + 1))[: 1 + again]:
            complaint = reports.Complaint(reason, "Look, 07700 900123.")
            self.act(lambda reporter=reporter, complaint=complaint: reports.report_post(
                reporter.id, live.post_id, complaint, as_actor(reporter), self.now))  # fmt: skip

    @rule(who=which, which=which)
    def somebody_reports_a_member(self, who: int, which: int) -> None:
        reporter, about = self._one(self.writers, who), self._one(self.writers, which)
        complaint = reports.Complaint(ReportReason.UNKIND)
        self.act(lambda: reports.report_member(
            reporter.id, about.id, complaint, as_actor(reporter), self.now))  # fmt: skip

    @precondition(lambda self: Decision.objects.filter(adverse=True).exists())
    @rule(which=which)
    def somebody_appeals(self, which: int) -> None:
        decision = self._one(Decision.objects.filter(adverse=True).order_by("-id"), which)
        if decision is not None and decision.adverse:
            self.act(lambda: appeals.appeal(
                decision.about_id, decision.id, "It is mine.", as_actor(decision.about), self.now
            ))  # fmt: skip

    # --- moderators -------------------------------------------------------------------------------

    @rule(who=which, which=which)
    def a_moderator_takes_a_case(self, who: int, which: int) -> None:
        moderator, case = self._one(self.moderators, who), self._case(which)
        if case is None:
            return
        owner, until = self.leases.get(case.id, (None, None))
        done = self.act(
            lambda: claiming.claim(moderator.id, case.id, as_actor(moderator), self.now)
        )
        blocked = owner not in (None, moderator.id) and until > self.now
        if done:
            assert not blocked, "two living leases"
            self.leases[case.id] = (moderator.id, self.now + claiming.LEASE)
        elif self.refused is not None and self.refused.code == "taken":
            assert blocked, "a lease that is over blocks"

    @rule(which=which, how=st.sampled_from(["back", "over", "opinion"]), to=which)
    def a_moderator_gives_it_away(self, which: int, how: str, to: int) -> None:
        case = self._one(Case.objects.filter(owner__isnull=False).order_by("id"), which)
        if case is None:
            return
        actor, other = as_actor(case.owner), self._one(self.moderators, to)
        verbs = {
            "back": lambda: claiming.hand_back(case.owner_id, case.id, actor, self.now),
            "over": lambda: claiming.hand_over(case.owner_id, case.id, other.id, actor, self.now),
            "opinion": lambda: claiming.ask_for_second_opinion(
                case.owner_id, case.id, actor, self.now
            ),
        }
        if self.act(verbs[how]):
            self.leases.pop(case.id)
            if how == "over":
                self.leases[case.id] = (other.id, self.now + claiming.LEASE)

    @rule(which=which)
    def a_moderator_looks(self, which: int) -> None:
        case = self._case(which)
        if case is not None:
            self.looked[case.id] = (token_of(case, case.post), self._sight(case))

    @rule(who=which, which=which, how=st.integers(0, 99), old=st.booleans())
    def a_moderator_decides(self, who: int, which: int, how: int, old: bool) -> None:
        self._decide(who, which, how, old)

    def _decide(self, who: int, which: int, how: int, old: bool) -> None:
        moderator, case = self._one(self.moderators, who), self._case(which)
        if case is None:
            return
        # Mostly what can be, so that stories get somewhere.
        fitting = [kinds for kinds in SENTENCES if how < 10 or self._may_begin(case, kinds[0])]
        kinds = fitting[how % len(fitting)]
        now = (token_of(case, case.post), self._sight(case))
        token, saw = self.looked.get(case.id, now) if old else now
        before = notes.take()
        ruling = self._ruling(case, kinds)
        decision = self.act(
            lambda: decide(moderator, case.id, token, ruling, as_actor(moderator), self.now)
        )
        if decision is None:
            return
        assert saw == now[1], "decided on what was seen"
        owner, until = self.leases.pop(case.id, (None, None))
        assert owner in (None, moderator.id) or until <= self.now
        if case.post is not None:
            self.decided[decision.id] = (before, Post.objects.get(id=case.post_id).version)

    @rule(who=which, which=which, how=st.integers(10, 99))
    def a_moderator_decides_at_once(self, who: int, which: int, how: int) -> None:
        self._decide(who, which, how, False)

    @precondition(lambda self: Appeal.objects.filter(upheld__isnull=True).exists())
    @rule(who=which, which=which, overturn=st.booleans())
    def a_moderator_decides_an_appeal(self, who: int, which: int, overturn: bool) -> None:
        moderator = self._one(self.moderators, who)
        made = self._one(Appeal.objects.filter(upheld__isnull=True).order_by("id"), which)
        case = Case.objects.select_related("post").get(id=made.case_id)
        token = token_of(case, case.post)
        done = self.act(
            lambda: appeals.decide_appeal(
                moderator, case.id, token, "", as_actor(moderator), self.now, overturn=overturn
            )
        )
        if done is None:
            return
        self.leases.pop(case.id, None)
        if overturn:
            self._restored(made.decision, case)

    @rule(minutes=st.sampled_from([1, 29, 31, 60, 3 * 24 * 60, 8 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # --- what they choose from --------------------------------------------------------------------

    def _restored(self, decision: Decision, case: Case) -> None:
        """The very wording is seen as before the decision, where nothing happened since."""
        before, version = self.decided.get(decision.id, (None, None))
        if before is None or case.post is None or case.post.version != version:
            return
        live = notes.take().live
        was = before.live.get(case.post_id)
        if case.post.opens or LiveText.objects.filter(
            thread=case.post.thread_id, opens=True
        ).exists():  # fmt: skip
            kinds = {measure["kind"] for measure in decision.measures}
            if was is not None and not kinds & {"reject", "request_changes", "merge"}:
                assert live[case.post_id] == was
            elif was is None and kinds & {"reject", "remove"}:
                assert live[case.post_id][0] == decision.revision_id
        assert not decision.sanctions.filter(lifted_at__isnull=True).exists()

    def _ruling(self, case: Case, kinds: tuple[MeasureKind, ...]) -> Ruling:
        other = LiveText.objects.filter(opens=True).order_by("-post").first()
        more: dict[MeasureKind, dict[str, Any]] = {
            M.SILENCE: {"until": self.now + timedelta(days=7)},
            M.SUSPEND: {"until": self.now + timedelta(days=7)},
            M.MASK: {"title": "Nights", "body": "A wording with 07700 900123 less."},
            M.MOVE: {"space": self.circle.work.id},
            M.MERGE: {"thread": other.thread_id if other else self.circle.work.id},
        }
        measures = tuple(Measure(kind, **more.get(kind, {})) for kind in kinds)
        revision = None
        if case.post is not None:
            revision = case.post.revisions.get(number=case.post.latest).id
            if set(kinds) & {M.HIDE, M.REMOVE} and case.post.published_id:
                revision = case.post.published_id
        return Ruling(measures, revision, "unkind")

    def _may_begin(self, case: Case, main: MeasureKind) -> bool:
        if main not in LEADS_TO:
            return main in SANCTIONS or (case.post is not None and case.post.state == "published")
        if case.post is None:
            return main == M.NO_ACTION
        return PostState(case.post.state) in LEADS_TO[main]

    def _sight(self, case: Case) -> Any:
        """What a moderator decides on."""
        post = Post.objects.filter(id=case.post_id).values("state", "published", "latest").first()
        told = list(Case.objects.get(id=case.id).reports.order_by("id").values_list("id"))
        return post, told

    def _case(self, which: int) -> Case | None:
        rows = Case.objects.filter(closed_at__isnull=True).select_related("post")
        found: Case | None = self._one(rows.order_by("urgency", "id"), which)
        return found

    def _post(self, which: int) -> Post:
        post: Post = self._one(Post.objects.select_related("author").order_by("-id"), which)
        return post

    def _one(self, among: Any, which: int) -> Any:
        rows: list[Persona | Post] = list(among[:8])
        return rows[which % len(rows)] if rows else None


def test_no_interleaving_breaks_what_moderation_promises(db: None) -> None:
    profile = settings.default
    run_state_machine_as_test(
        Moderating,
        settings=settings(profile, max_examples=max(profile.max_examples // 12, 1),
                          stateful_step_count=30),
    )  # fmt: skip
