"""Keys that sort by time: every row here has a version 7 UUID."""

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class TimeSortedModel(models.Model):
    """A row whose key sorts by the time at which it was made.

    The key is made here, not by Postgres's uuidv7(), because a text's idempotency key names a dose
    that is stored in the same statement, and Django doesn't read back a key that the database made
    in bulk.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True
