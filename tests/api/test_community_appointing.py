"""Who may make a moderator, and who is the first lead."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from community.models import Persona, Space
from tests.api.client import Caller
from tests.api.test_moderation import come_in
from tests.community import Circle, make_circle

HERE = "/api/v1/community/moderation/members"


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def ask(caller: Caller, persona: Persona, role: str, expect: int, code: str = "") -> None:
    body = {"role": role}
    caller.ask("PUT", f"{HERE}/{persona.id}/role", expect=expect, code=code, body=body)


def test_a_lead_appoints_and_dismisses_moderators(circle):
    eagle = come_in(circle.eagle)
    ask(eagle, circle.wren, "moderator", 200)
    come_in(circle.wren).ask("GET", "/api/v1/community/moderation/cases", expect=200)
    ask(eagle, circle.wren, "member", 200)
    come_in(circle.wren).ask("GET", "/api/v1/community/moderation/cases", expect=403)


def test_nobody_else_does_and_nobody_themselves(circle):
    ask(come_in(circle.owl), circle.wren, "moderator", 403, "role")
    ask(come_in(circle.heron), circle.heron, "lead", 403, "role")
    ask(come_in(circle.eagle), circle.eagle, "member", 409, "own_role")
    circle.wren.left_at = circle.wren.joined_at
    circle.wren.pseudonym, circle.wren.pseudonym_key = "", None
    circle.wren.save()
    ask(come_in(circle.eagle), circle.wren, "moderator", 404)


def test_whoever_runs_the_service_appoints_the_first_lead(circle):
    said = StringIO()
    call_command("appoint_lead", "hEr0n", stdout=said)
    assert "Heron leads" in said.getvalue()
    circle.heron.refresh_from_db()
    assert circle.heron.role == "lead"
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("appoint_lead", "Nobody")


def test_the_rooms_are_set_up_once_and_one_that_is_dropped_is_closed(db):
    Space.objects.create(key="gone", title={"en": "Gone"}, about={"en": "Gone"}, position=9)
    said = StringIO()
    call_command("set_up_spaces", stdout=said)
    assert said.getvalue() == "7 new spaces.\n"
    assert Space.objects.get(key="gone").closed
    again = StringIO()
    call_command("set_up_spaces", stdout=again)
    assert again.getvalue() == "0 new spaces.\n"
