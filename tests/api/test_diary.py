"""The diary over the API."""

from datetime import timedelta

import pytest

from messaging import inbound
from reminders.conversation import hearing
from tests.cast import NOW

ENTRY = {"effect": "tiredness", "severity": 2, "on_date": "2027-01-03", "note": "since Friday"}

ENTRIES = [
    ("effect", "tired", "invalid_choice"),
    ("effect", None, "null"),
    ("severity", 4, "max_value"),
    ("severity", -1, "min_value"),
    ("severity", "2", "invalid"),
    ("severity", None, "null"),
    ("severity", True, "invalid"),
    ("on_date", "2027-01-05", "on_date"),
    ("on_date", "2026-01-02", "on_date"),
    ("on_date", "0001-01-01", "on_date"),
    ("on_date", "soon", "invalid"),
    ("note", "a\0b", "invalid"),
    ("note", "a" * 2001, "max_length"),
    ("corrects", "0198c0de-0000-7000-8000-000000000000", "corrects"),
    ("corrects", "1", "invalid"),
    ("source", "page", "unknown_field"),
]


@pytest.fixture
def diary(ada) -> str:
    return f"{ada}/side-effects"


def test_an_entry_and_its_correction(diary, clinician, coordinator):
    first = clinician.ask("POST", diary, body=ENTRY, expect=201)
    assert {name: first[name] for name in ENTRY} == ENTRY
    assert first["effect_in_words"] == "Tiredness"
    assert first["severity_in_words"] == "Hard to ignore"
    assert (first["came_by"], first["recorded_by"]) == ("staff", "Clinician")
    body = {**ENTRY, "severity": 1, "corrects": first["id"]}
    second = coordinator.ask("POST", diary, body=body, expect=201)
    listed = clinician.ask("GET", diary, expect=200)["results"]
    assert [(one["id"], one["corrects"], one["corrected_by"]) for one in listed] == [
        (second["id"], first["id"], None),
        (first["id"], None, second["id"]),
    ]
    clinician.ask("POST", diary, body=body, expect=409, code="corrected_already")


def test_an_entry_that_cannot_be_meant(diary, clinician, subtests):
    for field, value, code in ENTRIES:
        with subtests.test(field=field, value=value):
            body = {**ENTRY, field: value}
            clinician.ask("POST", diary, body=body, expect=400, code=code, field=field)
    assert clinician.ask("GET", diary, expect=200)["results"] == []


def test_a_repeated_request_notes_it_once(diary, clinician):
    one, two = (
        clinician.ask("POST", diary, body=ENTRY, expect=201, Idempotency_Key="k") for _ in range(2)
    )
    assert one.body == two.body
    assert len(clinician.ask("GET", diary, expect=200)["results"]) == 1


def test_the_list_comes_in_pages(diary, clinician):
    noted = [clinician.ask("POST", diary, body=ENTRY, expect=201)["id"] for _ in range(3)]
    first = clinician.ask("GET", f"{diary}?page_size=2", expect=200)
    rest = clinician.ask("GET", first["next"].removeprefix("http://testserver"), expect=200)
    assert [one["id"] for page in (first, rest) for one in page["results"]] == noted[::-1]
    assert rest["next"] is None


def test_the_worst_is_on_the_worklist(diary, clinician):
    clinician.ask("POST", diary, body={**ENTRY, "severity": 3}, expect=201)
    (item,) = clinician.ask("GET", "/api/v1/worklist", expect=200)["results"]
    assert item["cause"] == "side_effect"


def test_signs_that_staff_are_told_of_are_urgent(diary, clinician):
    body = {**ENTRY, "signs": ["breathing"]}
    assert clinician.ask("POST", diary, body=body, expect=201)["text"] is None
    clinician.ask("POST", diary, body={**ENTRY, "signs": ["tired"]}, expect=400, field="signs.0")
    (item,) = clinician.ask("GET", "/api/v1/worklist", expect=200)["results"]
    assert (item["cause"], item["facts"]["signs"]) == ("urgent_sign", ["breathing"])


def test_an_entry_of_a_text_names_it(cast, diary, ada, clinician):
    assert inbound.store(cast.sender, f"SM{7:032}", cast.ada.number, "I feel so tired", NOW)
    hearing.hear(NOW + timedelta(seconds=5))
    (answer,) = clinician.ask("GET", f"{ada}/answers", expect=200)["results"]
    (entry,) = clinician.ask("GET", diary, expect=200)["results"]
    assert (entry["came_by"], entry["text"]) == ("text", answer["text"])


def test_the_trend(diary, clinician):
    clinician.ask("POST", diary, body=ENTRY, expect=201)
    clinician.ask("POST", diary, body={**ENTRY, "severity": 0, "on_date": "2027-01-04"}, expect=201)
    trend = clinician.ask("GET", f"{diary}/trend?from=2026-12-28", expect=200)
    assert trend.body == {
        "from": "2026-12-28",
        "to": "2027-01-04",
        "results": [
            {
                "effect": "tiredness",
                "effect_in_words": "Tiredness",
                "weeks": [
                    {"starts_on": "2026-12-28", "worst": 2, "entries": 1},
                    {"starts_on": "2027-01-04", "worst": 0, "entries": 1},
                ],
            }
        ],
    }
    assert clinician.ask("GET", f"{diary}/trend", expect=200)["from"] == "2026-01-05"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=soon", "from"),
        ("to=2027-02-29", "to"),
        ("from=2027-01-05", "from"),  # after today
        ("from=2027-01-02&to=2027-01-01", "from"),
        ("from=0001-01-01", "from"),
        ("to=0001-01-01&from=0001-01-02", "from"),
        ("since=2027-01-01", "since"),
        ("from=2027-01-01&from=2027-01-02", "from"),
    ],
)
@pytest.mark.parametrize("path", ["side-effects/trend", "blood-results/trend", "adherence"])
def test_a_period_that_cannot_be_meant(path, query, field, ada, clinician):
    clinician.ask("GET", f"{ada}/{path}?{query}", expect=400, field=field)


@pytest.mark.parametrize("query", ["to=0001-01-01", "from=9999-12-30&to=9999-12-31"])
@pytest.mark.parametrize("path", ["side-effects/trend", "blood-results/trend", "adherence"])
def test_a_period_at_the_ends_of_time(path, query, ada, clinician):
    clinician.ask("GET", f"{ada}/{path}?{query}", expect=200)
