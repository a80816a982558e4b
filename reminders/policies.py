"""What clinics chose; a clinic that chose nothing has the defaults."""

from collections.abc import Collection
from uuid import UUID

from reminders.models import Policy


def policies_of(clinic_ids: Collection[UUID]) -> dict[UUID, Policy]:
    """The policy of each of these clinics, in one query."""
    chosen = {row.clinic_id: row for row in Policy.objects.filter(clinic__in=clinic_ids)}
    return {id_: chosen.get(id_) or Policy(clinic_id=id_) for id_ in clinic_ids}


def policy_of(clinic_id: UUID) -> Policy:
    """One clinic's policy."""
    return policies_of([clinic_id])[clinic_id]
