"""The clock's verb: take each dose whose next step is due a step further, and queue its text.

A step and its text are one transaction. Catching up after an outage repeats until everything lies
ahead, and a step whose use has passed goes without a text: nothing floods, the worklist says whom
to call.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from accounts import audit
from accounts.models import Clinic
from messaging import outbox
from messaging.models import Scope
from messaging.states import State
from reminders import templates, wording
from reminders.ladder import (
    DAYS_AFTER,
    FOLLOWING,
    LOOK_BACK,
    SPACING,
    Step,
    room,
    spaced,
    step_instant,
    use_ends,
)
from reminders.models import (
    Cause,
    Dose,
    DoseState,
    Missed,
    Patient,
    Policy,
    Schedule,
    ScheduleVersion,
)
from reminders.plan import dates_ahead, dose_after
from reminders.policies import policies_of
from reminders.schedule import local_date
from reminders.worklist import Finding, open_items

log = logging.getLogger(__name__)

BATCH = 1000
MOST_TROUBLE = 3
ASKED = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED})
"""States of a text that a patient can be expected to have read."""


@dataclass
class Desk:
    """What the steps of one patient's doses need, read under locks; and what they want."""

    patient: Patient
    policy: Policy
    own_texts: wording.Own
    schedule: Schedule
    versions: list[ScheduleVersion]
    doses: list[Dose]
    sent: list[datetime]
    asked: set[UUID]
    texts: list[outbox.Text] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    wanted: Dose | None = None

    def step(self, dose: Dose, now: datetime) -> None:
        """Take one dose one step further, or move its step if a text was sent too near."""
        patient, step = self.patient, FOLLOWING[Step(dose.step)]
        ends = use_ends(step, dose.date, patient.hour, patient.zone)
        if step == Step.OVERDUE and dose.id not in self.asked:
            self._miss(dose, Missed.NOT_ASKED)
            return
        if now < ends and not spaced(now, self.sent):
            later = max(self.sent) + SPACING
            if now < later < ends:
                dose.next_step_at = later
                return
        self._text(dose, step, now, ends)
        dose.step = step
        if step == Step.OVERDUE:
            self._miss(dose, Missed.NO_ANSWER)
            return
        if step == Step.DAY:
            dose.state = DoseState.DUE
            self.wanted = dose_after(dose.date, self.schedule, patient, self.versions)
        dose.next_step_at = step_instant(FOLLOWING[step], dose.date, patient.hour, patient.zone)

    def due(self, now: datetime) -> list[Dose]:
        """Doses with a step to take, those first whose text goes first where there is room for
        one: today's reminder before that of yesterday."""
        found = [dose for dose in self.doses if dose.next_step_at and dose.next_step_at <= now]
        return sorted(found, key=lambda dose: (DAYS_AFTER[FOLLOWING[Step(dose.step)]], dose.date))

    def keep_wanted(self) -> None:
        """The next dose is stored now: one of the desk's doses, and maybe due itself."""
        if self.wanted is not None:
            self.doses.append(self.wanted)
            self.wanted = None

    def _text(self, dose: Dose, step: Step, now: datetime, ends: datetime) -> None:
        """Queue the step's text, if it is still of use and the limits leave room for it."""
        if not self._wanted(step):
            return
        patient = self.patient
        if now >= ends:
            if step == Step.DAY:
                # Also when the day is over that the daily count could show it in.
                unasked = {"dose": str(dose.id), "date": dose.date.isoformat()}
                self.findings.append(Finding(patient.id, Cause.NOT_ASKED, unasked))
            return
        dates = [local_date(instant, patient.zone) for instant in self.sent]
        if not spaced(now, self.sent) or not room(
            local_date(now, patient.zone), dates + self._going_before(step)
        ):
            facts = {"dose": str(dose.id), "date": dose.date.isoformat(), "step": step.value}
            self.findings.append(Finding(patient.id, Cause.HELD_BACK, facts))
            return
        self.texts.append(
            outbox.Text(
                scope=Scope.CARE,
                clinic_id=patient.clinic_id,
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

    def _wanted(self, step: Step) -> bool:
        """Whether the clinic's policy has a text at this step. What the step does besides stays."""
        return {
            Step.NEXT: self.policy.text_next_day,
            Step.OVERDUE: self.policy.text_overdue,
        }.get(step, True)

    def _going_before(self, step: Step) -> list[date]:
        """Dates of texts to come that leave this step's text only what room they don't need."""
        if step == Step.DAY:
            return []
        ahead = [
            day
            for dose in self.doses
            if dose.state == DoseState.PLANNED
            for day in dates_ahead(dose, self.versions)
        ]
        if step == Step.NEXT:
            return ahead
        return [day + timedelta(days=days) for day in ahead for days in (0, 1)]

    def _miss(self, dose: Dose, because: Missed) -> None:
        dose.state, dose.missed_because, dose.next_step_at = DoseState.MISSED, because, None
        cause = Cause.NO_ANSWER if because == Missed.NO_ANSWER else Cause.NOT_ASKED
        facts = {"dose": str(dose.id), "date": dose.date.isoformat()}
        self.findings.append(Finding(self.patient.id, cause, facts))


def plan_doses(now: datetime, most: int = BATCH) -> int:
    """Take up to `most` patients' doses that are due at `now` as far as they go.

    Answers how many patients it looked after; call again while that is `most`. Any number may run
    at once: each takes patients that no other holds. A batch that fails is redone patient by
    patient, so that one bad row can't stop a clinic; a dose that fails three times is left to a
    person.
    """
    due = _due(now, most)
    if not due:
        return 0
    try:
        return _plan(due, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("planning a batch failed; going on patient by patient")
    return sum(_plan_alone(patient_id, now) for patient_id in due)


def _due(now: datetime, most: int) -> list[UUID]:
    """Patients with a dose whose next step is due, longest waiting first."""
    waiting = (
        Dose.objects.filter(next_step_at__lte=now, trouble__lt=MOST_TROUBLE)
        .order_by("next_step_at")
        .values_list("schedule__patient_id", flat=True)[:most]
    )
    return list(dict.fromkeys(waiting))


def _plan(patient_ids: Collection[UUID], now: datetime) -> int:
    """One transaction for all these patients but those that somebody else holds."""
    with transaction.atomic():
        desks = _desks(patient_ids, now)
        steps = 0
        while stepped := _round(desks, now):
            steps += stepped
        outbox.queue((text for desk in desks for text in desk.texts), now)
        open_items((finding for desk in desks for finding in desk.findings), now)
        if steps:
            audit.record(audit.CLOCK, "plan_doses", clinic_id=None, subject_id=None, steps=steps)
    return len(desks)


def _plan_alone(patient_id: UUID, now: datetime) -> int:
    """The same for one patient; a failure is counted, and the third is a person's to look at."""
    try:
        return _plan([patient_id], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("planning the doses of patient %s failed", patient_id)
    with transaction.atomic():
        stuck = Dose.objects.filter(schedule__patient_id=patient_id, next_step_at__lte=now)
        stuck.update(trouble=F("trouble") + 1)
        if stuck.filter(trouble__gte=MOST_TROUBLE).exists():
            open_items([Finding(patient_id, Cause.PLAN_FAILED)], now)
    return 0


def _round(desks: Sequence[Desk], now: datetime) -> int:
    """One step for each dose that is due, and the next dose for each that became due.

    Answers how many steps there were; none means that all lies ahead.
    """
    touched = []
    for desk in desks:
        for dose in desk.due(now):
            desk.step(dose, now)
            touched.append(dose)
    _write(_MOVE, touched, "id", "state", "step", "next_step_at", "missed_because")
    wanted = [desk.wanted for desk in desks if desk.wanted is not None]
    _write(_ADD, wanted, "id", "schedule_id", "version_id", "date", "state", "next_step_at")
    for desk in desks:
        desk.keep_wanted()
    return len(touched)


# By SQL, for this is done for each dose: Django's own takes several times as long.
_MOVE = """
    UPDATE reminders_dose AS dose SET
        state = new.state, step = new.step, next_step_at = new.next_step_at,
        missed_because = new.missed_because
    FROM unnest(
        %(id)s::uuid[], %(state)s::text[], %(step)s::text[], %(next_step_at)s::timestamptz[],
        %(missed_because)s::text[]
    ) AS new(id, state, step, next_step_at, missed_because)
    WHERE dose.id = new.id
"""

_ADD = """
    INSERT INTO reminders_dose
        (id, schedule_id, version_id, date, state, next_step_at, step, missed_because, trouble)
    SELECT *, '', '', 0 FROM unnest(
        %(id)s::uuid[], %(schedule_id)s::uuid[], %(version_id)s::uuid[], %(date)s::date[],
        %(state)s::text[], %(next_step_at)s::timestamptz[])
"""


def _write(statement: str, doses: Sequence[Dose], *names: str) -> None:
    """Store these columns of doses, if there are any."""
    if doses:
        with connection.cursor() as cursor:
            cursor.execute(
                statement, {name: [getattr(dose, name) for dose in doses] for name in names}
            )


def _desks(patient_ids: Collection[UUID], now: datetime) -> list[Desk]:
    """What each patient's steps need, in a fixed number of queries, locked in the house's order:
    patient, schedule, dose."""
    patients = list(Patient.objects.raw(_PATIENTS, [list(patient_ids)]))
    clinics = Clinic.objects.in_bulk({patient.clinic_id for patient in patients})
    policies, own_texts = policies_of(clinics), templates.of(clinics)
    schedules = {
        schedule.patient_id: schedule
        for schedule in Schedule.objects.raw(_SCHEDULES, [[patient.id for patient in patients]])
    }
    schedule_ids = [schedule.id for schedule in schedules.values()]
    doses = defaultdict(list)
    for dose in Dose.objects.raw(_DOSES, [schedule_ids]):
        doses[dose.schedule_id].append(dose)
    versions = defaultdict(list)
    for version in ScheduleVersion.objects.raw(_VERSIONS, [schedule_ids]):
        versions[version.schedule_id].append(version)
    sent = defaultdict(list)
    for owner_id, instant in outbox.unasked_since(
        [patient.id for patient in patients], now - LOOK_BACK
    ):
        sent[owner_id].append(instant)
    asked = outbox.in_states([dose.id for open_ in doses.values() for dose in open_], ASKED)
    desks = []
    for patient in patients:
        if (schedule := schedules.get(patient.id)) is None:
            continue
        patient.clinic = clinics[patient.clinic_id]
        desks.append(
            Desk(
                patient=patient,
                policy=policies[patient.clinic_id],
                own_texts=own_texts,
                schedule=schedule,
                versions=versions[schedule.id],
                doses=doses[schedule.id],
                sent=sent[patient.id],
                asked=asked,
            )
        )
    return desks


# By SQL too, with what is needed of a row and one array of keys: a thousand keys one by one are
# more work than the rows. What isn't read here would cost a query for each row.
_PATIENTS = """
    SELECT id, clinic_id, number, time_zone, language, hour, wording
    FROM reminders_patient WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED
"""
_SCHEDULES = """
    SELECT id, patient_id FROM reminders_schedule
    WHERE patient_id = ANY(%s) AND status = 'running' ORDER BY id FOR UPDATE
"""
_DOSES = """
    SELECT id, schedule_id, date, state, step, next_step_at, missed_because
    FROM reminders_dose WHERE schedule_id = ANY(%s) AND next_step_at IS NOT NULL
    ORDER BY id FOR UPDATE
"""
_VERSIONS = """
    SELECT id, schedule_id, number, interval_days, starts_on, holds_from
    FROM reminders_scheduleversion WHERE schedule_id = ANY(%s)
"""
