"""The pages as a browser shows them."""

import html
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from web import faults


def look(page: Page, url: str) -> list[str]:
    """Open a page; answers what the browser complained of, scripts and policy among it."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url, wait_until="load")
    return complaints


def test_the_home_page_says_what_this_is_and_leads_on(site, page):
    complaints = look(page, site)
    expect(page).to_have_title("Dosecircle: the right day, one text")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not complaints
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no scrolling aside"
    violations = Axe().run(page).response["violations"]
    assert not violations, violations
    page.get_by_role("link", name="Browse the API").click()
    expect(page).to_have_url(f"{site}/api/docs")


def test_a_wrong_address_leads_back(site, page):
    look(page, f"{site}/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert not Axe().run(page).response["violations"]
    page.get_by_role("link", name="Go to the front page").click()
    expect(page).to_have_url(f"{site}/")


def test_the_api_can_be_browsed_with_nothing_from_elsewhere(site, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints = look(page, f"{site}/api/docs")
    page.locator("#operations-tag-schedules").click()
    expect(page.get_by_text("/api/v1/patients/{patient_id}/schedule/change")).to_be_visible()
    assert not complaints
    elsewhere = [url for url in asked if not url.startswith((site, "data:"))]
    assert not elsewhere


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_fault_is_told_in_plain_words(status, rf):
    response = faults.page(rf.get("/"), status)
    assert response.status_code == status
    title, words = faults.WORDS[status]
    assert html.escape(title) in response.content.decode()
    assert html.escape(words) in response.content.decode()


@pytest.mark.parametrize("path", ["/", "/api/docs", "/api/v1/me", "/no", "/static/web/site.css"])
def test_browsers_are_told_to_trust_nothing_else(path, client, db):
    with closing(client.get(path)) as response:
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
