"""Joining and coming in over HTTP, and the wall between a user and a persona."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership, Role, User
from accounts.refusals import Invalid
from community.members.pseudonyms import check_pseudonym
from community.models import Case, Persona
from tests.api.client import Caller
from tests.cast import NOW, Cast
from tests.community import make_circle, silence

JOINING = {
    "pseudonym": "Blue Heron",
    "language": "en",
    "time_zone": "Europe/London",
    "accepts": 1,
}
HERE = "/api/v1/community"


def join(caller: Caller, **changed: object) -> Caller:
    """The persona that a user becomes, as a caller."""
    body = {**JOINING, **changed}
    return Caller(caller.ask("POST", f"{HERE}/join", expect=201, body=body)["token"])


def test_somebody_joins_goes_out_and_comes_in_again(clinician):
    heron = join(clinician)
    assert heron.ask("GET", f"{HERE}/me", expect=200)["pseudonym"] == "Blue Heron"
    heron.ask("POST", f"{HERE}/go-out", expect=204)
    heron.ask("GET", f"{HERE}/me", expect=401)
    token = clinician.ask("POST", f"{HERE}/enter", expect=200)["token"]
    assert Caller(token).ask("GET", f"{HERE}/me", expect=200)["pseudonym"] == "Blue Heron"


def test_a_users_token_is_no_personas_and_the_other_way_round(clinician):
    heron = join(clinician)
    clinician.ask("GET", f"{HERE}/me", expect=401)
    heron.ask("GET", "/api/v1/me", expect=401)


@pytest.mark.parametrize(
    ("pseudonym", "code"),
    [
        ("blue-her0n", "pseudonym_taken"),
        ("Вlue Неron", "pseudonym_taken"),  # noqa: RUF001 - Cyrillic look-alikes
        ("Jo", "pseudonym"),
        ("😀😀😀", "pseudonym"),
        ("Call 07700900123", "pseudonym_personal"),
        ("jo@example.org", "pseudonym_personal"),
        ("Coordinator", "pseudonym_real_name"),
        ("Sunny Clinician", "pseudonym_real_name"),
        ("kill yourself", "pseudonym_refused"),
        ("Nan 5551234567", "pseudonym_personal"),
        ("77445566118", "pseudonym_personal"),
        ("Heron 4155550132", "pseudonym_personal"),
        ("coordinator65", "pseudonym_real_name"),
        ("Dr Clinician", "pseudonym_real_name"),
        ("nurseClinician", "pseudonym_real_name"),
        ("Moderator1", "pseudonym_refused"),
        ("The Moderators", "pseudonym_refused"),
        ("NHS support", "pseudonym_refused"),
        ("Admin Ann", "pseudonym_refused"),
        ("Former member", "pseudonym_refused"),
        ("Blue \u0397eron", "pseudonym_taken"),  # a Greek capital Eta
        ("Blue\u202e Bird", "pseudonym"),
        ("Bl\ue000ue Bird", "pseudonym"),
        ("B\u0336l\u0336ue Bird\u0301\u0301\u0301", "pseudonym"),
    ],
)
def test_a_pseudonym_is_unique_and_nobodys_name(clinician, coordinator, pseudonym, code):
    join(clinician)
    status = 409 if code == "pseudonym_taken" else 400
    body = {**JOINING, "pseudonym": pseudonym}
    coordinator.ask("POST", f"{HERE}/join", expect=status, code=code, field="pseudonym", body=body)


def test_two_letters_that_look_like_one_are_one(clinician, coordinator):
    join(clinician, pseudonym="Barn Owl")
    for pseudonym in ("Bam Owl", "barn 0wl", "Barn Ovvl"):
        body = {**JOINING, "pseudonym": pseudonym}
        coordinator.ask("POST", f"{HERE}/join", expect=409, code="pseudonym_taken", body=body)
    join(coordinator, pseudonym="Badminton in 1985")


def test_ones_own_whole_name_is_no_pseudonym_however_it_goes_on(clinician, cast: Cast):
    cast.clinician.name = "Mary Jones"
    cast.clinician.save()
    for pseudonym in ("MaryJones65", "xXmaryj0nesXx", "Jones.Mary", "Mary from Leeds"):
        body = {**JOINING, "pseudonym": pseudonym}
        clinician.ask("POST", f"{HERE}/join", expect=400, code="pseudonym_real_name", body=body)


def test_what_joining_costs_doesnt_grow_with_how_many_work_in_clinics(clinician, coordinator, cast):
    """Names are read once in a process; those that come later are known too."""
    join(clinician)

    def names() -> int:
        with CaptureQueriesContext(connection) as asked:
            check_pseudonym("Grey Wagtail", "en", cast.coordinator)
        [read] = [one["sql"] for one in asked if "accounts_membership" in one["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(read)
            return len(cursor.fetchall())

    many = [User(email=f"{n}@example.org", name=f"Old Hand {n}") for n in range(50)]
    User.objects.bulk_create(many)
    Membership.objects.bulk_create(
        # Of years ago, by their keys.
        Membership(id=UUID(int=n), user=user, clinic=cast.clinic, role=Role.CLINICIAN)
        for n, user in enumerate(many)
    )
    assert names() < 50
    new = User.objects.create(email="new@example.org", name="Zelda Quince")
    Membership.objects.create(user=new, clinic=cast.clinic, role=Role.CLINICIAN)
    for pseudonym in ("Dr Quince", "zeldaquince9"):
        with pytest.raises(Invalid, match="real name"):
            check_pseudonym(pseudonym, "en", cast.coordinator)


def test_nobody_joins_twice_or_with_old_rules(clinician, coordinator):
    join(clinician)
    clinician.ask(
        "POST", f"{HERE}/join", expect=409, code="joined", body={**JOINING, "pseudonym": "Other"}
    )
    coordinator.ask("POST", f"{HERE}/join", expect=400, body={**JOINING, "accepts": 2})
    coordinator.ask("POST", f"{HERE}/enter", expect=409, code="not_joined")


def test_the_audit_trail_never_has_a_user_and_a_persona_in_one_row_or_request(
    clinician, cast: Cast
):
    join(clinician)
    persona = Persona.objects.get()
    rows = AuditEntry.objects.filter(persona_id=persona.id)
    assert set(rows.values_list("verb", "user", "request_id")) == {("join", None, "")}


def test_changed_house_rules_are_accepted_again_before_anything_else(clinician):
    heron = join(clinician)
    Persona.objects.update(accepted_rules=0)
    heron.ask("GET", f"{HERE}/me", expect=200)
    heron.ask("GET", f"{HERE}/threads", expect=403, code="house_rules")
    other = {"pseudonym": "Other Bird"}
    heron.ask("PUT", f"{HERE}/me/pseudonym", expect=403, code="house_rules", body=other)
    heron.ask("POST", f"{HERE}/house-rules/accept", expect=204, body={"accepts": 1})
    heron.ask("GET", f"{HERE}/threads", expect=200)
    assert Persona.objects.get().accepted_rules == 1


DANGER = [
    "I want to kill myself",
    "I want to die, call 07700 900123",
    "I really do not want to be alive any more",
    "Clinician wants to die",
]
"""Also too long, with personal data, and with a name: help comes before what else is wrong."""


@pytest.mark.parametrize("pseudonym", DANGER)
def test_who_joins_with_a_cry_for_help_is_shown_help(clinician, pseudonym):
    body = {**JOINING, "pseudonym": pseudonym, "time_zone": "America/New_York"}
    refused = clinician.ask(
        "POST", f"{HERE}/join", expect=400, code="pseudonym_refused", field="pseudonym", body=body
    )
    assert len(refused["help"]["words"]) == 2, "it says of no moderator, for none can be called"
    assert [line["number"] for line in refused["help"]["lines"]] == ["988", "911"]
    assert not Persona.objects.exists()
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"pseudonym": "I want to kill myself, tonight, and there is nobody whom I could tell"},
        {"pseudonym": "Blue Heron", "name": "I want to kill myself"},
        {"language": "xx"},
        {"language": ["en"]},
        {"time_zone": "Nowhere"},
        {"accepts": 0},
        {"accepts": 99},
        {"accepts": None},
    ],
)
@pytest.mark.parametrize("member", [False, True])
def test_a_cry_for_help_is_heard_whatever_else_is_wrong(clinician, wrong, member):
    if member:
        join(clinician)
    body = {**JOINING, "pseudonym": "I want to kill myself", **wrong}
    refused = clinician.ask("POST", f"{HERE}/join", expect=400, body=body)
    assert len(refused["help"]["words"]) == 2 + member
    assert Case.objects.filter(crisis=True).count() == member


def test_a_cry_for_help_is_heard_at_any_pace(clinician, monkeypatch):
    monkeypatch.setattr("api.community.door.EntrancePace.rate", "1/min")
    body = {**JOINING, "pseudonym": "I want to kill myself"}
    for status in (400, 429):
        assert clinician.ask("POST", f"{HERE}/join", expect=status, body=body)["help"]["words"]


def test_a_refused_pseudonym_without_a_cry_shows_none(clinician):
    body = {**JOINING, "pseudonym": "Selling my spare pens"}
    refused = clinician.ask(
        "POST", f"{HERE}/join", expect=400, code="pseudonym_refused", field="pseudonym", body=body
    )
    assert "help" not in refused.body


def test_a_member_who_asks_to_join_again_with_a_cry_for_help_is_heard(clinician):
    join(clinician)
    body = {**JOINING, "pseudonym": "I want to kill myself"}
    refused = clinician.ask("POST", f"{HERE}/join", expect=400, body=body)
    assert refused["help"]["lines"]
    case = Case.objects.get()
    assert (case.crisis, case.about, case.post) == (True, Persona.objects.get(), None)


def test_who_is_silenced_publishes_nothing_as_a_pseudonym_but_is_heard(clinician):
    heron = join(clinician)
    me = Persona.objects.get()
    circle = make_circle()
    circle.heron = me
    silence(circle, NOW + timedelta(days=1))
    body = {"pseudonym": "You are all fools"}
    heron.ask("PUT", f"{HERE}/me/pseudonym", expect=403, code="silenced", body=body)
    assert Persona.objects.get(id=me.id).pseudonym == "Blue Heron"
    cry = {"pseudonym": "I want to kill myself"}
    assert heron.ask("PUT", f"{HERE}/me/pseudonym", expect=400, body=cry)["help"]["lines"]
    assert Case.objects.get(about=me).crisis
