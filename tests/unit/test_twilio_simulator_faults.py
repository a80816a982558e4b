"""Each fault the simulator can inject really happens, as it was asked for, and is counted.

The fault tests of the product stand on this: a harness that injected nothing shows nothing.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from dev.simulator_client import SimulatorClient
from dev.webhook_receiver import WebhookReceiver

ACCOUNT, TOKEN, SENDER = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "one-token", "+15005550006"
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
        accounts={ACCOUNT: TOKEN},
        senders=[f"{SENDER}=2000"],
        inbound_url=f"{receiver.url}/twilio/inbound",
        deliver_after=0.02,
        ledger=tmp_path_factory.mktemp("simulator") / "ledger.jsonl",
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(simulator: SimulatorClient, receiver: WebhookReceiver) -> None:
    simulator.reset()
    receiver.forget()


@pytest.fixture
def send(simulator: SimulatorClient, receiver: WebhookReceiver) -> Callable[..., uuid.UUID]:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=0.5))
    client.api.base_url = simulator.base_url

    def one(to: str = ANN, fragment: str = "", ours: uuid.UUID | None = None) -> uuid.UUID:
        ours = ours or uuid.uuid4()
        url = f"{receiver.url}/twilio/status/{ours}/1{fragment}"
        client.messages.create(to=to, from_=SENDER, body="Hi", status_callback=url)
        return ours

    return one


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("429", 429, 20429), ("500", 500, 20500), ("503", 503, 20503), ("401", 401, 20003)],
)
def test_an_error_is_answered_once_and_nothing_is_taken(
    simulator: SimulatorClient, send: Callable[..., uuid.UUID], kind: str, status: int, code: int
) -> None:
    simulator.inject(kind, count=1)
    ours = uuid.uuid4()
    with pytest.raises(TwilioRestException) as caught:
        send(ours=ours)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert simulator.accepted(ours) == 0
    assert [(row["id"], row["fault"]) for row in simulator.ledger()["refused"]] == [
        (str(ours), kind)
    ]
    assert simulator.accepted(send()) == 1, "and the next one goes through"
    assert simulator.injected() == {kind: 1}


@pytest.mark.parametrize(
    ("kind", "accepts", "error"),
    [
        ("garbage", True, json.JSONDecodeError),
        ("never_answer", True, requests.Timeout),
        ("reset_after", True, requests.ConnectionError),
        ("reset_before", False, requests.ConnectionError),
        ("delay", True, requests.Timeout),
    ],
)
def test_an_answer_that_says_nothing_of_the_fate(
    simulator: SimulatorClient,
    send: Callable[..., uuid.UUID],
    kind: str,
    accepts: bool,
    error: type[Exception],
) -> None:
    simulator.inject(kind, count=1, seconds=0.7)
    ours = uuid.uuid4()
    with pytest.raises(error) as caught:
        send(ours=ours)
    assert ("Connection reset by peer" in str(caught.value)) == kind.startswith("reset"), (
        "an RST, not a mere close"
    )
    assert simulator.accepted(ours) == int(accepts)
    assert simulator.injected() == {kind: 1}


def test_a_500_may_have_been_taken_and_a_late_one_is_taken_after_the_caller_left(
    simulator: SimulatorClient, send: Callable[..., uuid.UUID]
) -> None:
    simulator.inject("500", count=1, accepts=True)
    taken, late = uuid.uuid4(), uuid.uuid4()
    with pytest.raises(TwilioRestException):
        send(ours=taken)
    assert simulator.accepted(taken) == 1
    simulator.inject("delay", count=1, accepts=False, seconds=0.8)
    with pytest.raises(requests.Timeout):
        send(ours=late)
    assert simulator.accepted(late) == 0, "not yet"
    deadline = time.monotonic() + 5
    while not simulator.accepted(late):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_faults_by_chance_are_the_same_each_time_and_for_one_number(
    simulator: SimulatorClient, send: Callable[..., uuid.UUID]
) -> None:
    def play() -> list[bool]:
        simulator.reset()
        simulator.inject("500", probability=0.5, seed=7, to=ANN)
        outcomes = []
        for n in range(20):
            try:
                send(to=(ANN, BEN)[n % 2])
                outcomes.append(True)
            except TwilioRestException:
                outcomes.append(False)
        return outcomes

    first = play()
    assert first == play()
    assert all(first[1::2]), "the other number is spared"
    assert 0 < simulator.injected()["500"] < 10
    simulator.clear_faults()
    assert send()
    assert simulator.injected()["500"], "what happened stays counted"


def test_the_list_can_fail_too(simulator: SimulatorClient) -> None:
    url = f"{simulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    simulator.inject("503", on="list", count=1)
    statuses = [requests.get(url, auth=(ACCOUNT, TOKEN), timeout=5).status_code for _ in range(2)]
    assert statuses == [503, 200]
    assert simulator.health()["calls"]["list"] == 2


# -- callbacks --------------------------------------------------------------------------------


def test_a_callback_that_is_refused_comes_again_as_its_fragment_asks(
    simulator: SimulatorClient, receiver: WebhookReceiver, send: Callable[..., uuid.UUID]
) -> None:
    receiver.refuse_next = 2
    send(fragment="#rc=5&rp=all")
    simulator.wait_until_quiet()
    assert receiver.statuses() == ["sent", "sent", "sent", "delivered"]
    assert len({webhook.token for webhook in receiver.got[:3]}) == 1, "one webhook, three times"
    receiver.forget()
    receiver.refuse_next = 2
    send()
    simulator.wait_until_quiet()
    assert receiver.statuses() == ["sent", "delivered"], (
        "without being asked, a 503 is not tried again"
    )


def test_a_product_that_is_down_ends_the_retries(
    simulator: SimulatorClient, receiver: WebhookReceiver
) -> None:
    url = f"{simulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    nobody = f"http://127.0.0.1:1/status/{uuid.uuid4()}/1#rc=2&rp=all"
    made = requests.post(
        url,
        auth=(ACCOUNT, TOKEN),
        data={"To": ANN, "From": SENDER, "Body": "Hi", "StatusCallback": nobody},
        timeout=5,
    )
    assert made.status_code == 201
    simulator.wait_until_quiet()
    assert simulator.health()["callbacks"] == {"posted": 6, "ct": 6}


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("lost", ["delivered"]),
        ("doubled", ["sent", "sent", "delivered"]),
        ("reordered", ["delivered", "sent"]),
        ("forged", ["delivered", "sent", "delivered"]),
        ("late", ["delivered", "sent"]),
    ],
)
def test_a_callback_goes_wrong(
    simulator: SimulatorClient,
    receiver: WebhookReceiver,
    send: Callable[..., uuid.UUID],
    kind: str,
    heard: list[str],
) -> None:
    simulator.inject(kind, count=1, seconds=0.3)
    send()
    simulator.wait_until_quiet()
    assert receiver.statuses() == heard
    assert simulator.injected() == {kind: 1}
    validate = RequestValidator(TOKEN).validate
    genuine = [validate(hook.url, hook.params, hook.signature) for hook in receiver.got]
    assert genuine == [not (kind == "forged" and n == 0) for n in range(len(heard))]


# -- the ledger -------------------------------------------------------------------------------


def test_two_people_on_one_phone_are_not_a_double_but_two_attempts_are(
    simulator: SimulatorClient, send: Callable[..., uuid.UUID]
) -> None:
    first, second = send(), send()
    assert (simulator.accepted(first), simulator.accepted(second), simulator.doubles()) == (
        1,
        1,
        {},
    )
    send(ours=first)
    assert [tally["accepted"] for tally in simulator.doubles().values()] == [2]
    assert len(simulator.ledger(to=ANN)["messages"]) == 3
    assert len(simulator.ledger(since_seq=2)["messages"]) == 1


def test_a_kill_and_a_restart_lose_nothing_that_was_accepted(
    simulator: SimulatorClient, receiver: WebhookReceiver, send: Callable[..., uuid.UUID]
) -> None:
    done = send()
    simulator.inject("429", count=1)
    with pytest.raises(TwilioRestException):
        send()
    simulator.answer(BEN, SENDER, "STOP")
    simulator.wait_until_quiet()
    simulator.freeze(SENDER)
    waiting = [send() for _ in range(20)]
    before = simulator.ledger()
    simulator.kill()
    # As if it had been killed in the middle of a line: that call was never answered.
    ledger = Path(simulator._argv[simulator._argv.index("--ledger") + 1])
    with ledger.open("ab") as torn:
        torn.write(b'{"event": "message", "to"')
    receiver.forget()
    simulator.restart()
    simulator.wait_until_quiet()
    after = simulator.ledger()
    assert [row["sid"] for row in after["messages"]] == [row["sid"] for row in before["messages"]]
    assert (after["inbound"], after["refused"], after["opted_out"]) == (
        before["inbound"],
        before["refused"],
        before["opted_out"],
    )
    assert simulator.injected() == {"429": 1}
    assert all(after["ids"][str(ours)]["statuses"] == ["delivered"] for ours in (done, *waiting))
    assert sorted(receiver.statuses()) == ["delivered"] * 20 + ["sent"] * 20
    assert simulator.accepted(send()) == 1
    simulator.kill()
    simulator.restart()
    assert len(simulator.ledger()["messages"]) == 22, "the torn line has not spoiled the next one"


def test_hundreds_a_second_with_all_their_callbacks(
    simulator: SimulatorClient, receiver: WebhookReceiver
) -> None:
    url = f"{simulator.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

    def post_many(part: int) -> list[int]:
        with requests.Session() as session:
            session.auth, session.trust_env = (ACCOUNT, TOKEN), False
            return [
                session.post(
                    url,
                    data={
                        "To": f"+4477009{part}{n:04}",
                        "From": SENDER,
                        "Body": "Hi",
                        "StatusCallback": f"{receiver.url}/status/{uuid.uuid4()}/1",
                    },
                    timeout=10,
                ).status_code
                for n in range(75)
            ]

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for part in pool.map(post_many, range(4)) for status in part]
    assert statuses == [201] * 300
    simulator.wait_until_quiet()
    ledger = simulator.ledger()
    assert len(ledger["ids"]) == 300
    assert not simulator.doubles()
    assert {tally["statuses"][0] for tally in ledger["ids"].values()} == {"delivered"}
    assert len(receiver.got) == 600
