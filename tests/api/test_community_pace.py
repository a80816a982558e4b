"""How often somebody may ask: past the pace they wait, but their words for others still get in."""

import pytest

from api.community.door import Pace
from community.models import Case
from tests.api.test_moderation import come_in
from tests.community import make_circle

HERE = "/api/v1/community"


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "rate", "3/min")
    Pace.cache.clear()


def test_past_the_pace_somebody_waits_and_a_cry_for_help_does_not(db):
    circle = make_circle()
    heron = come_in(circle.heron)
    for _ in range(3):
        heron.ask("GET", f"{HERE}/me", expect=200)
    waits = heron.ask("GET", f"{HERE}/me", expect=429, code="throttled")
    assert 1 <= int(waits.headers["retry-after"]) <= 60
    come_in(circle.wren).ask("GET", f"{HERE}/me", expect=200)
    body = {"title": "Tonight", "body": "I want to kill myself"}
    said = heron.ask("POST", f"{HERE}/spaces/{circle.sleep.id}/threads", expect=201, body=body)
    assert said["said"]["help"]["lines"]
    assert Case.objects.get().crisis
