"""Patients' own sign-in: a code to their phone, and on a device that we don't know a second proof.

The second proof is a welcome code, which the clinic gives in person or on paper: whoever holds the
phone alone, or its number by now, doesn't get in. A clinic lets people in and shuts them out, and
never changes by which number somebody signs in: a patient with a new number is a new user.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import audit
from accounts.models import Clinic, User
from accounts.people import sign_out_everywhere, user_with_phone
from accounts.refusals import Conflict, Invalid, Refusal
from messaging import outbox
from messaging.models import Kind, Lane, Scope
from reminders.models import Cause, Patient, PatientLogin, WorkItem
from reminders.numbers import numbers_like
from reminders.schedules.plan import lock_patient
from reminders.texts import wording

WELCOME_LASTS = timedelta(days=14)
"""A welcome code's life: it may come in a letter."""
MOST_TRIES = 5
CODE_LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class Invited:
    """A patient who may sign in. code: shown this once, eight digits; we keep a digest of it.
    number: the one that they sign in with, E.164."""

    patient: Patient
    number: str
    code: str
    good_until: datetime


def patient_of(user: User) -> Patient | None:
    """Whose pages a user sees: after a transfer, who they are at their present clinic."""
    found = Patient.objects.select_related("clinic").filter(login__user=user, left_at=None)
    return found.first()


def numbers_of(text: str) -> set[str]:
    """The numbers, E.164, that a text may mean to patients of any of our clinics."""
    phones = Clinic.objects.values_list("phone", flat=True).distinct()
    return numbers_like(text, phones)


def invite(patient_id: UUID, actor: audit.Actor, now: datetime) -> Invited:
    """Let a patient sign in with their number: makes the welcome code that the clinic gives them.

    A code that is open already ends. Raises Conflict if somebody else signs in with this number:
    what one may read must not open to the other.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        user = user_with_phone(patient.number)
        theirs = patient_of(user)
        if theirs is not None and theirs.id != patient.id:
            raise Conflict(
                "shared_phone",
                "Somebody else signs in with this number. This patient needs one of their own.",
            )
        login, _ = PatientLogin.objects.get_or_create(patient=patient, defaults={"user": user})
        login.user = user
        code = f"{secrets.randbelow(100_000_000):08}"
        login.welcome, login.welcome_until = _digest(login, code), now + WELCOME_LASTS
        login.tries = 0
        login.save()
        audit.record(actor, "invite", clinic_id=patient.clinic_id, subject_id=patient.id)
    return Invited(patient, patient.number, code, now + WELCOME_LASTS)


def revoke_sign_in(patient_id: UUID, actor: audit.Actor) -> Patient:
    """Sign a patient out everywhere, as when their phone is lost: to sign in again they need a new
    welcome code. Raises Conflict for one who was never invited."""
    with transaction.atomic():
        patient = lock_patient(patient_id)
        login = PatientLogin.objects.select_related("user").filter(patient=patient).first()
        if login is None:
            raise Conflict("no_sign_in", "This patient was never invited to sign in.")
        shut_out(login)
        audit.record(actor, "revoke_sign_in", clinic_id=patient.clinic_id, subject_id=patient.id)
    return patient


def go_along(former: Patient, new: Patient) -> None:
    """Let a patient whom another clinic takes over sign in as before; within that verb."""
    login = PatientLogin.objects.select_related("user").filter(patient=former).first()
    if login is not None:
        PatientLogin.objects.create(patient=new, user=login.user)


def shut_out_if_lost(patient: Patient) -> None:
    """Sign out whoever signs in with this patient's number, which is lost; within a verb that has
    locked the patient."""
    login = PatientLogin.objects.select_related("user").filter(patient=patient).first()
    if login is not None and login.user.phone == patient.number:
        shut_out(login)


def shut_out(login: PatientLogin) -> None:
    """The same within a verb that has locked the patient, and writes it down."""
    login.welcome, login.welcome_until = "", None
    login.save(update_fields=["welcome", "welcome_until"])
    sign_out_everywhere(login.user)
    _forget_codes([login])


def text_code(user: User, code: str, now: datetime) -> None:
    """Text a code to the number that somebody signs in with. How many, is counted by the door, for
    numbers that are nobody's too; somebody who is no patient of ours gets none."""
    with transaction.atomic():
        patient = patient_of(user)
        if patient is None or user.phone is None:
            return
        login = PatientLogin.objects.select_for_update().get(patient=patient)
        _forget_codes([login])
        login.code_until = now + CODE_LASTS
        login.save(update_fields=["code_until"])
        outbox.queue(
            [
                outbox.Text(
                    scope=Scope.CARE,
                    clinic_id=patient.clinic_id,
                    # Not the patient: what they are sent is listed, and this must not be.
                    owner_id=login.id,
                    about_id=login.id,
                    dedup_key=f"sign-in:{uuid4()}",
                    to=user.phone,
                    body=wording.sign_in_text(patient, user.phone, code),
                    available_at=now,
                    expires_at=login.code_until,
                    kind=Kind.REPEAT,
                    lane=Lane.URGENT,
                    # Not after a STOP, though: anybody may type anybody's number into a page.
                    asked_for=True,
                )
            ],
            now,
        )


