"""Paging for a crisis: it climbs the moderators' rota until somebody acknowledges it."""

import re
from datetime import timedelta

import pytest

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from community.alarms import alarms
from community.models import Case, CaseKind, Decision, Duty, MeasureKind, Persona, PersonaRole
from community.moderation import cases
from community.moderation.appointing import appoint
from community.moderation.claiming import claim, hand_over
from community.moderation.paging import HELD_FOR, PAGE_EVERY, acknowledge, page_moderators
from community.moderation.rota import (
    MOST_TRIES,
    Turn,
    acknowledge_test,
    end_duty,
    on_duty,
    send_test_again,
    take_duty,
)
from community.posts.editing import edit
from messaging import inbound
from messaging.models import Scope, Sms
from messaging.states import State
from reminders.planning.alarms import alarms as reminders_alarms
from reminders.worklist.paging import page_staff
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, make_persona, wrote
from tests.moderating import appeal, open_case, settle, settle_appeal

MINUTE = timedelta(minutes=1)
FIRST, SECOND, THIRD = "+447700900201", "+447700900202", "+447700900203"


@pytest.fixture
def circle(cast) -> Circle:
    return make_circle()


def duty(persona: Persona, rung: int, number: str, ready: bool = True, **turn) -> Duty:
    """A duty, whose test page was acknowledged unless said otherwise."""
    taken = take_duty(persona, Turn(rung, number, **turn), as_actor(persona), NOW)
    if ready:
        acknowledge_test(taken.id, code_at(number), as_actor(persona), NOW)
    return taken


def code_at(number: str) -> str:
    body = Sms.objects.filter(to=number, body__contains="test page").latest("id").body
    return re.findall(r"\b\d{6}\b", body)[0]


@pytest.fixture
def staffed(circle: Circle) -> Circle:
    """The owl on the first rung, two on the third."""
    duty(circle.owl, 1, FIRST)
    duty(circle.lark, 3, SECOND)
    duty(circle.eagle, 3, THIRD)
    return circle


def crisis(circle: Circle, now=NOW) -> Case:
    posted = begin(circle.heron, circle.sleep, "I want to kill myself tonight.", now=now)
    return Case.objects.get(post=posted.post)


def paged(now) -> set[str]:
    """Whom a look at `now` pages."""
    before = set(Sms.objects.values_list("id", flat=True))
    page_moderators(now)
    return set(Sms.objects.exclude(id__in=before).values_list("to", flat=True))


def names(now) -> list[str]:
    return [alarm.name for alarm in alarms(now)]


def test_it_climbs_rung_by_rung_and_then_pages_everybody_again_and_again(staffed):
    case = crisis(staffed)
    assert paged(NOW) == {FIRST}
    assert paged(NOW + PAGE_EVERY - MINUTE) == set()
    assert paged(NOW + PAGE_EVERY) == {SECOND, THIRD}
    for times in (2, 3, 4):
        assert paged(NOW + times * PAGE_EVERY) == {FIRST, SECOND, THIRD}
    events = case.events.filter(kind="paged").order_by("id")
    assert [len(event.facts["moderators"]) for event in events] == [1, 2, 3, 3, 3]


def test_a_page_has_no_word_of_the_post_and_names_nobody(staffed):
    case = crisis(staffed)
    page_moderators(NOW)
    page = Sms.objects.get(about_id=case.id)
    assert page.body == (
        "Dosecircle community: somebody may be in danger. Open the moderators' queue, acknowledge "
        "the case on top and read it."
    )
    assert (page.scope, page.lane, page.kind, page.asked_for) == (
        "moderators", "urgent", "repeat", True,
    )  # fmt: skip
    assert page.owner_id == staffed.owl.id
    assert page.segments == 1


def test_acknowledging_ends_it_and_when_the_time_is_over_it_climbs_on(staffed):
    case = crisis(staffed)
    page_moderators(NOW)
    version = case.version
    got = acknowledge(case.id, as_actor(staffed.owl), NOW + MINUTE)
    assert (got.acknowledged_by_id, got.version) == (staffed.owl.id, version)
    assert Sms.objects.get(about_id=case.id).state == State.CANCELLED, "it waited still"
    assert paged(NOW + HELD_FOR) == set()
    assert paged(NOW + MINUTE + HELD_FOR) == {SECOND, THIRD}
    verbs = AuditEntry.objects.filter(subject_id=case.id).values_list("verb", flat=True)
    assert list(verbs.order_by("id")) == ["case_opened", "case_acknowledged"]


