"""Who a patient was at other clinics, before transfers: their injections are one history."""

from uuid import UUID

from reminders.models import Patient, Transfer


def same_person(patient: Patient) -> list[UUID]:
    """This patient, and who they were at the clinics that handed them over, the latest first."""
    found = [patient.id]
    while True:
        before = Transfer.objects.filter(became=found[-1]).values_list("patient_id", flat=True)
        former = before.first()
        if former is None:
            return found
        found.append(former)
