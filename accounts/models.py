"""Users, clinics, memberships, the audit trail, and replies kept for repeated requests."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.keys import TimeSortedModel

E164 = r"^\+[1-9][0-9]{6,14}$"


class UserManager(BaseUserManager["User"]):
    """Makes users with a hashed password."""

    def create_user(self, email: str, password: str, name: str) -> "User":
        user = self.model(email=email.lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, TimeSortedModel):
    """A person who signs in: staff with e-mail and password, others by a code to their phone.

    phone: E.164, the person's own way in. Nobody else changes it, a clinic least of all: where
    texts about doses go is the patient's number, and a different matter.
    """

    email = models.EmailField(unique=True, null=True)  # noqa: DJ001 - unique: null
    phone = models.CharField(max_length=16, unique=True, null=True)  # noqa: DJ001 - unique: null
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)

    objects = UserManager()
    USERNAME_FIELD = "email"

    class Meta:
        constraints = [
            # One person can't have two accounts that differ in capitals.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            models.CheckConstraint(condition=Q(phone__regex=E164), name="user_phone_e164"),
            models.CheckConstraint(
                condition=Q(email__isnull=False) | Q(phone__isnull=False), name="user_has_a_way_in"
            ),
        ]


LONGEST_NAME = 80
"""Characters of a clinic's name, which every text to its patients begins with."""


class Clinic(TimeSortedModel):
    """A care team's clinic, with the settings that its clinicians answer for.

    intervals: whole days between injections that may be chosen; least_gap and greatest_gap: days
    between two injections outside which a change is warned of. Weekly, two- and three-weekly are
    what FACTS calls usual (Cancer Research UK); 10 and 28 days exist in practice, so it is a
    clinic's own choice.
    """

    name = models.CharField(max_length=LONGEST_NAME)
    phone = models.CharField(max_length=16, help_text="What patients call, E.164.")
    time_zone = models.CharField(max_length=64)
    intervals = models.JSONField(default=list)
    least_gap = models.PositiveSmallIntegerField(default=6)
    greatest_gap = models.PositiveSmallIntegerField(default=28)


class Role(models.TextChoices):
    """What a member of a clinic is there for; `access.MAY` says what each may do."""

    CLINICIAN = "clinician"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


class Membership(TimeSortedModel):
    """A user's one role in a clinic."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]


class AuditEntry(TimeSortedModel):
    """One act: who, what, when, why, and from which request. persona_id: who acts in the community,
    where nobody is a user.

    Append-only: the database refuses UPDATE, DELETE and TRUNCATE (migration 0002). `detail` holds
    ids and plain facts of the act, never names, numbers or texts.
    """

    actor_kind = models.CharField(max_length=16)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    persona_id = models.UUIDField(null=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True)
    reason = models.TextField(blank=True)
    detail: Any = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            # Read by whoever asks what happened to one thing, newest last.
            models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
        ]


class KeptReply(TimeSortedModel):
    """The reply to a POST with an Idempotency-Key, stored in the transaction of its effect.

    owner_id: the user's, or in the community the persona's: a user's key beside a post's address
    would tell whose persona it is."""

    owner_id = models.UUIDField()
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=128)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    reply: Any = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner_id", "route", "key"], name="kept_reply_once")
        ]
        indexes = [
            # Read by the daily sweep, which forgets replies older than a day.
            models.Index(fields=["created_at"], name="kept_reply_by_age")
        ]
