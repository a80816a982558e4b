"""What clinics chose; a clinic that chose nothing has the defaults."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import phonenumbers
from django.db import transaction

from accounts import audit
from accounts.models import Clinic
from accounts.refusals import Invalid
from reminders.dates.ladder import EARLIEST, LATEST
from reminders.models import Policy
from reminders.numbers import e164

NUMBERS = ("out_of_hours", "emergency", "crisis_line")
SHORT_NUMBER = re.compile(r"\+?[0-9][0-9 ]{1,14}")


HOURS = ("texts_from", "texts_until")
LEAST_HOURS = timedelta(hours=4)
"""So much of a day has to be left, or notices would find no room."""
LINES = {"GB": ("999", "116 123"), "US": ("911", "988")}
"""Emergency and crisis lines by country (FACTS, Community duty of care). Another country's must not
be named to anybody: elsewhere a clinic has to say, and until then the answers leave them out."""


def policies_of(clinic_ids: Collection[UUID]) -> dict[UUID, Policy]:
    """The policy of each of these clinics, in one query."""
    clinics = Clinic.objects.filter(id__in=clinic_ids).select_related("policy")
    return {
        clinic.id: clinic.policy if hasattr(clinic, "policy") else _usual(clinic)
        for clinic in clinics
    }


def _usual(clinic: Clinic) -> Policy:
    code = phonenumbers.parse(clinic.phone).country_code or 0
    country = phonenumbers.region_code_for_country_code(code)
    emergency, crisis_line = LINES.get(country, ("", ""))
    return Policy(clinic=clinic, emergency=emergency, crisis_line=crisis_line)


def policy_of(clinic_id: UUID) -> Policy:
    """One clinic's policy."""
    return policies_of([clinic_id])[clinic_id]


def set_policy(clinic: Clinic, chosen: Mapping[str, Any], actor: audit.Actor) -> Policy:
    """Set a clinic's policy: every field of Policy by name, in the ranges of its constraint.

    Raises Invalid, naming the field, for numbers that nobody can call and for sites named twice.
    """
    values = dict(chosen)
    if values["out_of_hours"]:
        try:
            values["out_of_hours"] = e164(values["out_of_hours"], clinic.phone)
        except Invalid as refusal:
            refusal.field = "out_of_hours"
            raise
    for field in NUMBERS[1:]:
        if not SHORT_NUMBER.fullmatch(values[field]):
            raise Invalid("short_number", "Write digits, like 999 or 116 123.", field)
    first, last = (datetime.combine(date.min, values[name]) for name in HOURS)
    if values["texts_from"] < EARLIEST or values["texts_until"] > LATEST:
        raise Invalid(
            "hours", "Texts may go between 8:00 and 21:00, no earlier or later.", HOURS[0]
        )
    if last - first < LEAST_HOURS:
        raise Invalid("hours", "Leave at least four hours in which texts may go.", HOURS[1])
    sites = values["sites"]
    if not sites or len(set(sites)) < len(sites):
        raise Invalid("sites", "Name at least one site, and each once.", "sites")
    with transaction.atomic():
        policy, _ = Policy.objects.update_or_create(clinic=clinic, defaults=values)
        figures = {name: value for name, value in values.items() if name not in NUMBERS}
        figures |= {name: str(figures[name]) for name in ("segment_price", *HOURS)}
        audit.record(actor, "set_policy", clinic_id=clinic.id, subject_id=policy.id, **figures)
    return policy
