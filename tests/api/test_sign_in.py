"""Signing in and out."""

from datetime import timedelta

import pytest

from accounts import sign_in
from accounts.models import AuditEntry
from api.door import Door
from tests.api.client import Caller
from tests.cast import NOW, PASSWORD

SIGN_IN = "/api/v1/sign-in"


@pytest.fixture
def credentials(cast):
    return {"email": cast.clinician.email, "password": PASSWORD}


def test_signing_in_gives_a_token_that_signing_out_ends(cast, anonymous, credentials):
    shown = anonymous.ask("POST", SIGN_IN, body=credentials, expect=200)
    assert shown["user"]["name"] == cast.clinician.name
    assert [held["role"] for held in shown["memberships"]] == ["clinician"]
    assert shown["memberships"][0]["clinic"]["intervals"] == [7, 14, 21]
    me = Caller(shown["token"])
    assert me.ask("GET", "/api/v1/me", expect=200)["user"] == shown["user"]
    me.ask("POST", "/api/v1/sign-out", expect=204)
    me.ask("GET", "/api/v1/me", expect=401)
    verbs = AuditEntry.objects.filter(subject_id=cast.clinician.id).values_list("verb", flat=True)
    assert list(verbs.order_by("id")) == ["sign_in", "sign_out"]


def test_an_email_is_known_in_any_case(anonymous, credentials):
    credentials["email"] = f" {credentials['email'].upper()} "
    anonymous.ask("POST", SIGN_IN, body=credentials, expect=200)


def test_a_password_is_taken_as_it_is(anonymous, credentials):
    credentials["password"] += " "
    anonymous.ask("POST", SIGN_IN, body=credentials, expect=401)


def test_who_is_here_is_not_told(anonymous, credentials, monkeypatch):
    """The same answer after the same work: one password is hashed, whoever it is."""
    hashed = []
    real = sign_in.make_password
    monkeypatch.setattr(sign_in, "make_password", lambda given: hashed.append(given) or real(given))
    wrong = anonymous.ask("POST", SIGN_IN, body={**credentials, "password": "wrong"}, expect=401)
    assert not hashed  # User.check_password did
    credentials["email"] = "nobody@example.org"
    unknown = anonymous.ask("POST", SIGN_IN, body=credentials, expect=401)
    assert hashed == [PASSWORD]
    assert {**wrong.body, "request_id": ""} == {**unknown.body, "request_id": ""}
    assert AuditEntry.objects.filter(verb="refuse_sign_in").count() == 2


def test_attempts_at_one_email_have_an_end(cast, anonymous, credentials, monkeypatch):
    monkeypatch.setattr(sign_in, "MOST_OF_EMAIL", 2)
    wrong = {**credentials, "password": "wrong"}
    for _ in range(2):
        anonymous.ask("POST", SIGN_IN, body=wrong, expect=401)
    refused = anonymous.ask("POST", SIGN_IN, body=credentials, expect=429, code="too_many_attempts")
    assert refused.headers["retry-after"] == "600"
    other = {"email": cast.coordinator.email, "password": PASSWORD}
    anonymous.ask("POST", SIGN_IN, body=other, expect=200)
    monkeypatch.setattr(Door, "now", NOW + timedelta(minutes=10))
    anonymous.ask("POST", SIGN_IN, body=credentials, expect=200)


def test_signing_in_forgets_the_failures_before(anonymous, credentials, monkeypatch):
    monkeypatch.setattr(sign_in, "MOST_OF_EMAIL", 2)
    for password in ("wrong", PASSWORD, "wrong", PASSWORD):
        expect = 200 if password == PASSWORD else 401
        anonymous.ask("POST", SIGN_IN, body={**credentials, "password": password}, expect=expect)


def test_attempts_from_one_address_have_an_end(anonymous, credentials, monkeypatch, settings):
    monkeypatch.setattr(sign_in, "MOST_OF_ADDRESS", 1)
    settings.TRUSTED_PROXIES = 1

    def attempt(expect: int, forwarded: str) -> None:
        body = {"email": f"{forwarded}@example.org", "password": "wrong"}
        anonymous.ask("POST", SIGN_IN, body=body, expect=expect, X_Forwarded_For=forwarded)

    attempt(401, "203.0.113.1")
    attempt(429, "203.0.113.1")
    attempt(429, "198.51.100.7, 203.0.113.1")  # what stands before is anybody's claim
    attempt(401, "203.0.113.2")
    attempt(401, "2001:db8::1")
    attempt(429, "2001:db8::2")  # the same network
    attempt(401, "nonsense")


def test_nobody_can_claim_an_address_where_there_is_no_proxy(
    anonymous, credentials, monkeypatch, settings
):
    monkeypatch.setattr(sign_in, "MOST_OF_ADDRESS", 1)
    settings.TRUSTED_PROXIES = 0
    for forwarded, expect in (("203.0.113.1", 401), ("203.0.113.2", 429)):
        body = {"email": "nobody@example.org", "password": "wrong"}
        anonymous.ask("POST", SIGN_IN, body=body, expect=expect, X_Forwarded_For=forwarded)
