"""The wall: nothing that moderators are shown leads to a user or a patient. Every door is asked,
and the names of all fields are known."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver

from accounts.models import User
from api.door import Door
from community.models import Case, Decision, Persona, PersonaLink
from community.moderation.paging import page_moderators
from messaging.models import Sms
from reminders.models import Patient
from tests.api.client import Answer, Caller
from tests.api.conftest import here
from tests.api.test_community_duty import RULE
from tests.api.test_document import schema
from tests.api.test_entrance import routes
from tests.api.test_moderation import CASES, HERE, hiding
from tests.cast import NOW, Cast
from tests.community import answer, begin, make_circle
from tests.moderating import open_case, report

MODERATION = f"{HERE}/moderation"
METHODS = ("get", "post", "put", "patch", "delete")


class Walk:
    """Asks doors for moderators, and keeps which, and what they answered."""

    def __init__(self) -> None:
        self.doors: set[tuple[str, str]] = set()
        self.answers: list[Any] = []

    def ask(self, who: Persona, method: str, path: str, expect: int = 200, **more: Any) -> Answer:
        if method != "GET":
            more.setdefault("body", {})
        answered = here(who).ask(method, path, expect=expect, **more)
        self.doors.add((method, "/" + get_resolver().resolve(path.partition("?")[0]).route))
        self.answers.append(answered.body)
        return answered


@pytest.fixture
def people(cast: Cast, clinician: Caller, coordinator: Caller) -> list[Persona]:
    """Two who are users too, of a patient's care team."""
    for caller, name in ((clinician, "Blue Heron"), (coordinator, "Grey Wren")):
        body = {"pseudonym": name, "language": "en", "time_zone": "Europe/London", "accepts": 1}
        caller.ask("POST", f"{HERE}/join", expect=201, body=body)
    Persona.objects.update(approved_posts=9, joined_at=NOW - timedelta(days=90))
    return list(Persona.objects.order_by("pseudonym"))


def test_no_answer_to_a_moderator_leads_to_a_user_or_a_patient(people, monkeypatch):
    heron, wren = people
    circle = make_circle()
    owl, lark, eagle = circle.owl, circle.lark, circle.eagle
    walk = Walk()
    on_duty(walk, owl, eagle, monkeypatch)
    post = begin(heron, circle.sleep, "Ring 07700 900123 or jo@example.org.").post
    answer(wren, post.thread)
    report(wren, post, words="I know them: clinician@example.org.")
    path = f"{CASES}/{open_case(post).id}"
    lists = (f"{path}/events", f"{path}/reports")
    for way in (CASES, path, *lists, f"{MODERATION}/board", f"{MODERATION}/choices"):
        walk.ask(owl, "GET", way)
    walk.ask(owl, "POST", f"{path}/claim")
    walk.ask(owl, "POST", f"{path}/hand-over", body={"to": str(lark.id)})
    walk.ask(lark, "POST", f"{path}/hand-back")
    walk.ask(owl, "POST", f"{path}/claim")
    walk.ask(owl, "POST", f"{path}/second-opinion")
    walk.ask(owl, "POST", f"{path}/notes", 201, body={"text": "Ring 07700 900123."})
    thread = f"{MODERATION}/threads/{post.thread_id}"
    walk.ask(owl, "PATCH", thread, body={"pinned": True})
    file = walk.ask(lark, "GET", path)
    walk.ask(lark, "POST", f"{path}/decide", body=hiding(file), If_Match=file.etag)
    here(heron).ask(
        "POST", f"{HERE}/decisions/{Decision.objects.get().id}/appeal", expect=201,
        body={"words": "Ring me at 07700 900123."},
    )  # fmt: skip
    against = f"{CASES}/{Case.objects.get(kind='appeal').id}"
    seen = walk.ask(owl, "GET", against)
    walk.ask(owl, "POST", f"{against}/decide-appeal", body={"overturn": True}, If_Match=seen.etag)
    danger = begin(heron, circle.sleep, "I want to kill myself. Ring 07700 900123.").post
    page_moderators(NOW)
    walk.ask(owl, "POST", f"{CASES}/{open_case(danger).id}/acknowledge")
    rules(walk, owl, eagle)
    role = f"{MODERATION}/members/{wren.id}/role"
    walk.ask(eagle, "PUT", role, body={"role": "moderator"})
    assert walk.doors == doors()
    said = json.dumps(walk.answers)
    for secret in secrets():
        assert secret not in said, secret


