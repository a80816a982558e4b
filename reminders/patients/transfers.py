"""Another clinic takes a patient over: offered by one, accepted by a clinician of the other.

Closed here and enrolled there in one transaction: never two clinics for a phone, never none. The
decisions go along, and with them the same dates, and so does what waits on the worklist. The
records stay here, and are read there as one history (schedules/formerly.py).
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import Clinic, User
from accounts.refusals import Conflict, Invalid, NotFound
from messaging import outbox
from reminders.models import (
    Dose,
    DoseState,
    Patient,
    Schedule,
    ScheduleVersion,
    Status,
    Transfer,
)
from reminders.patients import new_number, signing_in
from reminders.patients.phones import hold_number
from reminders.schedules.plan import Plan, lock_patient, read_plan
from reminders.worklist.items import move_items


def offer(
    patient_id: UUID, to_clinic_id: UUID, reason: str, actor: audit.Actor, now: datetime
) -> Transfer:
    """Offer a patient to another clinic; nothing changes for them before it accepts.

    Raises NotFound without such a clinic, Invalid for the patient's own, Conflict if an offer
    stands.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        clinic = Clinic.objects.filter(id=to_clinic_id).first()
        if clinic is None:
            raise NotFound("clinic")
        if clinic.id == patient.clinic_id:
            raise Invalid("own_clinic", "The patient is with this clinic. Name another.", "clinic")
        if Transfer.objects.filter(patient=patient, state=Transfer.State.OFFERED).exists():
            raise Conflict("offered", "This patient is offered already. Withdraw that first.")
        transfer = Transfer.objects.create(
            patient=patient,
            to_clinic=clinic,
            reason=reason,
            offered_by=_user(actor),
            offered_at=now,
        )
        _audit("offer_transfer", transfer, patient.clinic_id, patient.id, actor, reason)
    return transfer


def withdraw(transfer_id: UUID, actor: audit.Actor, now: datetime) -> Transfer:
    """Take an offer back. Raises Conflict if it was decided on."""
    return _end(transfer_id, Transfer.State.WITHDRAWN, actor, now)


def decline(transfer_id: UUID, actor: audit.Actor, now: datetime) -> Transfer:
    """Don't take the patient over. Raises Conflict if it was decided on."""
    return _end(transfer_id, Transfer.State.DECLINED, actor, now)


def accept(transfer_id: UUID, actor: audit.Actor, now: datetime) -> Transfer:
    """Take the patient over, with the same decisions, dates and open doses; `became` is who they
    are now.

    Where they were, their schedule ends, their texts are cancelled, their number is free. Raises
    Conflict if it was decided on, or if somebody else there shares the phone.
    """
    with transaction.atomic():
        patient, transfer = _lock(transfer_id)
        plan = _plan(patient)
        if plan is not None:
            plan = _lock_plan(plan)
        number = patient.number
        new_number.end_for(patient, now)
        outbox.cancel_of(patient.id)
        Patient.objects.filter(id=patient.id).update(number="", left_at=now)
        hold_number(number, transfer.to_clinic)
        new = _enrol(patient, number, transfer.to_clinic)
        signing_in.go_along(patient, new)
        move_items(patient, new, now)
        if plan is not None and plan.schedule.status != Status.STOPPED:
            _go_on(plan, new)
        if plan is not None:
            _stop(plan, now)
        _decide(transfer, Transfer.State.ACCEPTED, actor, now, became=new)
        _audit("transfer_out", transfer, patient.clinic_id, patient.id, actor)
        _audit("transfer_in", transfer, new.clinic_id, new.id, actor)
    return transfer


def _lock(transfer_id: UUID) -> tuple[Patient, Transfer]:
    """The patient and then the offer, locked; the offer has to stand."""
    patient = lock_patient(
        Transfer.objects.values_list("patient_id", flat=True).get(id=transfer_id)
    )
    transfer = (
        Transfer.objects.select_for_update(of=("self",))
        .select_related("to_clinic")
        .get(id=transfer_id)
    )
    if transfer.state != Transfer.State.OFFERED:
        raise Conflict(transfer.state, f"This offer stands no more: {transfer.state}.")
    return patient, transfer


