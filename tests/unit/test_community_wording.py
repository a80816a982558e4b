"""The words of the community's pages, in every language, and where our links lead."""

import re
import tomllib
from string import Formatter
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from community.members.entering import LANGUAGES
from community.models import (
    Channel,
    Condition,
    Contact,
    MeasureKind,
    NoticeKind,
    Persona,
    PostState,
    ReactionKind,
    Report,
    ReportReason,
)
from community.moderation.measures import ADVERSE
from community.notices.digests import mail_members
from community.notices.texting import text_members
from community.notices.writing import PERSONAL
from community.tags import OF_DAYS, TAGS
from messaging.models import Sms
from tests.cast import NOW
from tests.community import Circle, answer, begin, make_circle
from tests.moderating import M, open_case, report, settle
from tests.pages import come_in, text
from web.community.words import FOLDER, words


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def flat(tree: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{before}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def holes(said: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(said) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_placeholders(language):
    english, other = (
        flat(tomllib.loads((FOLDER / f"{name}.toml").read_text())) for name in ("en", language)
    )
    assert {name: holes(said) for name, said in other.items()} == {
        name: holes(said) for name, said in english.items()
    }
    if language != "en":
        same = {name for name in other if other[name] == english[name] and len(other[name]) > 20}
        assert same == set()


def test_there_is_a_word_for_whatever_there_is():
    said = words("en")
    assert set(said["states"]) == set(said["states_mean"]) == set(PostState.values)
    assert set(said["report_reasons"]) == set(ReportReason.values)
    assert set(said["outcomes"]) == {"waits", *Report.Outcome.values}
    assert set(said["tags"]) == set(TAGS)
    assert set(said["conditions"]) == set(Condition.values)
    assert set(said["intervals"]) == {str(days) for days in OF_DAYS}
    assert set(said["reactions"]) == set(ReactionKind.values)
    assert set(said["kinds"]) == set(NoticeKind.values) - PERSONAL
    assert {MeasureKind(kind) for kind in said["measures"]} == ADVERSE
    assert set(said["channels"]) > set(Channel.values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_page(language, circle):
    Persona.objects.filter(id=circle.heron.id).update(language=language, interval_days=14)
    circle.heron.refresh_from_db()
    post = begin(circle.heron, circle.sleep, tags=("sleep",)).post
    answer(circle.wren, post.thread)
    heron = come_in(circle.heron)
    paths = ["", "/help", "/rules", "/feeds/new", "/feeds/like", "/feeds/followed", "/tags/sleep",
             f"/rooms/{circle.sleep.id}", f"/rooms/{circle.sleep.id}/write", "/search?words=x",
             f"/threads/{post.thread_id}", f"/threads/{post.thread_id}/reply", "/mine", "/shares",
             f"/mine/{post.id}", f"/mine/{post.id}/change", f"/mine/{post.id}/take-away",
             f"/members/{circle.wren.id}", f"/members/{circle.wren.id}/report", "/notices",
             "/decisions", "/reports", "/figures", "/settings", "/settings/profile",
             "/settings/name", "/settings/notices", "/settings/channels", "/settings/hidden",
             "/settings/leave"]  # fmt: skip
    for path in paths:
        page = text(heron, path)
        assert f'<html lang="{language}">' in page, path
        assert words(language)["menu"]["talk"] in page, path
    outside = text(Client(headers={"Accept-Language": language}))
    assert words(language)["outside"]["title"].replace("'", "&#x27;") in outside


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_link_that_we_send_leads_to_a_page(language, circle, client, settings):
    """The digest's, the text's, and the one that turns off; and what each says there is."""
    Persona.objects.filter(id=circle.heron.id).update(language=language)
    for channel, address in ((Channel.MAIL, "h@example.org"), (Channel.SMS, "+447700900401")):
        Contact.objects.create(persona=circle.heron, channel=channel, address=address,
                               confirmed_at=NOW, next_at=NOW)  # fmt: skip
    answer(circle.wren, begin(circle.heron, circle.sleep).post.thread)
    mail.outbox.clear()
    mail_members(NOW.replace(hour=12))
    text_members(NOW.replace(hour=12))
    [digest], [sent] = mail.outbox, Sms.objects.all()
    links = {link.rstrip(".") for link in re.findall(r"https?://\S+", digest.body + sent.body)}
    assert len(links) == 2
    for link in links:
        assert link.startswith(f"{settings.PUBLIC_URL}/community")
        path = link.removeprefix(settings.PUBLIC_URL)
        for browser in (client, come_in(circle.heron)):
            assert browser.get(path).status_code == 200


def test_where_a_notice_says_that_one_can_read_why_one_can(circle):
    """Each notice has a link, and each link of it leads to a page."""
    post = begin(circle.heron, circle.sleep).post
    answer(circle.wren, post.thread)
    report(circle.wren, post)
    settle(circle.owl, open_case(post), M.HIDE, words="Please be kinder.")
    for persona, wanted in ((circle.heron, "Read why"), (circle.wren, "What I reported")):
        browser = come_in(persona)
        page = text(browser, "/notices")
        assert wanted in page
        for path in set(re.findall(r'href="(/community/[^"#]+)', page)):
            assert browser.get(path).status_code == 200, path
    [why] = set(
        re.findall(r"/community/decisions/[0-9a-f-]{36}", text(come_in(circle.heron), "/notices"))
    )
    page = come_in(circle.heron).get(why).content.decode()
    assert "Please be kinder." in page
    assert "You can appeal" in page
