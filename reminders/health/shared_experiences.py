"""Experiences that patients share with their care team, each by their own act, and take back."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.fields.tuple_lookups import TupleLessThan

from accounts import audit
from accounts.refusals import Conflict, NotFound
from accounts.traces import vacuum
from reminders.models import Patient, SharedExperience
from reminders.schedules.plan import lock_patient

MOST = 200
"""Of one patient, not taken back: more than anybody reads."""


def receive(
    share_id: UUID, patient_id: UUID, title: str, body: str, actor: audit.Actor, now: datetime
) -> None:
    """Take in what a patient shares. Raises Conflict for a patient who has left, and for too many.

    A share that was taken in already changes nothing.
    """
    with transaction.atomic():
        patient = lock_patient(patient_id)
        live = SharedExperience.objects.filter(patient=patient, revoked_at__isnull=True)
        if live[MOST - 1 : MOST].exists():
            raise Conflict("many_shared", "You share very many already. Take some back first.")
        _, new = SharedExperience.objects.get_or_create(
            id=share_id,
            defaults={"patient": patient, "title": title, "body": body, "shared_at": now},
        )
        if new:
            _note("receive_experience", patient, share_id, actor)


def take_back(share_id: UUID, actor: audit.Actor, now: datetime) -> None:
    """Forget the words of what a patient shared, whatever became of the patient; again, or for one
    that was never taken in, nothing happens."""
    with transaction.atomic():
        row = (
            SharedExperience.objects.select_for_update(of=("self",))
            .select_related("patient")
            .filter(id=share_id, revoked_at__isnull=True)
            .first()
        )
        if row is None:
            return
        row.title, row.body, row.revoked_at = "", "", now
        row.save(update_fields=["title", "body", "revoked_at"])
        _note("take_back_experience", row.patient, share_id, actor)


def experiences_of(
    patient: Patient, most: int = MOST, after: UUID | None = None
) -> list[SharedExperience]:
    """What a patient shares now, the newest first. after: the one after which to begin, also if it
    was taken back since; NotFound for what was never this patient's.

    It is of the clinic with which it was shared: another one that takes the patient over doesn't
    get it, for each sharing is the patient's own act.
    """
    rows = SharedExperience.objects.filter(patient=patient)
    now = rows.filter(revoked_at__isnull=True)
    if after is not None:
        last = rows.filter(id=after).values_list("shared_at", "id").first()
        if last is None:
            raise NotFound("experience")
        now = now.filter(TupleLessThan((F("shared_at"), F("id")), last))
    return list(now.order_by("-shared_at", "-id")[:most])


def _note(verb: str, patient: Patient, share_id: UUID, actor: audit.Actor) -> None:
    audit.record(
        actor, verb, clinic_id=patient.clinic_id, subject_id=patient.id, share=str(share_id)
    )


def wipe_traces() -> None:
    """Take away what Postgres keeps of words that were taken back. In no transaction."""
    vacuum(["reminders_sharedexperience"])
