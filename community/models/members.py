"""Who is in the community: personas, and the wall between them and the people who sign in."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.keys import TimeSortedModel
from accounts.models import User


class PersonaRole(models.TextChoices):
    """What a persona is there for. A lead appoints moderators, switches rules, sets the rota."""

    MEMBER = "member", "Member"
    MODERATOR = "moderator", "Moderator"
    LEAD = "lead", "Lead moderator"


class Condition(models.TextChoices):
    """What somebody is treated for, if they choose to say."""

    PV = "pv", "PV"
    ET = "et", "ET"
    OTHER = "other", "Another blood cancer"


class Persona(models.Model):
    """Somebody in the community, under a pseudonym. Nothing here leads to a user or a patient.

    The key is random: it doesn't tell when somebody joined. pseudonym_key: the pseudonym as it is
    compared (case, look-alikes and marks folded), null once they have left. language: of their
    posts and notices. condition, interval_days, months: what they chose to say, blank or null else.
    accepted_rules: the version of the house rules that they accepted. approved_posts: posts that a
    person approved, by which trust grows (posts/trust.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    pseudonym = models.CharField(max_length=30)
    pseudonym_key = models.CharField(max_length=120, unique=True, null=True)  # noqa: DJ001 - unique: null
    role = models.CharField(max_length=12, choices=PersonaRole, default=PersonaRole.MEMBER)
    language = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64)
    accepted_rules = models.PositiveSmallIntegerField()
    joined_at = models.DateTimeField()
    renamed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    condition = models.CharField(max_length=8, choices=Condition, blank=True)
    interval_days = models.PositiveSmallIntegerField(null=True)
    months = models.PositiveSmallIntegerField(null=True)
    tags = ArrayField(models.CharField(max_length=16), default=list)
    approved_posts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=PersonaRole.values), name="persona_role_known"
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, pseudonym_key__isnull=False)
                | Q(left_at__isnull=False, pseudonym_key__isnull=True, pseudonym=""),
                name="persona_left_has_no_name",
            ),
        ]
        indexes = [
            # Read by whoever hands work to moderators.
            models.Index(
                fields=["role"],
                condition=~Q(role="member") & Q(left_at__isnull=True),
                name="persona_moderators",
            ),
        ]


class PersonaLink(models.Model):
    """Which persona a user is: read only by signing in to the community (members/entering.py), and
    a test of the house's shape looks that nothing else does."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="+", primary_key=True)
    persona = models.OneToOneField(Persona, on_delete=models.PROTECT, related_name="+")


class PersonaSession(models.Model):
    """A persona that is signed in: the digest of its token, and no word of the user's.

    appeals_only: of somebody who is suspended; it opens their decisions and appeals, and
    what they share with their care team to take it back, and nothing else.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    appeals_only = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # Read by the tick that forgets those that are over.
            models.Index(fields=["expires_at"], name="persona_session_by_end")
        ]


class BondKind(models.TextChoices):
    """block: neither sees the other. mute: the one doesn't see the other, who isn't told."""

    BLOCK = "block", "Block"
    MUTE = "mute", "Mute"


class Bond(TimeSortedModel):
    """What a persona doesn't want to see of another."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=BondKind)

    class Meta:
        constraints = [
            # Its index is read from the one side ...
            models.UniqueConstraint(fields=["persona", "other"], name="bond_once"),
            models.CheckConstraint(condition=~Q(persona=F("other")), name="bond_with_another"),
            models.CheckConstraint(condition=Q(kind__in=BondKind.values), name="bond_kind_known"),
        ]
        indexes = [
            # ... and this one from the other, for blocks hide both ways.
            models.Index(fields=["other", "kind"], name="bond_by_other")
        ]
