"""Patients' doors: lists, search, pages, changes."""

import pytest

from messaging import outbox
from messaging.models import Scope, Sms
from messaging.states import State
from reminders.models import Cause, Patient
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.worklist.items import Finding, open_items
from tests.api.test_entrance import ENROLMENT
from tests.cast import NOW, make_patient
from tests.codes import code_sent

PATIENTS = "/api/v1/patients"
QUERIES = [
    ("search=P4", ["P49", "P48", "P47", "P46", "P45", "P44", "P43", "P42", "P41", "P40", "P4"]),
    ("search=p49", ["P49"]),
    ("search=07700%20900149", ["P49"]),
    ("search=%2B447700900149", ["P49"]),
    ("search=Ada%20ex", ["Ada Example"]),
    ("search=ad'a%20%26%20!%20:*", ["Ada Example"]),
    ("search=%C2%B2%20%E2%84%96", []),
    ("search=!!!", []),
    ("interval_days=14&search=P4&status=running", ["P49", "P47", "P45", "P43", "P41"]),
    ("interval_days=7", []),
    ("status=none&search=P1", ["P18", "P16", "P14", "P12", "P10"]),
    ("status=paused", []),
    ("status=stopped", []),
]


@pytest.fixture
def fifty(cast):
    """Fifty patients, newest last, every second of them on a schedule."""
    found = []
    for index in range(50):
        patient = make_patient(
            cast.clinic, cast.clinician, name=f"P{index}", number=f"+4477009001{index:02}"
        )
        if index % 2:
            prescribing.start(patient.id, Decision(14, NOW.date()), None, cast.actor, NOW)
        found.append(patient)
    return found


def names(answer) -> list[str]:
    return [patient["name"] for patient in answer["results"]]


def test_enrolling_and_reading_back(cast, clinician):
    body = {**ENROLMENT, "clinic": str(cast.clinic.id), "reference": " H-1 "}
    made = clinician.ask("POST", PATIENTS, body=body, expect=201)
    assert made.headers["location"] == f"{PATIENTS}/{made['id']}"
    read = clinician.ask("GET", made.headers["location"], expect=200)
    assert read.body == made.body
    assert (read["number"], read["reference"], read["wording"], read["hour"]) == (
        "+447700900002", "H-1", "discreet", "09:00",
    )  # fmt: skip


def test_a_reference_and_a_number_in_use(cast, clinician, stranger):
    body = {**ENROLMENT, "clinic": str(cast.clinic.id), "reference": "H-1"}
    clinician.ask("POST", PATIENTS, body=body, expect=201)
    clinician.ask(
        "POST", PATIENTS, body=body, expect=409, code="reference_in_use", field="reference"
    )
    elsewhere = {**body, "clinic": str(cast.other_clinic.id)}
    stranger.ask("POST", PATIENTS, body=elsewhere, expect=409, code="number_in_use", field="number")


def test_pages_neither_double_nor_lose_while_patients_are_enrolled(cast, clinician, fifty):
    seen, path = [], f"{PATIENTS}?page_size=7"
    while path:
        answer = clinician.ask("GET", path, expect=200)
        assert len(answer["results"]) <= 7
        seen += names(answer)
        path = answer["next"] and answer["next"].removeprefix("http://testserver")
        make_patient(cast.clinic, cast.clinician, name="late", number=f"+447700900{len(seen):03}")
    assert seen == [*(f"P{index}" for index in reversed(range(50))), "Ada Example"]


def test_pages_of_texts_neither_double_nor_lose(cast, ada, clinician):
    def add(index: int) -> None:
        outbox.queue(
            [
                outbox.Text(
                    scope=Scope.CARE,
                    owner_id=cast.ada.id,
                    about_id=cast.ada.id,
                    dedup_key=f"test:{cast.ada.id}:{index}",
                    to=cast.ada.number,
                    body=f"Text {index}",
                    available_at=NOW,
                    expires_at=NOW.replace(hour=20),
                )
            ],
            NOW,
        )

    for index in range(5):
        add(index)
    first = clinician.ask("GET", f"{ada}/texts?page_size=3", expect=200)
    add(5)
    rest = first["next"].removeprefix("http://testserver")
    second = clinician.ask("GET", rest, expect=200)
    steps = [text["step"] for text in first["results"] + second["results"]]
    assert steps == ["4", "3", "2", "1", "0"]
    assert second["next"] is None