def _plan(patient: Patient) -> Plan | None:
    try:
        return read_plan(patient)
    except NotFound:
        return None


def _lock_plan(plan: Plan) -> Plan:
    """The plan again, under the locks of schedule and doses."""
    Schedule.objects.select_for_update().get(id=plan.schedule.id)
    list(
        Dose.objects.select_for_update(of=("self",))
        .filter(schedule=plan.schedule, next_step_at__isnull=False)
        .order_by("id")
        .values_list("id")
    )
    return read_plan(plan.patient)


def _open_doses(plan: Plan) -> list[Dose]:
    return [*plan.due, *([plan.planned] if plan.planned else [])]


def _stop(plan: Plan, now: datetime) -> None:
    ids = [dose.id for dose in _open_doses(plan)]
    Dose.objects.filter(id__in=ids).update(state=DoseState.CANCELLED, next_step_at=None)
    Schedule.objects.filter(id=plan.schedule.id).exclude(status=Status.STOPPED).update(
        status=Status.STOPPED, stopped_at=now, review_on=None
    )


def _enrol(patient: Patient, number: str, clinic: Clinic) -> Patient:
    """The same person at the other clinic, whose own number for them isn't known yet."""
    return Patient.objects.create(
        clinic=clinic,
        name=patient.name,
        number=number,
        time_zone=patient.time_zone,
        language=patient.language,
        hour=patient.hour,
        wording=patient.wording,
        consent_on=patient.consent_on,
        consent_source=patient.consent_source,
    )


def _go_on(plan: Plan, new: Patient) -> None:
    """The schedule at the other clinic: each decision as it was made, by whom and when, and the
    open doses as far as they are."""
    schedule = Schedule.objects.create(
        patient=new,
        status=plan.schedule.status,
        review_on=plan.schedule.review_on,
        last_injection_on=plan.last_injection_on,
    )
    copies = {
        version.id: ScheduleVersion(
            schedule=schedule,
            number=version.number,
            interval_days=version.interval_days,
            starts_on=version.starts_on,
            holds_from=version.holds_from,
            reason=version.reason,
            results=version.results,
            decided_by=version.decided_by,
            decided_at=version.decided_at,
        )
        for version in plan.versions
    }
    ScheduleVersion.objects.bulk_create(copies.values())
    Dose.objects.bulk_create(
        Dose(
            schedule=schedule,
            version=copies[dose.version_id],
            date=dose.date,
            state=dose.state,
            step=dose.step,
            next_step_at=dose.next_step_at,
        )
        for dose in _open_doses(plan)
    )


def _end(transfer_id: UUID, state: Transfer.State, actor: audit.Actor, now: datetime) -> Transfer:
    with transaction.atomic():
        patient, transfer = _lock(transfer_id)
        _decide(transfer, state, actor, now)
        of = {Transfer.State.DECLINED: transfer.to_clinic_id}
        clinic_id = of.get(state, patient.clinic_id)
        _audit(f"transfer_{state.value}", transfer, clinic_id, patient.id, actor)
    return transfer


def _decide(
    transfer: Transfer,
    state: Transfer.State,
    actor: audit.Actor,
    now: datetime,
    became: Patient | None = None,
) -> None:
    transfer.state, transfer.decided_by, transfer.decided_at = state, _user(actor), now
    transfer.became = became
    transfer.save()


def _audit(
    verb: str,
    transfer: Transfer,
    clinic_id: UUID,
    subject_id: UUID,
    actor: audit.Actor,
    reason: str = "",
) -> None:
    audit.record(
        actor,
        verb,
        clinic_id=clinic_id,
        subject_id=subject_id,
        reason=reason,
        transfer=str(transfer.id),
    )


def _user(actor: audit.Actor) -> User:
    if actor.user is None:
        raise Conflict("nobody", "Sign in to transfer patients.")
    return actor.user
