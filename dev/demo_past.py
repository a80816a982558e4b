"""The past of the demo's people: what became of their doses, what they felt, what was counted.

Made by whole tables, for the product's verbs would take minutes; what they would have stored is
stored. What was written of late goes through the verbs. Values are made up. Needs Django to be set
up.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from django.db.models import F

from accounts import audit
from accounts.models import User
from dev.demo_answers import WORDS, Says
from dev.environment import ROUTINE_NUMBER
from messaging import inbound, outbox
from messaging.models import InboundSms, Scope, Sender, Sms
from messaging.states import State
from reminders.conversation import hearing
from reminders.dates.schedule import dates_between, local_instant
from reminders.doses.recording import STATES
from reminders.models import (
    Answer,
    BloodResult,
    BloodTest,
    Cause,
    Dose,
    DoseRecord,
    DoseState,
    Handled,
    Missed,
    Outcome,
    Patient,
    ResultSource,
    Severity,
    SideEffect,
    SideEffectEntry,
    Site,
    Source,
    Told,
    WorkItem,
)
from reminders.schedules.plan import dose_after
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items

DAY = timedelta(days=1)
_SETTLED = 2 * DAY
_LATELY = 9 * DAY
_SITES = (Site.ABDOMEN_LEFT, Site.ABDOMEN_RIGHT, Site.THIGH_LEFT, Site.THIGH_RIGHT)
_COUNTS = {
    BloodTest.HAEMATOCRIT: ("L/L", (0.49, 0.42), 0.015, 2),
    BloodTest.PLATELETS: ("10*9/L", (520.0, 290.0), 35.0, 0),
    BloodTest.WHITE_CELLS: ("10*9/L", (10.5, 6.0), 0.8, 1),
}
"""Each test's unit, where its made-up trend begins and ends, how far it strays, and decimals."""


@dataclass
class _Rows:
    """What is stored at once, each list in one go and in this order."""

    first: list[Dose] = field(default_factory=list)
    doses: list[Dose] = field(default_factory=list)
    texts: list[InboundSms] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    records: list[DoseRecord] = field(default_factory=list)
    missed: list[tuple[datetime, Finding]] = field(default_factory=list)


def live_through(
    people: Sequence[Patient], staff: User, now: datetime, chance: random.Random
) -> None:
    """Give patients whose schedules began in the past what has become of it until now: of a hundred
    doses about eighty were injected on their day, the others late, left out or missed."""
    sender = Sender.objects.get(number=ROUTINE_NUMBER)
    rows = _Rows()
    planned = Dose.objects.filter(schedule__patient__in=people, state=DoseState.PLANNED)
    for dose in planned.select_related("version", "schedule__patient__clinic").order_by("id"):
        _live(dose, sender, now, chance, rows)
    Dose.objects.bulk_update(rows.first, ["state", "step", "next_step_at"])
    Dose.objects.bulk_create(rows.doses)
    InboundSms.objects.bulk_create(rows.texts)
    Answer.objects.bulk_create(rows.answers)
    DoseRecord.objects.bulk_create(rows.records)
    for at, finding in sorted(rows.missed, key=lambda pair: pair[0]):
        open_items([finding], at)
    BloodResult.objects.bulk_create(
        result for patient in people[::3] for result in _counted(patient, staff, now, chance)
    )
    SideEffectEntry.objects.bulk_create(
        entry for patient in people[1::4] for entry in _felt(patient, staff, now, chance)
    )


def write_lately(people: Sequence[Patient], actor: audit.Actor, now: datetime) -> None:
    """Some texts of the last hours, heard by the product; and what the team did about them."""
    sender = Sender.objects.get(number=ROUTINE_NUMBER)
    writers = [patient for patient in people if patient.language == "en"][5:11]
    said = ("very tired this week", *WORDS["en"][Says.CALL], "STOP",
            "do you have my new address?", *WORDS["en"][Says.UNCLEAR])  # fmt: skip
    for ago, patient, body in zip(count(len(said), -1), writers, said, strict=False):
        at = now - timedelta(minutes=50 * ago)
        inbound.store(sender, f"SM{uuid4().hex}", patient.number, body, at)
        hearing.hear(at)
    # They were answered then, though the phones of this demo were not there yet.
    waiting = Sms.objects.filter(state=State.QUEUED)
    waiting.filter(dedup_key__startswith="answer:").update(
        state=State.DELIVERED, state_at=F("queued_at"), sender=sender
    )
    outbox.cancel(list(waiting.values_list("about_id", flat=True)))
    missed = WorkItem.objects.filter(patient__in=people, cause=Cause.NO_ANSWER, closed_at=None)
    for item in missed.order_by("opened_at")[:1]:
        attending.take(item.id, actor, now - timedelta(hours=2))
        words = "Called: away from home, and will ring us."
        attending.close(item.id, Outcome.DONE, words, actor, now - timedelta(hours=2))


