"""How often somebody may ask: past the pace they wait, but their words for others still get in."""

import pytest
from django.urls import get_resolver

from api.community.door import EntrancePace, Pace, WordsDoor
from community.models import Case
from tests.api.test_entrance import routes
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


WORDS = {
    *("posts/<uuid:post_id>", "spaces/<uuid:space_id>/threads", "threads/<uuid:thread_id>/replies"),
    *("posts/<uuid:post_id>/report", "members/<uuid:member_id>/report", "me/pseudonym"),
    "decisions/<uuid:decision_id>/appeal",
}
"""What takes somebody's words for others: a cry for help waits for no pace, and what is written has
limits of its own."""
ENTRANCES = {"join", "enter", "enter-to-appeal"}


def test_every_door_has_its_pace():
    found: dict[str, set[str]] = {}
    for path, pattern in routes(get_resolver(), "/"):
        if path.startswith(f"{HERE}/"):
            view = pattern.callback.cls
            paces = ",".join(one.__name__ for one in view.throttle_classes)
            assert issubclass(view, WordsDoor) is (paces == "" and path != f"{HERE}/house-rules")
            found.setdefault(paces, set()).add(path.removeprefix(f"{HERE}/"))
    assert found.pop("") == {*WORDS, "house-rules"}
    assert found.pop("EntrancePace") == ENTRANCES
    assert set(found) == {"Pace"}


def test_who_comes_in_again_and_again_waits(db, cast, clinician, monkeypatch):
    monkeypatch.setattr(EntrancePace, "rate", "2/min")
    for _ in range(2):
        clinician.ask("POST", f"{HERE}/enter", expect=409, code="not_joined")
    clinician.ask("POST", f"{HERE}/enter", expect=429, code="throttled")
