"""What Twilio's answers mean, and who may send from where."""

import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid
from dev.environment import ACCOUNT
from messaging.connections import Reply
from messaging.gateway import Fault
from messaging.models import Lane, Scope, Sender
from messaging.senders import add_sender
from messaging.states import Finding
from messaging.twilio import judge

SID = "SM" + "0a" * 16


def reply(status: int, body: object, **headers: str) -> Reply:
    return Reply(status, headers, body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (reply(201, {"sid": SID, "status": "queued"}), Finding.ACCEPTED),
        (reply(201, {"sid": SID, "status": "sent"}), Finding.SENT),
        (reply(201, {"sid": SID, "status": "of a new kind"}), Finding.ACCEPTED),
        (reply(201, {"sid": "CA" + "0a" * 16}), Finding.DOUBTFUL),
        (reply(201, {}), Finding.DOUBTFUL),
        (reply(201, []), Finding.DOUBTFUL),
        (reply(201, "<html>"), Finding.DOUBTFUL),
        (reply(201, "[" * 200_000), Finding.DOUBTFUL),
        (reply(302, ""), Finding.DOUBTFUL),
        (reply(400, {"code": 21211}), Finding.REFUSED),
        (reply(400, {"code": 21617}), Finding.REFUSED),
        (reply(400, {"code": 99999}), Finding.NOT_TAKEN),
        (reply(401, {"code": 20003}), Finding.NOT_TAKEN),
        (reply(403, {"code": 30002}), Finding.NOT_TAKEN),
        (reply(429, {"code": 20429}), Finding.NOT_TAKEN),
        (reply(403, "<html>a proxy's opinion</html>"), Finding.DOUBTFUL),
        (reply(429, {"message": "a proxy's opinion"}), Finding.DOUBTFUL),
        (reply(400, {"code": "21211"}), Finding.DOUBTFUL),
        (reply(500, {"code": 20500}), Finding.DOUBTFUL),
        (reply(503, {"code": 20503}), Finding.DOUBTFUL),
        (reply(500, {"code": 21211}), Finding.DOUBTFUL),
    ],
)
def test_only_twilios_own_words_are_certain(answer, finding):
    assert judge(answer).finding == finding


@pytest.mark.parametrize(
    ("text", "wait"), [("7", 7), ("999999", 3600), ("soon", None), ("", None), ("-1", None)]
)
def test_how_long_to_wait_is_taken_from_the_answer(text, wait):
    answer = reply(429, {"code": 20429}, **{"retry-after": text})
    assert judge(answer).wait == wait


def test_only_a_stop_marks_an_opt_out():
    assert judge(reply(400, {"code": 21610})).fault == Fault.OPTED_OUT
    assert judge(reply(400, {"code": 21211})).fault == Fault.NUMBER
    assert judge(reply(429, {"code": 99_999})).fault == Fault.RATE


def test_a_sender_is_added_and_changed_by_the_command(db, capsys):
    for rate in ("1", "3"):
        call_command("add_sender", ACCOUNT, "+15005550006", "--rate", rate)
    sender = Sender.objects.get()
    assert (sender.scope, sender.lane, sender.rate) == (Scope.CARE, Lane.ROUTINE, 3)
    verbs = AuditEntry.objects.order_by("id").values_list("verb", "actor_kind", "subject_id")
    assert list(verbs) == [
        ("add_sender", "operator", sender.id),
        ("change_sender", "operator", sender.id),
    ]
    assert "+15005550006" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "value"),
    [("account", "AC" + "0" * 32), ("number", "0500"), ("rate", 0.0), ("rate", float("nan"))],
)
def test_a_sender_that_cannot_be_is_refused(db, field, value):
    facts = {
        "account": ACCOUNT,
        "number": "+15005550006",
        "scope": Scope.CARE,
        "lane": Lane.ROUTINE,
        "rate": 1.0,
    }
    with pytest.raises(Invalid) as refused:
        add_sender(None, **(facts | {field: value}))
    assert refused.value.field == field


def test_a_number_keeps_its_scope(db):
    call_command("add_sender", ACCOUNT, "+15005550006")
    with pytest.raises(CommandError, match="scope care"):
        call_command("add_sender", ACCOUNT, "+15005550006", "--scope", "community")
    with pytest.raises(Conflict):
        add_sender(
            None,
            account=ACCOUNT,
            number="+15005550006",
            scope=Scope.STAFF,
            lane=Lane.ROUTINE,
            rate=1,
        )
