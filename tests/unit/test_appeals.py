"""Appeals: once, in time, decided by another person, and taking back exactly what was wrong."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Forbidden, NotFound
from community.models import (
    Appeal,
    Case,
    Decision,
    LiveText,
    LiveThread,
    MeasureKind,
    Notice,
    Post,
    PostState,
    Sanction,
)
from community.moderation import appeals
from community.moderation.deciding import APPEAL_WITHIN
from community.moderation.reasons import all_reasons, reason_in_words, way_to_appeal
from community.moderation.sanctions import check_may_write
from community.posts.editing import edit, withdraw
from community.posts.trust import is_trusted
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, seen, wrote
from tests.moderating import appeal, measure, open_case, report, settle, settle_appeal

M = MeasureKind
S = PostState
LATER = NOW + timedelta(days=1)


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def reported(circle) -> Post:
    post = begin(circle.heron, circle.sleep).post
    answer(circle.wren, post.thread)
    report(circle.wren, post)
    return Post.objects.get(id=post.id)


def held_by_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def change(post: Post, body: str):
    post = Post.objects.get(id=post.id)
    return edit(
        post.author_id, post.id, wrote(body, "Nights"), post.version, as_actor(post.author), NOW
    )


def test_once_in_time_and_by_whom_it_is_about(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.HIDE)
    actor = as_actor(circle.wren)
    with pytest.raises(NotFound):
        appeals.appeal(circle.wren.id, decision.id, "No!", actor, NOW)
    late = NOW + APPEAL_WITHIN + timedelta(seconds=1)
    with pytest.raises(Conflict) as refused:
        appeal(decision, now=late)
    assert refused.value.code == "too_late"
    case = appeal(decision, "Ring 07700 900123.", NOW + APPEAL_WITHIN)
    assert (case.kind, case.urgency, case.about) == ("appeal", 2, circle.heron)
    assert "900123" not in Appeal.objects.get().words
    with pytest.raises(Conflict) as refused:
        appeal(decision)
    assert refused.value.code == "appealed"


def test_what_restricts_nobody_is_not_appealed_against(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.NO_ACTION)
    with pytest.raises(NotFound):
        appeals.appeal(circle.heron.id, decision.id, "No!", as_actor(circle.heron), NOW)


def test_another_person_decides(circle, reported):
    case = appeal(settle(circle.owl, open_case(reported), M.HIDE))
    with pytest.raises(Forbidden) as refused:
        settle_appeal(circle.owl, case, overturn=False)
    assert refused.value.code == "own_decision"
    settle_appeal(circle.lark, case, overturn=False, words="It stands.")
    made = Appeal.objects.get()
    assert (made.upheld, made.decided_by, made.answer) == (False, circle.lark, "It stands.")
    assert not seen(reported)
    told = Notice.objects.get(persona=circle.heron, kind="appeal")
    assert told.decision == made.decision
    assert not Case.objects.filter(closed_at__isnull=True).exists()


def test_who_reported_it_does_not_decide_the_appeal(circle):
    post = begin(circle.heron, circle.sleep).post
    report(circle.lark, post)
    case = appeal(settle(circle.owl, open_case(post), M.HIDE))
    with pytest.raises(Forbidden):
        settle_appeal(circle.lark, case, overturn=True)
    settle_appeal(circle.eagle, case, overturn=True)


@pytest.mark.parametrize("kind", [M.HIDE, M.REMOVE, M.REQUEST_CHANGES])
def test_what_was_taken_from_sight_is_seen_as_it_was(circle, reported, kind):
    before = list(LiveText.objects.order_by("post").values())
    threads = list(LiveThread.objects.values())
    decision = settle(circle.owl, open_case(reported), kind)
    assert not seen(reported)
    settle_appeal(circle.lark, appeal(decision), overturn=True, now=LATER)
    assert list(LiveText.objects.order_by("post").values()) == before
    assert list(LiveThread.objects.values()) == threads
    decision.refresh_from_db()
    assert decision.overturned_at == LATER
    held_by_the_database()


def test_a_masked_wording_is_the_authors_again(circle, reported):
    decision = settle(circle.owl, open_case(reported), measure(M.MASK, title="Nights", body="***"))
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    assert LiveText.objects.get(post=reported).revision_id == reported.published_id


def test_a_rejected_post_is_published_and_counts(circle):
    post = begin(circle.novice, circle.sleep).post
    decision = settle(circle.owl, open_case(post), M.REJECT)
    settle_appeal(circle.lark, appeal(decision), overturn=True, now=LATER)
    assert LiveText.objects.get(post=post).published_at == LATER
    circle.novice.refresh_from_db()
    assert circle.novice.approved_posts == 1


def test_a_rejected_wording_of_a_post_that_is_seen_takes_its_place(circle, reported):
    settle(circle.owl, open_case(reported), M.NO_ACTION)
    newer = change(reported, "See https://pills.example/buy now").revision
    decision = settle(circle.owl, open_case(reported), M.REJECT)
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    assert LiveText.objects.get(post=reported).revision == newer


def test_hidden_by_reports_and_removed_wrongly_is_seen_again(circle, reported):
    report(circle.eagle, reported)
    assert not seen(reported)
    decision = settle(circle.owl, open_case(reported), M.REMOVE)
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    assert LiveText.objects.get(post=reported).revision_id == reported.published_id


def test_sanctions_and_upheld_reports_are_taken_back_and_reporters_hear(circle, reported):
    circle.heron.approved_posts = 5
    circle.heron.save()
    decision = settle(circle.owl, open_case(reported), M.REMOVE, M.SILENCE)
    assert not is_trusted(circle.heron, LATER)
    settle_appeal(circle.lark, appeal(decision), overturn=True, now=LATER)
    assert is_trusted(circle.heron, LATER)
    check_may_write(circle.heron, LATER)
    assert Sanction.objects.get().lifted_at == LATER
    assert AuditEntry.objects.filter(verb="lift_sanction").count() == 1
    assert Notice.objects.filter(persona=circle.wren, kind="report").count() == 2


def test_what_its_author_took_away_stays_away(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.HIDE)
    post = Post.objects.get(id=reported.id)
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    post.refresh_from_db()
    assert post.state == S.WITHDRAWN
    assert not seen(post)


def test_a_later_decision_stands(circle, reported):
    first = settle(circle.owl, open_case(reported), M.HIDE)
    change(reported, "I will find you and hurt you all.")
    change(reported, "New words.")
    second = settle(circle.owl, open_case(reported), M.REMOVE)
    settle_appeal(circle.lark, appeal(first), overturn=True)
    assert not seen(reported)
    settle_appeal(circle.lark, appeal(second), overturn=True)
    assert LiveText.objects.get(post=reported).body == "New words."


def test_sent_back_and_written_anew_the_old_wording_is_seen_and_the_new_one_waits(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.REQUEST_CHANGES)
    change(reported, "Other words.")
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    assert LiveText.objects.get(post=reported).revision_id == reported.published_id
    settle(circle.owl, open_case(reported), M.APPROVE)
    assert LiveText.objects.get(post=reported).body == "Other words."
    held_by_the_database()


def test_nothing_new_of_the_silenced_is_published_by_an_appeal(circle):
    one, other = (begin(circle.novice, circle.sleep, title=title).post for title in "AB")
    rejected = settle(circle.owl, open_case(one), M.REJECT)
    settle(circle.owl, open_case(other), M.REJECT, M.SILENCE)
    case = appeal(rejected)
    with pytest.raises(Conflict) as refused:
        settle_appeal(circle.lark, case, overturn=True)
    assert refused.value.code == "silenced"
    assert not Decision.objects.filter(overturned_at__isnull=False).exists()
    settle_appeal(circle.lark, case, overturn=True, now=NOW + timedelta(days=8))
    assert seen(one)


def test_a_sign_of_danger_in_an_appeal_calls_a_person_also_too_late(circle, reported):
    decision = settle(circle.owl, open_case(reported), M.HIDE)
    done = appeals.appeal(
        circle.heron.id, decision.id, "I want to kill myself.", as_actor(circle.heron),
        NOW + timedelta(days=99),
    )  # fmt: skip
    assert (done.crisis, done.appeal) == (True, None)
    assert Case.objects.get(closed_at__isnull=True).crisis


def test_reasons_are_there_in_every_language_with_their_house_rule():
    for language in ("en", "cy", "es", "fr", "de", "pl"):
        assert way_to_appeal(language)
        said = {reason_in_words(key, language) for key in all_reasons()}
        assert len(said) == len(all_reasons())
    assert reason_in_words("unkind", "en") == "It is hurtful to somebody. (House rule: Be kind)"
