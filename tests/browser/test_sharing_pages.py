"""The bridge in a real browser: from one's own post to the care team's page, and back."""

from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from community.members.entering import _session
from community.models import Persona, PersonaLink
from reminders.models import PatientLogin
from tests.browser.patient import Visitor
from tests.browser.test_own_pages import check
from tests.community import begin, make_circle

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def look(page: Page, name: str) -> None:
    """Check a page on a phone and on a desk."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        check(page, name)


def sign_in(page: Page, visitor: Visitor, user: User, persona: Persona | None = None) -> None:
    """As somebody is after signing in, and having come in."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    cookies = [{"name": name, "value": client.cookies[name].value, "url": visitor.world.web_url}]
    if persona is not None:
        token = _session(persona, timezone.now()).token
        cookies += [{"name": "community", "value": token, "url": visitor.url("/community")}]
    page.context.add_cookies(cookies)


def test_a_post_goes_to_the_care_team_and_back(world, browser: Browser):
    world.start_web()
    visitor, circle = Visitor(world), make_circle()
    words = "I sleep *badly* after the injection, for two nights each time. Reading helps me."
    post = begin(circle.heron, circle.sleep, words, "Nights").post
    visitor.invite()
    user = PatientLogin.objects.get(patient=visitor.ada).user
    PersonaLink.objects.create(user=user, persona=circle.heron)
    members, teams = browser.new_context(), browser.new_context()
    page, team = members.new_page(), teams.new_page()
    sign_in(page, visitor, user, circle.heron)
    sign_in(team, visitor, world.cast.clinician)

    page.goto(visitor.url(f"/community/mine/{post.id}"))
    look(page, "share-own")
    page.get_by_role("button", name="Share with my care team").click()
    expect(page.get_by_role("listitem").filter(has_text="St Example")).to_be_visible()
    look(page, "share-ask")
    page.get_by_role("button", name="Yes, share it").click()
    expect(page.get_by_role("status")).to_contain_text("Your care team can read it now")
    look(page, "share-list")

    team.goto(visitor.url(f"/team/patients/{visitor.ada.id}"))
    expect(team.get_by_role("heading", name="Shared with you by the patient")).to_be_visible()
    look(team, "share-patient")
    team.get_by_role("link", name="All that they share").click()
    expect(team.get_by_role("article")).to_contain_text("I sleep badly after the injection")
    look(team, "share-team")

    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    look(page, "share-none")
    team.reload()
    expect(team.get_by_role("heading", name="Nothing is shared")).to_be_visible()
    members.close()
    teams.close()
