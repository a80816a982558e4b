"""Notices are told as they can be seen at that moment: in the app, by e-mail, by text."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, NotFound
from community.members.bonds import lift_bond, set_bond
from community.models import BondKind, Channel, Contact, LiveText, Notice, NoticeKind, Persona
from community.notices import contacts, telling
from community.notices.digests import AGAIN, mail_members
from community.notices.texting import TEXT_LASTS, text_members
from community.notices.wording import FOLDER, words
from community.notices.writing import TEXT_AFTER, tell
from community.posts.editing import withdraw
from dev.stack import free_port
from messaging import inbound
from messaging.models import Sms
from messaging.sending import send_due
from messaging.states import State
from tests.cast import NOW, Cast
from tests.community import Circle, answer, as_actor, begin, make_circle

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PHONE = "+447700900401"
ADDRESS = "heron@example.org"


@pytest.fixture
def circle(cast: Cast) -> Circle:
    return make_circle()


def told(persona: Persona) -> list[str]:
    """What a persona reads."""
    persona.refresh_from_db()
    rows = telling.notices_of(persona).order_by("-id")
    return [one.words for one in telling.in_words(list(rows), persona)]


# --- In the app -----------------------------------------------------------------------------------


def test_a_reply_is_told_in_the_readers_words(circle):
    thread = begin(circle.heron, circle.sleep).post.thread
    answer(circle.wren, thread)
    assert told(circle.heron) == ["Wren replied in your thread “Nights”."]
    Persona.objects.filter(id=circle.heron.id).update(language="de")
    assert told(circle.heron) == ["Wren hat in deinem Thema „Nights“ geantwortet."]
    assert told(circle.wren) == []


def test_every_language_has_the_same_words():
    def keys(table: dict) -> set[str]:
        places = re.compile(r"\{\w+\}")
        return {
            f"{part}.{name}{sorted(places.findall(text))}"
            for part, rows in table.items()
            for name, text in rows.items()
        }

    languages = sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert languages == ["cy", "de", "en", "es", "fr", "pl"]
    for language in languages:
        assert keys(words(language)) == keys(words("en")), language


def gone_withdrawn(circle: Circle, reply) -> None:
    post = reply.post
    post.refresh_from_db()
    withdraw(circle.wren.id, post.id, post.version, as_actor(circle.wren), NOW)


def gone_with_its_thread(circle: Circle, reply) -> None:
    opener = LiveText.objects.get(thread=reply.post.thread_id, opens=True).post
    withdraw(circle.heron.id, opener.id, opener.version, as_actor(circle.heron), NOW)


def gone_by_block(circle: Circle, reply) -> None:
    set_bond(circle.heron.id, circle.wren.id, BondKind.BLOCK, as_actor(circle.heron), NOW)


def gone_by_their_block(circle: Circle, reply) -> None:
    set_bond(circle.wren.id, circle.heron.id, BondKind.BLOCK, as_actor(circle.wren), NOW)


def gone_by_mute(circle: Circle, reply) -> None:
    set_bond(circle.heron.id, circle.wren.id, BondKind.MUTE, as_actor(circle.heron), NOW)


def gone_by_choice(circle: Circle, reply) -> None:
    telling.set_quiet(circle.heron, [NoticeKind.REPLY], as_actor(circle.heron))


GONE = [
    gone_withdrawn, gone_with_its_thread, gone_by_block, gone_by_their_block, gone_by_mute,
    gone_by_choice,
]  # fmt: skip
gone = pytest.mark.parametrize("go", GONE, ids=lambda go: go.__name__)
Go = Callable[[Circle, object], None]


@pytest.fixture
def reply(circle):
    """Wren's reply to Heron, of which Heron is told."""
    thread = begin(circle.heron, circle.sleep).post.thread
    return answer(circle.wren, thread)


@gone
def test_what_cant_be_seen_any_more_is_not_told(circle, reply, go: Go):
    assert telling.unread(circle.heron) == 1
    go(circle, reply)
    assert told(circle.heron) == []
    assert telling.unread(circle.heron) == 0


