"""The queue: its order, leases, handing on, notes, and what moderators are shown."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.refusals import Conflict, Forbidden, Invalid, NotFound, Stale
from community.models import Case, CaseEvent, CaseKind, MeasureKind, Persona, ReportReason
from community.moderation import queue
from community.moderation.board import _PEOPLE, SPAN, board, public_figures
from community.moderation.claiming import (
    CAP,
    LEASE,
    add_note,
    ask_for_second_opinion,
    claim,
    hand_back,
    hand_over,
)
from community.moderation.paging import acknowledge
from community.posts.editing import edit
from tests.cast import NOW
from tests.community import Circle, as_actor, begin, make_circle, wrote
from tests.moderating import appeal, open_case, report, settle, settle_appeal

M = MeasureKind


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def case(circle) -> Case:
    return open_case(begin(circle.novice, circle.sleep).post)


def take(moderator: Persona, case: Case, now=NOW) -> Case:
    return claim(moderator.id, case.id, as_actor(moderator), now)


def test_the_most_urgent_first_then_the_oldest(circle, case):
    shown = begin(circle.heron, circle.sleep).post
    report(circle.wren, shown)
    danger = begin(circle.wren, circle.sleep, "I want to kill myself.").post
    late = begin(circle.novice, circle.sleep, title="Later").post
    waiting = list(queue.waiting(circle.owl, NOW))
    assert waiting == [open_case(danger), open_case(shown), case, open_case(late)]
    after = (waiting[1].urgency, waiting[1].id)
    assert list(queue.waiting(circle.owl, NOW, after=after)) == waiting[2:]
    assert list(queue.waiting(circle.owl, NOW, kind=CaseKind.REVIEW)) == waiting[2:]


def test_a_moderator_sees_no_case_about_themselves(circle):
    post = begin(circle.owl, circle.sleep).post
    report(circle.wren, post)
    case = open_case(post)
    assert not queue.waiting(circle.owl, NOW).exists()
    for act in (
        lambda: queue.file_for(circle.owl, case.id, NOW),
        lambda: take(circle.owl, case),
        lambda: add_note(circle.owl, case.id, "Mine.", as_actor(circle.owl), NOW),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_lease_is_one_persons_and_ends(circle, case):
    taken = take(circle.owl, case)
    assert (taken.owner, taken.owned_until, taken.seen_at) == (circle.owl, NOW + LEASE, NOW)
    with pytest.raises(Conflict):
        take(circle.lark, case)
    assert take(circle.owl, case, NOW + timedelta(minutes=29)).seen_at == NOW
    with pytest.raises(Conflict):
        take(circle.lark, case, NOW + LEASE)
    assert take(circle.lark, case, NOW + 2 * LEASE).owner == circle.lark
    assert list(queue.waiting(circle.lark, NOW + 2 * LEASE, mine=True)) == [case]
    assert not queue.waiting(circle.owl, NOW + 2 * LEASE, free=True).exists()


def test_handing_back_and_over(circle, case):
    with pytest.raises(Conflict):
        hand_back(circle.owl.id, case.id, as_actor(circle.owl), NOW)
    take(circle.owl, case)
    with pytest.raises(Invalid):
        hand_over(circle.owl.id, case.id, circle.heron.id, as_actor(circle.owl), NOW)
    over = hand_over(circle.owl.id, case.id, circle.lark.id, as_actor(circle.owl), NOW)
    assert (over.owner, over.owned_until) == (circle.lark, NOW + LEASE)
    assert hand_back(circle.lark.id, case.id, as_actor(circle.lark), NOW).owner is None
    assert [event.kind for event in case.events.order_by("id")] == [
        "opened", "claimed", "handed_over", "handed_back",
    ]  # fmt: skip


def test_nobody_has_too_many_but_a_crisis_is_never_refused(circle):
    cases = [
        open_case(begin(circle.novice, circle.sleep, title=f"T{number}").post)
        for number in range(CAP + 1)
    ]
    for case in cases[:CAP]:
        take(circle.owl, case)
    with pytest.raises(Conflict) as refused:
        take(circle.owl, cases[CAP])
    assert refused.value.code == "cap"
    take(circle.owl, cases[0])
    take(circle.owl, open_case(begin(circle.wren, circle.sleep, "I want to kill myself.").post))
    take(circle.lark, cases[CAP])
    with pytest.raises(Conflict):
        hand_over(circle.lark.id, cases[CAP].id, circle.owl.id, as_actor(circle.lark), NOW)
    take(circle.owl, cases[CAP], NOW + LEASE)


def test_a_second_opinion_is_somebody_elses(circle, case):
    take(circle.owl, case)
    ask_for_second_opinion(circle.owl.id, case.id, as_actor(circle.owl), NOW)
    with pytest.raises(Forbidden):
        take(circle.owl, case)
    take(circle.lark, case)
    with pytest.raises(Conflict):
        ask_for_second_opinion(circle.lark.id, case.id, as_actor(circle.lark), NOW)
    with pytest.raises(Forbidden):
        hand_over(circle.lark.id, case.id, circle.owl.id, as_actor(circle.lark), NOW)


def test_a_closed_case_is_only_read_and_noted_on(circle, case):
    settle(circle.owl, case, M.APPROVE)
    with pytest.raises(Stale):
        take(circle.lark, case)
    note = add_note(circle.lark, case.id, "See 07700 900123.", as_actor(circle.lark), NOW)
    assert "900123" not in note.text
    assert not Case.objects.filter(crisis=True).exists()


def test_the_file_has_what_a_decision_is_made_on(circle):
    post = begin(circle.heron, circle.sleep, "Halve your dose, it worked for me.").post
    report(circle.wren, post, ReportReason.ADVICE, "Please look.")
    first = settle(circle.owl, open_case(post), M.WARN)
    report(circle.lark, post)
    file = queue.file_for(circle.owl, open_case(post).id, NOW)
    assert [wording.id for wording in file.wordings] == [post.published_id]
    assert [made.reporter for made in file.reports] == [circle.lark]
    assert file.history.decisions == [first]
    assert [sanction.kind for sanction in file.history.sanctions] == ["warn"]
    assert file.history.upheld == 1
    appealed = appeal(first)
    file = queue.file_for(circle.lark, appealed.id, NOW)
    assert file.appeal.decision == first
    assert [made.reporter for made in file.reports] == [circle.wren]


def test_the_file_shows_the_newest_of_many_events_and_reports(circle, case):
    for number in range(queue.NEWEST + 2):
        add_note(circle.owl, case.id, f"Note {number}.", as_actor(circle.owl), NOW)
    file = queue.file_for(circle.owl, case.id, NOW)
    assert [event.text for event in file.events] == [f"Note {n}." for n in range(2, 52)]
    assert file.earlier
    assert queue.events_of(circle.owl, case.id).count() == queue.NEWEST + 3
    with pytest.raises(NotFound):
        queue.events_of(circle.novice, case.id)


def test_the_board(circle):
    danger = open_case(begin(circle.wren, circle.sleep, "I want to kill myself.").post)
    acknowledge(danger.id, as_actor(circle.owl), NOW + timedelta(minutes=3))
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    case = open_case(post)
    take(circle.owl, case, NOW + timedelta(minutes=10))
    decision = settle(circle.owl, case, M.HIDE, now=NOW + timedelta(minutes=20))
    appealed = appeal(decision, now=NOW + timedelta(minutes=20))
    later = NOW + timedelta(minutes=40)
    settle_appeal(circle.lark, appealed, overturn=True, now=later)
    take(circle.owl, open_case(begin(circle.novice, circle.sleep).post), later)
    found = board(later)
    kinds = {kind.kind: kind for kind in found.kinds}
    assert list(kinds) == ["appeal", "crisis", "report", "review", ""]
    assert (kinds["crisis"].waiting, kinds["crisis"].oldest) == (1, NOW)
    assert kinds["crisis"].acknowledged.median == 3
    assert (kinds["report"].seen.median, kinds["report"].decided.median) == (10, 20)
    assert (kinds[""].waiting, kinds[""].decided.cases) == (2, 2)
    assert kinds[""].decided.p95 == 20
    loads = {load.pseudonym: load for load in found.moderators}
    assert (loads["Owl"].has, loads["Owl"].adverse, loads["Owl"].overturned) == (1, 1, 1)
    assert (loads["Lark"].decided, loads["Lark"].adverse) == (1, 0)
    assert found.overturned == 1
    # A month on, and for members.
    assert board(later + timedelta(days=31)).kinds[-1].decided.cases == 0
    figures = public_figures(later)
    assert (figures.waiting, figures.overturned, figures.crisis) == (2, 1, None)


def test_a_crisis_is_timed_from_its_first_sign_to_the_first_acknowledgement(circle):
    post = begin(circle.novice, circle.sleep).post
    found = NOW + timedelta(days=31)
    for minutes, words in ((0, "I want to kill myself."), (30, "I will end my life now.")):
        post.refresh_from_db()
        at = found + timedelta(minutes=minutes)
        edit(circle.novice.id, post.id, wrote(words, "Nights"), post.version,
             as_actor(circle.novice), at)  # fmt: skip
        acknowledge(open_case(post).id, as_actor(circle.owl), at + timedelta(minutes=4))
    [crisis, all_of_them] = board(found + timedelta(hours=1)).kinds
    assert (crisis.acknowledged.cases, crisis.acknowledged.median) == (1, 4)
    # It was opened before: its other times are no longer of these days.
    assert (all_of_them.seen.cases, all_of_them.acknowledged.median) == (0, 4)


def test_the_boards_queries_are_two(circle, django_assert_num_queries):
    with django_assert_num_queries(2):
        board(NOW)


def test_the_board_reads_of_members_only_those_who_moderate(circle):
    """However many there are: each member's page asks for it."""
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    settle(circle.owl, open_case(post), M.NO_ACTION)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO community_persona (id, pseudonym, pseudonym_key, role, language,"
            " time_zone, accepted_rules, joined_at, condition, tags, approved_posts)"
            " SELECT gen_random_uuid(), n, n, 'member', 'en', 'UTC', 1, now(), '', '{}', 0"
            " FROM generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE community_persona")
        cursor.execute(f"EXPLAIN ANALYZE {_PEOPLE}", {"now": NOW, "since": NOW - SPAN})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on community_persona" not in plan, plan


def test_members_figures_are_worked_out_once_for_all(circle, django_assert_num_queries):
    first = public_figures(NOW)
    with django_assert_num_queries(0):
        assert public_figures(NOW + timedelta(seconds=30)) == first


def test_events_hold_no_text_but_notes(circle, case):
    add_note(circle.owl, case.id, "A word.", as_actor(circle.owl), NOW)
    assert list(CaseEvent.objects.exclude(text="").values_list("kind", flat=True)) == ["note"]
