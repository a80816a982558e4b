"""Enrolling patients, and changing how to reach them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, Refusal
from messaging.models import Sms
from reminders.models import Dose, Patient
from reminders.patients.enrolling import change_patient
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.cast import NOW, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("07700 900123", "+447700900123"),
        ("+44 (0)7700-900123", "+447700900123"),
        ("+1 (212) 555-0123", "+12125550123"),
        ("0044 7911 123456", "+447911123456"),
    ],
)
def test_numbers_are_taken_as_people_write_them(cast, written, stored):
    patient = make_patient(cast.clinic, cast.clinician, number=written)
    assert patient.number == stored


@pytest.mark.parametrize(
    "written",
    ["", "1", "07700 9001", "+44 7700 900 123 4", "07911 123456 ext 3", "call me", "+999123456789"],
)
def test_a_number_that_no_phone_has_is_refused(cast, written):
    with pytest.raises(Invalid) as refusal:
        make_patient(cast.clinic, cast.clinician, number=written)
    assert refusal.value.field == "number"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "europe/london", "BST"])
def test_an_unknown_zone_is_refused(cast, zone):
    with pytest.raises(Invalid) as refusal:
        make_patient(cast.clinic, cast.clinician, time_zone=zone)
    assert refusal.value.field == "time_zone"


@pytest.mark.parametrize("hour", [time(9, 0, 1), time(9, tzinfo=UTC)])
def test_an_hour_is_whole_minutes_on_the_wall(cast, hour):
    with pytest.raises(Invalid) as refusal:
        make_patient(cast.clinic, cast.clinician, hour=hour)
    assert refusal.value.field == "hour"


def test_consent_cannot_be_of_tomorrow(cast):
    before_consent = datetime(2026, 1, 4, 12, tzinfo=UTC)
    with pytest.raises(Invalid) as refusal:
        make_patient(cast.clinic, cast.clinician, now=before_consent)
    assert refusal.value.field == "consent_on"


def test_two_patients_of_one_clinic_may_share_a_phone_but_not_with_another_clinic(cast):
    make_patient(cast.clinic, cast.clinician, name="Her husband")
    with pytest.raises(Conflict) as refusal:
        make_patient(cast.other_clinic, cast.stranger)
    assert refusal.value.code == "number_in_use"


def test_a_clinics_reference_belongs_to_one_patient(cast):
    actor = cast.actor
    change_patient(cast.ada.id, {"reference": "A-1"}, actor, NOW)
    another = make_patient(cast.clinic, cast.clinician, number="07700 900002")
    with pytest.raises(Conflict) as refusal:
        change_patient(another.id, {"reference": "A-1"}, actor, NOW)
    assert refusal.value.field == "reference"
    elsewhere = make_patient(cast.other_clinic, cast.stranger, number="07700 900003")
    assert change_patient(elsewhere.id, {"reference": "A-1"}, actor, NOW).patient.reference == "A-1"


class TestAChangedHour:
    def test_moves_only_the_next_step(self, cast):
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        plan_doses(NINE)
        change_patient(cast.ada.id, {"hour": time(18)}, cast.actor, NINE)
        assert dict(Dose.objects.values_list("date", "next_step_at")) == {
            MONDAY: datetime(2027, 1, 5, 18, tzinfo=UTC),
            MONDAY + timedelta(days=7): datetime(2027, 1, 11, 18, tzinfo=UTC),
        }
        assert Sms.objects.count() == 1

    def test_that_has_passed_today_asks_now(self, cast):
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        change_patient(cast.ada.id, {"hour": time(8)}, cast.actor, NOW)
        plan_doses(NOW)
        plan_doses(NINE)
        assert [sms.available_at for sms in Sms.objects.all()] == [NOW]

    def test_in_a_zone_where_the_day_is_over_asks_no_more_for_it_today(self, cast):
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        change_patient(cast.ada.id, {"time_zone": "Pacific/Kiritimati"}, cast.actor, NOW)
        plan_doses(NINE)
        dose = Dose.objects.get(date=MONDAY)
        assert (dose.state, dose.step) == ("due", "day")
        assert not Sms.objects.exists()


def test_what_was_changed_is_written_down_without_its_values(cast):
    change_patient(cast.ada.id, {"name": "Ada Lovelace", "hour": time(9)}, cast.actor, NOW)
    entry = AuditEntry.objects.get(verb="change_patient")
    assert entry.detail == {"changed": ["name"]}
    assert (entry.user, entry.clinic, entry.subject_id) == (
        cast.clinician,
        cast.clinic,
        cast.ada.id,
    )


def test_a_refused_change_changes_nothing(cast):
    with pytest.raises(Refusal):
        change_patient(cast.ada.id, {"name": "X", "number": "1"}, cast.actor, NOW)
    assert Patient.objects.get(id=cast.ada.id).name == "Ada Example"


@pytest.mark.parametrize(
    "number", ["07700900123", "+44 7700", "+0123456789", "+44", "+44\n7700900"]
)
def test_the_database_holds_the_form_of_numbers(cast, number):
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.filter(id=cast.ada.id).update(number=number)
