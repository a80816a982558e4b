"""A patient's own pages, in a real browser."""

import os
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
