"""Offering a patient to another clinic, and taking one over, over the API."""

import pytest

from accounts.models import Role
from reminders.models import Patient, Transfer
from reminders.patients import transfers
from tests.api.client import signed_in
from tests.cast import NOW, make_clinic, make_user


@pytest.fixture
def offer(cast, weekly) -> Transfer:
    return transfers.offer(cast.ada.id, cast.other_clinic.id, "Moves.", cast.actor, NOW)


def path_of(offer: Transfer, verb: str) -> str:
    return f"/api/v1/transfers/{offer.id}/{verb}"


def test_from_offer_to_acceptance(cast, ada, weekly, clinician, stranger):
    body = {"clinic": str(cast.other_clinic.id), "reason": "Moves."}
    made = clinician.ask("POST", f"{ada}/transfer", body=body, expect=201)
    (seen,) = stranger.ask("GET", "/api/v1/transfers", expect=200)["results"]
    assert seen == {
        **made.body,
        "name": "Ada Example",
        "from_clinic": "St Example",
        "to_clinic": "Elsewhere",
        "reason": "Moves.",
        "interval_days": 7,
        "next_on": "2027-01-04",
    }
    assert str(cast.ada.id) not in str(seen)
    assert cast.ada.number not in str(seen)
    stranger.ask("GET", ada, expect=404)
    taken = stranger.ask("POST", f"/api/v1/transfers/{made['id']}/accept", expect=200)
    new = f"/api/v1/patients/{taken['patient']}"
    assert stranger.ask("GET", new, expect=200)["number"] == "+447700900001"
    schedule = stranger.ask("GET", f"{new}/schedule", expect=200)
    assert schedule["planned"]["date"] == "2027-01-04"
    clinician.ask("GET", new, expect=404)
    left = clinician.ask("GET", ada, expect=200)
    assert (left["number"], left["left_at"]) == ("", "2027-01-04T08:30:00Z")
    clinician.ask("PATCH", ada, body={"name": "X"}, expect=409, code="left")
    (listed,) = clinician.ask("GET", "/api/v1/transfers", expect=200)["results"]
    assert listed["state"] == "accepted"


def test_a_repeated_acceptance_with_a_key_takes_over_once(offer, stranger):
    path = path_of(offer, "accept")
    first, second = (
        stranger.ask("POST", path, expect=200, Idempotency_Key="one") for _ in range(2)
    )
    assert first.body == second.body
    assert Patient.objects.count() == 2


# What a clinician, a coordinator and an admin of Ada's clinic are told; then those of the clinic
# that she is offered to; then a clinician of a third. Ada herself may do none of it.
@pytest.mark.parametrize(
    ("verb", "ours", "theirs", "third"),
    [
        ("accept", (404, 404, 404), (200, 403, 403), 404),
        ("decline", (404, 404, 404), (200, 403, 403), 404),
        ("withdraw", (200, 403, 403), (404, 404, 404), 404),
    ],
)
def test_who_may_decide(cast, weekly, anonymous, patient, verb, ours, theirs, third):
    elsewhere = make_clinic("Third", phone="+442079460777")
    others = [make_user(f"{r}@there.example", cast.other_clinic, r)
              for r in (Role.COORDINATOR, Role.ADMIN)]  # fmt: skip
    people = [
        (cast.clinician, ours[0]),
        (cast.coordinator, ours[1]),
        (cast.admin, ours[2]),
        (others[0], theirs[1]),
        (others[1], theirs[2]),
        (make_user("third@example.com", elsewhere, Role.CLINICIAN), third),
        (cast.stranger, theirs[0]),
    ]
    for user, status in sorted(people, key=lambda told: told[1] == 200):
        offered = Transfer.objects.filter(state="offered").first() or transfers.offer(
            cast.ada.id, cast.other_clinic.id, "", cast.actor, NOW
        )
        anonymous.ask("POST", path_of(offered, verb), expect=401)
        if user == people[0][0]:
            patient.ask("POST", path_of(offered, verb), expect=403)
        signed_in(user).ask("POST", path_of(offered, verb), expect=status)


def test_who_sees_an_offer(cast, offer):
    third = make_clinic("Third", phone="+442079460777")
    there = make_user("coordinator@there.example", cast.other_clinic, Role.COORDINATOR)
    outsider = make_user("third@example.com", third, Role.CLINICIAN)
    for user, seen in (
        *((cast.clinician, 1), (cast.coordinator, 1), (cast.admin, 1), (cast.stranger, 1)),
        *((there, 0), (outsider, 0)),
    ):
        answer = signed_in(user).ask("GET", "/api/v1/transfers", expect=200)
        assert len(answer["results"]) == seen


@pytest.mark.parametrize(("who", "status"), [("coordinator", 403), ("admin", 403)])
def test_only_clinicians_offer(cast, ada, who, status):
    body = {"clinic": str(cast.other_clinic.id)}
    caller = signed_in(getattr(cast, who))
    caller.ask("POST", f"{ada}/transfer", body=body, expect=status)
