"""Clinics and the people who work in them."""

from collections.abc import Collection
from zoneinfo import available_timezones

import phonenumbers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from knox.models import AuthToken

from accounts import audit
from accounts.models import LONGEST_NAME, Clinic, Membership, Role, User
from accounts.refusals import Conflict, Invalid

USUAL_INTERVALS = (7, 14, 21)
"""Days: usually once a week, perhaps every two to three (FACTS: Cancer Research UK, 2024)."""


def found_clinic(
    actor: audit.Actor,
    *,
    name: str,
    phone: str,
    time_zone: str,
    intervals: Collection[int] = USUAL_INTERVALS,
) -> Clinic:
    """Add a clinic. phone: what its patients call, with its country; it also says in which
    country a number without one is. intervals: whole days. Raises Invalid, naming the field."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", f"Give a name of at most {LONGEST_NAME} characters.", "name")
    try:
        parsed = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise Invalid("phone", "Write the phone with its country, like +44 20 7946 0000.", "phone")
    if time_zone not in available_timezones():
        raise Invalid("time_zone", "Write the time zone like Europe/London.", "time_zone")
    if not intervals or not all(1 <= days <= 366 for days in intervals):
        raise Invalid("intervals", "Give intervals of 1 to 366 days.", "intervals")
    with transaction.atomic():
        clinic = Clinic.objects.create(
            name=name.strip(),
            phone=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
            time_zone=time_zone,
            intervals=sorted(set(intervals)),
        )
        audit.record(actor, "found_clinic", clinic_id=clinic.id, subject_id=clinic.id)
    return clinic


def add_member(
    actor: audit.Actor, clinic: Clinic, *, email: str, name: str, role: Role, password: str
) -> Membership:
    """Let somebody into a clinic in one role; a user who is new gets this password.

    Raises Invalid for an address or a password that won't do, Conflict for a member of the clinic.
    """
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("email", "This is no e-mail address.", "email") from None
    with transaction.atomic():
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            try:
                validate_password(password)
            except ValidationError as error:
                raise Invalid("password", " ".join(error.messages), "password") from None
            user = User.objects.create_user(email, password, name)
        if Membership.objects.filter(user=user, clinic=clinic).exists():
            raise Conflict("member", "This person is in that clinic already.", "email")
        membership = Membership.objects.create(user=user, clinic=clinic, role=role)
        audit.record(
            actor, "add_member", clinic_id=clinic.id, subject_id=membership.id, role=role.value
        )
    return membership


def user_of_phone(phone: str) -> User | None:
    """Whoever signs in by this number, E.164; None for a stranger, and for one who has left."""
    return User.objects.filter(phone=phone, is_active=True).first()


def user_with_phone(phone: str) -> User:
    """The same, or somebody new: without a name, a password or a role."""
    user = User.objects.filter(phone=phone).first()
    if user is None:
        user = User(phone=phone)
        user.set_unusable_password()
        user.save()
    return user


def sign_out_everywhere(user: User) -> None:
    """End what a person who signs in by phone is signed in with, and forget their devices.

    Sessions, and the cookie by which we know a device again, hang on the (unusable) password. One
    who has a password that is usable keeps it: staff, who change it themselves.
    """
    if not user.has_usable_password():
        AuthToken.objects.filter(user=user).delete()
        user.set_unusable_password()
        user.save(update_fields=["password"])
