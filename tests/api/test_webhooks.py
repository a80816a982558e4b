"""Twilio's webhooks: whoever isn't Twilio is refused, and nothing that it sends breaks them."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from twilio.request_validator import RequestValidator

from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN
from messaging import outbox
from messaging.models import InboundSms, OptOut, Scope, Sms, SmsEvent
from messaging.states import State
from tests.api.client import Caller
from tests.cast import NOW

INBOUND = "/api/v1/twilio/inbound"
FORM = "application/x-www-form-urlencoded"
TEXT = {
    "AccountSid": ACCOUNT,
    "MessageSid": "SM" + "1" * 32,
    "From": "+447700900001",
    "To": ROUTINE_NUMBER,
    "Body": "1",
}


def signature(path: str, form: dict[str, str], token: str = TOKEN) -> str:
    return RequestValidator(token).compute_signature(settings.PUBLIC_URL + path, form)


def post(path: str, form: dict[str, str], expect: int, **headers: str):
    headers.setdefault("X_Twilio_Signature", signature(path, form))
    raw = urlencode(form).encode()
    return Caller().ask("POST", path, raw=raw, content_type=FORM, expect=expect, **headers)


@pytest.fixture
def text(cast) -> Sms:
    """A text on its way, in its first attempt."""
    outbox.queue(
        [
            outbox.Text(
                scope=Scope.CARE,
                owner_id=cast.ada.id,
                about_id=cast.ada.id,
                dedup_key="test",
                to=cast.ada.number,
                body="Hello",
                available_at=NOW,
                expires_at=NOW.replace(hour=20),
            )
        ],
        NOW,
    )
    Sms.objects.update(
        state=State.SENDING, attempt=1, account=ACCOUNT, sender=cast.sender, lease_until=NOW
    )
    return Sms.objects.get()


@pytest.fixture
def report(text) -> str:
    return f"/api/v1/twilio/status/{text.id}/1"


def delivered(**more: str) -> dict[str, str]:
    sid = "SM" + "2" * 32
    return {"AccountSid": ACCOUNT, "MessageSid": sid, "MessageStatus": "delivered", **more}


def test_a_report_moves_its_text_and_a_repeat_nothing(text, report):
    for _ in range(2):
        post(report, delivered(), 204)
    text.refresh_from_db()
    assert (text.state, text.sid) == (State.DELIVERED, "SM" + "2" * 32)
    assert SmsEvent.objects.count() == 1
    post(report, delivered(MessageStatus="sent"), 204)
    text.refresh_from_db()
    assert text.state == State.DELIVERED


@pytest.mark.parametrize(
    "form",
    [
        {"MessageStatus": "levitated"},
        {"MessageStatus": "failed", "ErrorCode": "9" * 400},
        {"MessageStatus": "failed", "ErrorCode": "-1"},
        {"MessageStatus": "failed", "ErrorCode": "٣"},
        {"MessageStatus": "failed", "ErrorCode": "²"},
        {"MessageStatus": "sent\0", "MessageSid": "\0"},
        {"MessageStatus": "sent", "MessageSid": "S" * 5000},
        {"MessageStatus": ""},
        {"MessageSid": ""},
        {"Weird[]": "x" * 900_000},
    ],
)
def test_a_report_that_cannot_be_used_is_taken_and_passed_over(form, report):
    post(report, delivered(**form), 204)


@pytest.mark.parametrize("attempt", ["0", "2", "32768", "9" * 30])
def test_a_report_on_an_attempt_that_never_was(attempt, text):
    post(f"/api/v1/twilio/status/{text.id}/{attempt}", delivered(), 204)


def test_a_report_on_nobodys_text(db):
    post(f"/api/v1/twilio/status/{uuid4()}/1", delivered(), 204)


def test_an_address_that_is_none(db):
    for path in ("x/1", f"{uuid4()}/x", f"{uuid4()}/-1", f"{uuid4()}/{'9' * 5000}"):
        post(f"/api/v1/twilio/status/{path}", delivered(), 404)


def test_a_query_belongs_to_what_is_signed(text, report):
    post(f"{report}?clinic=a%20b", delivered(), 204)
    post(f"{report}?clinic=c", delivered(), 403, X_Twilio_Signature=signature(report, delivered()))


def test_a_text_is_stored_once(cast):
    for _ in range(2):
        answer = post(INBOUND, TEXT, 200)
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.body.endswith("<Response/>")
    stored = InboundSms.objects.get()
    assert (stored.number, stored.body, stored.scope) == ("+447700900001", "1", Scope.CARE)


def test_stop_is_honoured_at_once(cast):
    post(INBOUND, {**TEXT, "Body": " Stop. "}, 200)
    assert OptOut.objects.get().opted_out


@pytest.mark.parametrize(
    "form",
    [
        {"Body": "a\0b"},
        {"Body": ""},
        {"Body": "x" * 900_000},
        {"Body": "💉" * 100},
        {"From": "\0"},
        {"From": "x" * 400},
        {"From": ""},
        {"To": "+1\0"},
        {"To": "+15550001111"},
        {"MessageSid": ""},
        {"MessageSid": "\0"},
        {"MessageSid": "x" * 400},
        {"NumMedia": "-1", "a b": "c"},
    ],
)
def test_no_text_breaks_it(form, cast):
    post(INBOUND, {**TEXT, **form}, 200)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"=&=&&", b"%", b"AccountSid", b"a=" * 9_000, b"&".join([b"a=b"] * 5_000)],
)
def test_no_body_breaks_it(raw, db):
    expect = 400 if raw.count(b"&") > 1_000 else 403
    Caller().ask("POST", INBOUND, raw=raw, content_type=FORM, expect=expect)


@pytest.mark.parametrize(
    ("form", "signed"),
    [
        (TEXT, ""),
        (TEXT, "nonsense"),
        (TEXT, "é"),
        (TEXT, signature.__name__),
        ({**TEXT, "AccountSid": "AC" + "9" * 32}, None),
        ({**TEXT, "AccountSid": ""}, None),
        ({name: value for name, value in TEXT.items() if name != "AccountSid"}, None),
    ],
)
def test_whoever_is_not_twilio_is_refused(form, signed, cast):
    made = signature(INBOUND, form) if signed is None else signed
    post(INBOUND, form, 403, X_Twilio_Signature=made)
    assert not InboundSms.objects.exists()


def test_a_changed_form_or_another_token_is_refused(cast):
    post(INBOUND, {**TEXT, "Body": "2"}, 403, X_Twilio_Signature=signature(INBOUND, TEXT))
    post(INBOUND, TEXT, 403, X_Twilio_Signature=signature(INBOUND, TEXT, "another token"))
    bare = urlencode(TEXT).encode()
    Caller().ask("POST", INBOUND, raw=bare, content_type=FORM, expect=403)


def test_an_algorithm_that_is_none(cast):
    for settings_ in ("alg=MD5", "alg=", "\x01", "alg=HMAC-SHA1;alg=x"):
        raw = urlencode(TEXT).encode()
        answer = Caller().send(
            "POST",
            INBOUND,
            raw,
            {
                "Content-Type": FORM,
                "X-Twilio-Signature": signature(INBOUND, TEXT),
                "X-Twilio-Webhooks-Signature-Settings": settings_,
            },
        )
        assert answer.status in {200, 403}


def test_other_bodies(db):
    Caller().ask("POST", INBOUND, body=TEXT, expect=415)
    Caller().ask("GET", INBOUND, expect=403)


@pytest.mark.parametrize("charset", ["rot13", "utf-16", "latin-1", "nonsense"])
def test_a_form_is_utf_8_whatever_it_says_of_itself(charset, cast):
    form = {**TEXT, "Body": "Zoë"}
    raw = urlencode(form).encode()
    Caller().ask(
        "POST", INBOUND, raw=raw, content_type=f"{FORM}; charset={charset}", expect=200,
        X_Twilio_Signature=signature(INBOUND, form),
    )  # fmt: skip
    assert InboundSms.objects.get().body == "Zoë"


def test_a_stop_is_heard_by_a_host_whose_clock_is_a_minute_behind(cast, monkeypatch):
    post(INBOUND, TEXT | {"Body": "START"}, 200)
    behind = timezone.now() - timedelta(minutes=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: behind)
    post(INBOUND, TEXT | {"Body": "STOP", "MessageSid": "SM" + "3" * 32}, 200)
    assert OptOut.objects.get().opted_out
