"""A clinic's own texts, in place of the built-in ones and beside them."""

from django.db import models

from accounts.keys import TimeSortedModel
from accounts.models import Clinic, User
from reminders.models.patients import Language, Wording


class Template(TimeSortedModel):
    """One version of a clinic's own text: append-only (migration 0002), the greatest one holds.

    kind: a key of the language files, or "message:" and a name that the clinic gave. body: blank
    retires it: the built-in text holds again, or the message is gone.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="templates")
    language = models.CharField(max_length=8, choices=Language)
    wording = models.CharField(max_length=16, choices=Wording)
    kind = models.CharField(max_length=48)
    version = models.PositiveSmallIntegerField()
    body = models.TextField(blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Its index is read, too, by whoever texts a clinic's patients: the latest of each.
            models.UniqueConstraint(
                fields=["clinic", "language", "wording", "kind", "version"],
                name="template_version_once",
            ),
        ]
