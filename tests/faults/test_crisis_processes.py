"""From a cry for help over HTTP to the moderators' phones, by the everyday processes, with workers
killed on the way."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from community.members.entering import _session
from community.models import Case, Duty, Persona
from dev.waiting import until
from tests.api.client import Answer, Caller, over_http
from tests.community import make_circle
from tests.processes import World

FIRST, SECOND = "+447700900201", "+447700900202"
PROMISED = 10.0
"""Seconds from posting to the phone, with the everyday stack."""


def pages(world: World, phone: str) -> int:
    """How many pages a phone got, each counted once: a killed worker's goes again."""
    return len({text["id"] for text in world.simulator.ledger(to=phone)["messages"]})


def on_duty(persona: Persona, rung: int, number: str) -> None:
    """Whose test page was acknowledged before."""
    Duty.objects.create(persona=persona, rung=rung, number=number, ready_at=timezone.now())


@pytest.mark.processes
def test_a_cry_for_help_reaches_the_moderators_phone_though_a_worker_is_killed(
    world: World,
) -> None:
    circle = make_circle()
    now = timezone.now()
    on_duty(circle.owl, 1, FIRST)
    on_duty(circle.lark, 2, SECOND)
    world.start_web()
    world.start_worker()
    one = world.start_worker("urgent")
    world.start_beat()
    until(lambda: world.logs().count("ready.") >= 2, 60, "the workers listen")
    heron, wren, owl = (
        Caller(_session(who, now).token, over_http(world.web_url))
        for who in (circle.heron, circle.wren, circle.owl)
    )

    def cry(member: Caller, body: str) -> Answer:
        path = f"/api/v1/community/spaces/{circle.sleep.id}/threads"
        return member.ask("POST", path, expect=201, body={"title": "Tonight", "body": body})

    begun = time.monotonic()
    posted = cry(heron, "I want to kill myself tonight.")
    assert posted["verdict"] == "pending"
    assert posted["said"]["help"]["lines"], "its author is shown help at once"
    until(lambda: pages(world, FIRST) == 1, PROMISED, "the first rung is paged")
    assert time.monotonic() - begun < PROMISED

    # The worker dies the moment somebody else cries for help; another one listens.
    world.start_worker("urgent")
    until(lambda: world.logs().count("ready.") >= 3, 60, "another worker listens")
    begun = time.monotonic()
    cry(wren, "I am going to end my life.")
    one.kill()
    until(lambda: pages(world, FIRST) == 2, PROMISED, "paged all the same")
    assert time.monotonic() - begun < PROMISED

    # Nobody acknowledges: it climbs. Then somebody does, and it ends.
    assert pages(world, SECOND) == 0
    Case.objects.update(next_page_at=timezone.now())
    until(lambda: pages(world, SECOND) == 2, PROMISED, "the second rung is paged")
    for case in Case.objects.all():
        path = f"/api/v1/community/moderation/cases/{case.id}/acknowledge"
        owl.ask("POST", path, expect=200, body={})
        case.refresh_from_db()
        assert case.next_page_at is not None
        assert case.next_page_at - timezone.now() > timedelta(minutes=29)
    bodies = [text["body"] for text in world.simulator.ledger(to=FIRST)["messages"]]
    assert all("life" not in body and "Heron" not in body for body in bodies)
