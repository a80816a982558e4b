"""A request that is repeated with its Idempotency-Key acts once, and is answered as the first."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import AuditEntry, KeptReply
from messaging.models import Sms
from reminders.models import Patient, ScheduleVersion
from tests.api.test_entrance import ENROLMENT

PATIENTS = "/api/v1/patients"
CHANGE = {"interval_days": 21, "starts_on": "2027-01-18"}


@pytest.fixture
def enrolment(cast):
    return {**ENROLMENT, "clinic": str(cast.clinic.id)}


def test_a_repeated_enrolment_enrols_once(clinician, enrolment):
    first, again = (
        clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
        for _ in range(2)
    )
    assert first.body == again.body
    assert first.headers["location"] == again.headers["location"]
    assert Patient.objects.filter(name="Bo Example").count() == 1
    clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="other")
    assert Patient.objects.filter(name="Bo Example").count() == 2


def test_a_key_belongs_to_one_body_one_person_and_one_path(clinician, coordinator, enrolment, ada):
    clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
    clinician.ask(
        "POST", PATIENTS, body={**enrolment, "name": "Cy"}, expect=409,
        code="idempotency_key_reused", Idempotency_Key="k",
    )  # fmt: skip
    coordinator.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
    start = {"interval_days": 7, "starts_on": "2027-01-04"}
    clinician.ask("POST", f"{ada}/schedule", body=start, expect=201, Idempotency_Key="k")
    assert Patient.objects.filter(name="Bo Example").count() == 2


def test_a_repeated_decision_is_answered_though_its_etag_has_passed(clinician, weekly):
    """The answer got lost on its way, so the request comes again as it was."""
    etag = clinician.ask("GET", weekly, expect=200).etag
    first, again = (
        clinician.ask(
            "POST", f"{weekly}/change", body=CHANGE, expect=200, If_Match=etag,
            Idempotency_Key="k",
        )
        for _ in range(2)
    )  # fmt: skip
    assert first.body == again.body
    assert first.etag == again.etag != etag
    assert ScheduleVersion.objects.count() == 2
    assert Sms.objects.count() == 1
    assert AuditEntry.objects.filter(verb="change_interval").count() == 1
    clinician.ask("POST", f"{weekly}/change", body=CHANGE, expect=412, If_Match=etag)


def test_a_refusal_is_not_kept(clinician, weekly):
    etag = clinician.ask("GET", weekly, expect=200).etag
    clinician.ask(
        "POST", f"{weekly}/change", body=CHANGE, expect=412, If_Match='"old"', Idempotency_Key="k"
    )
    clinician.ask(
        "POST", f"{weekly}/change", body=CHANGE, expect=200, If_Match=etag, Idempotency_Key="k"
    )


def test_a_reply_is_forgotten_after_a_day(clinician, enrolment):
    clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
    KeptReply.objects.update(created_at=F("created_at") - timedelta(hours=23, minutes=59))
    clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
    assert Patient.objects.filter(name="Bo Example").count() == 1
    KeptReply.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    clinician.ask("POST", PATIENTS, body=enrolment, expect=201, Idempotency_Key="k")
    assert Patient.objects.filter(name="Bo Example").count() == 2


def test_permission_comes_before_a_kept_reply(cast, clinician, weekly):
    etag = clinician.ask("GET", weekly, expect=200).etag
    repeated = {"body": CHANGE, "If_Match": etag, "Idempotency_Key": "k"}
    clinician.ask("POST", f"{weekly}/change", expect=200, **repeated)
    cast.clinician.memberships.update(role="coordinator")
    clinician.ask("POST", f"{weekly}/change", expect=403, **repeated)
    cast.clinician.memberships.update(clinic=cast.other_clinic, role="clinician")
    clinician.ask("POST", f"{weekly}/change", expect=404, **repeated)
    cast.clinician.memberships.all().delete()
    clinician.ask("POST", f"{weekly}/change", expect=403, **repeated)


@pytest.mark.parametrize("key", ["", "a" * 129, "é", "a\tb", "a\x7f"])
def test_a_key_that_cannot_be_one(key, clinician, enrolment):
    clinician.ask(
        "POST", PATIENTS, body=enrolment, expect=400, code="idempotency_key", Idempotency_Key=key
    )
