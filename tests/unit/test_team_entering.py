"""Patients who are enrolled, and blood results that are entered, on the care team's pages."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.models import AuditEntry
from messaging import inbound
from messaging.models import Scope, Sms
from reminders.models import BloodResult, Cause, Patient, WorkItem
from reminders.patients.consent import withdraw_consent
from tests.cast import NOW, Cast
from tests.team import at_work

ENROL = "/team/patients/enrol"
BO = {
    "name": "Bo Example", "reference": "H-7", "number": "07700 900002", "language": "pl",
    "hour": "18:30", "time_zone": "Europe/London", "wording": "discreet",
    "consent_on": "2027-01-03", "consent_source": "spoken",
}  # fmt: skip
SHEET = {"taken_on": "2027-01-03", "haematocrit": "43.5", "haematocrit_unit": "%",
         "platelets": "312", "note": "From the ward."}  # fmt: skip


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cast's morning, once their hour has come."""
    hour = NOW + timedelta(hours=1)
    monkeypatch.setattr("web.team.desk.timezone", SimpleNamespace(now=lambda: hour))


@pytest.fixture
def clinician(cast: Cast) -> Client:
    return at_work(cast.clinician)


def test_somebody_is_enrolled_once_and_nothing_is_sent(cast, clinician):
    assert 'value="Europe/London"' in clinician.get(ENROL).content.decode()
    led = clinician.post(ENROL, {**BO, "key": "once"})
    bo = Patient.objects.get(name="Bo Example")
    assert led.headers["Location"] == f"/team/patients/{bo.id}"
    assert (bo.clinic, bo.number, bo.language) == (cast.clinic, "+447700900002", "pl")
    assert (bo.consent_on, bo.consent_source) == (date(2027, 1, 3), "spoken")
    assert clinician.post(ENROL, {**BO, "key": "once"}).status_code == 302
    assert Patient.objects.filter(name="Bo Example").count() == 1
    assert AuditEntry.objects.filter(verb="enrol", subject_id=bo.id).count() == 1
    assert not Sms.objects.exists()


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"name": ""}, "name", "Type the patient"),
        ({"name": "Bo\nExample"}, "name", "in one line"),
        ({"number": "12"}, "number", "No phone has this number"),
        ({"language": "xx"}, "language", "Choose one of these"),
        ({"hour": "late"}, "hour", "Type the time"),
        ({"time_zone": "London"}, "time_zone", "no such time zone"),
        ({"wording": ""}, "wording", "Choose how texts"),
        ({"consent_on": ""}, "consent_on", "agreed to texts"),
        ({"consent_on": "2027-01-05"}, "consent_on", "future"),
        ({"consent_source": ""}, "consent_source", "how the patient agreed"),
    ],
)
def test_who_cant_be_enrolled_is_said_beside_the_field_and_words_are_kept(
    sent, field, words, cast, clinician
):
    answer = clinician.post(ENROL, {**BO, **sent})
    page = answer.content.decode().replace("&#x27;", "'")
    assert answer.status_code == 422
    assert words in page[page.index(f'id="{field}_wrong">') :][:200]
    assert f'href="#{field}"' in page
    assert 'value="H-7"' in page
    assert Patient.objects.count() == 1


def test_a_reference_of_somebody_else_is_refused(cast, clinician):
    assert clinician.post(ENROL, BO).status_code == 302
    answer = clinician.post(ENROL, {**BO, "name": "Cy Example", "number": "07700 900003"})
    assert answer.status_code in (409, 422)
    assert 'id="reference_wrong"' in answer.content.decode()


def test_who_had_withdrawn_agrees_again(cast, clinician):
    ada = f"/team/patients/{cast.ada.id}"
    assert f"{ada}/agree" not in clinician.get(ada).content.decode()
    withdraw_consent(cast.ada.id, cast.actor, NOW)
    assert f"{ada}/agree" in clinician.get(ada).content.decode()
    sent = {"consent_on": "2027-01-04", "consent_source": "spoken"}
    assert clinician.post(f"{ada}/agree", {**sent, "consent_on": "2027-02-01"}).status_code == 422
    assert clinician.post(f"{ada}/agree", sent).status_code == 302
    assert not WorkItem.objects.filter(cause=Cause.CONSENT_MISSING, closed_at=None).exists()
    assert not inbound.opted_out(Scope.CARE, [cast.ada.number])


def test_the_results_of_a_sample_are_entered_all_or_none(cast, clinician):
    path = f"/team/patients/{cast.ada.id}/results"
    wrong = clinician.post(path, {**SHEET, "platelets": "31200000"})
    page = wrong.content.decode()
    assert wrong.status_code == 422
    assert "Platelets in 10*9/L is a number from 0 to 9999" in page
    assert 'id="platelets_wrong"' in page
    for kept in ('value="43.5"', 'value="31200000"', 'value="%" checked', "From the ward."):
        assert kept in page
    assert not BloodResult.objects.exists()
    for _ in range(2):
        assert clinician.post(path, {**SHEET, "key": "once"}).status_code == 302
    stored = BloodResult.objects.order_by("test").values_list("test", "value", "unit")
    assert list(stored) == [
        ("haematocrit", Decimal("43.5"), "%"), ("platelets", Decimal(312), "10*9/L")
    ]  # fmt: skip
    assert AuditEntry.objects.filter(verb="enter_results").count() == 1
    page = clinician.get(path).content.decode()
    assert "Entered: Haematocrit 43.5 %, Platelets 312 10⁹/L." in page


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"taken_on": "2027-01-05"}, "taken_on"),
        ({"taken_on": ""}, "taken_on"),
        ({"haematocrit": "43,5"}, "haematocrit"),
        ({"haematocrit": "NaN"}, "haematocrit"),
        ({"haematocrit_unit": "L/L"}, "haematocrit"),
        ({"haematocrit_unit": "g"}, "haematocrit"),
        ({"platelets": "1e-400"}, "platelets"),
        ({"haematocrit": "", "platelets": ""}, "haematocrit"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_what_no_result_can_be_is_said_beside_its_field(sent, field, cast, clinician):
    answer = clinician.post(f"/team/patients/{cast.ada.id}/results", {**SHEET, **sent})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'href="#{field}"' in page
    assert f'id="{field}_wrong"' in page
    assert not BloodResult.objects.exists()


def test_a_correction_keeps_the_first_and_one_of_two_corrects(cast, clinician):
    path = f"/team/patients/{cast.ada.id}/results"
    clinician.post(path, {"taken_on": "2027-01-03", "platelets": "312"})
    first = BloodResult.objects.get()
    right = {"value": "213", "unit": "10*9/L", "taken_on": "2027-01-03"}
    assert 'value="312"' in clinician.get(f"{path}/{first.id}").content.decode()
    for wrong in ({"value": "x"}, {"unit": "%"}, {"taken_on": "2028-01-01"}):
        answer = clinician.post(f"{path}/{first.id}", right | wrong)
        assert answer.status_code == 422
        assert f'id="{next(iter(wrong))}_wrong"' in answer.content.decode()
    assert clinician.post(f"{path}/{first.id}", right).status_code == 302
    lost = clinician.post(f"{path}/{first.id}", {**right, "value": "214"})
    assert lost.status_code == 409
    assert "has been corrected" in lost.content.decode()
    second = BloodResult.objects.get(corrects=first)
    assert clinician.post(f"{path}/{second.id}", {"take_back": "yes"}).status_code == 302
    assert [each.value for each in BloodResult.objects.order_by("id")] == [312, 213, None]
    assert "<s>Platelets 312" in clinician.get(path).content.decode()
