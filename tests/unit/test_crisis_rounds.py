"""A round of pages is one for a member, however much they write."""

import pytest

from community.models import Case
from community.moderation.claiming import claim
from community.moderation.paging import HELD_FOR, PAGE_EVERY, acknowledge, page_moderators
from community.posts.editing import edit
from community.posts.limits import PER_HOUR
from community.posts.refused import hear_refused
from messaging.models import Sms
from tests.cast import NOW
from tests.community import Circle, as_actor, begin, make_circle, wrote
from tests.unit.test_crisis_paging import FIRST, MINUTE, SECOND, THIRD, crisis, duty, paged


@pytest.fixture
def staffed(cast) -> Circle:
    circle = make_circle()
    duty(circle.owl, 1, FIRST)
    duty(circle.lark, 3, SECOND)
    duty(circle.eagle, 3, THIRD)
    return circle


def test_one_member_is_paged_for_once_a_round_however_much_they_write(staffed):
    """And others are paged for as ever."""
    first = crisis(staffed)
    second = crisis(staffed)
    page_moderators(NOW)
    assert Sms.objects.filter(to=FIRST, body__contains="in danger").count() == 1
    third = crisis(staffed, NOW + MINUTE)
    assert paged(NOW + MINUTE) == set()
    begin(staffed.wren, staffed.sleep, "I want to die.", now=NOW + MINUTE)
    assert paged(NOW + MINUTE) == {FIRST}
    acknowledge(first.id, as_actor(staffed.owl), NOW + 2 * MINUTE)
    assert paged(NOW + PAGE_EVERY) == {SECOND, THIRD}, "the others are nobody's yet"
    second.refresh_from_db()
    third.refresh_from_db()
    assert second.next_page_at == third.next_page_at == NOW + 2 * PAGE_EVERY
    for case in (second, third):
        acknowledge(case.id, as_actor(staffed.owl), NOW + PAGE_EVERY)
    crisis(staffed, NOW + PAGE_EVERY + MINUTE)
    assert FIRST in paged(NOW + PAGE_EVERY + MINUTE), "something new, while somebody has the rest"


def test_further_signs_in_a_post_that_nobody_has_yet_page_no_more_than_one(staffed):
    case = crisis(staffed)
    page_moderators(NOW)
    for n in range(3):
        edited = wrote(f"I will end my life now, {n}.", "Nights")
        case.post.refresh_from_db()
        edit(
            staffed.heron.id, case.post.id, edited, case.post.version, as_actor(staffed.heron),
            NOW + MINUTE,
        )  # fmt: skip
        assert paged(NOW + MINUTE) == set()
    assert paged(NOW + PAGE_EVERY) == {SECOND, THIRD}


def further_sign(circle: Circle, case: Case, now) -> None:
    """Another wording of the same post, with a sign of danger again."""
    case.post.refresh_from_db()
    body = wrote(f"I will end my life, it is {now:%H:%M}.", "Nights")
    edit(circle.heron.id, case.post_id, body, case.post.version, as_actor(circle.heron), now)


@pytest.mark.parametrize("how", ["edits", "new posts", "refused"])
def test_whoever_keeps_writing_does_not_hold_up_the_climb(staffed, how):
    case = crisis(staffed)
    called = []
    for minute in range(16):
        now = NOW + minute * MINUTE
        if how == "edits":
            further_sign(staffed, case, now)
        elif how == "new posts":
            crisis(staffed, now)
        else:
            hear_refused(staffed.heron.id, "I want to die.", as_actor(staffed.heron), now)
        called.append(paged(now))
    assert [at for at, who in enumerate(called) if who] == [0, 5, 10, 15]
    assert called[0] == {FIRST}
    assert called[5] >= {SECOND, THIRD}
    assert called[10] == called[15] == {FIRST, SECOND, THIRD}


@pytest.mark.parametrize("how", ["edits", "new posts", "refused"])
def test_nor_where_somebody_has_it_and_does_nothing(staffed, how):
    """A further sign pages the first rung again, and it climbs from there in its time."""
    case = crisis(staffed)
    page_moderators(NOW)
    claim(staffed.owl.id, case.id, as_actor(staffed.owl), NOW)
    called = []
    for minute in range(1, 12):
        now = NOW + minute * MINUTE
        if how == "edits":
            further_sign(staffed, case, now)
        elif how == "new posts":
            crisis(staffed, now)
        else:
            hear_refused(staffed.heron.id, "I want to die.", as_actor(staffed.heron), now)
        called.append(paged(now))
    assert called[0] == {FIRST}
    assert called[5] >= {SECOND, THIRD}
    assert called[10] == {FIRST, SECOND, THIRD}
    assert not any(called[at] for at in (1, 2, 3, 4, 6, 7, 8, 9))


@pytest.mark.parametrize("take", [acknowledge, claim])
def test_what_somebody_has_and_leaves_lying_climbs_on_when_their_time_is_over(staffed, take):
    case = crisis(staffed)
    page_moderators(NOW)
    if take is claim:
        claim(staffed.owl.id, case.id, as_actor(staffed.owl), NOW)
    else:
        acknowledge(case.id, as_actor(staffed.owl), NOW)
    assert paged(NOW + HELD_FOR - MINUTE) == set()
    assert paged(NOW + HELD_FOR) == {SECOND, THIRD}
    assert paged(NOW + HELD_FOR + PAGE_EVERY) == {FIRST, SECOND, THIRD}


def test_a_sign_past_the_limit_pages_again_where_somebody_has_the_case(staffed):
    """Its words are not kept, for moderators have enough to read; that it came, they are told."""
    heron = staffed.heron
    for n in range(PER_HOUR):
        hear_refused(heron.id, f"I want to die, {n}.", as_actor(heron), NOW)
    page_moderators(NOW)
    case = Case.objects.get(about=heron, post=None)
    acknowledge(case.id, as_actor(staffed.owl), NOW)
    hear_refused(heron.id, "I have taken them all, I want to die.", as_actor(heron), NOW + MINUTE)
    assert paged(NOW + MINUTE) == {FIRST}
    assert case.events.exclude(text="").count() == PER_HOUR
    for n in (2, 3, 4):
        hear_refused(heron.id, "I want to die.", as_actor(heron), NOW + n * MINUTE)
        assert paged(NOW + n * MINUTE) == set()
    assert paged(NOW + MINUTE + PAGE_EVERY) == {SECOND, THIRD}
