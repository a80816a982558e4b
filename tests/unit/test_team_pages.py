"""The care team's pages, without a browser: who gets in, and what each role is told."""

import re
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.models import AuditEntry, Membership, Role
from reminders.doses.noting import Injected, note_injection
from reminders.health.blood import Entry, enter_result
from reminders.models import (
    BloodResult,
    BloodTest,
    Cause,
    Dose,
    Injection,
    Schedule,
    Source,
    WorkItem,
    WorkNote,
)
from reminders.patients import signing_in
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.worklist.items import Finding, open_items
from tests.cast import NOW, PASSWORD, Cast
from tests.team import TEAM_PAGES, at_work

HOUR = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cast's morning, once their hour has come."""
    monkeypatch.setattr("web.team.desk.timezone", SimpleNamespace(now=lambda: HOUR))


@pytest.fixture
def quick_password(cast: Cast, settings) -> None:
    """The clinician's, in a hash that costs little; the cast's may be of any."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cast.clinician.set_password(PASSWORD)
    cast.clinician.save()


@pytest.fixture
def clinician(cast: Cast) -> Client:
    return at_work(cast.clinician)


@pytest.fixture
def due(cast: Cast) -> Dose:
    """Ada's dose of today, which waits for an answer: weekly, and the last a week ago."""
    last = NOW.date() - timedelta(days=7)
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), last, cast.actor, NOW)
    plan_doses(NOW + timedelta(minutes=30))
    return Dose.objects.get(state="due")


def found(cast: Cast, cause: Cause = Cause.NO_ANSWER, **facts: str) -> WorkItem:
    open_items([Finding(cast.ada.id, cause, facts)], NOW)
    return WorkItem.objects.get(patient=cast.ada, cause=cause, closed_at=None)


def noted(cast: Cast) -> Injection:
    """An injection of Ada's that belongs to no dose."""
    told = Injected(date(2026, 12, 19))
    return note_injection(cast.ada.id, told, Source.STAFF, cast.actor, NOW).injection


def measured(cast: Cast) -> BloodResult:
    """A result of Ada's."""
    entry = Entry(BloodTest.PLATELETS, Decimal(312), "10*9/L", date(2027, 1, 3))
    return enter_result(cast.ada.id, entry, cast.actor, NOW)


def text(client: Client, path: str = "/team") -> str:
    return client.get(path).content.decode()


# --- Signing in -----------------------------------------------------------------------------------


def test_signing_in_leads_where_one_wanted_and_signing_out_ends_it(cast, quick_password):
    client = Client()
    wanted = f"/team/patients/{cast.ada.id}"
    led = client.get(wanted)
    assert led.headers["Location"] == f"/team/sign-in?next=/team/patients/{cast.ada.id}".replace(
        "=/team/patients/", "=%2Fteam%2Fpatients%2F"
    )
    form = {"email": "Clinician@example.org", "password": PASSWORD, "next": wanted}
    assert client.post("/team/sign-in", form).headers["Location"] == wanted
    assert "Ada Example" in text(client, wanted)
    assert AuditEntry.objects.filter(verb="sign_in", user=cast.clinician).count() == 1
    assert client.post("/team/sign-out").headers["Location"] == "/team/sign-in"
    assert AuditEntry.objects.filter(verb="sign_out", user=cast.clinician).count() == 1
    assert client.get(wanted).status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/me", "/team"])
def test_signing_in_leads_nowhere_else(elsewhere, quick_password):
    form = {"email": "clinician@example.org", "password": PASSWORD, "next": elsewhere}
    assert Client().post("/team/sign-in", form).headers["Location"] == "/team"


def test_who_cant_sign_in_reads_why_and_keeps_their_words(cast, quick_password):
    client = Client()
    for form, words in (
        ({"email": "", "password": ""}, "Type your e-mail address"),
        ({"email": "a@b.example", "password": "wrong"}, "belong together"),
        ({"email": "clinician@example.org", "password": "wrong"}, "belong together"),
        ({"email": "a\0b", "password": "x"}, "Type your e-mail address"),
    ):
        answer = client.post("/team/sign-in", form)
        assert answer.status_code == 422
        assert words in answer.content.decode().replace("&#x27;", "'")
    assert (
        'value="clinician@example.org"'
        in client.post(
            "/team/sign-in", {"email": "clinician@example.org", "password": "wrong"}
        ).content.decode()
    )
    assert PASSWORD not in answer.content.decode()
    Membership.objects.filter(user=cast.clinician).delete()
    gone = client.post("/team/sign-in", {"email": "clinician@example.org", "password": PASSWORD})
    assert gone.status_code == 422
    assert "in no clinic" in gone.content.decode()


