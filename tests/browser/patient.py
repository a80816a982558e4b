"""A patient before the browser: a real web process, the simulator's phone, and a real database."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import Page, expect

from dev.waiting import until
from reminders.models import Patient
from reminders.patients import signing_in
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.processes import World

ZONES = ["Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Kolkata",
         "Australia/Lord_Howe", "Pacific/Auckland"]  # fmt: skip


class Visitor:
    """Ada, before a browser. Her zone is one in which it is daytime now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.codes = 0
        self.ada = world.cast.ada
        now = timezone.now()
        here = next(zone for zone in ZONES if 9 <= now.astimezone(ZoneInfo(zone)).hour < 16)
        Patient.objects.filter(id=self.ada.id).update(
            time_zone=here,
            hour=now.astimezone(ZoneInfo(here)).time().replace(second=0, microsecond=0),
        )
        self.ada = Patient.objects.select_related("clinic").get(id=self.ada.id)

    def url(self, path: str) -> str:
        return self.world.web_url + path

    def start(self, *, days_ago: int = 0, interval: int = 7) -> datetime:
        """Give her a plan whose first day was so many days ago, and let its dose become due."""
        now = timezone.now()
        then = now - timedelta(days=days_ago)
        first = then.astimezone(self.ada.zone).date()
        last = first - timedelta(days=interval)
        prescribing.start(self.ada.id, Decision(interval, first), last, self.world.cast.actor, then)
        for day in range(days_ago + 1):
            plan_doses(then + timedelta(days=day))
        return now

    def invite(self) -> str:
        """Her welcome code."""
        return signing_in.invite(self.ada.id, self.world.cast.actor, timezone.now()).code

    def code(self) -> str:
        """The next code on her phone."""

        def new() -> list[str]:
            texts = self.world.simulator.conversation(self.ada.number)
            codes = [re.search(r"\b[0-9]{6}\b", text["body"]) for text in texts]
            return [code[0] for code in codes if code][self.codes :]

        until(new, 30, "a code is on the phone")
        [code] = new()
        self.codes += 1
        return code

    def ask_for_code(self, page: Page, number: str = "07700 900001") -> None:
        page.goto(self.url("/sign-in"))
        page.get_by_label("Your phone number").fill(number)
        page.get_by_role("button", name="Text me a code").click()
        expect(page).to_have_url(self.url("/sign-in/code"))

    def give(self, page: Page, label: str, code: str) -> None:
        page.get_by_label(label).fill(code)
        page.get_by_role("button", name="Go on").click()

    def sign_in(self, page: Page) -> None:
        """With both codes, on a device that isn't known."""
        welcome = self.invite()
        self.ask_for_code(page)
        self.give(page, "Code from the text", self.code())
        self.give(page, "Welcome code", welcome)
        expect(page).to_have_url(self.url("/me"))
