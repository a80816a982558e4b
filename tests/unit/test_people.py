"""Clinics and the people who work in them: what an operator adds."""

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import Actor
from accounts.models import AuditEntry, Clinic, Membership, Role, User
from accounts.people import add_member, found_clinic
from accounts.refusals import Conflict, Invalid
from messaging.models import Sender

OPERATOR = Actor("operator")


def found(**other: object) -> Clinic:
    fields = {"name": "St Example", "phone": "+44 20 7946 0000", "time_zone": "Europe/London"}
    return found_clinic(OPERATOR, **fields | other)


@pytest.mark.django_db
def test_a_clinic_has_the_usual_intervals_and_its_phone_as_carriers_write_it():
    clinic = found()
    assert (clinic.phone, clinic.intervals) == ("+442079460000", [7, 14, 21])
    assert AuditEntry.objects.get(verb="found_clinic").actor_kind == "operator"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 81),
        ("phone", "020 7946 0000"),
        ("phone", ""),
        ("time_zone", "London"),
        ("intervals", []),
        ("intervals", [0]),
        ("intervals", [7, 400]),
    ],
)
def test_what_cannot_be_a_clinic_names_its_field(field, value):
    with pytest.raises(Invalid) as refusal:
        found(**{field: value})
    assert refusal.value.field == field


@pytest.mark.django_db
def test_a_member_is_one_user_in_several_clinics():
    here, there = found(), found(name="Elsewhere")
    member = {"name": "Dr Example", "role": Role.CLINICIAN, "password": "correct horse battery"}
    add_member(OPERATOR, here, email="Doctor@Example.org", **member)
    add_member(OPERATOR, there, email="doctor@example.org", **member)
    assert User.objects.count() == 1
    with pytest.raises(Conflict):
        add_member(OPERATOR, here, email="doctor@example.ORG", **member)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password", "field"),
    [("nobody", "correct horse battery", "email"), ("a@example.org", "12345", "password")],
)
def test_an_address_or_a_password_that_will_not_do_is_refused(email, password, field):
    with pytest.raises(Invalid) as refusal:
        add_member(OPERATOR, found(), email=email, name="A", role=Role.ADMIN, password=password)
    assert refusal.value.field == field
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_operators_commands(monkeypatch, capsys, settings):
    monkeypatch.setattr(
        "accounts.management.commands.add_member.getpass", lambda _: "correct horse battery"
    )
    call_command("add_clinic", "St Example", "+44 20 7946 0000", "Europe/London")
    clinic_id = capsys.readouterr().out.split()[0]
    call_command("add_member", clinic_id, "a@example.org", "Dr A", "clinician")
    assert Membership.objects.get().clinic_id == Clinic.objects.get(id=clinic_id).id
    call_command("add_sender", next(iter(settings.TWILIO_ACCOUNTS)), "+15005550006", "--rate", "3")
    assert Sender.objects.get().rate == 3
    with pytest.raises(CommandError, match="time zone"):
        call_command("add_clinic", "St Example", "+44 20 7946 0000", "London")
