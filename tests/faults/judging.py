"""After a storm: wait till all is settled, then count at the simulator, which never forgives."""

import time
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import connections
from django.db.models import F
from django.utils import timezone

from dev.simulator_client import Ledger, SimulatorClient
from dev.waiting import until
from messaging.claim import WINDOW
from messaging.models import Circuit, InboundSms, OptOut, Sender, Sms, SmsEvent
from messaging.reading_back import read_back
from messaging.states import NEWS, Finding, State
from reminders.models import Cause, Dose, WorkItem
from tests.faults.harness import House
from tests.faults.people import GONE, People, Told

OPEN = (State.QUEUED, State.SENDING, State.UNKNOWN)
HAD = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED})
TOO_LONG, BLOCKED = 21617, 21610
GIVEN_UP = (30001, 30036)
SLACK = 2.0
"""Seconds from the last check of a deadline to when Twilio's stamp is on the text, at worst."""


Stamp = Literal["at", "real_at"]


@dataclass
class Verdict:
    """What the promises forbid, text by text, and how the others ended."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    after_the_end: list[str] = field(default_factory=list)
    after_stop: list[str] = field(default_factory=list)
    useless: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def broken(self) -> dict[str, list[str]]:
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "ends"}
        return {name: texts for name, texts in found.items() if texts}


def settle_all(house: House, people: People, seconds: float = 90) -> None:
    """Until nothing is open any more, nothing due, and all news is told."""
    try:
        until(lambda: _at_rest(people), seconds, "everything is settled")
    except TimeoutError as late:
        texts = [_open_text(house, sms) for sms in Sms.objects.filter(state__in=OPEN)[:5]]
        due = Dose.objects.filter(next_step_at__lte=timezone.now())
        doses = list(due.values_list("schedule__patient__name", "trouble", "next_step_at"))
        senders = list(Sender.objects.values_list("number", "next_at", "slowed_at"))
        circuits = list(Circuit.objects.values())
        causes = list(WorkItem.objects.values_list("patient__name", "cause"))
        raise AssertionError((texts, doses, senders, circuits, causes)) from late
    house.simulator.wait_until_quiet(30)
    # What callbacks didn't tell is asked for after ten minutes; here they have gone by.
    for minutes in range(11, 111, 11):
        if not _silent():
            break
        read_back(timezone.now() + timedelta(minutes=minutes))
    until(lambda: not Sms.objects.filter(untaken=True).exists(), 30, "all news is told")


def _open_text(house: House, sms: Sms) -> dict[str, object]:
    """A row that won't end, and what Twilio has of its phone."""
    had = [text for text in house.simulator.ledger()["messages"] if text["to"] == sms.to]
    known = set(SmsEvent.objects.values_list("sid", flat=True))
    return {
        **{name: value for name, value in vars(sms).items() if not name.startswith("_")},
        "events": list(SmsEvent.objects.filter(sms=sms).values_list()),
        "had": [{**text, "known": text["sid"] in known} for text in had],
    }


def _silent() -> bool:
    return Sms.objects.filter(state__in=[State.ACCEPTED, State.SENT]).exists()


def _at_rest(people: People) -> bool:
    try:
        hurry()
        now = timezone.now()
        due = Dose.objects.filter(next_step_at__lte=now).exclude(schedule__patient=people.poisoned)
        told = WorkItem.objects.filter(patient=people.poisoned, cause=Cause.PLAN_FAILED)
        busy = Sms.objects.filter(state__in=OPEN).exists() or due.exists()
        busy = busy or InboundSms.objects.filter(taken_at=None).exists()
        return told.exists() and not busy
    except GONE:
        connections.close_all()
        return False


def hurry() -> None:
    """Cut waits of minutes short: for a circuit's next probe, a text's next try, a list that can't
    be read. They decide when, never whether."""
    now = timezone.now()
    Circuit.objects.filter(probe_at__gt=now).update(probe_at=now)
    waiting = Sms.objects.filter(state=State.QUEUED, available_at__gt=now, expires_at__gt=now)
    waiting.update(available_at=now)
    Sms.objects.filter(state=State.UNKNOWN, checked_at__gt=now).update(
        checked_at=F("checked_at") - timedelta(minutes=2)
    )


def judge(simulator: SimulatorClient, told: Told, stamp: Stamp = "real_at") -> Verdict:
    """Count all that the simulator got against all our rows. stamp: "at" where the clock is
    played."""
    ledger = simulator.ledger()
    verdict = Verdict()
    rows = {str(sms.id): sms for sms in Sms.objects.all()}
    accepted = Counter(text["id"] for text in ledger["messages"] if text["id"])
    verdict.twice = [id_ for id_, times in accepted.items() if times > 1]
    verdict.wrong = [f"{id_} is no text of ours" for id_ in set(accepted) - set(rows)]
    verdict.lost = [f"{id_} was stored" for id_ in told.stored - {s.id for s in rows.values()}]
    listed = set(WorkItem.objects.values_list("patient_id", "cause"))
    for id_, sms in rows.items():
        _judge_end(verdict, sms, accepted[id_], listed)
    _judge_instants(verdict, told, ledger, rows, stamp)
    return verdict


