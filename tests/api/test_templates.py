"""A clinic's own texts over the API."""

import pytest

from messaging.models import Sms
from reminders.models import Language, Wording
from reminders.texts import templates
from tests.api.client import signed_in
from tests.cast import NOW

WHICH = {"language": "en", "wording": "discreet", "kind": "message:closed"}
DRAFT = {**WHICH, "body": "{clinic}: we are closed on Friday. Call {phone}."}


@pytest.fixture
def path(cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}/templates"


def test_from_a_draft_to_a_text(path, ada, clinician):
    checked = clinician.ask("POST", f"{path}/preview", body=DRAFT, expect=200)
    assert (checked["problems"], checked["segments"], checked["price"]) == ([], 1, None)
    assert clinician.ask("GET", path, expect=200)["results"] == []
    first = clinician.ask("POST", path, body=DRAFT, expect=201)
    second = clinician.ask(
        "POST", path, body={**DRAFT, "body": DRAFT["body"] + " Bye."}, expect=201
    )
    holding = clinician.ask("GET", path, expect=200)["results"]
    assert holding == [second.body]
    every = clinician.ask("GET", f"{path}?versions=all", expect=200)["results"]
    assert every == [second.body, first.body]
    told = clinician.ask("POST", f"{ada}/messages", body={"kind": WHICH["kind"]}, expect=201)
    assert told["body"] == Sms.objects.get().body
    assert told["leaves_at"] == "2027-01-04T08:30:00Z"
    clinician.ask("POST", f"{path}/retire", body=WHICH, expect=201)
    assert clinician.ask("GET", path, expect=200)["results"] == []
    clinician.ask(
        "POST", f"{ada}/messages", body={"kind": WHICH["kind"]}, expect=409, code="no_message"
    )


def test_all_that_is_wrong_is_said(path, clinician):
    body = {**DRAFT, "body": "Your injection: bit.ly/x"}
    checked = clinician.ask("POST", f"{path}/preview", body=body, expect=200)
    codes = {problem["code"] for problem in checked["problems"]}
    assert codes == {"placeholder_missing", "link", "telling"}
    clinician.ask("POST", path, body=body, expect=400, field="body", code="placeholder_missing")
    clinician.ask("POST", path, body={**DRAFT, "kind": "day"}, expect=400, field="body")
    clinician.ask("POST", path, body={**DRAFT, "kind": "x"}, expect=400, field="kind")


def test_a_repeated_save_with_a_key_makes_one_version(path, clinician):
    for _ in range(2):
        answer = clinician.ask("POST", path, body=DRAFT, expect=201, Idempotency_Key="one")
        assert answer["version"] == 1


# What a clinician, a coordinator and an admin of the clinic, a patient of it, and a clinician of
# another are told.
@pytest.mark.parametrize(
    ("method", "end", "body", "told"),
    [
        ("GET", "", None, (200, 200, 200, 403, 404)),
        ("POST", "", DRAFT, (201, 403, 201, 403, 404)),
        ("POST", "/preview", DRAFT, (200, 403, 200, 403, 404)),
        ("POST", "/retire", WHICH, (201, 403, 201, 403, 404)),
    ],
)
def test_who_may_change_texts(
    cast, path, method, end, body, told,
    anonymous, clinician, coordinator, admin, patient, stranger,
):  # fmt: skip
    people = (clinician, coordinator, admin, patient, stranger)
    for caller, status in ((anonymous, 401), *zip(people, told, strict=True)):
        draft = templates.Draft(Language.ENGLISH, Wording.DISCREET, DRAFT["kind"], DRAFT["body"])
        templates.save(cast.clinic, draft, cast.actor, NOW)
        caller.ask(method, path + end, body=body, expect=status)


@pytest.mark.parametrize("who", ["clinician", "coordinator", "admin"])
def test_who_may_send_messages(cast, ada, path, who):
    draft = templates.Draft(Language.ENGLISH, Wording.DISCREET, DRAFT["kind"], DRAFT["body"])
    templates.save(cast.clinic, draft, cast.actor, NOW)
    caller = signed_in(getattr(cast, who))
    caller.ask("POST", f"{ada}/messages", body={"kind": DRAFT["kind"]}, expect=201)
