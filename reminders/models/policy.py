"""What a clinic chooses for its patients' reminders and its team, within the limits of FACTS."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic
from reminders.dates.ladder import EARLIEST, LATEST


def usual_sites() -> list[str]:
    """Abdomen or thigh (FACTS, EU leaflet); a clinic may add the upper arm."""
    return ["abdomen_left", "abdomen_right", "thigh_left", "thigh_right"]


class Policy(TimeSortedModel):
    """One clinic's choices; a clinic without a row has these defaults.

    text_next_day, text_overdue: whether these steps of the ladder send a text; what they do besides
    stays. texts_from, texts_until: the patient's own wall times between which texts go whose hour
    the patient didn't choose (notices, messages, "later"); within the law's. later_minutes: how
    long a "later" without a time waits. on_time_days: whole days after its date within which an
    injection counts as on time. page_minutes: how long an urgent item waits on a rung of the rota.
    result_days: a blood result is due so long after the last; null for never. out_of_hours: a
    number beside the clinic's own for safety answers, E.164 or blank. emergency, crisis_line: what
    these answers name; policies.LINES has those that are known. segment_price, currency: what a
    segment costs the clinic, shown beside its own texts; null where nobody has said.
    """

    clinic = models.OneToOneField(Clinic, on_delete=models.PROTECT, related_name="policy")
    text_next_day = models.BooleanField(default=True)
    text_overdue = models.BooleanField(default=True)
    texts_from = models.TimeField(default=EARLIEST)
    texts_until = models.TimeField(default=LATEST)
    later_minutes = models.PositiveSmallIntegerField(default=120)
    on_time_days = models.PositiveSmallIntegerField(default=1)
    page_minutes = models.PositiveSmallIntegerField(default=10)
    result_days = models.PositiveSmallIntegerField(null=True)
    sites: Any = models.JSONField(default=usual_sites)
    out_of_hours = models.CharField(max_length=16, blank=True)
    emergency = models.CharField(max_length=16, blank=True)
    crisis_line = models.CharField(max_length=16, blank=True)

    segment_price = models.DecimalField(max_digits=8, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                # FACTS, SMS law: 8 am to 9 pm; a clinic may ask for less of the day, not for more.
                condition=Q(texts_from__gte=EARLIEST, texts_until__lte=LATEST)
                & Q(texts_from__lt=F("texts_until")),
                name="policy_hours_are_the_laws",
            ),
            models.CheckConstraint(
                condition=Q(later_minutes__range=(15, 600), page_minutes__range=(1, 120))
                & Q(on_time_days__lte=3)
                & (Q(result_days__isnull=True) | Q(result_days__range=(1, 366))),
                name="policy_figures_sane",
            ),
        ]
