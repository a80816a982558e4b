"""Consent to texts, withdrawn and given again. Without it nothing is sent; the plan stays, for
texts are not the treatment."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from messaging import inbound
from messaging.models import Scope
from reminders.dates.schedule import local_date
from reminders.models import Cause, Patient
from reminders.schedules.plan import lock_patient
from reminders.worklist.items import Finding, open_items, settle_items


def withdraw_consent(patient_id: UUID, actor: audit.Actor, now: datetime) -> Patient:
    """Stop all texts to a patient who no longer agrees to them, and tell the team.

    It is noted as a stop of their number, so that the claim itself lets nothing through; whoever
    shares the phone gets nothing either, until START comes from it or they agree again.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        inbound.say(Scope.CARE, patient.number, opted_out=True, said_at=now)
        today = local_date(now, patient.zone)
        open_items([Finding(patient.id, Cause.CONSENT_MISSING, {"on": today.isoformat()})], now)
        audit.record(actor, "withdraw_consent", clinic_id=patient.clinic_id, subject_id=patient.id)
    return patient


def take_up_again(patient: Patient, agreed_on: date, now: datetime) -> None:
    """Let texts go again to a patient who had withdrawn and agrees anew; within a verb that has
    locked them. A stop that they texted themselves is theirs to take back, and a phone that was
    lost stays without."""
    withdrawn = patient.work_items.filter(cause=Cause.CONSENT_MISSING, closed_at=None).first()
    if withdrawn is None or agreed_on.isoformat() < withdrawn.facts["on"]:
        return
    stays = [Cause.OPTED_OUT, Cause.NUMBER_LOST, Cause.NUMBER_UNREACHABLE]
    if not patient.work_items.filter(cause__in=stays, closed_at=None).exists():
        inbound.say(Scope.CARE, patient.number, opted_out=False, said_at=now)
    settle_items([patient.id], [Cause.CONSENT_MISSING], now, agreed_on=agreed_on.isoformat())
