"""The community's pages, in a real browser: from one's own pages in, writing, and a moderator's
decision."""

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from community.members.entering import _session
from community.models import Case, Decision, LiveText, Persona
from tests.browser.patient import Visitor
from tests.browser.test_own_pages import check
from tests.community import Circle, answer, begin, make_circle
from tests.moderating import report


@pytest.fixture
def visitor(browser, world) -> Visitor:
    world.start_web()
    return Visitor(world)


@pytest.fixture
def circle(visitor) -> Circle:
    circle = make_circle()
    opened = begin(circle.wren, circle.sleep, "I lie awake *again*.", "Wide awake", tags=("sleep",))
    answer(circle.heron, opened.post.thread, "So do I.")
    return circle


def come_in(page: Page, visitor: Visitor, persona: Persona) -> None:
    """As the button on one's own pages lets in, which the first test presses."""
    token = _session(persona, timezone.now()).token
    page.context.add_cookies(
        [{"name": "community", "value": token, "url": visitor.url("/community")}]
    )


def test_from_ones_own_pages_to_a_first_post_without_script(browser: Browser, visitor, circle):
    visitor.world.start_worker("urgent")
    visitor.world.start_beat()
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    welcome = visitor.invite()
    # The link of a text, on a phone that isn't signed in.
    page.goto(visitor.url("/community"))
    page.get_by_role("link", name="Open the community").click()
    page.get_by_label("Your phone number").fill("07700 900001")
    page.get_by_role("button", name="Text me a code").click()
    visitor.give(page, "Code from the text", visitor.code())
    visitor.give(page, "Welcome code", welcome)
    page.get_by_role("button", name="Open the community").click()
    page.get_by_label("Your made-up name").fill("Sea Glass")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("read the house rules")
    page.get_by_label("I have read the house rules").check()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Sea Glass")
    names = {cookie["name"]: cookie["path"] for cookie in context.cookies()}
    assert names["community"] == "/community"
    page.get_by_role("link", name="Sleep", exact=False).first.click()
    page.get_by_role("link", name="Begin a talk").click()
    page.get_by_label("Title").fill("Hello")
    page.get_by_label("Your words", exact=True).fill("I am new here. Ring 07700 900123.")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("We cover this")).to_contain_text("a phone number")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("A moderator reads it first")
    page.get_by_role("button", name="Go out of the community").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are out")
    context.close()


def test_reading_writing_and_help_first(visitor, circle, page):
    come_in(page, visitor, circle.heron)
    page.goto(visitor.url("/community"))
    check(page, "community-home")
    page.get_by_role("link", name="Wide awake").click()
    check(page, "community-thread")
    page.get_by_role("button", name="Hug").first.click()
    expect(page.get_by_role("button", name="Hug 1").first).to_have_attribute("aria-pressed", "true")
    page.get_by_role("textbox", name="Your words").fill("It gets better.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("It gets better.")).to_be_visible()
    page.get_by_role("link", name="Report").first.click()
    check(page, "community-report")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_role("alert")).to_contain_text("Say what is wrong")
    for path in ("/search?words=awake", "/mine", "/notices", "/settings", "/settings/profile",
                 "/settings/channels", "/figures", f"/members/{circle.wren.id}",
                 f"/rooms/{circle.sleep.id}/write"):  # fmt: skip
        page.goto(visitor.url(f"/community{path}"))
        check(page, "community" + path.partition("?")[0].replace("/", "-")[:20])
    page.get_by_label("Title").fill("Tonight")
    page.get_by_label("Your words", exact=True).fill("I want to kill myself.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("You are not alone")
    expect(page.get_by_role("link", name="116 123")).to_be_visible()
    check(page, "community-help")
    assert Case.objects.filter(crisis=True, about=circle.heron).exists()
    assert not LiveText.objects.filter(title="Tonight").exists()


def test_a_moderator_decides(visitor, circle, page):
    report(circle.heron, LiveText.objects.get(opens=True).post, words="It isn't kind.")
    come_in(page, visitor, circle.owl)
    page.goto(visitor.url("/community/moderation"))
    check(page, "moderation-queue")
    page.get_by_role("link", name="Reported by members").last.click()
    page.get_by_role("button", name="Look after it").click()
    expect(page.get_by_role("status")).to_have_text("Yours for half an hour.")
    check(page, "moderation-case")
    page.get_by_label("Hide it").check()
    page.get_by_role("button", name="Decide and close").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    check(page, "moderation-case-wrong")
    page.get_by_label("Why?").select_option("unkind")
    page.get_by_role("button", name="Decide and close").click()
    expect(page.get_by_role("status")).to_contain_text("Decided")
    assert Decision.objects.get().by == circle.owl
    page.get_by_role("link", name="How we do").click()
    check(page, "moderation-board")


def test_a_moderator_writes_a_rule_and_takes_duty(visitor, circle, page):
    come_in(page, visitor, circle.eagle)
    page.goto(visitor.url("/community/moderation"))
    page.get_by_role("link", name="Our rules").click()
    page.get_by_role("link", name="Write a rule").click()
    page.get_by_label("Its name").fill("nights")
    page.get_by_role("button", name="Keep it, not on yet").click()
    expect(page.get_by_role("alert")).to_contain_text("Say in up to 300 characters")
    check(page, "moderation-rule-wrong")
    page.get_by_label("What it is about").fill("Talk of nights without sleep.")
    page.get_by_label("Phrases, each on a line of its own").fill("lie awake\nwide awake")
    page.get_by_label("Hold: a moderator looks first").check()
    page.get_by_role("button", name="Keep it, not on yet").click()
    page.get_by_role("button", name="Try it on past posts").click()
    expect(page.get_by_role("status")).to_contain_text("This would have caught 1 post")
    check(page, "moderation-rule-tried")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("status")).to_have_text("It is on, from the next post.")
    page.get_by_role("link", name="Our rules").click()
    check(page, "moderation-rules")
    page.get_by_role("link", name="The queue").click()
    page.get_by_role("link", name="Who is on duty").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody is on duty now")
    page.get_by_label("Your number, with its country").fill("+44 7700 900201")
    page.get_by_role("button", name="Take duty").click()
    expect(page.get_by_role("status")).to_contain_text("A test page is on its way")
    check(page, "moderation-rota")