# -- doses ------------------------------------------------------------------------------------


def _live(dose: Dose, sender: Sender, now: datetime, chance: random.Random, rows: _Rows) -> None:
    """From the dose that is planned, a patient's first, to the one that lies ahead."""
    schedule, version = dose.schedule, dose.version
    patient = schedule.patient
    here = now.astimezone(patient.zone)
    until = here.date() if here.time() > patient.hour else here.date() - DAY
    days = dates_between([version.pure()], dose.date, until)
    for number, day in enumerate(days):
        if number == 0:
            rows.first.append(dose)
        else:
            dose = Dose(schedule=schedule, version=version, date=day)
            rows.doses.append(dose)
        settled = number == 0 or until - day < _SETTLED
        _end(dose, patient, sender, 0.0 if settled else chance.random(), chance, rows, now)
    if days and (ahead := dose_after(days[-1], schedule, patient, [version])) is not None:
        rows.doses.append(ahead)


def _end(
    dose: Dose,
    patient: Patient,
    sender: Sender,
    drawn: float,
    chance: random.Random,
    rows: _Rows,
    now: datetime,
) -> None:
    """What became of one dose, by a number from 0 to 1; and what tells of it."""
    dose.step, dose.next_step_at = "day", None
    if drawn > 0.93:
        dose.state, dose.step = DoseState.MISSED, "overdue"
        dose.missed_because = Missed.NO_ANSWER if drawn < 0.985 else Missed.NOT_ASKED
        at = local_instant(dose.date + _SETTLED, patient.hour, patient.zone)
        if now - at < _LATELY:
            cause = Cause.NO_ANSWER if drawn < 0.985 else Cause.NOT_ASKED
            facts = {"dose": str(dose.id), "date": dose.date.isoformat()}
            rows.missed.append((min(at, now), Finding(patient.id, cause, facts)))
        return
    told = Told.SKIPPED if drawn > 0.89 else Told.TAKEN
    dose.state = STATES[told]
    late = chance.choice([1, 1, 2]) * DAY if 0.82 < drawn <= 0.89 else timedelta()
    at = local_instant(dose.date + late, patient.hour, patient.zone)
    at = min(at + timedelta(minutes=chance.randrange(2, 150)), now)
    said = Says.SKIP if told == Told.SKIPPED else Says.DONE
    text = InboundSms(
        scope=Scope.CARE,
        sender=sender,
        sid=f"SM{uuid4().hex}",
        number=patient.number,
        body=chance.choice(WORDS[patient.language][said]),
        received_at=at,
        taken_at=at,
    )
    answer = Answer(
        inbound=text,
        patient=patient,
        dose=dose,
        meanings=["taken" if told == Told.TAKEN else "skip"],
        handled=Handled.RECORDED,
        handled_at=at,
    )
    taken = told == Told.TAKEN
    record = DoseRecord(
        dose=dose,
        number=1,
        told=told,
        taken_on=at.astimezone(patient.zone).date() if taken else None,
        site=chance.choice(_SITES) if taken and chance.random() < 0.3 else "",
        source=Source.TEXT,
        answer=answer,
        recorded_at=at,
    )
    rows.texts.append(text)
    rows.answers.append(answer)
    rows.records.append(record)


# -- how they fared ---------------------------------------------------------------------------


def _counted(
    patient: Patient, staff: User, now: datetime, chance: random.Random
) -> list[BloodResult]:
    """Five samples in twenty weeks."""
    found = []
    for index in range(5):
        day = now.date() - timedelta(weeks=4 * (4 - index), days=chance.randrange(2, 6))
        for test, (unit, (begin, end), strays, decimals) in _COUNTS.items():
            value = begin + (end - begin) * index / 4 + chance.uniform(-strays, strays)
            found.append(
                BloodResult(
                    patient=patient,
                    test=test,
                    value=Decimal(f"{value:.{decimals}f}"),
                    unit=unit,
                    taken_on=day,
                    source=ResultSource.STAFF,
                    entered_by=staff,
                    entered_at=_noon(day + DAY),
                )
            )
    return found


def _felt(
    patient: Patient, staff: User, now: datetime, chance: random.Random
) -> list[SideEffectEntry]:
    """One or two effects over the weeks, most of them easing, told to the team by phone."""
    found = []
    for effect in chance.sample([SideEffect.TIREDNESS, SideEffect.HEADACHE, SideEffect.SLEEP], 2):
        for weeks, severity in zip((11, 8, 5, 2), (2, 2, 1, chance.choice([0, 1])), strict=True):
            day = now.date() - timedelta(weeks=weeks, days=chance.randrange(5))
            found.append(
                SideEffectEntry(
                    patient=patient,
                    effect=effect,
                    severity=Severity(severity),
                    on_date=day,
                    source=Source.STAFF,
                    recorded_by=staff,
                    recorded_at=_noon(day),
                )
            )
    return found


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