def test_a_closed_case_pages_nobody_and_cant_be_acknowledged(staffed):
    case = crisis(staffed)
    page_moderators(NOW)
    case.refresh_from_db()
    cases.close(case, as_actor(staffed.owl), NOW)
    assert paged(NOW + 100 * MINUTE) == set()
    with pytest.raises(Conflict):
        acknowledge(case.id, as_actor(staffed.owl), NOW)
    with pytest.raises(NotFound):
        acknowledge(staffed.owl.id, as_actor(staffed.owl), NOW)


def test_a_further_sign_pages_again_from_the_first_rung(staffed):
    case = crisis(staffed)
    page_moderators(NOW)
    acknowledge(case.id, as_actor(staffed.owl), NOW)
    post = case.post
    post.refresh_from_db()
    edit(
        staffed.heron.id, post.id, wrote("I will end my life now.", "Nights"), post.version,
        as_actor(staffed.heron), NOW + MINUTE,
    )  # fmt: skip
    assert paged(NOW + MINUTE) == {FIRST}
    case.refresh_from_db()
    # How long the first sign waited for a person is told as it was.
    assert (case.crisis_at, case.acknowledged_at, case.held_until) == (NOW, NOW, None)


def test_who_acknowledges_a_case_has_looked_at_it(staffed):
    case = crisis(staffed)
    got = acknowledge(case.id, as_actor(staffed.owl), NOW + MINUTE)
    assert (got.seen_at, got.crisis_at) == (NOW + MINUTE, NOW)


def test_a_case_that_becomes_a_crisis_later_says_when(staffed):
    post = begin(staffed.novice, staffed.sleep).post
    later = NOW + timedelta(days=3)
    edit(
        staffed.novice.id, post.id, wrote("I want to kill myself.", "Nights"), post.version,
        as_actor(staffed.novice), later,
    )  # fmt: skip
    case = Case.objects.get(post=post)
    assert (case.opened_at, case.crisis_at) == (NOW, later)


def test_whoever_it_is_about_is_not_who_is_called_and_cant_acknowledge(circle):
    duty(circle.owl, 1, FIRST)
    case = crisis(Circle(**{**circle.__dict__, "heron": circle.owl}))
    assert paged(NOW) == set()
    assert names(NOW + MINUTE) == ["crisis_finds_nobody"]
    with pytest.raises(Forbidden):
        acknowledge(case.id, as_actor(circle.owl), NOW)
    duty(circle.lark, 2, SECOND)
    assert paged(NOW + MINUTE) == {SECOND}


def test_only_those_on_duty_are_paged(circle):
    duty(circle.owl, 1, FIRST, ends_at=NOW + MINUTE)
    duty(circle.lark, 1, SECOND, starts_at=NOW + MINUTE)
    crisis(circle)
    assert paged(NOW) == {FIRST}
    assert paged(NOW + PAGE_EVERY) == {SECOND}


def test_a_duty_counts_once_its_test_page_was_acknowledged(circle):
    taken = duty(circle.owl, 1, FIRST, ready=False)
    crisis(circle)
    assert paged(NOW) == set()
    assert names(NOW) == ["no_moderator_on_duty", "crisis_finds_nobody"]
    with pytest.raises(Invalid):
        acknowledge_test(taken.id, "none", as_actor(circle.owl), NOW)
    with pytest.raises(NotFound):
        acknowledge_test(taken.id, code_at(FIRST), as_actor(circle.lark), NOW)
    acknowledge_test(taken.id, code_at(FIRST), as_actor(circle.owl), NOW)
    assert Sms.objects.get(about_id=taken.id).body == "", "a code that is used up is forgotten"
    assert paged(NOW) == {FIRST}
    assert names(NOW) == []


