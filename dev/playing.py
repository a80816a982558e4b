"""Playing the story: the product's own verbs with the instant given, jumping from one at which
something is due to the next. What is sent goes over HTTP to the simulator, whose clock shows that
instant; its reports come back over HTTP to the web process.

Needs Django to be set up.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from accounts import audit
from accounts.models import Clinic, Membership, Role
from accounts.refusals import Refusal
from dev.answering import Said, Word
from dev.environment import ROUTINE_NUMBER
from dev.expectation import Act, Event, Expectation, Fate, Person, instant
from dev.simulator_client import SimulatorClient
from messaging.models import InboundSms, Lane, Sms
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import State
from reminders.conversation.hearing import hear
from reminders.conversation.news import take_news
from reminders.models import Cause, Dose, DoseState, Missed, Patient, Wording, WorkItem, WorkNote
from reminders.patients.enrolling import Enrolment, enrol
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
_STUCK_AFTER = 50
_NEXT = """
    SELECT LEAST(
        (SELECT min(next_step_at) FROM reminders_dose),
        (SELECT min(available_at) FROM messaging_sms WHERE state = 'queued'),
        (SELECT min(lease_until) FROM messaging_sms WHERE state IN ('sending', 'unknown')))
"""
_ALARMS = (Cause.NO_PLAN, Cause.PLAN_FAILED, Cause.SEND_UNKNOWN, Cause.UNDELIVERED,
           Cause.TEXT_TO_READ, Cause.SECOND_DOSE, Cause.CALL_ME)  # fmt: skip
_FATES: dict[str, Fate] = {
    DoseState.DUE: Fate.OPEN,
    DoseState.TAKEN: Fate.TAKEN,
    DoseState.SKIPPED: Fate.SKIPPED,
    DoseState.CANCELLED: Fate.CANCELLED,
    Missed.NO_ANSWER: Fate.NO_ANSWER,
    Missed.NOT_ASKED: Fate.NOT_ASKED,
}
_ANSWERED = (DoseState.TAKEN, DoseState.SKIPPED)


class Player:
    """Plays people's decisions, days and answers. problems: what the product refused, or left
    undone."""

    def __init__(
        self,
        simulator: SimulatorClient,
        domain: str,
        expected: Mapping[Person, Expectation],
        begins: datetime,
    ) -> None:
        """domain: whose clinician decides; expected: the people, with what they say, and should
        get; begins: when all are enrolled."""
        self.problems: list[str] = []
        self._simulator = simulator
        self._expected = expected
        membership = Membership.objects.select_related("clinic", "user").get(
            user__email=f"{Role.CLINICIAN}@{domain}"
        )
        self._actor = audit.by(membership.user, "story")
        self._now = begins
        agenda: list[tuple[datetime, Person, Event | Said]] = [
            (instant(event.on, event.at, person.zone), person, event)
            for person in expected
            for event in person.events
        ]
        agenda += [
            (said.at, person, said) for person, wanted in expected.items() for said in wanted.said
        ]
        self._agenda = sorted(agenda, key=lambda entry: entry[0])
        self._patients = {person: self._enrol(membership.clinic, person) for person in expected}

    def play(self, until: datetime, report: Callable[[datetime], None]) -> None:
        """Play on until an instant; `report` hears of the end of each week."""
        week_ends = self._now + WEEK
        idle = 0
        while True:
            due = self._next()
            if week_ends <= min(due, until):
                self._end_the_week(week_ends)
                report(week_ends)
                week_ends += WEEK
                continue
            if due >= until:
                break
            idle = idle + 1 if due <= self._now else 0
            if idle > _STUCK_AFTER:
                self.problems.append(f"At {due:%d %b %Y %H:%M} UTC something stays due for ever.")
                break
            self._now = max(due, self._now)
            self._simulator.set_clock(self._now)
            while self._agenda and self._agenda[0][0] <= self._now:
                _, person, event = self._agenda.pop(0)
                if isinstance(event, Said):
                    self._write(person, event.body)
                else:
                    self._happen(person, event)
            # Once each: what they leave is due still, and so the next instant is this one again.
            plan_doses(self._now)
            send_due(Lane.URGENT, self._now)
            send_due(Lane.ROUTINE, self._now)
        self._end_the_week(until)

    def fates(self) -> dict[Person, list[tuple[date, Fate]]]:
        """What became of each dose that fell due, or was told of before, by the product's books."""
        return {
            person: [
                (dose.date, _FATES[dose.missed_because or dose.state])
                for dose in Dose.objects.filter(schedule__patient=patient).order_by("date", "id")
                if dose.step or dose.state in _ANSWERED
            ]
            for person, patient in self._patients.items()
        }

    def look_back(self) -> None:
        """What the product's own books say at the end, where it isn't as expected."""
        self._simulator.wait_until_quiet()
        for person, patient in self._patients.items():
            wanted = self._expected[person]
            fine = [State.DELIVERED, State.CANCELLED]
            if any(event.act == Act.SAYS_STOP for event in person.events):
                fine.append(State.SUPPRESSED)
            rest = Sms.objects.filter(owner_id=patient.id, available_at__lte=self._now)
            self.problems += [
                f"{person.name}'s text of {sms.available_at:%d %b %Y} is {sms.state} in our books."
                for sms in rest.exclude(state__in=fine)
            ]
            items = WorkItem.objects.filter(patient=patient)
            self.problems += [
                f"{person.name} is on the worklist: {Cause(item.cause).label}."
                for item in items.filter(cause__in=_ALARMS)
            ]
            words = {said.word for said in wanted.said}
            for cause, due in (
                (Cause.HELD_BACK, bool(wanted.held_back)),
                (Cause.URGENT_SIGN, Word.FEVER in words),
                (Cause.SIDE_EFFECT, bool({Word.FEVER, Word.HEADACHE} & words)),
            ):
                if items.filter(cause=cause).exists() != due:
                    self.problems.append(
                        f"{person.name} should {'' if due else 'not '}be on the worklist, and "
                        f"is{' not' * due}: {cause.label}."
                    )

    def unlisted(self) -> list[str]:
        """Doses that were missed without a word of it on the worklist."""
        return [
            f"{person.name}'s missed dose of {dose.date:%d %b %Y} was not on the worklist."
            for person, patient in self._patients.items()
            for dose in Dose.objects.filter(schedule__patient=patient, state=DoseState.MISSED)
            if not WorkNote.objects.filter(item__patient=patient, facts__dose=str(dose.id)).exists()
        ]

    # -- time ---------------------------------------------------------------------------------

    def _next(self) -> datetime:
        """The next instant at which anything is due: by the agenda, or by the product's rows."""
        with connection.cursor() as cursor:
            cursor.execute(_NEXT)
            [due] = cursor.fetchone() or (None,)
        instants = [self._agenda[0][0]] if self._agenda else []
        instants += [due] if due is not None else []
        return min(instants, default=datetime.max.replace(tzinfo=UTC))

    def _end_the_week(self, at: datetime) -> None:
        """What the rarer ticks do; they wait for the reports on what was sent."""
        self._simulator.wait_until_quiet()
        self._simulator.set_clock(at)
        settle(at)
        sweep(at)
        take_news(at)

    # -- decisions ----------------------------------------------------------------------------

    def _enrol(self, clinic: Clinic, person: Person) -> Patient:
        return enrol(
            clinic,
            Enrolment(
                name=person.name,
                number=person.number,
                time_zone=person.zone.key,
                language="en",
                hour=person.hour,
                consent_on=self._now.date() - 7 * DAY,
                consent_source="written",
                wording=Wording.EXPLICIT if person.explicit else Wording.DISCREET,
            ),
            self._actor,
            self._now,
        )

    def _happen(self, person: Person, event: Event) -> None:
        if event.act in (Act.SAYS_STOP, Act.SAYS_START):
            word = "STOP" if event.act == Act.SAYS_STOP else "START"
            self._write(person, word)
            return
        try:
            self._decide(self._patients[person], event)
        except Refusal as refusal:
            self.problems.append(
                f"{person.name}'s {event.act} of {event.on:%d %b %Y} was refused: {refusal.message}"
            )

    def _write(self, person: Person, body: str) -> None:
        """A person's text, over HTTP to the web process, whose clock is the real one: the text is
        dated anew, for "done" is done today."""
        self._simulator.answer(person.number, ROUTINE_NUMBER, body)
        self._simulator.wait_until_quiet()
        InboundSms.objects.filter(taken_at=None).update(received_at=self._now)
        hear(self._now)

    def _decide(self, patient: Patient, event: Event) -> None:
        new = Decision(7 * event.weeks, event.first, reason="As the story has it.")
        by: dict[str, Any] = {"actor": self._actor, "now": self._now}
        if event.act == Act.START:
            prescribing.start(patient.id, new, None, **by)
            return
        token = read_plan(patient).token
        match event.act:
            case Act.CHANGE:
                prescribing.change_interval(patient.id, new, token, **by)
            case Act.RESUME:
                prescribing.resume(patient.id, new, token, **by)
            case Act.PAUSE:
                review: date = event.on + 28 * DAY
                prescribing.pause(patient.id, review, "As the story has it.", token, **by)
            case Act.STOP:
                prescribing.stop(patient.id, "As the story has it.", token, **by)
