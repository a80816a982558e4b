"""The worklist over the API: who may do what, what is shown, and two people at once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from accounts.refusals import Conflict
from reminders.models import URGENCY, Cause, Outcome, Policy, WorkItem, WorkNote
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items, settle_items
from tests.api.client import Caller, signed_in
from tests.api.test_at_once import at_once
from tests.api.test_entrance import WHO_MAY_ENTER
from tests.cast import NOW, Cast, make_patient, make_user

WORKLIST = "/api/v1/worklist"
NOTE = {"text": "Rang, no answer."}
POLICY = {
    "text_next_day": True,
    "text_overdue": False,
    "texts_from": "08:30",
    "texts_until": "19:00",
    "later_minutes": 90,
    "on_time_days": 2,
    "page_minutes": 5,
    "result_days": 28,
    "sites": ["thigh_left", "thigh_right"],
    "out_of_hours": "020 7946 0111",
    "emergency": "112",
    "crisis_line": "116 123",
    "segment_price": "0.0400",
    "currency": "GBP",
}


def found(cast: Cast, cause: Cause = Cause.NO_ANSWER, **facts: str) -> WorkItem:
    open_items([Finding(cast.ada.id, cause, facts)], NOW)
    return WorkItem.objects.get(patient=cast.ada, cause=cause, closed_at=None)


@pytest.fixture
def item(cast: Cast) -> str:
    """The path of an item of Ada's."""
    return f"{WORKLIST}/{found(cast).id}"


@pytest.fixture
def clinic(cast: Cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}"


# --- Who may do what ------------------------------------------------------------------------------

# What a clinician, a coordinator and an admin of Ada's clinic are told, Ada herself, and a
# clinician of another. Nobody without a token gets further than 401.
VERBS = [
    ("GET", "{item}", None, 200, 200, 200, 403, 404),
    ("POST", "{item}/take", {}, 200, 200, 403, 403, 404),
    ("POST", "{item}/hand-back", {}, 409, 409, 403, 403, 404),
    ("POST", "{item}/notes", NOTE, 200, 200, 403, 403, 404),
    ("POST", "{item}/close", {"outcome": "done"}, 200, 200, 403, 403, 404),
    ("GET", "{counts}", None, 200, 200, 200, 403, 404),
    ("GET", "{clinic}/rota", None, 200, 200, 200, 403, 404),
    ("PUT", "{clinic}/rota", {"duties": []}, 200, 403, 200, 403, 404),
    ("GET", "{clinic}/policy", None, 200, 200, 200, 403, 404),
    ("PUT", "{clinic}/policy", POLICY, 200, 403, 200, 403, 404),
    ("GET", "{clinic}/daily-counts", None, 200, 200, 200, 403, 404),
]


def test_the_table_leaves_out_no_door():
    there = {
        path.replace("{item}", f"{WORKLIST}/<uuid:item_id>")
        .replace("{clinic}", "/api/v1/clinics/<uuid:clinic_id>")
        .replace("{counts}", f"{WORKLIST}/counts")
        for _, path, *_ in VERBS
    }
    ours = re.compile(f"{WORKLIST}/|/api/v1/clinics/<uuid:clinic_id>/(rota|policy|daily-counts)")
    assert there == {path for path in WHO_MAY_ENTER if ours.match(path)}


