"""Who is told what at the doors of side effects, blood results and adherence."""

import json

import pytest

from accounts.models import Role
from reminders.models import BloodResult, SideEffectEntry
from tests.api.client import signed_in
from tests.api.test_entrance import TOLD_ELSEWHERE
from tests.api.test_records import OF_DOSES
from tests.cast import make_patient, make_user

ENTRY = {"effect": "tiredness", "severity": 1, "on_date": "2027-01-04"}
RESULT = {"test": "alt", "value": "31", "unit": "U/L", "taken_on": "2027-01-04"}
FILE = b"reference,test,value,unit,taken_on\nH-1,alt,30,U/L,2027-01-03\n"

# Method, path, body; then what a clinician, a coordinator and an admin of Ada's clinic, Ada
# herself, and a clinician of another clinic, are told. Nobody without a token gets past 401.
DOORS = [
    ("GET", "{ada}/side-effects", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/side-effects", ENTRY, 201, 201, 403, 403, 404),
    ("GET", "{ada}/side-effects/trend", None, 200, 200, 200, 403, 404),
    ("GET", "{ada}/blood-results", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/blood-results", RESULT, 201, 201, 403, 403, 404),
    ("GET", "{ada}/blood-results/trend", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/blood-results/{result}/correct", RESULT, 409, 201, 403, 403, 404),
    ("POST", "{ada}/blood-results/{result}/take-back", {}, 409, 201, 403, 403, 404),
    ("GET", "{ada}/adherence", None, 200, 200, 200, 403, 404),
    ("GET", "{ada}/adherence.csv", None, 200, 200, 200, 403, 404),
    ("POST", "{clinic}/blood-results/import", FILE, 200, 200, 403, 403, 404),
    ("GET", "{clinic}/adherence", None, 200, 200, 200, 403, 404),
    ("GET", "{clinic}/adherence.csv", None, 200, 200, 200, 403, 404),
]


@pytest.fixture
def result(ada, clinician) -> str:
    """The id of a result of Ada's."""
    id_: str = clinician.ask("POST", f"{ada}/blood-results", body=RESULT, expect=201)["id"]
    return id_


def test_the_table_leaves_out_no_door():
    places = {
        "{ada}": "/api/v1/patients/<uuid:patient_id>",
        "{clinic}": "/api/v1/clinics/<uuid:clinic_id>",
        "{result}": "<uuid:result_id>",
    }
    named = set()
    for _, path, *_ in DOORS:
        for name, place in places.items():
            path = path.replace(name, place)
        named.add(path)
    assert named == {path for path in TOLD_ELSEWHERE if not OF_DOSES.search(path)}


@pytest.mark.parametrize(
    (
        *("method", "path", "body"),
        *("to_clinician", "to_coordinator", "to_admin", "to_patient", "to_stranger"),
    ),
    DOORS,
    ids=[f"{method} {path}" for method, path, *_ in DOORS],
)
def test_what_each_is_told(
    method, path, body, to_clinician, to_coordinator, to_admin, to_patient, to_stranger,
    cast, ada, result, clinician, coordinator, admin, patient, stranger, anonymous,
):  # fmt: skip
    path = path.format(ada=ada, result=result, clinic=f"/api/v1/clinics/{cast.clinic.id}")
    as_file = isinstance(body, bytes)
    kind = "text/csv" if as_file else "application/json"
    raw = body if as_file or body is None else json.dumps(body).encode()
    for caller, status in (
        (anonymous, 401),
        (stranger, to_stranger),
        (patient, to_patient),
        (admin, to_admin),
        (coordinator, to_coordinator),
        (clinician, to_clinician),
    ):
        before = BloodResult.objects.count(), SideEffectEntry.objects.count()
        caller.ask(method, path, raw=raw, content_type=kind, expect=status)
        if status >= 400:
            assert (BloodResult.objects.count(), SideEffectEntry.objects.count()) == before


def test_a_result_is_found_at_its_own_patient_alone(cast, result, clinician):
    bo = make_patient(cast.clinic, cast.clinician, name="Bo Example", number="+447700900002")
    path = f"/api/v1/patients/{bo.id}/blood-results/{result}"
    clinician.ask("POST", f"{path}/correct", body=RESULT, expect=404)
    clinician.ask("POST", f"{path}/take-back", body={}, expect=404)


def test_an_admin_of_another_clinic_is_a_stranger(cast, ada):
    other = signed_in(make_user("admin@example.net", cast.other_clinic, Role.ADMIN))
    other.ask("GET", f"{ada}/adherence.csv?names=true", expect=404)
