"""A patient's life for Hypothesis to play: time, the clock's verb, texts, answers and travels, with
notes of our own on what was decided. The decisions are in test_plan_story.py."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, cycle
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from messaging.claim import Claimed, claim, close_useless
from messaging.evidence import Report, Source, advance
from messaging.inbound import opted_out, report, store
from messaging.models import Lane, Scope, Sms
from messaging.states import Finding
from reminders.conversation.hearing import hear
from reminders.conversation.news import take_news
from reminders.dates.schedule import Version
from reminders.models import Answer, Handled, Schedule, ScheduleVersion, WorkItem
from reminders.patients.enrolling import Enrolment, change_patient, enrol
from reminders.planning.steps import plan_doses
from reminders.planning.sweep import sweep
from reminders.schedules.effects import Decision, OpenDose
from tests.cast import Cast
from tests.property.picture import (
    ENDED,
    Picture,
    check_doses,
    check_history,
    check_new_texts,
    check_steps_ahead,
    check_steps_taken,
    check_texts,
    take_picture,
)
from tests.property.strategies import DAY, MINUTE, ZONES, clock_changes, expected_dates

INTERVALS = [7, 10, 14, 21, 28]
intervals = st.sampled_from(INTERVALS)
zone_names = st.sampled_from(ZONES)
USUAL = time(9)
hours = st.sampled_from(
    [USUAL, USUAL, time(18, 30), time(0), time(1, 30), time(2, 15), time(7), time(22), time(23, 59)]
)
starts = st.one_of(
    # Some days before a clock change, at any minute; or anywhen.
    st.sampled_from([change for zone in ZONES for change in clock_changes(zone)]).map(
        lambda change: change - 9 * DAY
    ),
    st.datetimes(datetime(2024, 1, 1), datetime(2035, 6, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda at: at.replace(second=0, microsecond=0)
    ),
)


WRITTEN = [
    "done", "done", "1", "Done thanks x", "skip", "3", "later", "2", "in 2 hours", "tonight",
    "took it yesterday", "not done yet", "fever since yesterday", "when is my next one?", "HELP",
    "qwertz uiop", "", "STOP", "please stop texting me", "START", "START", "YES",
    "I took two and feel sick", "done, when is my next one?", "done, call me",
]  # fmt: skip
SILENCING = ("opted_out", "consent_missing", "number_lost")
"""Causes that the team can't close by itself: what silences the phone goes on."""


SECOND = timedelta(seconds=1)


def by_date(dose: Any) -> date:
    return dose.date


@dataclass(frozen=True)
class Moment:
    """How far the story goes on before the next act. steps: so many steps of reminders, looked at
    `late` after they were due, texts arriving. then: a while more, at whose end the clock looks or
    doesn't (an outage). carried: texts left before it, with these fates. swept: and a morning, in
    which the team did its work."""

    steps: int
    late: timedelta
    carried: bool
    fates: tuple[str, ...]
    then: timedelta
    swept: bool
    looked: bool


BAD = ("undelivered", "failed")
FATES = ["delivered", "delivered", "accepted", "sending", "undelivered", "failed", "queued"]
moments = st.builds(
    Moment,
    steps=st.sampled_from([0, 0, 1, 1, 2, 3, 4]),
    late=st.sampled_from([0, 0, 0, 7, 200]).map(lambda minutes: minutes * MINUTE),
    carried=st.booleans(),
    fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3).map(tuple),
    then=st.just(timedelta())
    | st.integers(0, 36 * 60).map(lambda minutes: minutes * MINUTE)
    | st.integers(0, 40 * 24).map(lambda hours: timedelta(hours=hours)),
    swept=st.sampled_from([False, False, False, True]),
    looked=st.booleans(),
)


@dataclass
class Decided:
    """A version as it was decided, from our own notes."""

    version: Version
    on: date