def test_filters_and_search(clinician, fifty, subtests):
    for query, found in QUERIES:
        with subtests.test(query=query):
            assert names(clinician.ask("GET", f"{PATIENTS}?{query}", expect=200)) == found


def test_a_page_asks_no_query_for_each_row(clinician, fifty, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        answer = clinician.ask("GET", f"{PATIENTS}?page_size=200", expect=200)
    assert len(answer["results"]) == 51
    assert {patient["schedule"] and patient["schedule"]["status"] for patient in answer["results"]
            } == {None, "running"}  # fmt: skip


def test_the_worklist_asks_no_query_for_each_row(
    cast, clinician, fifty, django_assert_max_num_queries
):
    open_items([Finding(patient.id, Cause.NO_ANSWER) for patient in fifty], NOW)
    with django_assert_max_num_queries(8):
        answer = clinician.ask("GET", "/api/v1/worklist?page_size=30", expect=200)
    items = answer["results"]
    assert len(items) == 30
    rest = answer["next"].removeprefix("http://testserver")
    items += clinician.ask("GET", rest, expect=200)["results"]
    assert [item["patient"]["name"] for item in items] == [f"P{index}" for index in range(50)]
    assert items[0]["cause_in_words"] == "No answer for 48 hours"


def test_a_new_number_waits_for_its_code_and_then_gets_the_texts(cast, ada, weekly, clinician):
    plan_doses(NOW.replace(hour=9))
    Sms.objects.update(state=State.UNKNOWN, lease_until=NOW, sender=cast.sender)
    asked = clinician.ask("PATCH", ada, body={"number": "07700 900009"}, expect=200)
    assert (asked["number"], asked["new_number"]["number"]) == ("+447700900001", "+447700900009")
    assert asked["new_number"]["text_state"] == "queued"
    shown = clinician.ask("GET", ada, expect=200)
    assert shown.body == asked.body
    texts = clinician.ask("GET", f"{ada}/texts", expect=200)
    code = code_sent("+447700900009")
    assert code not in str(texts.body) + str(shown.body)
    wrong = "000000" if code != "000000" else "000001"
    confirm = f"{ada}/number/confirm"
    clinician.ask(
        "POST", confirm, body={"code": wrong}, expect=400, code="code_wrong", field="code"
    )
    answer = clinician.ask("POST", confirm, body={"code": code}, expect=200)
    assert (answer["number"], answer["new_number"]) == ("+447700900009", None)
    assert [text["to"] for text in answer["too_late"]] == ["+447700900001"]
    clinician.ask("POST", confirm, body={"code": code}, expect=409, code="no_new_number")


def test_a_change_of_nothing_changes_nothing(ada, clinician):
    before = clinician.ask("GET", ada, expect=200)
    after = clinician.ask("PATCH", ada, body={}, expect=200)
    assert before.body == after.body
    # A choice that has a default when enrolling has none here.
    explicit = clinician.ask("PATCH", ada, body={"wording": "explicit"}, expect=200)
    assert clinician.ask("PATCH", ada, body={"hour": "18:30"}, expect=200)["wording"] == "explicit"
    assert explicit["name"] == before["name"]
    assert Patient.objects.get().reference == ""


def test_texts_say_in_plain_words_what_became_of_them(ada, weekly, clinician):
    plan_doses(NOW.replace(hour=9))
    Sms.objects.update(state=State.FAILED, error_code=30005)
    (text,) = clinician.ask("GET", f"{ada}/texts", expect=200)["results"]
    assert (text["about"], text["step"], text["error_code"]) == ("dose", "day", 30005)
    assert text["state_in_words"] == "Could not be sent."
    assert text["error_in_words"] == "This number can't get our texts: check it with the patient."
