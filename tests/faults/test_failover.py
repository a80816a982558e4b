"""One account of two fails hard, with real workers: the other's number takes over what was never
asked for, and nothing whose fate is unknown."""

import pytest

from dev.environment import ACCOUNT, TOKEN
from dev.waiting import until
from messaging.models import Lane, Sms
from tests.cast import OTHER_ACCOUNT, OTHER_NUMBER, OTHER_TOKEN, make_sender
from tests.processes import World
from tests.texts import get, now, queue_text, queue_texts


@pytest.mark.processes
def test_the_second_account_takes_over_what_was_never_asked(world: World) -> None:
    world.more = {"TWILIO_ACCOUNTS": f"{ACCOUNT}={TOKEN},{OTHER_ACCOUNT}={OTHER_TOKEN}"}
    make_sender(
        OTHER_NUMBER, Lane.ROUTINE, account=OTHER_ACCOUNT, standby=True, inbound_seen_at=now()
    )
    simulator = world.simulator
    # Taken by the first account, which never says so; then that account lets nobody in.
    simulator.inject("reset_after", on="create", count=1)
    doubtful = queue_text("+447700910000")
    world.start_web()
    world.start_worker("routine", concurrency=2)
    world.start_beat()
    until(lambda: simulator.accepted(doubtful) == 1, 60, "the first account has taken a text")
    simulator.inject("401", on="create", account=ACCOUNT)
    simulator.inject("401", on="list", account=ACCOUNT)
    others = queue_texts([f"+4477009{n:05}" for n in range(20_000, 20_030)])

    def arrived() -> int:
        return Sms.objects.filter(id__in=others, state="delivered").count()

    until(lambda: arrived() == len(others), 60, "the second account has sent the others")
    sent = {text["id"]: text for text in simulator.ledger()["messages"]}
    assert {sent[str(id_)]["sender"] for id_ in others} == {OTHER_NUMBER}
    assert sent[str(doubtful)]["sender"] != OTHER_NUMBER
    assert {tally["accepted"] for tally in simulator.ledger()["ids"].values()} == {1}
    assert get(doubtful).account == ACCOUNT

    simulator.clear_faults()
    until(lambda: get(doubtful).state == "delivered", 60, "it is found with the account asked")
    assert simulator.doubles() == {}
