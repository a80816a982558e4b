"""A patient's own pages, in a real browser."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from reminders.models import Cause, DoseRecord, SideEffectEntry, WorkItem
from tests.browser.patient import Visitor


@pytest.fixture
def visitor(browser, world) -> Visitor:
    world.start_web()
    world.start_worker("urgent")
    world.start_beat()
    return Visitor(world)


def check(page: Page, name: str = "") -> None:
    """What holds for every page: nothing for axe to complain of, no scrolling aside."""
    if os.environ.get("PICTURES"):
        width = page.viewport_size["width"]
        page.screenshot(path=Path(os.environ["PICTURES"]) / f"{name}-{width}.png", full_page=True)
    violations = Axe().run(page).response["violations"]
    assert not violations, violations
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls aside"
    assert "peginterferon" not in page.content().lower()


def test_a_day_from_signing_in_to_done(visitor, page):
    visitor.start()
    welcome = visitor.invite()
    page.goto(visitor.url("/me"))
    expect(page).to_have_url(visitor.url("/sign-in"))
    check(page, "sign-in")
    visitor.ask_for_code(page)
    check(page, "code")
    visitor.give(page, "Code from the text", "000000")
    expect(page.get_by_role("alert")).to_contain_text("This is not the code")
    check(page, "code-wrong")
    visitor.give(page, "Code from the text", visitor.code())
    expect(page.get_by_role("heading", level=1)).to_contain_text("One more code")
    check(page, "welcome")
    visitor.give(page, "Welcome code", welcome)
    expect(page.get_by_role("heading", level=1)).to_have_text("Today is your day")
    check(page, "today")
    page.get_by_role("link", name="I have done it").click()
    check(page, "record")
    page.get_by_label("Left thigh").check()
    page.get_by_label("What time was it?").fill("07:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Done for")
    check(page, "done")
    record = DoseRecord.objects.get()
    assert (record.told, record.site, record.source) == ("taken", "thigh_left", "page")
    assert record.taken_on == timezone.now().astimezone(visitor.ada.zone).date()
    page.get_by_role("link", name="Past days").click()
    expect(page.get_by_role("listitem").filter(has_text="Left thigh")).to_be_visible()
    check(page, "past")
    page.get_by_role("link", name="Change").click()
    check(page, "change")
    page.get_by_label("I left it out").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Left out")
    assert [r.told for r in DoseRecord.objects.order_by("number")] == ["taken", "skipped"]
    page.get_by_role("link", name="How I feel").click()
    check(page, "diary-empty")
    page.get_by_role("link", name="Add how I feel").click()
    check(page, "feel")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what it is about")
    check(page, "feel-wrong")
    page.get_by_label("Headaches").check()
    page.get_by_label("Hard to ignore").check()
    page.get_by_label("Do you want to add something?").fill("worse at night")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    check(page, "diary")
    entry = SideEffectEntry.objects.get()
    assert (entry.effect, entry.severity, entry.note) == ("headache", 2, "worse at night")
    assert WorkItem.objects.filter(cause=Cause.SIDE_EFFECT, closed_at=None).count() == 1


@pytest.fixture
def plain_page(browser) -> Iterator[Page]:
    """A phone whose browser runs no script."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    yield context.new_page()
    context.close()


NAME = """() => {
  const e = document.activeElement;
  if (e === document.body) return "";
  return e.labels?.[0]?.innerText || e.getAttribute("aria-label") || e.innerText || "";
}"""
RING = """() => {
  const e = document.activeElement;
  return [e, e.closest("label") ?? e].some(x => getComputedStyle(x).outlineStyle != "none");
}"""


def reach(page: Page, name: str) -> None:
    """Press the tab key until what has the focus bears a name, and see that one can see it."""
    passed: list[str] = []
    while name not in (label := page.evaluate(NAME)):
        assert len(passed) < 60, f"the keyboard doesn't reach {name}, but {passed}"
        passed.append(label)
        page.keyboard.press("Tab")
    assert page.evaluate(RING), f"no visible focus on {name}"


def test_with_the_keyboard_alone(visitor, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    visitor.start()
    visitor.sign_in(page)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    reach(page, "I have done it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write down your dose")
    reach(page, "Today, ")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Yesterday, ")).to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Today, ")).to_be_checked()
    reach(page, "I don't want to say")
    page.keyboard.press("ArrowUp")
    reach(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Done for")
    assert DoseRecord.objects.get().site == "thigh_right"
    context.close()


def test_without_script_and_on_a_second_visit_without_the_welcome_code(visitor, plain_page):
    visitor.start(days_ago=7)
    page = plain_page
    visitor.sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    visitor.ask_for_code(page)
    visitor.give(page, "Code from the text", visitor.code())
    expect(page).to_have_url(visitor.url("/me"))
    page.get_by_role("link", name="Remind me later today").click()
    page.get_by_role("button", name="Text me then").click()
    expect(page.get_by_role("status")).to_contain_text("We text you again today at")
    page.get_by_role("link", name="Past days").click()
    page.get_by_role("link", name="Write down").last.click()
    page.get_by_label("Another day").check()
    page.get_by_label("Which one?").fill((timezone.localdate() - timedelta(days=7)).isoformat())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("is done")
    page.get_by_role("link", name="I leave this one out").click()
    page.get_by_role("button", name="Yes, leave it out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Left out")
    told = dict(DoseRecord.objects.order_by("dose__date").values_list("told", "source"))
    assert told == {"taken": "page", "skipped": "page"}


def test_feverish_words_are_answered_at_once(visitor, page):
    visitor.start()
    visitor.sign_in(page)
    page.get_by_role("link", name="I have done it").click()
    page.get_by_label("Do you want to add something?").fill("shivering, fever since last night")
    page.get_by_role("button", name="Save").click()
    notice = page.get_by_role("status")
    expect(notice).to_contain_text("please call your team now about what you wrote: 020 7946 0000")
    check(page, "fever")
    assert WorkItem.objects.filter(cause=Cause.URGENT_SIGN, closed_at=None).exists()