def test_attempts_are_counted_with_those_over_the_api(cast, quick_password):
    for _ in range(5):
        form = {"email": "clinician@example.org", "password": "wrong"}
        assert Client().post("/team/sign-in", form).status_code == 422
        over_the_api = Client().post("/api/v1/sign-in", form, content_type="application/json")
        assert over_the_api.status_code == 401
    right = {"email": "clinician@example.org", "password": PASSWORD}
    answer = Client().post("/team/sign-in", right)
    assert answer.status_code == 429
    assert "Wait" in answer.content.decode()


def test_a_patient_is_a_stranger_here(cast):
    signing_in.invite(cast.ada.id, cast.actor, NOW)
    ada = at_work(signing_in.PatientLogin.objects.get().user)
    for path in TEAM_PAGES:
        address = re.sub("<uuid:.*?>", str(cast.ada.id), path)
        for ask in ("get", "post"):
            answers = [getattr(each, ask)(address) for each in (ada, Client())]
            one, other = ((each.status_code, each.headers.get("Location")) for each in answers)
            assert one == other
            assert one[0] == 405 or str(one[1]).startswith("/team/sign-in"), (path, one)


def test_somebody_of_several_clinics_chooses_one(cast):
    Membership.objects.create(user=cast.clinician, clinic=cast.other_clinic, role=Role.ADMIN)
    client = at_work(cast.clinician)
    found(cast)
    assert client.get("/team").headers["Location"] == "/team/clinic"
    assert client.post("/team/clinic", {"clinic": str(cast.ada.id)}).status_code == 422
    assert client.post("/team/clinic", {"clinic": str(cast.other_clinic.id)}).status_code == 302
    assert "Nothing waits for you" in text(client)
    client.post("/team/clinic", {"clinic": str(cast.clinic.id)})
    assert "Ada Example" in text(client)


# --- Who may do what ------------------------------------------------------------------------------

RECORD = {"told": "taken", "taken_on": NOW.date().isoformat(), "seen": "0"}
CHANGE = {"interval_days": "14", "starts_on": "2027-01-18"}
# Address, form; then what a clinician, a coordinator and an admin of Ada's clinic are told. For a
# clinician of another clinic nothing is there.
POSTS = [
    ("/team/items/{item}/take", {}, 302, 302, 403),
    ("/team/items/{item}/hand-back", {}, 409, 409, 403),
    ("/team/items/{item}/notes", {"text": "Rang."}, 302, 302, 403),
    ("/team/items/{item}/close", {"outcome": "done", "times": "1"}, 302, 302, 403),
    ("{ada}/start", CHANGE, 409, 403, 403),
    ("{ada}/change", CHANGE, 200, 403, 403),
    ("{ada}/change/confirm", {**CHANGE, "token": "{token}"}, 302, 403, 403),
    ("{ada}/pause", {"review_on": "2027-02-01", "token": "{token}"}, 302, 403, 403),
    ("{ada}/resume", {**CHANGE, "token": "{token}"}, 409, 403, 403),
    ("{ada}/stop", {"token": "{token}"}, 302, 403, 403),
    ("{ada}/doses/{dose}", RECORD, 302, 302, 403),
    ("{ada}/facts", {"taken_on": "2026-12-12"}, 302, 302, 403),
    ("{ada}/facts/{injection}/take-back", {}, 302, 302, 403),
    ("{ada}/message", {"kind": "message:closed"}, 409, 409, 409),
    ("{ada}/corrections", {"text": "{dose}"}, 409, 409, 409),
    ("{ada}/consent", {}, 302, 302, 302),
    ("{ada}/agree", {}, 422, 422, 422),
    ("{ada}/results", {}, 422, 422, 403),
    ("{ada}/results/{result}", {}, 422, 422, 403),
]
GETS = [
    ("/team", 200, 200, 200, 200),
    ("/team/inbox", 200, 200, 200, 200),
    ("/team/patients", 200, 200, 200, 200),
    ("/team/patients/enrol", 200, 200, 200, 200),
    ("/team/clinic", 200, 200, 200, 200),
    ("/team/items/{item}", 200, 200, 200, 404),
    ("{ada}", 200, 200, 200, 404),
    ("{ada}/doses", 200, 200, 200, 404),
    ("{ada}/conversation", 200, 200, 200, 404),
    ("{ada}/diary", 200, 200, 200, 404),
    ("{ada}/experiences", 200, 200, 200, 404),
    ("{ada}/start", 200, 403, 403, 404),
    ("{ada}/change", 200, 403, 403, 404),
    ("{ada}/pause", 200, 403, 403, 404),
    ("{ada}/resume", 200, 403, 403, 404),
    ("{ada}/stop", 200, 403, 403, 404),
    ("{ada}/doses/{dose}", 200, 200, 403, 404),
    ("{ada}/facts", 200, 200, 403, 404),
    ("{ada}/message", 200, 200, 200, 404),
    ("{ada}/consent", 200, 200, 200, 404),
    ("{ada}/agree", 200, 200, 200, 404),
    ("{ada}/results", 200, 200, 403, 404),
    ("{ada}/results/{result}", 200, 200, 403, 404),
]


