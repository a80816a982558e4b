"""The moderators' rota, acknowledging, and their rules, over HTTP."""

import re

import pytest

from community.models import Case
from community.moderation.paging import page_moderators
from messaging.models import Sms
from tests.api.conftest import here
from tests.cast import NOW
from tests.community import begin

HERE = "/api/v1/community/moderation"
FIRST = "+447700900201"
RULE = {
    "key": "beads", "action": "hold", "phrases": ["moon bead*"], "languages": ["en"],
    "description": "Beads.",
}  # fmt: skip


def test_a_moderator_takes_duty_acknowledges_the_test_page_and_then_a_crisis(circle):
    owl, lark, eagle = (here(one) for one in (circle.owl, circle.lark, circle.eagle))
    wanted = {"rung": 1, "number": "+44 7700 900201"}
    duty = owl.ask("POST", f"{HERE}/rota", expect=201, body=wanted)
    assert (duty["number"], duty["ready_at"]) == (FIRST, None)
    assert owl.ask("GET", f"{HERE}/rota", expect=200)["covered"] is False
    mine = f"{HERE}/rota/{duty['id']}"
    owl.ask("POST", f"{mine}/test", expect=409, code="test_sent", body={})
    code = re.findall(r"\d{6}", Sms.objects.get().body)[0]
    owl.ask("POST", f"{mine}/acknowledge", expect=400, field="code", body={"code": "0"})
    lark.ask("POST", f"{mine}/acknowledge", expect=404, body={"code": code})
    owl.ask("POST", f"{mine}/acknowledge", expect=200, body={"code": code})
    rota = lark.ask("GET", f"{HERE}/rota", expect=200)
    assert rota["covered"] is True
    [shown] = rota["duties"]
    assert (shown["moderator"]["pseudonym"], shown["number"]) == ("Owl", None)

    posted = begin(circle.heron, circle.sleep, "I want to kill myself.")
    page_moderators(NOW)
    case = Case.objects.get(post=posted.post)
    path = f"{HERE}/cases/{case.id}/acknowledge"
    held = lark.ask("POST", path, expect=200, body={})
    assert (held["acknowledged_at"], held["held_until"]) == (
        "2027-01-04T08:30:00Z", "2027-01-04T09:00:00Z",
    )  # fmt: skip

    lark.ask("POST", f"{mine}/end", expect=404, body={})
    eagle.ask("POST", f"{mine}/end", expect=204, body={})


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "rota"), ("POST", "rota"), ("GET", "rules"), ("POST", "rules"),
    ("POST", "rota/{id}/acknowledge"), ("POST", "rota/{id}/test"), ("POST", "rota/{id}/end"),
    ("POST", "cases/{id}/acknowledge"), ("POST", "rules/{id}/try"),
    ("POST", "rules/{id}/switch-on"), ("POST", "rules/{id}/switch-off"),
])  # fmt: skip
def test_members_have_no_business_here(circle, clinician, method, path):
    path = f"{HERE}/{path.format(id=circle.owl.id)}"
    here(circle.heron).ask(method, path, expect=403, code="role", body={})
    clinician.ask(method, path, expect=401, body={})
    if "switch" in path:
        here(circle.owl).ask(method, path, expect=403, code="role", body={})


def test_a_rule_is_written_tried_and_switched(circle):
    owl, eagle = here(circle.owl), here(circle.eagle)
    begin(circle.heron, circle.sleep, "Moon beads!")
    bad = {**RULE, "phrases": ["fine", "~"]}
    owl.ask("POST", f"{HERE}/rules", expect=400, field="phrases.1", body=bad)
    rule = owl.ask("POST", f"{HERE}/rules", expect=201, body=RULE)
    trial = owl.ask("POST", f"{HERE}/rules/{rule['id']}/try", expect=200, body={})
    assert (trial["caught"], trial["were"]) == (1, {"published": 1})
    on = eagle.ask("POST", f"{HERE}/rules/{rule['id']}/switch-on", expect=200, body={})
    assert (on["state"], on["switched_at"]) == ("on", "2027-01-04T08:30:00Z")
    assert begin(circle.heron, circle.sleep, "Moon beads!").verdict == "pending"
    owl.ask("POST", f"{HERE}/rules", expect=201, body=RULE)
    history = owl.ask("GET", f"{HERE}/rules?key=beads", expect=200)["results"]
    assert [(row["version"], row["state"]) for row in history] == [(2, "draft"), (1, "on")]
    assert owl.ask("GET", f"{HERE}/rules?state=off", expect=200)["results"] == []
    first = owl.ask("GET", f"{HERE}/rules?page_size=1", expect=200)
    assert first["next"]
    eagle.ask("POST", f"{HERE}/rules/{rule['id']}/switch-off", expect=200, body={})
    eagle.ask("POST", f"{HERE}/rules/{rule['id']}/switch-off", expect=409, body={})
    eagle.ask("POST", f"{HERE}/rules/{circle.owl.id}/try", expect=404, body={})