def second_proof_needed(user: User, *, known_device: bool) -> bool:
    """Whether a code to the phone isn't enough: on a device that we don't know, and while texts to
    the number fail or it is reported as lost. Somebody who is no patient has nothing to prove."""
    patient = patient_of(user)
    if patient is None or not known_device:
        return patient is not None
    doubts = [Cause.UNDELIVERED, Cause.NUMBER_LOST, Cause.NUMBER_UNREACHABLE]
    return WorkItem.objects.filter(patient=patient, cause__in=doubts, closed_at=None).exists()


def take_welcome_code(user: User, code: str, now: datetime) -> None:
    """Take the welcome code, which is good once. Raises Conflict if none is open (any more),
    Invalid for a wrong one, which is counted: not to be called in a transaction that the refusal
    undoes."""
    with transaction.atomic():
        login = (
            PatientLogin.objects.select_for_update(of=("self",))
            .filter(user=user, patient__left_at=None)
            .first()
        )
        refusal = _refusal(login, "".join(filter(str.isdecimal, code)), now)
        if login is not None and not isinstance(refusal, Invalid):
            login.welcome, login.welcome_until = "", None
            login.save(update_fields=["welcome", "welcome_until"])
    if refusal is not None:
        raise refusal


def note_sign_in(user: User, actor: audit.Actor) -> None:
    """Write a sign-in down; the words of its code are forgotten."""
    with transaction.atomic():
        logins = list(PatientLogin.objects.select_for_update(of=("self",)).filter(user=user))
        _forget_codes(logins)
        audit.record(actor, "sign_in_by_phone", clinic_id=None, subject_id=user.id)


def forget_late_codes(now: datetime) -> None:
    """Forget the words of codes that nobody used in time."""
    with transaction.atomic():
        late = PatientLogin.objects.filter(code_until__lte=now)
        _forget_codes(list(late.select_for_update(skip_locked=True).order_by("id")[:1000]))


def _refusal(login: PatientLogin | None, code: str, now: datetime) -> Refusal | None:
    """Why a welcome code doesn't do, with that counted; None for the right one."""
    gone = Conflict("welcome_gone", "There is no welcome code for you. Ask your team for one.")
    if login is None or login.welcome_until is None or now >= login.welcome_until:
        return gone
    if constant_time_compare(login.welcome, _digest(login, code)):
        return None
    login.tries += 1
    login.save(update_fields=["tries"])
    if login.tries >= MOST_TRIES:
        return gone
    return Invalid("welcome_wrong", "This is not the code.", "code", left=MOST_TRIES - login.tries)


def _forget_codes(logins: list[PatientLogin]) -> None:
    ids = [login.id for login in logins]
    outbox.cancel(ids)
    outbox.blank(ids)
    PatientLogin.objects.filter(id__in=ids).update(code_until=None)


def _digest(login: PatientLogin, code: str) -> str:
    """Keyed, for eight digits are quickly tried out on a stolen table."""
    return salted_hmac("welcome", f"{login.id}:{code}", algorithm="sha256").hexdigest()
