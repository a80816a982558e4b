"""Deciding: each measure from where it can be, what goes together, and all its effects, once."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Forbidden, Invalid, NotFound, Stale
from community.models import (
    Case,
    Decision,
    LiveText,
    LiveThread,
    MeasureKind,
    Notice,
    Persona,
    PersonaSession,
    Post,
    PostState,
    Sanction,
)
from community.moderation.claiming import ask_for_second_opinion, claim
from community.moderation.measures import LEADS_TO, LONGEST
from community.moderation.threads import tend
from community.posts.editing import edit
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, seen, wrote
from tests.moderating import measure, now_seen, open_case, report, settle

M = MeasureKind
S = PostState


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def waiting(circle) -> Post:
    return begin(circle.novice, circle.sleep).post


@pytest.fixture
def reported(circle) -> Post:
    """A thread with a reply, reported, and still to be seen."""
    post = begin(circle.heron, circle.sleep).post
    answer(circle.wren, post.thread)
    report(circle.wren, post)
    return Post.objects.get(id=post.id)


def held_by_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def change(post: Post, body: str = "See https://pills.example/buy now"):
    """A wording that waits, for it holds a link."""
    post = Post.objects.get(id=post.id)
    return edit(
        post.author_id, post.id, wrote(body, "Nights"), post.version, as_actor(post.author), NOW
    )


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        (M.APPROVE, S.PUBLISHED, "approved"),
        (M.REQUEST_CHANGES, S.CHANGES_REQUESTED, "decision"),
        (M.REJECT, S.REJECTED, "decision"),
    ],
)
def test_a_post_that_waits(circle, waiting, kind, state, told):
    decision = settle(circle.owl, open_case(waiting), kind)
    waiting.refresh_from_db()
    assert waiting.state == state
    assert seen(waiting) == (state == S.PUBLISHED)
    notice = Notice.objects.get(persona=circle.novice)
    assert (notice.kind, notice.decision, notice.post) == (told, decision, waiting)
    assert not Case.objects.filter(closed_at__isnull=True).exists()
    held_by_the_database()


@pytest.mark.parametrize(
    ("kind", "state"), [(M.HIDE, S.HIDDEN), (M.REMOVE, S.REMOVED), (M.NO_ACTION, S.PUBLISHED)]
)
def test_a_post_that_is_seen(circle, reported, kind, state):
    settle(circle.owl, open_case(reported), kind)
    reported.refresh_from_db()
    assert reported.state == state
    assert LiveText.objects.filter(thread=reported.thread).count() == 2 * (state == S.PUBLISHED)
    adverse = kind != M.NO_ACTION
    assert Notice.objects.filter(persona=circle.heron, kind="decision").exists() == adverse
    held_by_the_database()


def test_an_approved_post_counts_for_trust_once(circle, waiting):
    settle(circle.owl, open_case(waiting), M.APPROVE)
    change(waiting, "Another wording.")
    settle(circle.owl, open_case(waiting), M.APPROVE)
    circle.novice.refresh_from_db()
    assert circle.novice.approved_posts == 1


def test_approving_publishes_exactly_the_named_wording(circle, reported):
    first = reported.published
    newer = change(reported).revision
    settle(circle.owl, open_case(reported), M.APPROVE, revision=newer.id)
    assert LiveText.objects.get(post=reported).revision == newer
    case = report(circle.wren, reported).report.case
    with pytest.raises(Conflict) as old:
        settle(circle.owl, case, M.APPROVE, revision=first.id)
    assert old.value.code == "old_wording"


def test_a_new_wording_that_waits_is_settled_before_the_rest(circle, reported):
    change(reported)
    with pytest.raises(Conflict) as refused:
        settle(circle.owl, open_case(reported), M.NO_ACTION)
    assert refused.value.code == "edit_waits"
    settle(circle.owl, open_case(reported), M.REJECT)
    reported.refresh_from_db()
    assert reported.state == S.PUBLISHED
    assert LiveText.objects.get(post=reported).body == "I sleep badly after the injection."
    report(circle.lark, reported)
    settle(circle.owl, open_case(reported), M.NO_ACTION)


def test_changes_asked_for_are_looked_at_by_a_person(circle, waiting):
    settle(circle.owl, open_case(waiting), M.REQUEST_CHANGES)
    assert change(waiting, "Kinder words.").verdict == S.PENDING
    settle(circle.owl, open_case(waiting), M.APPROVE)
    assert LiveText.objects.get(post=waiting).body == "Kinder words."


def test_masking_is_a_revision_by_the_moderator_through_the_rules(circle, reported):
    wording = measure(M.MASK, title="Nights", body="Ring me: 07700 900123. Dr *** says so.")
    settle(circle.owl, open_case(reported), wording, reason="personal")
    live = LiveText.objects.get(post=reported)
    assert "900123" not in live.body
    assert live.revision.by == circle.owl
    assert live.revision.masked
    reported.refresh_from_db()
    assert (reported.state, reported.latest) == (S.PUBLISHED, 2)
    report(circle.novice, reported)
    with pytest.raises(Conflict) as blocked:
        settle(
            circle.owl, open_case(reported),
            measure(M.MASK, title="Nights", body="I know where you live."),
        )  # fmt: skip
    assert blocked.value.code == "blocked"
    held_by_the_database()


def test_moving_takes_all_that_is_seen_along(circle, reported):
    settle(circle.owl, open_case(reported), measure(M.MOVE, space=circle.work.id), reason="")
    assert set(LiveText.objects.values_list("space", flat=True)) == {circle.work.id}
    assert LiveThread.objects.get().space == circle.work
    assert not Notice.objects.filter(persona=circle.heron, kind="decision").exists()


def test_merging_makes_the_opener_a_reply_of_a_judged_wording(circle, reported):
    into = begin(circle.novice, circle.work)
    settle(circle.owl, open_case(into.post), M.APPROVE)
    thread = into.post.thread
    settle(circle.owl, open_case(reported), measure(M.MERGE, thread=thread.id), reason="")
    assert list(LiveThread.objects.values_list("thread", "replies")) == [(thread.id, 2)]
    live = LiveText.objects.get(post=reported)
    assert (live.thread, live.space, live.opens, live.title) == (thread, circle.work, False, "")
    assert live.body.startswith("**Nights**")
    assert (live.revision.number, live.revision.by) == (2, circle.owl)
    held_by_the_database()


def test_a_reply_moves_nothing(circle):
    reply = answer(circle.wren, begin(circle.heron, circle.sleep).post.thread).post
    report(circle.heron, reply)
    with pytest.raises(Conflict) as refused:
        settle(circle.owl, open_case(reply), measure(M.MOVE, space=circle.work.id))
    assert refused.value.code == "not_an_opener"


def test_the_silenced_are_not_approved_and_several_measures_are_one_decision(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.HIDE, M.SILENCE)
    assert [one["kind"] for one in decision.measures] == ["hide", "silence"]
    assert Notice.objects.filter(persona=circle.heron).exclude(kind="reply").count() == 1
    assert Sanction.objects.get().ends_at == NOW + timedelta(days=7)
    Persona.objects.filter(id=circle.heron.id).update(approved_posts=0)
    danger = begin(circle.heron, circle.sleep, "I want to kill myself.").post
    with pytest.raises(Conflict) as refused:
        settle(circle.owl, open_case(danger), M.APPROVE)
    assert refused.value.code == "silenced"
    later = NOW + timedelta(days=8)
    settle(circle.owl, open_case(danger), M.APPROVE, now=later)
    assert seen(danger)


def test_suspending_ends_what_is_open(circle, reported):
    PersonaSession.objects.create(
        digest="x", persona=circle.heron, expires_at=NOW + timedelta(hours=1)
    )
    settle(circle.owl, open_case(reported), M.SUSPEND)
    assert not PersonaSession.objects.exists()


@pytest.mark.parametrize(
    ("measures", "code"),
    [
        ([M.APPROVE, M.REJECT], "not_together"),
        ([M.APPROVE, M.SILENCE], "not_together"),
        ([M.SILENCE, M.SUSPEND], "not_together"),
        ([M.NO_ACTION, M.WARN], "not_together"),
        ([M.WARN, M.WARN], "not_together"),
        ([M.OVERTURN], "measures"),
        ([], "measures"),
        ([measure(M.SILENCE, until=None)], "until_missing"),
        ([measure(M.SILENCE, until=NOW)], "until"),
        ([measure(M.SILENCE, until=NOW + LONGEST + timedelta(seconds=1))], "until"),
        ([measure(M.MASK, title="T")], "body_missing"),
        ([measure(M.MASK, body="No title.")], "title_missing"),
        ([M.MOVE], "space_missing"),
        ([measure(M.MOVE, space=Decision().id)], "there_is_none"),
    ],
)
def test_what_does_not_go_together_changes_nothing(circle, reported, measures, code):
    before = AuditEntry.objects.count()
    with pytest.raises((Invalid, Conflict)) as refused:
        settle(circle.owl, open_case(reported), *measures)
    assert refused.value.code == code
    assert AuditEntry.objects.count() == before
    assert not Decision.objects.exists()


@pytest.mark.parametrize("kind", [kind for kind in LEADS_TO if kind not in (M.MASK, M.RESTORE)])
def test_a_post_that_waits_or_is_hidden_is_settled_by_its_decision(circle, waiting, kind):
    if S.PENDING in LEADS_TO[kind]:
        settle(circle.owl, open_case(waiting), kind)
        waiting.refresh_from_db()
        assert waiting.state == LEADS_TO[kind][S.PENDING]
        return
    with pytest.raises(Conflict) as refused:
        settle(circle.owl, open_case(waiting), kind)
    assert refused.value.code == "not_from_here"


def test_a_reason_is_given_to_whom_it_restricts(circle, reported):
    for reason, words in (("", ""), ("because", ""), ("own", "")):
        with pytest.raises(Invalid):
            settle(circle.owl, open_case(reported), M.HIDE, reason=reason, words=words)
    decision = settle(
        circle.owl, open_case(reported), M.HIDE, reason="own", words="Call 07700 900123 not."
    )
    assert "900123" not in decision.words


def test_nobody_decides_on_themselves_or_on_what_they_began(circle):
    post = begin(circle.owl, circle.sleep).post
    report(circle.lark, post)
    with pytest.raises(NotFound):
        settle(circle.owl, open_case(post), M.NO_ACTION)
    with pytest.raises(Forbidden) as refused:
        settle(circle.lark, open_case(post), M.HIDE)
    assert refused.value.code == "own_report"
    settle(circle.eagle, open_case(post), M.NO_ACTION)


def test_who_asked_for_a_second_opinion_leaves_the_decision_to_others(circle, waiting):
    case = open_case(waiting)
    claim(circle.owl.id, case.id, as_actor(circle.owl), NOW)
    ask_for_second_opinion(circle.owl.id, case.id, as_actor(circle.owl), NOW)
    with pytest.raises(Forbidden):
        settle(circle.owl, case, M.APPROVE)
    settle(circle.lark, case, M.APPROVE)


def test_a_colleagues_case_is_theirs(circle, waiting):
    case = open_case(waiting)
    claim(circle.lark.id, case.id, as_actor(circle.lark), NOW)
    with pytest.raises(Conflict) as refused:
        settle(circle.owl, case, M.APPROVE)
    assert (refused.value.code, refused.value.facts["until"]) == (
        "taken", NOW + timedelta(minutes=30),
    )  # fmt: skip
    settle(circle.owl, case, M.APPROVE, now=NOW + timedelta(minutes=31))


def test_whoever_comes_second_sees_what_was_decided(circle, waiting):
    case = open_case(waiting)
    seen_by_both = now_seen(case)
    settle(circle.owl, case, M.APPROVE, seen=seen_by_both)
    with pytest.raises(Stale) as refused:
        settle(circle.lark, case, M.REJECT, seen=seen_by_both)
    assert refused.value.facts["case"].decisions.get().by == circle.owl
    assert seen(waiting)


def test_a_decision_is_on_what_was_seen_also_of_the_post(circle, reported):
    looked = now_seen(open_case(reported))
    change(reported, "Quite harmless now.")
    reported.refresh_from_db()
    assert reported.latest == 2
    with pytest.raises(Stale):
        settle(circle.owl, open_case(reported), M.REMOVE, seen=looked)


def test_a_crisis_is_closed_by_a_person_alone_and_pages_no_more(circle):
    danger = begin(circle.heron, circle.sleep, "I want to kill myself.").post
    case = open_case(danger)
    settle(circle.owl, case, M.REQUEST_CHANGES, reason="danger")
    case.refresh_from_db()
    assert (case.closed_by, case.next_page_at) == (circle.owl, None)


def test_threads_are_kept_in_order(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    tend(thread.id, {"pinned": True, "read_only": True, "slow_seconds": 60}, as_actor(circle.owl))
    assert LiveThread.objects.get().pinned
    with pytest.raises(Conflict):
        answer(circle.wren, thread)
    row = AuditEntry.objects.get(verb="tend_thread")
    assert row.detail == {"pinned": True, "read_only": True, "slow_seconds": 60}
