"""Texts to members: that there is something, at most one a day, never at night, taken back."""

from zoneinfo import ZoneInfo

import pytest

from accounts.refusals import Conflict, Invalid, NotFound
from community.models import Channel, Contact, Notice, Persona
from community.notices import contacts, telling
from community.notices.texting import TEXT_LASTS, text_members
from community.notices.writing import TEXT_AFTER
from messaging import inbound
from messaging.clock import read_clock
from messaging.models import Lane, Sms
from messaging.sending import send_due
from messaging.states import State
from tests.cast import NOW, Cast
from tests.community import Circle, answer, as_actor, begin, make_circle
from tests.notices import (
    DAY,
    HOUR,
    MINUTE,
    PHONE,
    Go,
    code_in,
    gone,
    gone_withdrawn,
)


@pytest.fixture
def circle(cast: Cast) -> Circle:
    return make_circle()


@pytest.fixture
def reply(circle):
    """Wren's reply to Heron, of which Heron is told."""
    thread = begin(circle.heron, circle.sleep).post.thread
    return answer(circle.wren, thread)


@pytest.fixture
def texted(circle) -> Contact:
    """Heron gets texts, and has confirmed it."""
    actor = as_actor(circle.heron)
    contacts.ask(circle.heron, Channel.SMS, "+44 7700 900401", 1, actor, NOW)
    code = code_in(Sms.objects.get(to=PHONE).body)
    contact = contacts.confirm(circle.heron, Channel.SMS, code, actor, NOW)
    assert Sms.objects.get(to=PHONE).body == ""
    Sms.objects.filter(to=PHONE).update(state=State.DELIVERED)
    return contact


LATER = NOW + TEXT_AFTER


def waiting() -> list[Sms]:
    return list(Sms.objects.filter(to=PHONE, state=State.QUEUED))


def test_a_text_says_that_there_is_something_and_never_what(circle, texted, reply):
    assert text_members(LATER - MINUTE) == 0
    assert text_members(LATER) == 1
    [text] = waiting()
    assert text.body == (
        "Dosecircle community: there is something new for you. "
        "http://127.0.0.1:8000/community Text STOP to end these texts."
    )
    assert (text.scope, text.kind, text.lane) == ("community", "once", "routine")
    assert text.expires_at == LATER + TEXT_LASTS


def test_there_is_at_most_one_a_day(circle, texted, reply):
    text_members(LATER)
    Sms.objects.filter(to=PHONE).update(state=State.DELIVERED)
    answer(circle.wren, reply.post.thread, now=LATER + HOUR)
    for hours in range(1, 23):
        text_members(LATER + hours * HOUR)
    assert waiting() == []
    text_members(LATER + DAY)
    assert len(waiting()) == 1


def test_never_at_night_by_the_members_own_clock(circle, texted):
    Persona.objects.filter(id=circle.heron.id).update(time_zone="America/Los_Angeles")
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.wren, thread)
    for minutes in range(10, 8 * 60, 30):
        text_members(NOW + minutes * MINUTE)
        local = (NOW + minutes * MINUTE).hour - 8
        assert bool(waiting()) == (local >= 8), local


def test_a_text_of_the_evening_is_of_no_use_at_night(circle, texted):
    thread = begin(circle.heron, circle.sleep).post.thread
    evening = NOW.replace(hour=20, minute=45)
    answer(circle.wren, thread, now=evening)
    text_members(evening + TEXT_AFTER)
    assert waiting()[0].expires_at == NOW.replace(hour=21, minute=0)


@gone
def test_what_went_away_is_not_texted(circle, texted, reply, go: Go):
    go(circle, reply)
    text_members(LATER)
    assert waiting() == []


@gone
def test_a_text_that_waits_is_taken_back_when_its_news_is_gone(circle, texted, reply, go: Go):
    text_members(LATER)
    assert len(waiting()) == 1
    go(circle, reply)
    text_members(LATER + MINUTE)
    assert waiting() == []
    latest = Sms.objects.filter(about_id=texted.id).order_by("id").last()
    assert latest is not None
    assert latest.state == State.CANCELLED


def test_after_one_was_taken_back_another_may_go_the_same_day(circle, texted, reply):
    text_members(LATER)
    gone_withdrawn(circle, reply)
    text_members(LATER + MINUTE)
    answer(circle.wren, reply.post.thread, "Another.", now=LATER + HOUR)
    text_members(LATER + HOUR + TEXT_AFTER)
    assert len(waiting()) == 1


def test_reading_in_the_app_takes_it_back_too(circle, texted, reply):
    text_members(LATER)
    telling.mark_read(circle.heron, Notice.objects.get(persona=circle.heron).id, LATER)
    text_members(LATER + MINUTE)
    assert waiting() == []


def test_stop_turns_it_off_and_the_number_is_forgotten(circle, texted, reply, cast):
    inbound.store(cast.community_sender, "SM1", PHONE, "STOP", NOW)
    text_members(LATER)
    assert waiting() == []
    assert Contact.objects.get().address == ""
    with pytest.raises(Conflict) as refused:
        contacts.ask(circle.heron, Channel.SMS, PHONE, 1, as_actor(circle.heron), LATER)
    assert refused.value.code == "stopped"


def test_stop_to_other_texts_leaves_these_be(circle, texted, reply, cast):
    inbound.store(cast.sender, "SM1", PHONE, "STOP", NOW)
    text_members(LATER)
    assert len(waiting()) == 1


def test_it_arrives_by_http(circle, texted, simulator):
    now = read_clock()
    zone = next(z for z in ("UTC", "Asia/Tokyo", "America/Los_Angeles")
                if 9 <= now.astimezone(ZoneInfo(z)).hour < 20)  # fmt: skip
    Persona.objects.filter(id=circle.heron.id).update(time_zone=zone)
    thread = begin(circle.heron, circle.sleep, now=now).post.thread
    answer(circle.wren, thread, now=now - TEXT_AFTER)
    text_members(now)
    send_due(Lane.ROUTINE)
    [text] = simulator.ledger(to=PHONE)["messages"]
    assert "something new" in text["body"]


def test_codes_are_few_and_end(circle):
    heron, actor = circle.heron, as_actor(circle.heron)
    with pytest.raises(NotFound):
        contacts.confirm(heron, Channel.SMS, "123456", actor, NOW)
    contacts.ask(heron, Channel.SMS, PHONE, 1, actor, NOW)
    code = code_in(Sms.objects.get().body)
    for _ in range(contacts.MOST_TRIES):
        with pytest.raises(Invalid):
            contacts.confirm(heron, Channel.SMS, "wrong", actor, NOW)
    with pytest.raises(Conflict):
        contacts.confirm(heron, Channel.SMS, code, actor, NOW)
    for _ in range(contacts.MOST_CODES - 1):
        contacts.ask(heron, Channel.SMS, PHONE, 1, actor, NOW)
    with pytest.raises(Conflict):
        contacts.ask(heron, Channel.SMS, PHONE, 1, actor, NOW)
    contacts.turn_off(heron, Channel.SMS, actor)
    with pytest.raises(Conflict):
        contacts.ask(heron, Channel.SMS, PHONE, 1, actor, NOW + HOUR)
    contacts.ask(heron, Channel.SMS, PHONE, 1, actor, NOW + DAY + HOUR)
