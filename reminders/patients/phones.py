"""A phone belongs to one clinic, for an answer must find one care team."""

from django.db import connection

from accounts.models import Clinic
from accounts.refusals import Conflict
from reminders.models import Patient


def hold_number(number: str, clinic: Clinic) -> None:
    """See to it that no other clinic has a patient with this number. Raises Conflict.

    The lock lasts for the transaction: two clinics that give one number to somebody take turns,
    and all of them wait for an import (hold_all_numbers).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s),"
            " pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [_ALL_NUMBERS, number],
        )
    if Patient.objects.filter(number=number).exclude(clinic=clinic).exists():
        raise number_in_use()


def hold_all_numbers() -> None:
    """Let nobody else give a number to anybody until the transaction ends: for an import, which
    gives thousands, more than Postgres has room for single locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ALL_NUMBERS])


def number_in_use() -> Conflict:
    """A number that another clinic's patient has. It doesn't say so: that is not ours to tell."""
    return Conflict(
        "number_in_use",
        "This number can't be used here. Check it, and ask support if it is right.",
        "number",
    )


_ALL_NUMBERS = 0x6E756D62
