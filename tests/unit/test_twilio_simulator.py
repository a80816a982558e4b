"""The simulator against Twilio's own SDK: what it can't tell from Twilio, the product can't.

Real HTTP both ways, a real process, and callbacks judged by the SDK's own validator.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from dev import twilio_wire as wire
from dev.simulator_client import SimulatorClient
from dev.stack import Trouble
from dev.webhook_receiver import WebhookReceiver

ACCOUNT, TOKEN = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "one-token"
OTHER, OTHER_TOKEN = "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "another-token"
FAST, SLOW, THEIRS = "+15005550006", "+15005550007", "+15005550008"
ANN, BEN = "+447700900001", "+447700900002"


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


@pytest.fixture(scope="module")
def simulator(
    receiver: WebhookReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimulatorClient]:
    with SimulatorClient.start(
        accounts={ACCOUNT: TOKEN, OTHER: OTHER_TOKEN},
        senders=[f"{FAST}=1000", f"{SLOW}=5", f"{THEIRS}=1000@{OTHER}"],
        inbound_url=f"{receiver.url}/twilio/inbound?from=phone",
        deliver_after=0.02,
        ledger=tmp_path_factory.mktemp("simulator") / "ledger.jsonl",
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(simulator: SimulatorClient, receiver: WebhookReceiver) -> None:
    simulator.reset()
    receiver.forget()


def sdk(simulator: SimulatorClient, account: str = ACCOUNT, token: str = TOKEN) -> Client:
    client = Client(account, token, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = simulator.base_url
    return client


@pytest.fixture
def twilio(simulator: SimulatorClient) -> Client:
    return sdk(simulator)


def refused(call: Callable[[], object]) -> tuple[int, int | None]:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return caught.value.status, caught.value.code


def genuine(receiver: WebhookReceiver, token: str = TOKEN) -> list[bool]:
    validate = RequestValidator(token).validate
    return [validate(webhook.url, webhook.params, webhook.signature) for webhook in receiver.got]


def callback(
    receiver: WebhookReceiver, ours: uuid.UUID, attempt: int = 1, fragment: str = ""
) -> str:
    return f"{receiver.url}/api/v1/twilio/status/{ours}/{attempt}?clinic=a%20b{fragment}"


def until(fact: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


# -- create, fetch, list ----------------------------------------------------------------------


def test_a_text_goes_its_way_and_each_step_is_told(
    simulator: SimulatorClient, twilio: Client, receiver: WebhookReceiver
) -> None:
    ours = uuid.uuid4()
    made = twilio.messages.create(
        to=ANN,
        from_=FAST,
        body="Grüße €",
        status_callback=callback(receiver, ours, 2, "#rc=5&rp=all"),
    )
    assert (made.status, made.direction, made.num_segments, made.date_sent) == (
        "queued",
        "outbound-api",
        "1",
        None,
    )
    assert re.fullmatch(r"SM[0-9a-f]{32}", str(made.sid))
    assert made.date_created is not None
    assert abs(made.date_created - datetime.now(UTC)) < timedelta(seconds=5)
    simulator.wait_until_quiet()

    fetched = twilio.messages(str(made.sid)).fetch()
    assert (fetched.status, fetched.body, fetched.error_code) == ("delivered", "Grüße €", None)
    assert fetched.date_sent is not None
    assert receiver.statuses() == ["sent", "delivered"], "none for the first state"
    assert genuine(receiver) == [True, True]
    said = receiver.got[0].params
    assert (said["MessageSid"], said["SmsSid"], said["To"], said["From"]) == (
        made.sid,
        made.sid,
        ANN,
        FAST,
    )
    assert "ErrorCode" not in said
    tally = simulator.ledger(our_id=ours)["ids"][str(ours)]
    assert (tally["accepted"], tally["attempts"], tally["statuses"]) == (1, [2], ["delivered"])


def test_a_messaging_service_chooses_the_sender_later(
    simulator: SimulatorClient, twilio: Client, receiver: WebhookReceiver
) -> None:
    made = twilio.messages.create(
        to=ANN,
        messaging_service_sid="MG" + "0" * 32,
        body="Hi",
        status_callback=callback(receiver, uuid.uuid4()),
    )
    assert (made.status, made.from_, made.num_segments) == ("accepted", None, "0")
    simulator.wait_until_quiet()
    assert receiver.statuses() == ["queued", "sent", "delivered"]
    fetched = twilio.messages(str(made.sid)).fetch()
    assert fetched.from_ in (FAST, SLOW)
    assert [text.sid for text in twilio.messages.list(from_=fetched.from_)] == [made.sid]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"to": "0770"}, (400, 21211)),
        ({"to": ""}, (400, 21604)),
        ({"from_": "+15005550001"}, (400, 21606)),
        ({"from_": THEIRS}, (400, 21606)),
        ({"from_": "what"}, (400, 21212)),
        ({"body": ""}, (400, 21602)),
        ({"body": "x" * 1601}, (400, 21617)),
        ({"to": FAST}, (400, 21266)),
        ({"status_callback": "ours"}, (400, 21609)),
        ({"validity_period": 36001}, (400, 20001)),
    ],
)
def test_a_create_is_refused_as_twilio_refuses(
    simulator: SimulatorClient, twilio: Client, wrong: dict[str, Any], expected: tuple[int, int]
) -> None:
    right: dict[str, Any] = {"to": ANN, "from_": FAST, "body": "Hi"}
    assert refused(lambda: twilio.messages.create(**(right | wrong))) == expected
    ledger = simulator.ledger()
    assert [row["code"] for row in ledger["refused"]] == [expected[1]]
    assert ledger["messages"] == []
    assert twilio.messages.create(**right).sid, "and the right one isn't"


def test_a_wrong_token_and_another_account(simulator: SimulatorClient, twilio: Client) -> None:
    sid = str(twilio.messages.create(to=ANN, from_=FAST, body="Hi").sid)
    assert refused(lambda: sdk(simulator, token="old").messages(sid).fetch()) == (401, 20003)
    stranger = sdk(simulator, OTHER, OTHER_TOKEN)
    assert refused(lambda: stranger.messages(sid).fetch()) == (404, 20404)
    assert stranger.messages.list() == []
    assert refused(lambda: twilio.messages("SM" + "0" * 32).fetch()) == (404, 20404)
    body = requests.get(
        f"{simulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", timeout=5
    ).json()
    assert body == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_the_list_pages_newest_first_and_new_texts_shift_nothing(
    simulator: SimulatorClient, twilio: Client
) -> None:
    made = [
        twilio.messages.create(to=(ANN, BEN)[n % 2], from_=FAST, body=f"n{n}").sid for n in range(7)
    ]
    page = twilio.messages.page(page_size=3)
    first = [text.sid for text in page]
    twilio.messages.create(to=ANN, from_=FAST, body="late")
    following = page.next_page()
    assert following is not None
    assert first + [text.sid for text in following] == made[:0:-1]
    everything = [text.body for text in twilio.messages.list(page_size=2)]
    assert everything == ["late", *(f"n{n}" for n in range(6, -1, -1))]
    assert [text.body for text in twilio.messages.list(to=BEN)] == ["n5", "n3", "n1"]
    assert twilio.messages.list(to=BEN, from_=SLOW) == []


def test_days_are_filtered_in_utc_and_a_played_clock_stamps(
    simulator: SimulatorClient, twilio: Client
) -> None:
    for day in (28, 29, 30):
        simulator.set_clock(datetime(2027, 3, day, 23, 59, 59, tzinfo=UTC))
        twilio.messages.create(to=ANN, from_=FAST, body=str(day))
        simulator.wait_until_quiet()
    asked = date(2027, 3, 29)
    assert [text.body for text in twilio.messages.list(date_sent=asked)] == ["29"]
    assert [text.body for text in twilio.messages.list(date_sent_after=asked)] == ["30", "29"]
    assert [text.body for text in twilio.messages.list(date_sent_before=asked)] == ["29", "28"]
    assert simulator.ledger()["messages"][0]["at"] == "2027-03-28T23:59:59+00:00"
    simulator.set_clock(None)
    assert twilio.messages.create(to=ANN, from_=FAST, body="now").date_created < datetime(
        2027, 1, 1, tzinfo=UTC
    )


def test_the_list_lags_but_a_fetch_does_not(simulator: SimulatorClient, twilio: Client) -> None:
    simulator.lag_list(60)
    sid = str(twilio.messages.create(to=ANN, from_=FAST, body="Hi").sid)
    assert twilio.messages.list(to=ANN) == []
    assert twilio.messages(sid).fetch().sid == sid
    simulator.lag_list(0)
    assert [text.sid for text in twilio.messages.list(to=ANN)] == [sid]


# -- a sender's queue -------------------------------------------------------------------------


def test_a_waiting_text_has_no_date_and_its_validity_ends(
    simulator: SimulatorClient, twilio: Client, receiver: WebhookReceiver
) -> None:
    simulator.freeze(FAST)
    short = twilio.messages.create(
        to=ANN,
        from_=FAST,
        body="a",
        validity_period=1,
        status_callback=callback(receiver, uuid.uuid4()),
    )
    long = twilio.messages.create(to=ANN, from_=FAST, body="b", validity_period=60)
    assert [(text.status, text.date_sent) for text in twilio.messages.list()] == [
        ("queued", None)
    ] * 2
    assert twilio.messages.list(date_sent=datetime.now(UTC).date()) == [], "no date, so no day"
    until(lambda: receiver.got)
    assert (receiver.statuses(), receiver.got[0].params["ErrorCode"]) == (["failed"], "30036")
    assert twilio.messages(str(short.sid)).fetch().error_code == 30036
    simulator.thaw(FAST)
    simulator.wait_until_quiet()
    assert twilio.messages(str(long.sid)).fetch().status == "delivered"


def test_a_sender_keeps_its_pace_in_segments(simulator: SimulatorClient, twilio: Client) -> None:
    simulator.set_rate(SLOW, 20)
    begun = time.monotonic()
    for _ in range(3):
        twilio.messages.create(to=ANN, from_=SLOW, body="ж" * 135)  # three segments each
    simulator.wait_until_quiet()
    # The first goes at once, the second and third after 3/20 s each.
    assert 0.25 < time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("a" * 152 + "€" * 77, 3),  # 153 + 153: the euro sign is not cut in half
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("💉" * 35, 1),
        ("💉" * 67, 3),  # 33 of them to a segment of 67
    ],
)
def test_segments_are_counted_as_carriers_do(body: str, segments: int) -> None:
    assert wire.count_segments(body) == segments


# -- phones -----------------------------------------------------------------------------------


def test_a_phone_answers_and_the_product_hears(
    simulator: SimulatorClient, twilio: Client, receiver: WebhookReceiver
) -> None:
    sid = simulator.answer(ANN, FAST, "Taken & well 👍")
    until(lambda: receiver.got)
    said = receiver.got[0].params
    assert genuine(receiver) == [True]
    assert (said["MessageSid"], said["From"], said["To"], said["Body"]) == (
        sid,
        ANN,
        FAST,
        "Taken & well 👍",
    )
    assert (said["AccountSid"], said["NumMedia"], said["NumSegments"]) == (ACCOUNT, "0", "1")
    listed = twilio.messages.list(to=FAST)
    assert [(text.sid, text.direction, text.status) for text in listed] == [
        (sid, "inbound", "received")
    ]
    assert [text.sid for text in twilio.messages.list(from_=ANN)] == [sid]


@pytest.mark.parametrize("word", ["STOP", " stop ", "OptOut", "revoke"])
def test_stop_blocks_one_sender_for_one_phone_until_start(
    simulator: SimulatorClient, twilio: Client, word: str
) -> None:
    def send(to: str, sender: str) -> object:
        return twilio.messages.create(to=to, from_=sender, body="Hi").sid

    simulator.answer(ANN, FAST, "please stop")
    assert send(ANN, FAST), "only the word alone is the carrier's"
    simulator.answer(ANN, FAST, word)
    assert refused(lambda: send(ANN, FAST)) == (400, 21610)
    assert send(BEN, FAST)
    assert send(ANN, SLOW)
    assert simulator.ledger()["opted_out"] == [{"phone": ANN, "sender": FAST}]
    simulator.answer(ANN, FAST, "Start")
    assert send(ANN, FAST)
    said = [text["body"] for text in simulator.conversation(ANN) if text["direction"] == "carrier"]
    assert said == [wire.STOP_REPLY, wire.START_REPLY]


@pytest.mark.parametrize(
    ("code", "status"), [(30003, "undelivered"), (30006, "undelivered"), (30001, "failed")]
)
def test_a_bad_phone_fails_as_it_was_told_to(
    simulator: SimulatorClient, twilio: Client, receiver: WebhookReceiver, code: int, status: str
) -> None:
    simulator.break_number(ANN, code)
    sid = str(
        twilio.messages.create(
            to=ANN, from_=FAST, body="Hi", status_callback=callback(receiver, uuid.uuid4())
        ).sid
    )
    simulator.wait_until_quiet()
    ended = twilio.messages(sid).fetch()
    assert (ended.status, ended.error_code) == (status, code)
    assert (receiver.got[-1].params["MessageStatus"], receiver.got[-1].params["ErrorCode"]) == (
        status,
        str(code),
    )
    simulator.break_number(ANN, 21211)
    assert refused(lambda: twilio.messages.create(to=ANN, from_=FAST, body="Hi")) == (400, 21211)
    assert simulator.injected() == {f"number:{code}": 1, "number:21211": 1}
    simulator.mend_number(ANN)
    assert twilio.messages.create(to=ANN, from_=FAST, body="Hi").sid


def test_the_page_and_the_controls_are_for_this_machine_alone(simulator: SimulatorClient) -> None:
    page = requests.get(simulator.base_url, timeout=5)
    assert "nothing here leaves this machine" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    rebound = requests.get(simulator.base_url, headers={"Host": "evil.example"}, timeout=5)
    assert rebound.status_code == 403
    form = requests.post(f"{simulator.base_url}/_sim/reset", data={"a": "b"}, timeout=5)
    assert form.status_code == 415, "a form of another page can't reach the controls"
    for path, body in [
        ("faults", {"kind": "rain"}),
        ("clock", {"now": "2027-01-01T00:00"}),
        ("numbers", {}),
    ]:
        with pytest.raises(ValueError, match=r"must|missing"):
            simulator._post(path, body)


@pytest.mark.parametrize("trouble", ["the port is taken", "the ledger is a folder"])
def test_a_start_that_fails_says_why_in_one_line(
    simulator: SimulatorClient, tmp_path: Path, trouble: str
) -> None:
    log = tmp_path / "log"
    taken = int(simulator.base_url.rpartition(":")[2]) if "port" in trouble else None
    ledger = tmp_path if "ledger" in trouble else None
    with pytest.raises(Trouble, match="did not start"):
        SimulatorClient.start(
            accounts={ACCOUNT: TOKEN}, senders=[FAST], port=taken, ledger=ledger, log=log
        )
    assert log.read_text().count("\n") == 1
    assert "could not start" in log.read_text()
