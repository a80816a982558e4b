"""Rules that moderators wrote, beside those of the house (rules/words)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.keys import TimeSortedModel
from community.models.members import Persona
from community.rules import Action


class RuleState(models.TextChoices):
    """A version is written first, tried, and then switched on; at most one of a rule is on."""

    DRAFT = "draft", "Written, not on"
    ON = "on", "On"
    OFF = "off", "Was on"


class HouseRule(TimeSortedModel):
    """One version of a moderators' rule: written once, then only its state moves.

    key: names the rule through its versions. switched: a number that grows with each switching of
    any rule (rules.py takes the greatest as the rulebook's version); null while never switched.
    """

    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    action = models.CharField(max_length=8, choices=[(a.value, a.value) for a in Action])
    phrases = ArrayField(models.CharField(max_length=200))
    unless = ArrayField(models.CharField(max_length=200), default=list)
    languages = ArrayField(models.CharField(max_length=2), default=list)
    description = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=RuleState, default=RuleState.DRAFT)
    written_by = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    switched = models.PositiveIntegerField(null=True, unique=True)
    switched_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="house_rule_version_once"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(state=RuleState.ON), name="house_rule_one_on"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RuleState.values), name="house_rule_state_known"
            ),
        ]