def _judge_end(verdict: Verdict, sms: Sms, accepted: int, listed: set[tuple[UUID, str]]) -> None:
    """Each row ended in a way that is right for it, and tells the truth."""
    state = State(sms.state)
    what = f"{sms.id} {state.value} error={sms.error_code} attempt={sms.attempt}"
    verdict.ends[state.value] += 1
    if state in HAD:
        if not accepted:
            verdict.wrong.append(f"{what}: Twilio never took it")
        return
    if state == State.QUEUED and sms.attempt == 0 and sms.available_at > timezone.now():
        return  # a notice of a change, for another day
    if state in OPEN or not _rightly_ended(sms):
        verdict.lost.append(what)
    if accepted and sms.error_code not in GIVEN_UP and not _nobody_knew(sms):
        verdict.wrong.append(f"{what}: Twilio took it")
    if state in NEWS and (sms.owner_id, _cause(sms)) not in listed:
        verdict.unlisted.append(what)


def _cause(sms: Sms) -> Cause:
    """What the worklist has to say of a text that ended badly."""
    match State(sms.state):
        case State.SUPPRESSED:
            return Cause.OPTED_OUT
        case State.EXPIRED if _nobody_knew(sms):
            return Cause.SEND_UNKNOWN
        case State.EXPIRED if sms.dedup_key.startswith("dose:"):
            return Cause.NOT_ASKED
    return Cause.UNDELIVERED


def _nobody_knew(sms: Sms) -> bool:
    """Its use ended while Twilio's list couldn't be read, and its callbacks were lost: the worklist
    says that nobody knows, which is true."""
    return SmsEvent.objects.filter(
        sms_id=sms.id, status=Finding.USE_OVER, moved_to=State.EXPIRED
    ).exists()


def _rightly_ended(sms: Sms) -> bool:
    use_over = sms.expires_at <= timezone.now()
    match State(sms.state):
        case State.CANCELLED:
            return True
        case State.SUPPRESSED:
            return OptOut.objects.filter(number=sms.to, opted_out=True).exists()
        case State.EXPIRED:
            # The second: doubtful twice, which is a person's to decide.
            return use_over or sms.requeued
        case State.FAILED:
            return sms.error_code in (TOO_LONG, BLOCKED) or (
                sms.error_code in GIVEN_UP and use_over
            )
    return False


def _judge_instants(
    verdict: Verdict, told: Told, ledger: Ledger, rows: dict[str, Sms], stamp: Stamp
) -> None:
    """What left, left while it might."""
    for text in ledger["messages"]:
        sms = rows.get(text["id"] or "")
        if sms is None:
            continue
        left_at = datetime.fromisoformat(text[stamp])
        if left_at > sms.expires_at + timedelta(seconds=SLACK):
            verdict.useless.append(f"{sms.id} at {left_at}, of use until {sms.expires_at}")
        if sms.about_id in told.ended and sms.id not in told.ended[sms.about_id]:
            why = f"{sms.state} claimed {sms.claimed_at} wished={sms.cancel_wished} {sms.dedup_key}"
            verdict.after_the_end.append(f"{sms.id} at {left_at}: {why}")
    # What Twilio refused because of a STOP counts too: we should not have asked.
    asked = [(text["to"], text[stamp]) for text in ledger["messages"] if text["id"]]
    asked += [(call["to"], call[stamp]) for call in ledger["refused"]]
    for to, instant in asked:
        stopped_at = told.opted_out.get(to)
        window = timedelta(seconds=WINDOW + SLACK)
        if stopped_at and datetime.fromisoformat(instant) > stopped_at + window:
            verdict.after_stop.append(f"{to} at {instant}, stopped at {stopped_at}")


def report(house: House, verdict: Verdict, people: People, began: float) -> str:
    """The counts, for a person."""
    forbidden = {f.name: len(getattr(verdict, f.name)) for f in fields(verdict) if f.name != "ends"}
    lines = [
        f"faults of ours      {dict(sorted(house.done.items()))}",
        f"faults of Twilio's  {dict(sorted(house.simulator.injected().items()))}",
        f"texts               {dict(sorted(verdict.ends.items()))}",
        f"of these plain      {len(people.told.stored)}",
        f"ended plans         {len(people.told.ended)}, answers lost {people.told.unsure}",
        f"phones that stopped {len(people.told.opted_out)}",
        f"forbidden           {forbidden}",
        f"ended by themselves {len(house.ended)}",
        f"seconds             {time.monotonic() - began:.0f}",
    ]
    return "\n".join(lines)
