"""Schedules, their versions, the doses that follow from them, and the daily count."""

from django.db import models
from django.db.models import F, Q

from accounts.keys import TimeSortedModel
from accounts.models import Clinic, User
from reminders.dates.ladder import Step
from reminders.dates.schedule import Version
from reminders.models.patients import Patient


class Status(models.TextChoices):
    """running: one planned dose. paused, stopped: none."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Schedule(TimeSortedModel):
    """One course of injections. last_injection_on: the last one that we know of; a fact, which may
    be older than the schedule. review_on: when somebody looks at a pause again."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="schedules")
    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    last_injection_on = models.DateField(null=True)
    review_on = models.DateField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(status__in=["running", "paused"]),
                name="schedule_one_open",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="schedule_status_known"
            ),
            # Nobody is forgotten in a pause: it has a date of review, and only it has.
            models.CheckConstraint(
                condition=Q(status="paused", review_on__isnull=False)
                | (~Q(status="paused") & Q(review_on__isnull=True)),
                name="schedule_pause_has_review",
            ),
            models.CheckConstraint(
                condition=Q(status="stopped", stopped_at__isnull=False)
                | (~Q(status="stopped") & Q(stopped_at__isnull=True)),
                name="schedule_stop_has_instant",
            ),
        ]
        indexes = [
            # Read by the daily sweep: pauses whose review is due.
            models.Index(
                fields=["review_on"], condition=Q(status="paused"), name="schedule_review"
            ),
        ]


class ScheduleVersion(TimeSortedModel):
    """One decision: append-only and in order, both held by the database (migration 0002).

    holds_from: the first date of which earlier versions give nothing any more; dates/schedule.py.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    interval_days = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    holds_from = models.DateField()
    reason = models.TextField(blank=True)
    results = models.TextField(blank=True, help_text="The blood results it rests on.")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "number"], name="version_number_once"),
            models.CheckConstraint(
                condition=Q(interval_days__gte=1, interval_days__lte=366, number__gte=1),
                name="version_figures_sane",
            ),
            models.CheckConstraint(
                condition=Q(holds_from__lte=F("starts_on")), name="version_holds_by_its_start"
            ),
        ]

    def pure(self) -> Version:
        """What the pure calculation needs of it."""
        return Version(self.number, self.interval_days, self.starts_on, self.holds_from)


class DoseState(models.TextChoices):
    """Arrows are in DOSE_ARROWS."""

    PLANNED = "planned"
    DUE = "due"
    TAKEN = "taken"
    SKIPPED = "skipped"
    MISSED = "missed"
    CANCELLED = "cancelled"


DOSE_ARROWS: dict[DoseState, frozenset[DoseState]] = {
    DoseState.PLANNED: frozenset(
        {DoseState.DUE, DoseState.TAKEN, DoseState.SKIPPED, DoseState.CANCELLED}
    ),
    DoseState.DUE: frozenset(
        {DoseState.TAKEN, DoseState.SKIPPED, DoseState.MISSED, DoseState.CANCELLED}
    ),
    DoseState.MISSED: frozenset({DoseState.TAKEN, DoseState.SKIPPED}),
    DoseState.TAKEN: frozenset(
        {DoseState.SKIPPED, DoseState.MISSED, DoseState.DUE, DoseState.PLANNED}
    ),
    DoseState.SKIPPED: frozenset(
        {DoseState.TAKEN, DoseState.MISSED, DoseState.DUE, DoseState.PLANNED}
    ),
}
"""Drawn in ARCHITECTURE.md; held by the database too (migration 0002). From taken and skipped on
only a correction leads, which adds a record and keeps the first."""


class Missed(models.TextChoices):
    """no_answer: we asked, nobody answered. not_asked: our text didn't reach the patient, or there
    was none (outage, opt-out, bad number, limits)."""

    NO_ANSWER = "no_answer"
    NOT_ASKED = "not_asked"


class Dose(TimeSortedModel):
    """One injection on one date. step: what was done last; next_step_at: when the next is due.
    trouble: how often a step failed; at three a person has to look, and the row is left alone."""

    # Looked up by dose_by_schedule; and each index is written again whenever a dose moves.
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, related_name="doses", db_index=False
    )
    version = models.ForeignKey(
        ScheduleVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    date = models.DateField()
    state = models.CharField(max_length=16, choices=DoseState, default=DoseState.PLANNED)
    step = models.CharField(max_length=8, choices=[(s.value, s.value) for s in Step], blank=True)
    next_step_at = models.DateTimeField(null=True)
    missed_because = models.CharField(max_length=16, choices=Missed, blank=True)
    trouble = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule"], condition=Q(state="planned"), name="dose_one_planned"
            ),
            models.UniqueConstraint(
                fields=["schedule", "date"],
                condition=~Q(state="cancelled"),
                name="dose_one_a_date",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "due"], next_step_at__isnull=False)
                | (~Q(state__in=["planned", "due"]) & Q(next_step_at__isnull=True)),
                name="dose_open_has_next_step",
            ),
            models.CheckConstraint(
                condition=(Q(state="missed") & ~Q(missed_because=""))
                | (~Q(state="missed") & Q(missed_because="")),
                name="dose_missed_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DoseState.values), name="dose_state_known"
            ),
        ]
        indexes = [
            # Read by plan_doses: what is due now, however many patients there are.
            models.Index(
                fields=["next_step_at"],
                condition=Q(next_step_at__isnull=False, trouble__lt=3),
                name="dose_next_step",
            ),
            # Read by the verbs: a schedule's open doses and its latest.
            models.Index(fields=["schedule", "-date"], name="dose_by_schedule"),
        ]


class DailyCount(TimeSortedModel):
    """One step of a clinic's doses on one day, by the patients' own dates: how many were due, and
    of these how many were closed by a decision or answered before; have a text that waits (or wait
    for one), was sent, delivered, is unknown, failed; had no text (too late, no room, the clinic's
    policy); are stuck, as planning them fails; or were missing (first steps only). The parts add
    up. repaired: how many that were missing have been planned since. counted_at: the last time."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    step = models.CharField(max_length=8, choices=[(s.value, s.value) for s in Step if s])
    counted_at = models.DateTimeField()
    due = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField()
    sent = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    unknown = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    not_texted = models.PositiveIntegerField()
    stuck = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    repaired = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "day", "step"], name="daily_count_once"),
        ]
        indexes = [
            # Read by the alarms: the counts of the last days.
            models.Index(fields=["day"], name="daily_count_by_day"),
        ]
