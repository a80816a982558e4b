"""Signing in by phone: both proofs, devices, and who is shut out. Through the doors, without a
browser; the code is read from the queued text."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.refusals import Conflict
from messaging.models import Sms
from reminders.models import Cause, PatientLogin
from reminders.patients import signing_in
from reminders.patients.enrolling import change_patient
from reminders.patients.transfers import accept, offer
from reminders.planning.sweep import sweep
from reminders.worklist.items import Finding, open_items
from tests.cast import Cast, make_patient

NUMBER = "+447700900001"


def code_texts() -> list[Sms]:
    return list(Sms.objects.filter(dedup_key__startswith="sign-in:").order_by("id"))


def texted_code() -> str:
    found = re.search(r"\b[0-9]{6}\b", code_texts()[-1].body)
    assert found
    return found[0]


def ask(client: Client, number: str = NUMBER) -> None:
    response = client.post("/sign-in", {"phone": number})
    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in/code")


def give(client: Client, code: str, at: str = "/sign-in/code") -> str:
    """Give a code; answers where it leads, or "" if it was refused."""
    response = client.post(at, {"code": code})
    assert response.status_code in (302, 422)
    return response.headers.get("Location", "")


def signed_in(client: Client) -> bool:
    return client.get("/me").status_code == 200


@pytest.fixture
def welcome(cast: Cast) -> str:
    return signing_in.invite(cast.ada.id, cast.actor, timezone.now()).code


@pytest.fixture
def ada_client(cast: Cast, welcome: str) -> Client:
    """Ada's phone, signed in."""
    client = Client()
    ask(client)
    assert give(client, texted_code()) == "/sign-in/welcome"
    assert not signed_in(client)
    assert give(client, welcome, "/sign-in/welcome") == "/me"
    assert signed_in(client)
    return client


def test_nobody_gets_in_by_the_phone_alone(cast, welcome, client):
    ask(client)
    assert give(client, texted_code()) == "/sign-in/welcome"
    assert client.get("/me").headers["Location"] == "/sign-in"
    for path in ("/me/past", "/me/feel", "/me/feel/new"):
        assert client.get(path).headers["Location"] == "/sign-in"


def test_a_device_that_is_known_needs_the_text_alone_until_it_is_shut_out(cast, ada_client):
    ada_client.post("/sign-out")
    assert not signed_in(ada_client)
    ask(ada_client)
    assert give(ada_client, texted_code()) == "/me"
    signing_in.revoke_sign_in(cast.ada.id, cast.actor)
    assert not signed_in(ada_client)
    ask(ada_client)
    assert give(ada_client, texted_code()) == "/sign-in/welcome"


def test_a_number_whose_texts_fail_needs_the_second_proof_again(cast, ada_client):
    ada_client.post("/sign-out")
    open_items([Finding(cast.ada.id, Cause.UNDELIVERED)], timezone.now())
    ask(ada_client)
    assert give(ada_client, texted_code()) == "/sign-in/welcome"


def test_a_lost_phone_is_signed_out(cast, ada_client):
    change_patient(cast.ada.id, {"old_number": "lost"}, cast.actor, timezone.now())
    assert not signed_in(ada_client)


def test_an_unknown_number_gets_the_same_page_and_no_text(cast, welcome, client):
    ask(client, "07700 900009")
    unknown = client.get("/sign-in/code").content
    assert code_texts() == []
    assert [give(client, "") for _ in range(3)] == ["", "", ""]
    other = Client()
    ask(other)
    known = other.get("/sign-in/code").content
    token = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
    assert token.sub(b"", known) == token.sub(b"", unknown)
    assert len(code_texts()) == 1


def test_wrong_codes_are_counted(cast, welcome, client):
    ask(client)
    wrong = f"{(int(texted_code()) + 1) % 1_000_000:06}"
    assert [give(client, wrong) for _ in range(5)] == ["", "", "", "", "/sign-in"]
    assert give(client, texted_code()) == "/sign-in"
    assert not signed_in(client)


def test_a_number_gets_five_codes_a_day_known_or_not(cast, welcome, settings):
    settings.ACCOUNT_RATE_LIMITS = {"request_login_code": "5/d/key"}
    for number in (NUMBER, "+447700900009"):
        for _ in range(5):
            ask(Client(), number)
        refused = Client().post("/sign-in", {"phone": number})
        assert refused.status_code == 422
        assert "too many tries" in refused.content.decode()
    assert len(code_texts()) == 5


def test_the_welcome_code_is_good_once_for_a_while_and_wrong_ones_are_counted(cast, welcome):
    user, now = User.objects.get(phone=NUMBER), timezone.now()
    wrong = f"{(int(welcome) + 1) % 100_000_000:08}"
    late = now + signing_in.WELCOME_LASTS
    with pytest.raises(Conflict, match="Ask your team"):
        signing_in.take_welcome_code(user, welcome, late)
    again = signing_in.invite(cast.ada.id, cast.actor, now).code
    for _ in range(signing_in.MOST_TRIES):
        with pytest.raises(signing_in.Refusal):
            signing_in.take_welcome_code(user, wrong, now)
    with pytest.raises(Conflict):
        signing_in.take_welcome_code(user, again, now)
    last = signing_in.invite(cast.ada.id, cast.actor, now).code
    signing_in.take_welcome_code(user, f"{last[:4]} {last[4:]}", now)
    with pytest.raises(Conflict):
        signing_in.take_welcome_code(user, last, now)


def test_codes_are_kept_nowhere_in_clear_once_they_are_used_or_late(cast, welcome, ada_client):
    assert welcome not in str(PatientLogin.objects.values())
    assert [sms.body for sms in code_texts()] == [""]
    ada_client.post("/sign-out")
    ask(ada_client)
    assert code_texts()[-1].body
    sweep(timezone.now() + signing_in.CODE_LASTS)
    assert [sms.body for sms in code_texts()] == ["", ""]
    assert AuditEntry.objects.filter(verb="sign_in_by_phone").count() == 1


def test_codes_are_not_listed_with_the_patients_texts(cast, ada_client):
    assert not Sms.objects.filter(owner_id=cast.ada.id).exists()


def test_two_people_on_one_phone_cant_both_sign_in_with_it(cast, welcome):
    bo = make_patient(cast.clinic, cast.clinician, name="Bo Example", number=NUMBER)
    with pytest.raises(Conflict) as refused:
        signing_in.invite(bo.id, cast.actor, timezone.now())
    assert refused.value.code == "shared_phone"


def test_a_clinic_doesnt_change_by_which_number_somebody_signs_in(cast, ada_client):
    user = User.objects.get(phone=NUMBER)
    cast.ada.number = "+447700900005"
    cast.ada.save()
    assert signed_in(ada_client)
    signing_in.invite(cast.ada.id, cast.actor, timezone.now())
    user.refresh_from_db()
    assert user.phone == NUMBER
    assert signing_in.patient_of(user) is None
    assert signing_in.patient_of(User.objects.get(phone="+447700900005")) == cast.ada


def test_a_transfer_takes_the_sign_in_along(cast, ada_client):
    user, now = User.objects.get(phone=NUMBER), timezone.now()
    moved = offer(cast.ada.id, cast.other_clinic.id, "", cast.actor, now)
    became = accept(moved.id, cast.actor, now + timedelta(minutes=1)).became
    assert signing_in.patient_of(user) == became
    assert "Elsewhere" in ada_client.get("/me").content.decode()


def test_somebody_who_has_left_is_not_let_in(cast, welcome, client):
    User.objects.filter(phone=NUMBER).update(is_active=False)
    ask(client)
    assert code_texts() == []
