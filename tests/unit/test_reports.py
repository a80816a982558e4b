"""Reports: who may report what, what they weigh, and what their reporters hear."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, NotFound
from community.members.bonds import set_bond
from community.models import (
    BondKind,
    Case,
    CaseEvent,
    LiveText,
    MeasureKind,
    Notice,
    Post,
    PostState,
    Report,
    ReportReason,
)
from community.moderation.queue import file_for
from community.moderation.reports import (
    A_DAY,
    HIDES_AT,
    Complaint,
    answer_again,
    answer_reports,
    report_member,
)
from community.posts.editing import edit, withdraw
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, make_persona, seen, wrote
from tests.moderating import open_case, report, settle

M = MeasureKind


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def of_member(reporter, about, reason=ReportReason.UNKIND, words=""):
    return report_member(reporter.id, about.id, Complaint(reason, words), as_actor(reporter), NOW)


def test_a_report_opens_a_case_and_says_which_wording_and_why(circle):
    post = begin(circle.heron, circle.sleep).post
    made = report(circle.wren, post, ReportReason.ADVICE, "Tells us all what to do.").report
    case = open_case(post)
    assert (case.kind, case.urgency, case.about) == ("report", 1, circle.heron)
    assert (made.case, made.revision_id, made.weight) == (case, post.published_id, 2)
    assert seen(post)


def test_who_may_report_what(circle):
    post = begin(circle.heron, circle.sleep).post
    waiting = begin(circle.novice, circle.sleep).post
    with pytest.raises(Invalid):
        report(circle.heron, post)
    with pytest.raises(NotFound):
        report(circle.wren, waiting)
    report(circle.wren, post)
    with pytest.raises(Conflict) as again:
        report(circle.wren, post)
    assert again.value.code == "reported"
    set_bond(circle.heron.id, circle.novice.id, BondKind.BLOCK, as_actor(circle.heron))
    with pytest.raises(NotFound):
        report(circle.novice, post)
    assert Report.objects.count() == 1


def test_a_reply_in_the_thread_of_somebody_who_blocked_one_is_not_there_to_be_reported(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    reply = answer(circle.wren, thread).post
    set_bond(circle.heron.id, circle.novice.id, BondKind.BLOCK, as_actor(circle.heron))
    with pytest.raises(NotFound):
        report(circle.novice, reply)


@pytest.mark.parametrize("kind", BondKind)
def test_whom_one_hid_oneself_can_be_reported_all_the_same(circle, kind):
    thread = begin(circle.heron, circle.sleep).post.thread
    reply = answer(circle.wren, thread).post
    for other in (circle.heron, circle.wren):
        set_bond(circle.novice.id, other.id, kind, as_actor(circle.novice))
    assert report(circle.novice, reply).report
    assert of_member(circle.novice, circle.heron).report


def test_a_mute_is_one_sided_and_a_block_by_the_other_is_not(circle):
    heron, novice = circle.heron, circle.novice
    posts = [begin(author, circle.sleep).post for author in (heron, heron, circle.wren)]
    replies = [answer(author, post.thread).post
               for author, post in zip((circle.wren, heron), posts[1:], strict=True)]  # fmt: skip
    set_bond(heron.id, novice.id, BondKind.MUTE, as_actor(heron))
    assert report(novice, posts[0]).report
    set_bond(novice.id, heron.id, BondKind.MUTE, as_actor(novice))
    set_bond(heron.id, novice.id, BondKind.BLOCK, as_actor(heron))
    for refused in (posts[1], *replies):
        with pytest.raises(NotFound):
            report(novice, refused)
    with pytest.raises(NotFound):
        of_member(novice, heron)


def test_enough_weight_hides_until_a_person_decides(circle):
    post = begin(circle.heron, circle.sleep).post
    others = [make_persona(name, joined=NOW) for name in ("Ada", "Bea", "Cid", "Dot")]
    for count, other in enumerate(others, 1):
        assert seen(post) == (count <= HIDES_AT)
        report(other, post)
    post.refresh_from_db()
    assert post.state == PostState.HIDDEN
    # No row says whose report it was that hid it.
    hid = AuditEntry.objects.get(verb="move_post", detail__to="hidden")
    assert (hid.actor_kind, hid.persona_id) == ("clock", None)
    settle(circle.owl, open_case(post), M.RESTORE)
    assert seen(post)


def test_a_revision_that_was_left_up_is_hidden_again_by_others_alone(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    report(make_persona("Ada", approved=20), post)
    settle(circle.owl, open_case(post), M.RESTORE)
    with pytest.raises(Conflict):
        report(circle.wren, post)
    report(make_persona("Bea", approved=20), post)
    assert seen(post)
    report(make_persona("Cid", approved=20), post)
    assert not seen(post)


def reword(post: Post, body: str = "Other words.") -> PostState:
    post.refresh_from_db()
    author = as_actor(post.author)
    return edit(post.author_id, post.id, wrote(body, "Nights"), post.version, author, NOW).verdict


def test_a_new_wording_of_what_is_reported_waits_and_sheds_no_report(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    assert reword(post) == PostState.PENDING
    assert LiveText.objects.get(post=post).body == "I sleep badly after the injection."
    file = file_for(circle.owl, open_case(post).id, NOW)
    assert [wording.body for wording in file.wordings] == [
        "I sleep badly after the injection.", "Other words.",
    ]  # fmt: skip
    report(make_persona("Ada", approved=20), post)
    assert not seen(post)


def test_a_new_wording_that_a_person_let_in_is_reported_anew(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    reword(post)
    settle(circle.owl, open_case(post), M.APPROVE)
    assert LiveText.objects.get(post=post).body == "Other words."
    assert reword(post, "Other words again.") == PostState.PUBLISHED
    report(circle.wren, post)
    assert seen(post)
    report(make_persona("Ada", approved=20), post)
    assert not seen(post)


def test_answering_costs_the_same_however_many_reported(circle):
    costs = []
    for number in (1, 3):
        post = begin(circle.heron, circle.sleep, title=f"T{number}").post
        for name in range(number):
            report(make_persona(f"N{number}{name}", joined=NOW), post)
        case = open_case(post)
        with CaptureQueriesContext(connection) as asked:
            answer_reports(case, Report.Outcome.UPHELD, NOW)
        with CaptureQueriesContext(connection) as again:
            answer_again(case, NOW)
        costs.append((len(asked), len(again)))
        assert Notice.objects.filter(report__case=case).count() == 2 * number
    assert costs[0] == costs[1]


def test_reporters_hear_what_became_of_it_and_the_author_not_of_them(circle):
    post = begin(circle.heron, circle.sleep).post
    made = report(circle.wren, post, words="Wren says so.").report
    decision = settle(circle.owl, open_case(post), M.HIDE)
    made.refresh_from_db()
    assert (made.outcome, made.decided_at) == ("upheld", NOW)
    told = Notice.objects.get(persona=circle.wren)
    assert (told.kind, told.report, told.decision) == ("report", made, None)
    author = Notice.objects.get(persona=circle.heron)
    assert (author.kind, author.decision, author.report) == ("decision", decision, None)


@pytest.mark.parametrize(
    ("kinds", "outcome"), [((M.NO_ACTION,), "not_upheld"), ((M.REMOVE, M.WARN), "upheld")]
)
def test_outcomes(circle, kinds, outcome):
    post = begin(circle.heron, circle.sleep).post
    made = report(circle.wren, post).report
    settle(circle.owl, open_case(post), *kinds)
    made.refresh_from_db()
    assert made.outcome == outcome


def test_danger_pages_like_a_crisis(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post, ReportReason.DANGER)
    case = open_case(post)
    assert (case.kind, case.urgency, case.crisis, case.next_page_at) == ("crisis", 0, True, NOW)


def test_a_sign_of_danger_in_a_reporters_words_calls_a_person_for_the_reporter(circle):
    post = begin(circle.heron, circle.sleep).post
    made = report(circle.wren, post, words="This makes me want to kill myself. 07700 900123")
    assert made.crisis
    case = Case.objects.get(about=circle.wren)
    assert (case.kind, case.post, case.next_page_at) == ("crisis", None, NOW)
    said = case.events.get().text
    assert "kill myself" in said
    assert "900123" not in said + made.report.words


def test_they_are_heard_even_where_the_report_is_not_taken(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    again = report(circle.wren, post, words="I want to kill myself.")
    assert (again.crisis, again.report) == (True, None)
    assert Case.objects.filter(about=circle.wren, crisis=True).exists()
    assert CaseEvent.objects.filter(text__contains="kill myself").count() == 1


def test_reporting_a_member(circle):
    made = of_member(circle.wren, circle.heron, words="Writes me again and again.").report
    assert (made.post, made.case.post, made.about) == (None, None, circle.heron)
    for refusal, about in ((Conflict, circle.heron), (Invalid, circle.wren)):
        with pytest.raises(refusal):
            of_member(circle.wren, about)
    settle(circle.owl, made.case, M.WARN)
    made.refresh_from_db()
    assert made.outcome == "upheld"
    assert of_member(circle.wren, circle.heron).report is not None


def test_reports_are_limited(circle):
    for number in range(A_DAY):
        report(circle.wren, begin(circle.eagle, circle.sleep, title=f"T{number}").post)
    with pytest.raises(Conflict) as refused:
        report(circle.wren, begin(circle.heron, circle.sleep).post)
    assert refused.value.code == "rate"


def test_what_an_author_takes_away_needs_no_answer_but_gets_one(circle):
    post = begin(circle.heron, circle.sleep).post
    made = report(circle.wren, post).report
    post = Post.objects.get(id=post.id)
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    made.refresh_from_db()
    assert made.outcome == "withdrawn"
    assert Notice.objects.filter(persona=circle.wren, kind="report").count() == 1
