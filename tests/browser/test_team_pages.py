"""The care team's pages, in a real browser: what a nurse and a clinician do in a morning."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging import inbound
from reminders.conversation import hearing
from reminders.health import blood
from reminders.models import BloodTest, Cause, DoseRecord, ScheduleVersion, WorkItem
from reminders.worklist import items
from reminders.worklist.items import Finding
from tests.browser.patient import Visitor
from tests.browser.test_own_pages import check, reach
from tests.cast import PASSWORD


class Morning(Visitor):
    """Ada's plan of some weeks, two samples, and a text that nobody understood."""

    def begin(self) -> None:
        cast, now = self.world.cast, self.start(days_ago=21)
        for days, value in ((40, "0.47"), (5, "0.44")):
            taken_on = (now - timedelta(days=days)).date()
            entry = blood.Entry(BloodTest.HAEMATOCRIT, Decimal(value), "L/L", taken_on)
            blood.enter_result(self.ada.id, entry, cast.actor, now)
        said = "is it ok to fly to Spain?"
        inbound.store(cast.sender, f"SM{uuid4().hex}", self.ada.number, said, now)
        hearing.hear(now)
        items.open_items([Finding(self.ada.id, Cause.URGENT_SIGN, {"signs": ["fever"]})], now)

        for user in (cast.clinician, cast.coordinator):
            # As the web process checks it; the cast's hash may be a quicker one.
            user.set_password(PASSWORD)
            user.save()

    def sign_in_as(self, page: Page, who: str) -> None:
        page.goto(self.url("/team"))
        page.get_by_label("E-mail").fill(f"{who}@example.org")
        page.get_by_label("Password").fill(PASSWORD)


@pytest.fixture
def morning(browser, world) -> Morning:
    world.start_web()
    visitor = Morning(world)
    visitor.begin()
    return visitor


def test_a_nurses_morning(morning, page):
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    morning.sign_in_as(page, "coordinator")
    check(page, "team-sign-in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Now")
    check(page, "team-worklist")
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("listitem").filter(has_text="fly to Spain")).to_be_visible()
    check(page, "team-inbox")
    page.get_by_role("link", name="Its item").click()
    page.get_by_role("button", name="Take", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("It is yours until")
    check(page, "team-item")
    page.get_by_label("Dealt with").check()
    page.get_by_label("Last note").fill("Rang: no plans changed.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("status")).to_have_text("Closed.")
    assert WorkItem.objects.get(cause=Cause.TEXT_TO_READ).outcome == "done"
    page.get_by_role("link", name="Patients").click()
    page.get_by_label("Name, reference or phone number").fill("Ad")
    page.get_by_role("button", name="Find").click()
    assert "Ad" not in page.url.partition("/team")[2]
    check(page, "team-patients")
    page.get_by_role("link", name="Ada Example").click()
    drawn = page.locator(".chart canvas")
    expect(drawn).to_have_count(1)
    expect(page.locator(".uplot")).to_have_attribute("data-marks", "1")
    assert page.evaluate(PAINTED), "there is nothing on the canvas"
    rows = page.get_by_role("table").filter(has_text="Haematocrit").get_by_role("row")
    expect(rows.filter(has_text="0.44")).to_be_visible()
    expect(rows.filter(has_text="every week")).to_be_visible()
    check(page, "team-patient")
    page.get_by_role("link", name="Record it").click()
    page.get_by_role("radio", name="Injected").check()
    page.get_by_label("Left thigh").check()
    check(page, "team-record")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded for")
    assert DoseRecord.objects.get().source == "staff"
    assert not complaints
    # From here on the console names each form that is refused.
    enter_a_sample(page)
    enrol_somebody(page)


def enter_a_sample(page: Page) -> None:
    page.get_by_role("link", name="Enter or correct results").click()
    page.get_by_label("Blood taken on").fill(timezone.now().date().isoformat())
    page.get_by_label("Haematocrit", exact=True).fill("44")
    page.get_by_label("Platelets").fill("312")
    page.get_by_role("button", name="Enter").click()
    wrong = page.get_by_label("Haematocrit", exact=True)
    expect(wrong).to_have_accessible_description(re.compile("from 0.05 to 0.85"))
    check(page, "team-results-wrong")
    page.get_by_role("radio", name="%").check()
    wrong.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Haematocrit 44 %, Platelets 312")
    check(page, "team-results")
    page.get_by_role("link", name="Correct Platelets 312").click()
    check(page, "team-result")


def enrol_somebody(page: Page) -> None:
    page.get_by_role("link", name="Patients").click()
    page.get_by_role("link", name="Enrol a patient").click()
    page.get_by_label("Name", exact=True).fill("Bo Example")
    page.get_by_label("Phone").fill("07700 900002")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_label("Agreed to texts on")).to_have_accessible_description(
        re.compile("agreed to texts")
    )
    check(page, "team-enrol")
    page.get_by_label("Agreed to texts on").fill(timezone.now().date().isoformat())
    page.get_by_role("radio", name="In writing").check()
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bo Example")


PAINTED = """() => {
  const c = document.querySelector(".chart canvas");
  return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((x) => x);
}"""


def test_a_change_with_the_keyboard_alone(morning, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    morning.sign_in_as(page, "clinician")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    reach(page, ": The patient wrote of an urgent sign, Ada Example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is yours until")
    title = page.get_by_role("heading", level=1)
    reach(page, "Ada Example")
    page.keyboard.press("Enter")
    expect(title).to_have_text("Ada Example")
    reach(page, "Change the interval")
    page.keyboard.press("Enter")
    expect(title).to_have_text("Change the interval")
    reach(page, "Every week")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Every 2 weeks")).to_be_checked()
    reach(page, "First injection of the new plan")
    first = timezone.now().astimezone(morning.ada.zone).date() + timedelta(days=14)
    page.keyboard.type(first.strftime("%m%d%Y"))
    reach(page, "Haematocrit 0.44")
    page.keyboard.press("Space")
    reach(page, "Show what it would do")
    check(page, "team-change")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What the change would do")
    assert ScheduleVersion.objects.count() == 1
    check(page, "team-preview")
    reach(page, "Confirm the change")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The plan is changed: every 2 weeks")
    version = ScheduleVersion.objects.get(number=2)
    assert (version.interval_days, version.starts_on) == (14, first)
    assert version.results.startswith("Haematocrit 0.44 L/L")
    context.close()
