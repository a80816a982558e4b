"""Moderators at once, in a database in which all of them really commit."""

from collections import Counter
from itertools import count

import pytest
from django.db.models import Count
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Refusal, Stale
from community.models import (
    Appeal,
    Case,
    CaseEvent,
    Decision,
    LiveText,
    MeasureKind,
    Notice,
    Persona,
    PersonaRole,
    Post,
    Report,
    Sanction,
)
from community.moderation.claiming import claim
from tests.api.test_at_once import at_once
from tests.cast import NOW
from tests.community import Circle, as_actor, begin, make_circle, make_persona
from tests.moderating import (
    appeal,
    measure,
    now_seen,
    open_case,
    report,
    settle,
    settle_appeal,
)
from tests.processes import World

M = MeasureKind
N = 5


@pytest.fixture
def circle(world: World) -> Circle:
    return make_circle()


@pytest.fixture
def team(circle) -> list[Persona]:
    return [make_persona(f"Mod {name}", role=PersonaRole.MODERATOR) for name in "ABCDE"]


def tried(act):
    """What an act came to: its result, or its refusal."""

    def run():
        try:
            return act()
        except Refusal as refusal:
            return refusal

    return run


def test_of_any_decisions_at_once_one_wins_and_the_others_are_told(circle, team):
    names = count()
    choices = [(M.HIDE,), (M.REMOVE, M.SILENCE), (M.NO_ACTION,), (M.REQUEST_CHANGES, M.WARN)]

    @settings(
        max_examples=4, deadline=None, phases=[Phase.generate], database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(kinds=st.lists(st.sampled_from(choices), min_size=N, max_size=N))
    def decide_at_once(kinds):
        post = begin(make_persona(f"Heron {next(names)}", approved=9), circle.sleep).post
        report(circle.wren, post)
        case = open_case(post)
        looked = now_seen(case)
        came_to = at_once(
            *(
                tried(lambda by=by, one=one: settle(by, case, *one, seen=looked))
                for by, one in zip(team, kinds, strict=True)
            )
        )
        won = [one for one in came_to if isinstance(one, Decision)]
        lost = [one for one in came_to if isinstance(one, Stale)]
        assert (len(won), len(lost)) == (1, N - 1), came_to
        assert all(one.facts["case"].decisions.get() == won[0] for one in lost)
        one_set_of_effects(won[0], case, post)

    decide_at_once()


def one_set_of_effects(decision: Decision, case: Case, post: Post) -> None:
    kinds = {one["kind"] for one in decision.measures}
    assert Notice.objects.filter(decision=decision).count() == decision.adverse
    assert Notice.objects.filter(report__case=case).count() == 1
    assert Sanction.objects.filter(decision__case=case).count() == len(kinds & {"silence", "warn"})
    moved = AuditEntry.objects.filter(verb="move_post", subject_id=post.id)
    assert moved.count() == 1 + ("no_action" not in kinds)
    assert case.events.filter(kind=CaseEvent.Kind.DECIDED).count() == 1
    assert LiveText.objects.filter(post=post).exists() == ("no_action" in kinds)


def test_a_case_that_several_take_at_once_is_one_persons(circle, team):
    case = open_case(begin(circle.novice, circle.sleep).post)
    came_to = at_once(
        *(
            tried(lambda by=by: claim(by.id, case.id, as_actor(by), NOW))
            for by in team
        )
    )  # fmt: skip
    assert Counter(type(one) for one in came_to) == {Case: 1, Conflict: N - 1}
    assert case.events.filter(kind=CaseEvent.Kind.CLAIMED).count() == 1


def test_nobody_gets_past_the_cap_by_haste(circle, team, monkeypatch):
    monkeypatch.setattr("community.moderation.claiming.CAP", 2)
    cases = [
        open_case(begin(circle.novice, circle.sleep, title=f"T{number}").post)
        for number in range(4)
    ]
    came_to = at_once(
        *(
            tried(lambda case=case: claim(team[0].id, case.id, as_actor(team[0]), NOW))
            for case in cases
        )
    )
    assert Counter(type(one) for one in came_to) == {Case: 2, Conflict: 2}


def test_reports_at_once_are_each_counted_once_and_hide_once(circle, team):
    post = begin(circle.heron, circle.sleep).post
    came_to = at_once(*(tried(lambda by=by: report(by, post)) for by in [*team[:3], *team[:3]]))
    refused = [one for one in came_to if isinstance(one, Refusal)]
    # Two hide it: who comes later doesn't see it any more.
    assert Report.objects.count() == 6 - len(refused)
    assert not Report.objects.values("reporter").annotate(n=Count("id")).filter(n__gt=1).exists()
    assert AuditEntry.objects.filter(verb="move_post", detail__to="hidden").count() == 1
    assert Case.objects.count() == 1


def test_an_appeal_sent_and_decided_several_times_at_once_is_one(circle, team):
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    decision = settle(circle.owl, open_case(post), measure(M.SILENCE), M.HIDE)
    came_to = at_once(*[tried(lambda: appeal(decision))] * 3)
    assert Counter(type(one) for one in came_to) == {Case: 1, Conflict: 2}
    case = Appeal.objects.get().case
    came_to = at_once(
        *(tried(lambda by=by: settle_appeal(by, case, overturn=True) or by) for by in team)
    )
    assert Counter(type(one) for one in came_to) == {Persona: 1, Stale: N - 1}
    assert AuditEntry.objects.filter(verb="lift_sanction").count() == 1
    assert LiveText.objects.filter(post=post).exists()