def test_the_tables_leave_out_no_page():
    named = {
        path.format(
            item="<uuid:item_id>",
            ada="/team/patients/<uuid:patient_id>",
            dose="<uuid:dose_id>",
            injection="<uuid:injection_id>",
            result="<uuid:result_id>",
        )
        for path, *_ in [*POSTS, *GETS]
    }
    assert named | {"/team/sign-out"} == set(TEAM_PAGES)


@pytest.mark.parametrize(
    ("who", "place"), [("clinician", 0), ("coordinator", 1), ("admin", 2), ("stranger", 3)]
)
def test_what_each_is_told(who, place, cast, due):
    item, token = found(cast), read_plan(cast.ada).token
    facts = {"item": item.id, "dose": due.id, "ada": f"/team/patients/{cast.ada.id}",
             "injection": noted(cast).id, "result": measured(cast).id}  # fmt: skip
    client = at_work(getattr(cast, who))
    for path, *told in GETS:
        answer = client.get(path.format(**facts))
        assert answer.status_code == told[place], path
        if told[place] == 200:
            assert answer.headers["Cache-Control"] == "private, no-store"
            [title] = re.findall("<title>(.*)</title>", answer.content.decode())
            assert not re.search("ada|example|inject|blood", title.lower())
    before = (WorkNote.objects.count(), AuditEntry.objects.count(), Schedule.objects.get().status)
    for path, form, *told in POSTS:
        expected = (*told, 404)[place]
        if expected in (403, 404):
            sent = {name: value.format(token=token, **facts) for name, value in form.items()}
            assert client.post(path.format(**facts), sent).status_code == expected, path
    after = (WorkNote.objects.count(), AuditEntry.objects.count(), Schedule.objects.get().status)
    assert before == after


ALLOWED = [
    (who, path, form, told[place])
    for place, who in enumerate(("clinician", "coordinator", "admin"))
    for path, form, *told in POSTS
    if told[place] != 403
]


@pytest.mark.parametrize(
    ("who", "path", "form", "told"), ALLOWED, ids=[f"{who} {path}" for who, path, *_ in ALLOWED]
)
def test_what_each_may_do(who, path, form, told, cast, due):
    item, token = found(cast), read_plan(cast.ada).token
    facts = {"item": item.id, "dose": due.id, "ada": f"/team/patients/{cast.ada.id}",
             "injection": noted(cast).id, "result": measured(cast).id}  # fmt: skip
    sent = {name: value.format(token=token, **facts) for name, value in form.items()}
    answer = at_work(getattr(cast, who)).post(path.format(**facts), sent)
    assert answer.status_code == told


def test_forms_need_their_proof(cast, due):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.clinician)
    assert strict.post(f"/team/items/{found(cast).id}/take").status_code == 403
    assert WorkItem.objects.get(cause=Cause.NO_ANSWER).owner is None
