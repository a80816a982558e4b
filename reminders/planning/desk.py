"""What one step does to one patient's doses, as the clock's verb has them before it: no database.

Made of as little as will do, for there is a desk for each patient whose dose is due.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from accounts.models import Clinic
from messaging import outbox
from messaging.models import Scope
from reminders.dates.ladder import (
    DAYS_AFTER,
    FOLLOWING,
    MOST_A_WEEK,
    SPACING,
    Step,
    room,
    spaced,
    step_instant,
    use_ends,
)
from reminders.dates.schedule import Version, local_date, next_dose
from reminders.models import Cause, DoseState, Missed, Policy
from reminders.schedules.plan import dates_ahead
from reminders.texts import wording
from reminders.worklist.items import Finding


@dataclass(slots=True)
class Reader:
    """A patient, as far as their texts need to know them (models.Patient has the fields)."""

    id: UUID
    clinic: Clinic
    number: str
    zone: ZoneInfo
    language: str
    hour: time
    wording: str

    @property
    def clinic_id(self) -> UUID:
        return self.clinic.id


@dataclass(slots=True)
class AwaitedDose:
    """A planned or due dose: what stays of it, and what a step changes (models.Dose)."""

    id: UUID
    schedule_id: UUID
    date: date
    state: DoseState
    step: Step
    next_step_at: datetime | None
    version_id: UUID | None = None
    missed_because: str = ""


@dataclass(slots=True)
class Desk:
    """What the steps of one patient's doses need, read under locks; and what they want.

    version_ids: of the versions, by their number. sent: when the patient was texted lately without
    asking. asked: doses with a text that the patient can be expected to have read.
    """

    patient: Reader
    policy: Policy
    own_texts: wording.Own
    schedule_id: UUID
    asked: set[UUID]
    versions: list[Version] = field(default_factory=list)
    version_ids: dict[int, UUID] = field(default_factory=dict)
    doses: list[AwaitedDose] = field(default_factory=list)
    sent: list[datetime] = field(default_factory=list)
    texts: list[outbox.Text] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    wanted: AwaitedDose | None = None

    def step(self, dose: AwaitedDose, now: datetime) -> None:
        """Take one dose one step further, or move its step if a text was sent too near."""
        patient, step = self.patient, FOLLOWING[dose.step]
        ends = use_ends(step, dose.date, patient.hour, patient.zone)
        if step == Step.OVERDUE and dose.id not in self.asked:
            self._miss(dose, Missed.NOT_ASKED)
            return
        if now < ends and not spaced(now, self.sent):
            later = max(self.sent) + SPACING
            if now < later < ends:
                dose.next_step_at = later
                return
        if _has_text(step, self.policy):
            self._text(dose, step, now, ends)
        dose.step = step
        if step == Step.OVERDUE:
            self._miss(dose, Missed.NO_ANSWER)
            return
        if step == Step.DAY:
            dose.state = DoseState.DUE
            self.wanted = self._following(dose)
        dose.next_step_at = step_instant(FOLLOWING[step], dose.date, patient.hour, patient.zone)

    def due(self, now: datetime) -> list[AwaitedDose]:
        """Doses with a step to take, those first whose text goes first where there is room for
        one: today's reminder before that of yesterday."""
        found = [dose for dose in self.doses if dose.next_step_at and dose.next_step_at <= now]
        if len(found) > 1:
            found.sort(key=lambda dose: (DAYS_AFTER[FOLLOWING[dose.step]], dose.date))
        return found

    def keep_wanted(self) -> None:
        """The next dose is stored now: one of the desk's doses, and maybe due itself."""
        if self.wanted is not None:
            self.doses.append(self.wanted)
            self.wanted = None

    def _text(self, dose: AwaitedDose, step: Step, now: datetime, ends: datetime) -> None:
        """Queue the step's text, if it is still of use and the limits leave room for it."""
        patient = self.patient
        if now >= ends:
            if step == Step.DAY:
                # Also when the day is over that the daily count could show it in.
                self._find(Cause.NOT_ASKED, dose)
            return
        if not spaced(now, self.sent) or not self._room(step, now):
            self._find(Cause.HELD_BACK, dose, step=step.value)
            return
        self.texts.append(
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic.id,
                owner_id=patient.id,
                about_id=dose.id,
                dedup_key=f"dose:{dose.id}:{step.value}",
                to=patient.number,
                body=wording.text(step.value, patient, dose.date, own=self.own_texts),
                available_at=now,
                expires_at=ends,
            )
        )
        self.sent.append(now)

    def _room(self, step: Step, now: datetime) -> bool:
        """Whether the week's limit leaves room for a step's text: what it is told here of texts to
        come has all the room it needs first."""
        ahead = self._going_before(step)
        if len(self.sent) + len(ahead) < MOST_A_WEEK:
            return True
        zone = self.patient.zone
        dates = [local_date(instant, zone) for instant in self.sent]
        return room(local_date(now, zone), dates + ahead)

    def _going_before(self, step: Step) -> list[date]:
        """Dates of texts to come that leave this step's text only what room they don't need."""
        if step == Step.DAY:
            return []
        ahead = [
            day
            for dose in self.doses
            if dose.state == DoseState.PLANNED
            for day in dates_ahead(dose.date, self.versions)
        ]
        if step == Step.NEXT:
            return ahead
        return [day + timedelta(days=days) for day in ahead for days in (0, 1)]

    def _following(self, dose: AwaitedDose) -> AwaitedDose | None:
        """The dose to plan after one; None while no version gives any."""
        found = next_dose(self.versions, dose.date)
        if found is None:
            return None
        day, version = found
        return AwaitedDose(
            id=uuid7(),
            schedule_id=self.schedule_id,
            version_id=self.version_ids[version.number],
            date=day,
            state=DoseState.PLANNED,
            step=Step.NONE,
            next_step_at=step_instant(Step.DAY, day, self.patient.hour, self.patient.zone),
        )

    def _miss(self, dose: AwaitedDose, because: Missed) -> None:
        dose.state, dose.missed_because, dose.next_step_at = DoseState.MISSED, because, None
        self._find(Cause.NO_ANSWER if because == Missed.NO_ANSWER else Cause.NOT_ASKED, dose)

    def _find(self, cause: Cause, dose: AwaitedDose, **facts: str) -> None:
        known = {"dose": str(dose.id), "date": dose.date.isoformat()}
        self.findings.append(Finding(self.patient.id, cause, known | facts))


def _has_text(step: Step, policy: Policy) -> bool:
    """Whether a clinic's policy has a text at this step. What the step does besides stays."""
    match step:
        case Step.NEXT:
            return policy.text_next_day
        case Step.OVERDUE:
            return policy.text_overdue
        case _:
            return True