def test_a_mute_that_is_lifted_and_a_block_of_the_threads_author(circle, reply):
    gone_by_mute(circle, reply)
    lift_bond(circle.heron.id, circle.wren.id, as_actor(circle.heron))
    assert len(told(circle.heron)) == 1
    # Lark follows Heron's thread by hand, and Wren replied there.
    tell(circle.lark, NoticeKind.FOLLOWED, "x", NOW, post=reply.post, thread=reply.post.thread)
    assert told(circle.lark) == ["Wren replied in “Nights”, which you follow."]
    set_bond(circle.lark.id, circle.heron.id, BondKind.BLOCK, as_actor(circle.lark), NOW)
    assert told(circle.lark) == []


def test_what_vanishes_between_asking_and_telling_is_left_out(circle, reply):
    rows = list(telling.notices_of(circle.heron))
    gone_withdrawn(circle, reply)
    assert telling.in_words(rows, circle.heron) == []


def test_reading_marks_all_up_to_one_and_counting_ends_at_99(circle, reply):
    Notice.objects.bulk_create(
        Notice(persona=circle.heron, kind="reply", once=f"n{n}", at=NOW, post=reply.post)
        for n in range(120)
    )
    assert telling.unread(circle.heron) == telling.MANY + 1
    newest = list(telling.notices_of(circle.heron).order_by("-id")[:2])
    telling.mark_read(circle.heron, newest[1].id, NOW)
    assert telling.unread(circle.heron) == 1
    telling.mark_read(circle.wren, newest[0].id, NOW)
    assert telling.unread(circle.heron) == 1


def test_what_is_decided_about_somebody_cant_be_turned_off(circle):
    with pytest.raises(Invalid):
        telling.set_quiet(circle.heron, [NoticeKind.DECISION], as_actor(circle.heron))
    kinds = [NoticeKind.REPLY, NoticeKind.REACTION]
    assert telling.set_quiet(circle.heron, kinds, as_actor(circle.heron)) == ["reaction", "reply"]
    assert telling.set_quiet(circle.heron, [], as_actor(circle.heron)) == []


def test_a_page_of_notices_costs_the_same_however_long(circle, django_assert_num_queries):
    thread = begin(circle.heron, circle.sleep).post.thread
    for n in range(8):
        answer(circle.wren, thread, f"Same for me, {n}.")
    with django_assert_num_queries(5):
        rows = list(telling.notices_of(circle.heron).order_by("-id"))
        assert len(telling.in_words(rows, circle.heron)) == 8


# --- By e-mail ------------------------------------------------------------------------------------