def test_a_code_is_over_after_a_while_or_some_tries_and_another_can_be_had(circle):
    taken = duty(circle.owl, 1, FIRST, ready=False)
    owl, code = as_actor(circle.owl), code_at(FIRST)
    with pytest.raises(Conflict):
        acknowledge_test(taken.id, code, owl, NOW + 16 * MINUTE)
    for _ in range(MOST_TRIES):
        with pytest.raises(Invalid):
            acknowledge_test(taken.id, "000", owl, NOW)
    with pytest.raises(Conflict):
        acknowledge_test(taken.id, code, owl, NOW)
    with pytest.raises(Conflict):
        send_test_again(taken.id, owl, NOW)
    send_test_again(taken.id, owl, NOW + 2 * MINUTE)
    acknowledge_test(taken.id, code_at(FIRST), owl, NOW + 2 * MINUTE)
    assert Duty.objects.get().ready_at == NOW + 2 * MINUTE


@pytest.mark.parametrize("change", [{"role": PersonaRole.MEMBER}, {"left_at": NOW}])
def test_who_moderates_no_more_is_not_on_duty(circle, change):
    duty(circle.owl, 1, FIRST)
    crisis(circle)
    if "left_at" in change:
        change = {**change, "pseudonym": "", "pseudonym_key": None}
    Persona.objects.filter(id=circle.owl.id).update(**change)
    assert paged(NOW) == set()


def suspended(circle: Circle, who: Persona, now=NOW) -> Decision:
    case = cases.open_case(CaseKind.REVIEW, None, who, as_actor(circle.wren), now)
    return settle(circle.eagle, case, MeasureKind.SUSPEND, now=now)


def test_who_is_suspended_is_not_on_duty_until_it_is_over(circle):
    duty(circle.owl, 1, FIRST)
    decision = suspended(circle, circle.owl)
    assert "no_moderator_on_duty" in names(NOW)
    crisis(circle)
    assert paged(NOW) == set()
    over = decision.sanctions.get().ends_at
    assert paged(over) == {FIRST}
    settle_appeal(circle.lark, appeal(decision), overturn=True)
    assert on_duty(NOW).exists()


@pytest.mark.parametrize("how", ["appoint", "suspend"])
def test_what_they_had_pages_again_at_once(staffed, how):
    case = crisis(staffed)
    page_moderators(NOW)
    acknowledge(case.id, as_actor(staffed.owl), NOW)
    quiet = open_case(begin(staffed.novice, staffed.sleep).post)
    claim(staffed.owl.id, quiet.id, as_actor(staffed.owl), NOW)
    if how == "appoint":
        eagle = as_actor(staffed.eagle)
        appoint(staffed.owl.id, PersonaRole.MEMBER, eagle, NOW + MINUTE)
    else:
        suspended(staffed, staffed.owl, NOW + MINUTE)
    assert paged(NOW + MINUTE) == {SECOND, THIRD}, "the first rung has nobody any more"
    quiet.refresh_from_db()
    assert (quiet.owner, quiet.owned_until) == (None, None)
    assert quiet.events.latest("id").kind == "handed_back"


def test_nothing_is_handed_over_to_who_cant_come_in(circle):
    case = open_case(begin(circle.novice, circle.sleep).post)
    claim(circle.owl.id, case.id, as_actor(circle.owl), NOW)
    suspended(circle, circle.lark)
    with pytest.raises(Invalid) as refused:
        hand_over(circle.owl.id, case.id, circle.lark.id, as_actor(circle.owl), NOW)
    assert refused.value.code == "suspended"


def test_only_a_lead_ends_anothers_duty(circle):
    taken = duty(circle.owl, 1, FIRST)
    with pytest.raises(NotFound):
        end_duty(taken.id, as_actor(circle.lark), NOW, lead=False)
    end_duty(taken.id, as_actor(circle.eagle), NOW, lead=True)
    assert not Duty.objects.exists()


@pytest.mark.parametrize("turn", [
    Turn(1, "07700 900201"), Turn(1, "+44 1"), Turn(1, FIRST, ends_at=NOW),
    Turn(1, FIRST, NOW + MINUTE, NOW + MINUTE), Turn(1, FIRST, NOW + timedelta(days=800)),
])  # fmt: skip
def test_a_duty_that_cant_be_meant_is_refused(circle, turn):
    with pytest.raises(Invalid):
        take_duty(circle.owl, turn, as_actor(circle.owl), NOW)


