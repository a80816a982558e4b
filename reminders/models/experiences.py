"""What patients chose to show their care team of what they wrote elsewhere."""

from django.db import models
from django.db.models import Q

from reminders.models.patients import Patient


class SharedExperience(models.Model):
    """An experience that a patient shared, in their own words. id: of the act of sharing, random;
    where it was written isn't known here. revoked_at: taken back, and its words are gone."""

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    shared_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(title="", body=""),
                name="experience_taken_back_is_blank",
            ),
        ]
        indexes = [
            # Read by the patient's page, newest first.
            models.Index(fields=["patient", "-shared_at"], name="experience_by_patient"),
        ]
