"""A round of pages is one for a member, however much they write."""

import pytest

from community.moderation.paging import PAGE_EVERY, acknowledge, page_moderators
from community.posts.editing import edit
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
