"""Digests by e-mail, over SMTP: what can be seen at the moment they go, once."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid
from community.members.bonds import lift_bond
from community.models import Channel, Contact, Notice
from community.notices import contacts, telling
from community.notices.digests import AGAIN, mail_members
from dev.stack import free_port
from tests.cast import NOW, Cast
from tests.community import Circle, answer, as_actor, begin, make_circle
from tests.notices import (
    ADDRESS,
    DAY,
    MINUTE,
    Go,
    code_in,
    gone,
    gone_by_mute,
)


@pytest.fixture
def circle(cast: Cast) -> Circle:
    return make_circle()


@pytest.fixture
def reply(circle):
    """Wren's reply to Heron, of which Heron is told."""
    thread = begin(circle.heron, circle.sleep).post.thread
    return answer(circle.wren, thread)


class Mailbox:
    """A mail server on this machine: what it took; `say` is its answer to a recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.say = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.say.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.say

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
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
    assert mail["List-Unsubscribe"].strip() == f"<{link}>"
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


@pytest.mark.parametrize(("channel", "address", "days"), [
    (Channel.MAIL, "nobody", 1), (Channel.MAIL, ADDRESS, 3), (Channel.SMS, "07700 900401", 1),
])  # fmt: skip
def test_what_is_no_address_is_refused(circle, mailbox, channel, address, days):
    with pytest.raises(Invalid):
        contacts.ask(circle.heron, channel, address, days, as_actor(circle.heron), NOW)


def test_without_a_mail_server_no_mail_can_be_asked_for(circle):
    with pytest.raises(Conflict):
        contacts.ask(circle.heron, Channel.MAIL, ADDRESS, 1, as_actor(circle.heron), NOW)