def test_one_phone_is_paged_once_a_round(circle):
    duty(circle.owl, 1, FIRST)
    duty(circle.lark, 1, FIRST)
    case = crisis(circle)
    page_moderators(NOW)
    assert Sms.objects.get(about_id=case.id).to == FIRST


def test_an_empty_rota_is_an_alarm_though_nothing_has_happened(circle):
    assert names(NOW) == ["no_moderator_on_duty"]
    duty(circle.owl, 1, FIRST, ends_at=NOW + MINUTE)
    assert names(NOW) == []
    [alarm] = alarms(NOW + 3 * MINUTE)
    assert (alarm.name, alarm.seconds) == ("no_moderator_on_duty", 120)


def test_where_nobody_has_joined_nothing_is_an_alarm(cast):
    assert names(NOW) == []


def test_a_page_that_nobody_makes_is_an_alarm(staffed):
    crisis(staffed)
    assert names(NOW + MINUTE) == []
    assert names(NOW + 2 * MINUTE) == ["crisis_paging_silent"]


def test_one_on_duty_who_said_stop_is_an_alarm_before_anything_happens(staffed, cast):
    inbound.store(cast.moderators_sender, "SM1", FIRST, "STOP", NOW)
    assert names(NOW) == ["moderator_opted_out"]
    inbound.store(cast.moderators_sender, "SM2", FIRST, "START", NOW + MINUTE)
    assert names(NOW) == []


def test_stop_to_other_texts_silences_no_page(staffed, cast):
    for sender in (cast.sender, cast.staff_sender, cast.community_sender):
        inbound.store(sender, f"SM{sender.number}", FIRST, "STOP", NOW)
    assert names(NOW) == []


def lose(number: str, state: State) -> None:
    Sms.objects.filter(to=number, body__contains="danger").update(state=state, untaken=True)


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.UNDELIVERED, State.FAILED])
def test_a_round_that_reached_no_phone_climbs_at_once_and_is_an_alarm(staffed, state):
    case = crisis(staffed)
    page_moderators(NOW)
    lose(FIRST, state)
    page_staff(NOW + MINUTE)  # the other domain's paging leaves our news to us
    page_moderators(NOW + MINUTE)
    assert "crisis_page_lost" in names(NOW + MINUTE)
    assert reminders_alarms(NOW + MINUTE) == []
    assert paged(NOW + MINUTE) == {SECOND, THIRD}
    lose(SECOND, state)
    page_moderators(NOW + 2 * MINUTE)
    assert paged(NOW + 2 * MINUTE) == set(), "the other one has it"
    acknowledge(case.id, as_actor(staffed.owl), NOW + 2 * MINUTE)
    assert names(NOW + 2 * MINUTE) == []


def test_past_the_last_rung_lost_pages_are_repeated_in_their_time(circle):
    duty(circle.owl, 1, FIRST)
    crisis(circle)
    page_moderators(NOW)
    lose(FIRST, State.FAILED)
    page_moderators(NOW + MINUTE)
    assert paged(NOW + MINUTE) == set()
    assert paged(NOW + PAGE_EVERY) == {FIRST}


def test_what_moderators_text_back_does_not_wait_for_ever(staffed, cast):
    inbound.store(cast.moderators_sender, "SM1", FIRST, "on my way", NOW)
    page_moderators(NOW)
    assert inbound.untaken(Scope.MODERATORS, 10) == []


def test_looking_costs_the_same_however_many_are_paged(circle, django_assert_num_queries):
    for n in range(4):
        mod = make_persona(f"Moderator {n}", role=PersonaRole.MODERATOR)
        duty(mod, 1, f"+4477009004{n:02}")
        begin(make_persona(f"Member {n}", approved=20), circle.sleep, "I want to kill myself.")
    with django_assert_num_queries(13):
        page_moderators(NOW)
    assert Sms.objects.filter(body__contains="danger").count() == 16


def test_a_reply_and_an_edit_with_a_sign_page_too(staffed):
    thread = begin(staffed.wren, staffed.sleep).post.thread
    answer(staffed.heron, thread, "I want to kill myself.")
    assert paged(NOW) == {FIRST}