@pytest.mark.parametrize(
    ("who", "place"),
    [
        ("clinician", 3), ("coordinator", 4), ("admin", 5), ("patient", 6), ("stranger", 7),
        ("anonymous", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", VERBS, ids=[f"{method} {path}" for method, path, *_ in VERBS])
def test_what_each_is_told(row, who, place, cast, item, clinic, clinician, request):
    method, path, body, *_ = row
    counts = f"{WORKLIST}/counts?clinic={cast.clinic.id}"
    etag = clinician.ask("GET", f"{clinic}/rota", expect=200).etag
    caller = request.getfixturevalue(who)
    before = list(WorkNote.objects.values_list("kind", flat=True))
    expected = row[place] if place else 401
    caller.ask(
        method, path.format(item=item, clinic=clinic, counts=counts), body=body, expect=expected,
        If_Match=etag,
    )  # fmt: skip
    if expected >= 400:
        assert list(WorkNote.objects.values_list("kind", flat=True)) == before
        assert not Policy.objects.exists()


def test_one_of_another_clinic_and_one_that_is_none_are_told_apart_by_nothing(item, stranger):
    nothing = f"{WORKLIST}/0198c0de-0000-7000-8000-000000000000"
    one, other = (stranger.ask("GET", path, expect=404).body for path in (item, nothing))
    assert {**one, "request_id": ""} == {**other, "request_id": ""}


def test_a_stranger_sees_none_of_ours_in_the_list(item, cast, clinician, stranger):
    assert len(clinician.ask("GET", WORKLIST, expect=200)["results"]) == 1
    assert stranger.ask("GET", WORKLIST, expect=200)["results"] == []
    of_ours = f"{WORKLIST}?clinic={cast.clinic.id}"
    assert stranger.ask("GET", of_ours, expect=200)["results"] == []


# --- An item --------------------------------------------------------------------------------------


def test_an_item_from_its_finding_to_its_end(cast, clinician, coordinator):
    item = f"{WORKLIST}/{found(cast, dose='1').id}"
    shown = clinician.ask("GET", item, expect=200)
    assert (shown["cause"], shown["urgency_in_words"], shown["facts"], shown["times"]) == (
        "no_answer", "Today", {"dose": "1"}, 1,
    )  # fmt: skip
    assert shown["next_step"].startswith("Call the patient, ask whether the injection was done")
    assert shown["patient"] == {
        "id": str(cast.ada.id), "name": "Ada Example", "clinic": str(cast.clinic.id),
    }  # fmt: skip
    assert (shown["owner"], shown["owned_until"], shown["closed_at"]) == (None, None, None)

    grace = {"id": str(cast.clinician.id), "name": cast.clinician.name}
    taken = clinician.ask("POST", f"{item}/take", body={}, expect=200)
    assert (taken["owner"], taken["owned_until"]) == (grace, "2027-01-04T09:00:00Z")
    refused = coordinator.ask("POST", f"{item}/take", body={}, expect=409, code="taken")
    assert refused["detail"].startswith("Clinician looks after this item until 09:00")
    coordinator.ask("POST", f"{item}/close", body={"outcome": "done"}, expect=409, code="taken")
    coordinator.ask("POST", f"{item}/hand-back", body={}, expect=409)
    coordinator.ask("POST", f"{item}/notes", body=NOTE, expect=200)
    found(cast, dose="2")
    clinician.ask("POST", f"{item}/hand-back", body={}, expect=200)
    coordinator.ask("POST", f"{item}/take", body={}, expect=200)
    ended = coordinator.ask(
        "POST", f"{item}/close", body={"outcome": "not_needed", "note": "Was done."}, expect=200
    )
    assert (ended["outcome"], ended["outcome_in_words"]) == ("not_needed", "Nothing to do")
    assert ended["closed_by"]["id"] == str(cast.coordinator.id)
    assert (ended["owner"], ended["closed_at"]) == (None, "2027-01-04T08:30:00Z")
    assert [(note["kind"], note["text"]) for note in ended["notes"]] == [
        ("opened", ""),
        ("taken", ""),
        ("note", NOTE["text"]),
        ("merged", ""),
        ("handed_back", ""),
        ("taken", ""),
        ("closed", "Was done."),
    ]
    assert [note["facts"] for note in ended["notes"]][::3] == [{"dose": "1"}, {"dose": "2"}, {}]
    assert clinician.ask("GET", WORKLIST, expect=200)["results"] == []
    clinician.ask("POST", f"{item}/take", body={}, expect=409, code="closed")


def test_what_closed_by_itself_says_so(cast, item, clinician):
    settle_items([cast.ada.id], [Cause.NO_ANSWER], NOW, because="It was recorded.")
    shown = clinician.ask("GET", item, expect=200)
    assert (shown["outcome"], shown["closed_by"]) == ("by_event", None)
    last = shown["notes"][-1]
    assert (last["kind"], last["by"], last["facts"]) == (
        "closed", None, {"because": "It was recorded."},
    )  # fmt: skip


def test_a_lease_that_has_ended_shows_nobody(cast, item, clinician):
    started = NOW - attending.LEASE
    attending.take(WorkItem.objects.get().id, cast.actor, started)
    shown = clinician.ask("GET", item, expect=200)
    assert (shown["owner"], shown["owned_until"]) == (None, None)
    assert clinician.ask("GET", f"{WORKLIST}?mine=yes", expect=200)["results"] == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("notes", {}, "text"),
        ("notes", {"text": " "}, "text"),
        ("notes", {"text": "x" * 2001}, "text"),
        ("notes", {"text": "a\0"}, "text"),
        ("notes", {"text": "x", "kind": "closed"}, "kind"),
        ("close", {}, "outcome"),
        ("close", {"outcome": "by_event"}, "outcome"),
        ("close", {"outcome": "done", "note": None}, "note"),
        ("take", {"until": "2028-01-01"}, "until"),
        ("take", [], ""),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(path, body, field, item, clinician):
    clinician.ask("POST", f"{item}/{path}", body=body, expect=400, field=field)


def test_a_repeated_request_acts_once_and_is_answered_as_the_first(item, clinician):
    for path, body in (("take", {}), ("notes", NOTE)):
        first, again = (
            clinician.ask("POST", f"{item}/{path}", body=body, expect=200, Idempotency_Key="k")
            for _ in range(2)
        )
        assert first.body == again.body
    kinds = WorkNote.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["opened", "taken", "note"]


# --- The list -------------------------------------------------------------------------------------


def many(cast: Cast) -> None:
    """Three patients, each with an item of every cause."""
    people = [cast.ada] + [
        make_patient(cast.clinic, cast.clinician, name=f"P{n}", number=f"+44770090010{n}")
        for n in (1, 2)
    ]
    for n, patient in enumerate(people):
        for cause in reversed(Cause):
            open_items([Finding(patient.id, cause)], NOW + timedelta(minutes=n))


def test_the_list_is_by_urgency_then_age_and_its_pages_leave_out_and_double_nothing(
    cast, clinician
):
    many(cast)
    expected = list(WorkItem.objects.order_by("urgency", "id").values_list("id", flat=True))
    assert [URGENCY.get(Cause.URGENT_SIGN), len(expected)] == [0, 3 * len(Cause)]
    shown, following = [], f"{WORKLIST}?page_size=7"
    while following:
        page = clinician.ask("GET", following, expect=200)
        shown += page["results"]
        following = page["next"]
        if len(shown) == 7:
            # One that was the last of a page closes meanwhile: the next page begins after it still.
            attending.close(expected[6], Outcome.DONE, "", cast.actor, NOW)
    assert [one["id"] for one in shown] == [str(id_) for id_ in expected]
    assert [one["urgency"] for one in shown] == sorted(one["urgency"] for one in shown)


def test_the_list_costs_the_same_however_long_it_is(cast, clinician):
    found(cast)
    with CaptureQueriesContext(
        connection,
    ) as short:
        clinician.ask("GET", WORKLIST, expect=200)
    many(cast)
    with CaptureQueriesContext(connection) as long:
        clinician.ask("GET", WORKLIST, expect=200)
    assert len(long) == len(short)
    assert not [query for query in long if "OFFSET" in query["sql"]]


def test_the_list_can_be_of_one_clinic_one_cause_or_what_is_mine(cast, clinician):
    many(cast)
    mine = WorkItem.objects.get(patient=cast.ada, cause=Cause.CALL_ME)
    attending.take(mine.id, cast.actor, NOW)

    def asked(query: str) -> list[dict[str, Any]]:
        return clinician.ask("GET", f"{WORKLIST}?page_size=200&{query}", expect=200)["results"]

    assert {one["cause"] for one in asked("cause=side_effect")} == {"side_effect"}
    assert [one["id"] for one in asked("mine=yes")] == [str(mine.id)]
    assert len(asked(f"clinic={cast.clinic.id}")) == 3 * len(Cause)
    assert asked(f"clinic={cast.other_clinic.id}") == []


@pytest.mark.parametrize(
    "query", ["cursor=x", f"cursor={'A' * 22}", "cause=none", "mine=no", "page_size=0", "clinic=1"]
)
def test_a_query_that_cannot_be_meant(query, clinician):
    clinician.ask("GET", f"{WORKLIST}?{query}", expect=400, field=query.partition("=")[0])


def test_counts_follow_from_the_rows(cast, clinician):
    many(cast)
    path = f"{WORKLIST}/counts?clinic={cast.clinic.id}"
    taken = WorkItem.objects.get(patient=cast.ada, cause=Cause.CALL_ME)
    attending.take(taken.id, cast.actor, NOW)
    settle_items([cast.ada.id], [Cause.NO_ANSWER], NOW, because="x")
    rows = clinician.ask("GET", path, expect=200)["results"]
    counted = {row["cause"]: (row["urgency"], row["open"], row["taken"]) for row in rows}
    assert counted["urgent_sign"] == (0, 3, 0)
    assert counted["call_me"] == (1, 3, 1)
    assert counted["no_answer"] == (1, 2, 0)
    assert sum(row["open"] for row in rows) == WorkItem.objects.filter(closed_at=None).count()
    assert rows[0]["cause"] == "urgent_sign"


# --- Two at once ----------------------------------------------------------------------------------


def outcome(act: Callable[[], Any]) -> Callable[[], str]:
    def run() -> str:
        try:
            act()
        except Conflict as refusal:
            return refusal.code
        return "won"

    return run


def test_two_who_take_one_item_at_once(world):
    cast = world.cast
    item = found(cast)
    people = [make_user(f"n{n}@example.org", cast.clinic, Role.COORDINATOR) for n in range(6)]
    callers = [signed_in(one) for one in people]

    def take(caller: Caller) -> Callable[[], int]:
        def act() -> int:
            headers = {"Authorization": f"Bearer {caller.token}"}
            headers["Content-Type"] = "application/json"
            path = f"{WORKLIST}/{item.id}/take"
            return caller.send("POST", path, b"{}", headers).status

        return act

    assert sorted(at_once(*[take(caller) for caller in callers])) == [200] + [409] * 5
    assert WorkNote.objects.filter(kind="taken").count() == 1
    item.refresh_from_db()
    assert item.owner == WorkNote.objects.get(kind="taken").by


def test_closing_and_an_event_that_closes_at_once(world):
    cast = world.cast
    for _ in range(5):
        item = found(cast)
        at_once(
            outcome(lambda: attending.close(item.id, Outcome.DONE, "", cast.actor, NOW)),  # noqa: B023
            lambda: settle_in_its_own(cast),
        )
        item.refresh_from_db()
        assert item.closed_at is not None
        assert item.notes.filter(kind="closed").count() == 1
        assert (item.closed_by is None) == (item.outcome == "by_event")


def settle_in_its_own(cast: Cast) -> None:
    with transaction.atomic():
        settle_items([cast.ada.id], [Cause.NO_ANSWER], NOW, because="x")