def on_duty(walk: Walk, owl: Persona, eagle: Persona, monkeypatch) -> None:
    """The owl takes duty, twice: the lead ends the one."""
    rota = f"{MODERATION}/rota"
    wanted = {"rung": 1, "number": "+44 7700 900201"}
    ended, kept = (walk.ask(owl, "POST", rota, 201, body=wanted)["id"] for _ in range(2))
    walk.ask(eagle, "POST", f"{rota}/{ended}/end", 204)
    with monkeypatch.context() as later:
        later.setattr(Door, "now", NOW + timedelta(minutes=2))
        walk.ask(owl, "POST", f"{rota}/{kept}/test")
        code = re.findall(r"\b\d{6}\b", Sms.objects.filter(about_id=kept).latest("id").body)[0]
        walk.ask(owl, "POST", f"{rota}/{kept}/acknowledge", body={"code": code})
    walk.ask(eagle, "GET", rota)


def rules(walk: Walk, owl: Persona, eagle: Persona) -> None:
    """A rule that would have met the texts that there are."""
    ways = f"{MODERATION}/rules"
    wanted = {**RULE, "phrases": ["ring", "call"]}
    rule = walk.ask(owl, "POST", ways, 201, body=wanted)["id"]
    walk.ask(owl, "POST", f"{ways}/{rule}/try")
    walk.ask(eagle, "POST", f"{ways}/{rule}/switch-on")
    walk.ask(owl, "GET", ways)
    walk.ask(eagle, "POST", f"{ways}/{rule}/switch-off")


def doors() -> set[tuple[str, str]]:
    """Every way to ask that moderators have."""
    return {
        (method.upper(), route)
        for route, pattern in routes(get_resolver(), "/")
        if route.startswith(MODERATION)
        for method in METHODS
        if hasattr(pattern.callback.view_class, method)
    }


def secrets() -> set[str]:
    """What users and patients are known by: keys, names, addresses, numbers, clinics."""
    found: set[str] = {"900123", "jo@example"}
    for user in User.objects.prefetch_related("memberships__clinic"):
        found |= {str(user.id), user.email, user.name}
        for membership in user.memberships.all():
            found |= {str(membership.clinic_id), membership.clinic.name}
    for patient in Patient.objects.all():
        found |= {str(patient.id), patient.name, patient.number}
    assert PersonaLink.objects.count() == 2
    return found


# --- The fields there are -------------------------------------------------------------------------

KNOWN = frozenset(
    """
    about acknowledged acknowledged_at action adverse advice answer appeal appeal_until
    approved_posts at begins_at body by cap case cases caught closed closed_at condition covered
    crisis crisis_at days deaf_since decided decided_at decided_by decision decisions description
    duties earlier earlier_reports ends_at events examples facts goes_with has held_until history
    hits id in_words joined_at key kind kind_in_words kinds language languages left_at lifted_at
    looked_at masked measures median moderator moderators next number oldest opened_at opens outcome
    overturned overturned_at owned_until owner p95 persona phrases pinned post post_state pseudonym
    published published_at ready_at reason reason_in_words reasons reporter reports results revision
    rightly role rung sanctions seen seen_at since slow_seconds space starts_at state state_in_words
    switched_at tags test_sent_at text thread title trusted unless until upheld urgency verdict
    version waiting wants_second_opinion weight were wordings words written_at written_by wrongly
    """.split()  # noqa: SIM905 - to be read as words
)
"""Each was looked at: it says nothing of whom a persona is. A new one is looked at, then added."""


def fields(shape: Any, shapes: dict[str, Any], done: set[str]) -> Iterator[str]:
    """The names of a shape's fields, and of those that it is made of."""
    if isinstance(shape, list):
        for one in shape:
            yield from fields(one, shapes, done)
        return
    if not isinstance(shape, dict):
        return
    yield from shape.get("properties", ())
    name = shape.get("$ref", "").rpartition("/")[2]
    if name and name not in done:
        done.add(name)
        yield from fields(shapes[name], shapes, done)
    told = [one for key, one in shape.items() if key not in ("examples", "properties")]
    yield from fields([*told, *shape.get("properties", {}).values()], shapes, done)


def test_every_field_that_a_moderator_is_shown_was_looked_at():
    document = schema.raw_schema
    answers = [
        answer
        for path, ways in document["paths"].items()
        if path.startswith(MODERATION)
        for way in ways.values()
        for status, answer in way["responses"].items()
        if status.startswith("2")
    ]
    assert set(fields(answers, document["components"]["schemas"], set())) == KNOWN