class Life(RuleBasedStateMachine):
    """One patient, rolled back at the end."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.decided: dict[UUID, list[Decided]] = {}
        self.sids = count()
        self.stopped = self.lost = False
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def teardown(self) -> None:
        try:
            if hasattr(self, "seen"):
                self._history_is_held()
                connection.check_constraints()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _history_is_held(self) -> None:
        for version in ScheduleVersion.objects.filter(schedule__patient=self.patient):
            for rewrite in (
                lambda rows: rows.update(interval_days=5),
                lambda rows: rows.update(starts_on=date(2030, 1, 1)),
                lambda rows: rows.delete(),
            ):
                with pytest.raises(DatabaseError), transaction.atomic():
                    rewrite(ScheduleVersion.objects.filter(id=version.id))

    @initialize(zone=zone_names, hour=hours, now=starts, interval=intervals, days=st.integers(0, 9))
    def enrol(self, zone: str, hour: time, now: datetime, interval: int, days: int) -> None:
        self.now = now
        self.actor = self.cast.actor
        self.patient = enrol(
            self.cast.clinic,
            Enrolment(
                name="Grace Example",
                number="+447700900002",
                time_zone=zone,
                language="en",
                hour=hour,
                consent_on=date(2023, 12, 1),
                consent_source="written",
            ),
            self.actor,
            now,
        )
        self.seen = take_picture(self.patient.id)
        self.begin(interval, days, None)

    def begin(self, interval: int, days: int, last: int | None) -> None:
        """Start a schedule; a rule of the whole story."""
        raise NotImplementedError

    # --- time and the world ----------------------------------------------------------------------

    def _until(self, moment: Moment) -> None:
        """Go on to a moment: some steps further, with texts arriving in between; then a while."""
        fates = cycle(moment.fates)
        for _ in range(moment.steps):
            self._carry(lambda: "delivered")
            at = min((row.next_step_at for row in self._doses() if row.next_step_at), default=None)
            self.now = max(self.now, at or self.now) + moment.late
            self._clock()
        if moment.carried:
            self._carry(lambda: next(fates))
        self.now += moment.then
        if moment.swept:
            self._morning()
        if moment.looked:
            self._clock()

    def _clock(self) -> None:
        assert plan_doses(self.now) in (0, 1, 2), "the patient, and whoever shares the phone"
        while take_news(self.now):
            pass
        after = self._judge()
        assert not [row for row in after.doses if row.next_step_at and row.next_step_at <= self.now]
        check_steps_taken(self._former, after, self.now)
        self._new_texts_are_of_a_plan_that_holds()
        if after != self._former:
            assert plan_doses(self.now) == 0
            assert take_picture(self.patient.id) == after, "looking again changes something"

    def _carry(self, fate: Any) -> None:
        """What messaging does, by its own verbs: texts leave from their time on, are suppressed or
        expire; and reports come, late, twice and out of order."""
        waiting = Sms.objects.filter(available_at__lte=self.now)
        open_ones = waiting.filter(state__in=["queued", "sending", "accepted"])
        if not open_ones.exists():
            return
        under_way = list(open_ones.exclude(state="queued"))
        close_useless(self.now)
        left = [*claim(Lane.ROUTINE, self.now), *claim(Lane.URGENT, self.now)]
        for row in under_way:
            for status in ("delivered", "sent", "delivered"):
                self._report(row, status)
        for row in left:
            became = fate()
            if became == "queued":
                advance([Report(row.id, row.attempt, Source.POST, Finding.NOT_TAKEN)], self.now)
            elif became != "sending":
                self._report(row, became)
        self._judge()

    def _report(self, row: Sms | Claimed, status: str) -> None:
        said = {"MessageSid": f"SM{row.id.hex}", "MessageStatus": status}
        report(row.id, row.attempt, said | ({"ErrorCode": "30005"} if status in BAD else {}))

    def _morning(self) -> None:
        """The daily sweep, and the team goes through its worklist."""
        sweep(self.now)
        after = self._judge()
        assert "no_plan" not in after.open_causes
        mine = WorkItem.objects.filter(patient=self.patient, closed_at=None)
        mine = mine.exclude(cause__in=SILENCING)
        mine.update(closed_at=self.now, outcome="done")
        self.seen = take_picture(self.patient.id)

    @rule(moment=moments, body=st.sampled_from(WRITTEN))
    def the_patient_writes(self, moment: Moment, body: str) -> None:
        """Whatever they write, when they like."""
        self._until(moment)
        open_ones = [row for row in self._doses() if row.state == "due"]
        was_blocked = self.blocked()
        answers = self._text(body)
        after = self._judge()
        mine = answers.get(self.patient.id)
        was_told = {
            row.id: row.state
            for row in after.doses
            if row.state in ("taken", "skipped") and row.id not in self._told_of(self._former)
        }
        if was_told:
            assert mine is not None
            assert mine.handled == Handled.RECORDED
            assert list(was_told) == [mine.dose_id], "one answer, one dose"
        asked_back = any(one.handled == Handled.ASKED_BACK for one in answers.values())
        elsewhere = any(one.handled == Handled.RECORDED for one in answers.values())
        if open_ones and body in ("done", "1", "skip", "3"):
            to_read = {"second_dose", "text_to_read"} & after.open_causes
            assert was_told or to_read or asked_back or elsewhere, "nothing came of a plain answer"
            assert not was_told or list(was_told) == [max(open_ones, key=by_date).id]
        assert body != "fever since yesterday" or "urgent_sign" in after.open_causes
        if body == "I took two and feel sick":
            assert not was_told
            assert "text_to_read" in after.open_causes
        if "stop" in body.lower():
            self.stopped = True
            assert self.blocked()
            assert "opted_out" in after.open_causes
        if body in ("START", "YES"):
            assert not self.blocked()
            if was_blocked:
                self.stopped = self.lost = False
                assert not after.open_causes & set(SILENCING)
            else:
                assert not was_told, "a carrier's word is no answer"
                assert "text_to_read" in after.open_causes

    def _text(self, body: str, number: str = "") -> dict[UUID, Answer]:
        """A text comes from a phone and is heard; what was made of it, by patient."""
        self.now += SECOND
        sid = f"SM{next(self.sids):032}"
        assert store(self.cast.sender, sid, number or self.patient.number, body, self.now)
        assert hear(self.now) == 1
        return {answer.patient_id: answer for answer in Answer.objects.filter(inbound__sid=sid)}

    def blocked(self) -> bool:
        """Whether the patient's phone takes no texts."""
        return self.patient.number in opted_out(Scope.CARE, [self.patient.number])

    def _told_of(self, picture: Picture) -> set[UUID]:
        return {row.id for row in picture.doses if row.state in ("taken", "skipped")}

    @rule(
        moment=moments, changes=st.builds(dict, time_zone=zone_names) | st.builds(dict, hour=hours)
    )
    def the_patient_is_elsewhere_or_rises_at_another_hour(
        self, moment: Moment, changes: dict[str, Any]
    ) -> None:
        self._until(moment)
        dates = [(row.id, row.date, row.state) for row in self.seen.doses]
        keys = {row.dedup_key for row in self.seen.texts}
        self.patient = change_patient(self.patient.id, changes, self.actor, self.now).patient
        after = self._judge()
        assert [(row.id, row.date, row.state) for row in after.doses] == dates
        assert {row.dedup_key for row in after.texts} == keys

    # --- what is asked after each act ------------------------------------------------------------

    def _planned_is_the_next_of_the_plan(self) -> None:
        """It is on a date that the versions give, by the version that holds there, not before that
        was decided; and every date since the last decision that lies before it was asked for."""
        planned = self._planned()
        decided = self.decided[planned.schedule_id]
        on = decided[-1].on
        dates = expected_dates(self._living(planned.schedule_id), on, planned.date)
        number = {row.id: row.number for row in self.seen.versions}[planned.version_id]
        assert dates.get(planned.date) == number, "the planned date isn't one of the plan's"
        assert planned.date >= decided[number - 1].on, "a date before it was decided"
        doses = self.seen.doses_of(planned.schedule_id)
        asked = {row.date for row in doses if row.step or row.state in ENDED}
        skipped = [day for day in dates if day < planned.date and day not in asked]
        assert not skipped, "a date was left out"

    def _new_texts_are_of_a_plan_that_holds(self) -> None:
        for row in self.seen.texts:
            dose = self.seen.dose.get(row.about_id)
            if row.id in self._former.text or dose is None:
                continue
            living = self._living(dose.schedule_id)
            ended = any(version.starts_on <= dose.date for version in living[self._number(dose) :])
            if ended or living[0].number > self._number(dose):
                assert dose.date in expected_dates(living, dose.date, dose.date), "of a former plan"

    def _judge(self, corrected: UUID | None = None) -> Picture:
        """Take a new picture; it must be right in itself, and follow from the one before.
        corrected: the dose that was told of."""
        self._former, self.seen = self.seen, take_picture(self.patient.id)
        check_doses(self.seen)
        check_steps_ahead(self.seen)
        check_texts(self.seen, self.now)
        if self._status() == "running":
            self._planned_is_the_next_of_the_plan()
        check_history(self._former, self.seen, corrected)
        check_new_texts(self._former, self.seen, self.now)
        return self.seen

    # --- our own notes ---------------------------------------------------------------------------

    def _note(self, decision: Decision, *, after_pause: bool) -> None:
        """What was decided, as DESIGN.md has it: a pause ends all that was before it; else old
        dates go that are nearer to the new start than the clinic's least gap, unless kept."""
        schedule = Schedule.objects.filter(patient=self.patient).order_by("id").last()
        notes = self.decided.setdefault(schedule.id, [])
        today, start = self._today(), decision.starts_on
        if after_pause:
            held = today
        elif decision.open_dose == OpenDose.KEEP:
            held = start
        else:
            gap = self.cast.clinic.least_gap
            held = min(
                day for day in (today + n * DAY for n in range(400)) if (start - day).days < gap
            )
        version = Version(len(notes) + 1, decision.interval_days, start, held)
        notes.append(Decided(version, today))

    def _living(self, schedule_id: UUID) -> list[Version]:
        """The versions as we noted them."""
        return [note.version for note in self.decided[schedule_id]]

    def _number(self, dose: Any) -> int:
        return next(row.number for row in self.seen.versions if row.id == dose.version_id)

    def _status(self) -> str | None:
        schedules = getattr(self, "seen", None) and self.seen.schedules
        return schedules[-1].status if schedules else None

    def _doses(self) -> list[Any]:
        schedules = getattr(self, "seen", None) and self.seen.schedules
        return self.seen.doses_of(schedules[-1].id) if schedules else []

    def _planned(self) -> Any:
        return next(row for row in self._doses() if row.state == "planned")

    def _today(self) -> date:
        return self.now.astimezone(self.patient.zone).date()