class Mailbox:
    """A mail server on this machine: what it took; `say` is its answer to a recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.say = "250 OK"
        self.before = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.say.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.say

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        from email import message_from_bytes, policy

        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def mailbox(settings):
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
    settings.DEFAULT_FROM_EMAIL = "community@example.org"
    settings.MAIL = type(settings.MAIL)(host="127.0.0.1", port=port)
    yield box
    server.stop()


def body(mail: EmailMessage) -> str:
    return mail.get_content()


def code_in(text: str) -> str:
    return re.findall(r"\b\d{6}\b", text)[0]


NINE = NOW.replace(hour=9, minute=0)


@pytest.fixture
def mailed(circle, mailbox) -> Contact:
    """Heron gets a digest each day at nine, and has confirmed it."""
    actor = as_actor(circle.heron)
    contacts.ask(circle.heron, Channel.MAIL, ADDRESS, 1, actor, NOW)
    assert mail_members(NOW) == 1
    code = code_in(body(mailbox.mails.pop()))
    return contacts.confirm(circle.heron, Channel.MAIL, code, actor, NOW)


def test_a_digest_goes_once_at_nine_with_what_can_be_seen_then(circle, mailbox, mailed, reply):
    assert mailed.next_at == NINE
    assert mail_members(NINE - MINUTE) == 0
    assert (mail_members(NINE), mail_members(NINE)) == (1, 0)
    [mail] = mailbox.mails
    assert (mail["To"], mail["From"]) == (ADDRESS, "community@example.org")
    assert mail["Subject"] == "News for you in the community"
    text = body(mail)
    assert "- Wren replied in your thread “Nights”." in text
    assert "Same for me." not in text, "a digest holds no text of a post"
    link = re.findall(r"\S+/community/off/\S+", text)[0]
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail_members(NINE + DAY) == 1
    assert len(mailbox.mails) == 1, "nothing new, no mail"


@gone
def test_what_went_away_before_the_digest_is_not_in_it(circle, mailbox, mailed, reply, go: Go):
    go(circle, reply)
    assert mail_members(NINE) == 1
    assert mailbox.mails == []


def test_what_was_read_in_the_app_is_not_mailed(circle, mailbox, mailed, reply):
    telling.mark_read(circle.heron, Notice.objects.get(persona=circle.heron).id, NOW)
    mail_members(NINE)
    assert mailbox.mails == []


def test_what_comes_back_is_in_the_next_one(circle, mailbox, mailed, reply):
    gone_by_mute(circle, reply)
    mail_members(NINE)
    lift_bond(circle.heron.id, circle.wren.id, as_actor(circle.heron))
    mail_members(NINE + DAY)
    assert len(mailbox.mails) == 1


def test_a_server_that_cant_be_reached_or_says_later_is_asked_again(
    circle, mailbox, mailed, reply, settings
):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    assert mail_members(NINE) == 0
    assert Contact.objects.get().next_at == NINE + AGAIN
    settings.EMAIL_PORT, mailbox.say = port, "450 later"
    mail_members(NINE + AGAIN)
    assert Contact.objects.get().next_at == NINE + 2 * AGAIN
    mailbox.say = "250 OK"
    mail_members(NINE + 2 * AGAIN)
    assert len(mailbox.mails) == 1


def test_an_address_that_is_nobodys_is_forgotten(circle, mailbox, mailed, reply):
    mailbox.say = "550 no such mailbox"
    mail_members(NINE)
    assert Contact.objects.get().address == ""
    assert mail_members(NINE + DAY) == 0


def test_a_worker_that_dies_before_it_sends_costs_that_mail_and_no_notice(
    circle, mailbox, mailed, reply, monkeypatch
):
    def die(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("community.notices.digests._mail", die)
        with pytest.raises(KeyboardInterrupt):
            mail_members(NINE)
    assert mail_members(NINE) == 0
    mail_members(NINE + DAY)
    assert len(mailbox.mails) == 1


def test_the_link_asks_first_and_turns_off_when_it_is_posted(circle, mailbox, mailed, client):
    path = contacts.off_link(mailed).partition("127.0.0.1:8000")[2]
    page = client.get(path)
    assert page.status_code == 200
    assert b"Turn off" in page.content
    assert Contact.objects.get().address == ADDRESS
    for _ in range(2):
        # As a mail program does it, without a cookie or a token.
        page = client.post(path, {"List-Unsubscribe": "One-Click"})
        assert (page.status_code, b"turned off" in page.content) == (200, True)
    assert Contact.objects.get().address == ""
    assert ADDRESS.encode() not in page.content
    assert client.get(f"{path}x").status_code == 404
    verbs = AuditEntry.objects.filter(subject_id=circle.heron.id).order_by("id")
    assert [row.verb for row in verbs] == ["ask_to_hear", "confirm_contact", "turn_off"]


# --- By text --------------------------------------------------------------------------------------


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
    assert [text.state for text in Sms.objects.filter(about_id=texted.id)][-1] == State.CANCELLED


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
    from messaging.clock import read_clock

    now = read_clock()
    zone = next(z for z in ("UTC", "Asia/Tokyo", "America/Los_Angeles")
                if 9 <= now.astimezone(__import__("zoneinfo").ZoneInfo(z)).hour < 20)  # fmt: skip
    Persona.objects.filter(id=circle.heron.id).update(time_zone=zone)
    thread = begin(circle.heron, circle.sleep, now=now).post.thread
    answer(circle.wren, thread, now=now - TEXT_AFTER)
    text_members(now)
    send_due("routine")
    [text] = simulator.ledger(to=PHONE)["messages"]
    assert "something new" in text["body"]


# --- Asking ---------------------------------------------------------------------------------------


def test_codes_are_few_and_end(circle, mailbox):
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


@pytest.mark.parametrize(("channel", "address", "days"), [
    (Channel.MAIL, "nobody", 1), (Channel.MAIL, ADDRESS, 3), (Channel.SMS, "07700 900401", 1),
])  # fmt: skip
def test_what_is_no_address_is_refused(circle, mailbox, channel, address, days):
    with pytest.raises(Invalid):
        contacts.ask(circle.heron, channel, address, days, as_actor(circle.heron), NOW)


def test_without_a_mail_server_no_mail_can_be_asked_for(circle):
    with pytest.raises(Conflict):
        contacts.ask(circle.heron, Channel.MAIL, ADDRESS, 1, as_actor(circle.heron), NOW)
