"""Stories of a schedule: any acts in any order at any time, with the clock's verb in between, over
real Postgres. After each act, what picture.py says must hold."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import audit
from accounts.refusals import Conflict, Invalid, Stale
from reminders.doses.later import wish_later
from reminders.doses.recording import Telling, record_dose
from reminders.models import Source, Told, WorkItem
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import Plan, read_plan
from reminders.schedules.prescribing import (
    Outcome,
    change_interval,
    pause,
    preview_change,
    resume,
    start,
    stop,
)
from tests.cast import Cast
from tests.property.life import INTERVALS, Moment, intervals, moments
from tests.property.phone_life import PhoneLife
from tests.property.picture import (
    ENDED,
    MAY_HAVE_GONE,
    take_picture,
)
from tests.property.strategies import DAY, expected_dates

PATIENT = audit.Actor("patient")
ahead = st.integers(0, 5) | st.integers(-2, 40)
open_doses = st.sampled_from([None, None, OpenDose.KEEP, OpenDose.CLOSE])


class Story(PhoneLife):
    """One patient's life with any decisions in it."""

    @rule(interval=intervals, days=ahead, last=st.none() | st.integers(-2, 30))
    @precondition(lambda self: self._status() in (None, "stopped"))
    def begin(self, interval: int, days: int, last: int | None) -> None:
        decision = Decision(interval, self._today() + days * DAY)
        last_on = None if last is None else self._today() - last * DAY
        wrong = days < 0 or (last is not None and (last < 0 or -last >= days))
        if wrong:
            self._refused(
                Invalid, lambda: start(self.patient.id, decision, last_on, self.actor, self.now)
            )
            return
        start(self.patient.id, decision, last_on, self.actor, self.now)
        self._note(decision, after_pause=False)
        self._judge()
        self._refused(
            Conflict, lambda: start(self.patient.id, decision, last_on, self.actor, self.now)
        )

    @rule(moment=moments, interval=intervals, days=ahead, open_dose=open_doses)
    @precondition(lambda self: self._status() == "running")
    def change(self, moment: Moment, interval: int, days: int, open_dose: OpenDose | None) -> None:
        self._until(moment)
        decision = Decision(interval, self._today() + days * DAY, open_dose=open_dose)
        plan = read_plan(self.patient)

        def act() -> Outcome:
            return change_interval(self.patient.id, decision, plan.token, self.actor, self.now)

        if self._cannot_be(plan, decision):
            self._refused(
                Invalid, lambda: preview_change(self.patient, decision, self.actor, self.now)
            )
            self._refused(Invalid, act)
            return
        shown = preview_change(self.patient, decision, self.actor, self.now)
        assert take_picture(self.patient.id) == self.seen, "a preview changes nothing"
        former = self._living(plan.schedule.id)
        outcome = act()
        self._note(decision, after_pause=False)
        after = self._judge()
        self._refused(Stale, act)

        today, last = self._today(), self._today() + timedelta(weeks=12)
        assert shown.before == list(expected_dates(former, today, last))
        assert shown.after == list(expected_dates(self._living(plan.schedule.id), today, last))
        planned = self._planned()
        assert planned.date in shown.after or planned.date > last
        due = {row.id for row in self._former.doses if row.state == "due"}
        fates = {row.state for row in after.doses if row.id in due}
        became = {OpenDose.KEEP: {"due"}, OpenDose.CLOSE: {"cancelled"}, None: set()}
        assert fates == became[shown.open_dose]
        assert open_dose is None or not due or shown.open_dose == open_dose
        assert outcome.notice == shown.notice
        self._told("changed", outcome)

    @rule(moment=moments, interval=intervals, days=st.integers(0, 3), open_dose=open_doses)
    @precondition(lambda self: self._status() == "running")
    def change_soon(
        self, moment: Moment, interval: int, days: int, open_dose: OpenDose | None
    ) -> None:
        """Where it is tight: reminders of the old dose and of the new one meet."""
        self.change(moment, interval, days, open_dose)

    @rule(moment=moments, interval=intervals, days=ahead)
    @precondition(lambda self: self._status() == "paused")
    def resume(self, moment: Moment, interval: int, days: int) -> None:
        self._until(moment)
        decision = Decision(interval, self._today() + days * DAY)
        plan = read_plan(self.patient)

        def act() -> Outcome:
            return resume(self.patient.id, decision, plan.token, self.actor, self.now)

        if self._cannot_be(plan, decision):
            self._refused(Invalid, act)
            return
        outcome = act()
        self._note(decision, after_pause=True)
        self._judge()
        assert self._planned().date == decision.starts_on, "not on the date that was chosen"
        self._told("resumed", outcome)
        self._refused(Stale, act)

    @rule(moment=moments, days=st.integers(-1, 60))
    @precondition(lambda self: self._status() == "running")
    def pause(self, moment: Moment, days: int) -> None:
        self._until(moment)
        plan, review = read_plan(self.patient), self._today() + days * DAY

        def act() -> Outcome:
            return pause(self.patient.id, review, "low count", plan.token, self.actor, self.now)

        if days <= 0:
            self._refused(Invalid, act)
            return
        outcome = act()
        self._judge()
        self._told("paused", outcome)
        self._refused(Stale, act)

    @rule(moment=moments)
    @precondition(lambda self: self._status() in ("running", "paused"))
    def stop(self, moment: Moment) -> None:
        self._until(moment)
        plan = read_plan(self.patient)

        def act() -> Outcome:
            return stop(self.patient.id, "done", plan.token, self.actor, self.now)

        outcome = act()
        self._judge()
        self._told("stopped", outcome)
        self._refused(Stale, act)

    @rule(
        moment=moments,
        told=st.sampled_from([*Told]),
        days=st.integers(-1, 9),
        confirmed=st.booleans(),
        which=st.integers(0, 20),
    )
    def it_is_told_on_the_page(
        self, moment: Moment, told: Told, days: int, confirmed: bool, which: int
    ) -> None:
        """Of any dose, for the first time or corrected; by the patient, or a helper of theirs."""
        self._until(moment)
        doses = [row for row in self._doses() if row.state != "cancelled"]
        if not doses:
            return
        dose = doses[which % len(doses)]
        day = self._today() - days * DAY if told == Told.TAKEN else None
        telling = Telling(told, day, confirmed=confirmed)
        try:
            record_dose(self.patient.id, dose.id, telling, Source.PAGE, PATIENT, self.now)
        except (Conflict, Invalid):
            assert take_picture(self.patient.id) == self.seen, "refused, and yet something changed"
            return
        after = self._judge(dose.id)
        states = {Told.TAKEN: {"taken"}, Told.SKIPPED: {"skipped"}}
        taken_back = {"missed", "due" if dose.step else "planned"}
        became = after.dose[dose.id].state
        assert became in states.get(told, taken_back)
        if became == "missed":
            decided = self.decided[dose.schedule_id][-1].version.number
            over = after.instant(dose.date, "overdue") <= self.now
            rests = self.seen.schedules[-1].status != "running"
            ahead = any(row.date > dose.date and row.state in ENDED for row in after.doses)
            changed = self._number(dose) < decided
            assert over or rests or changed or ahead, "it could have been asked about"
        others = {row.id: row.state for row in self._former.doses if row.id != dose.id}
        if became == "planned" and dose.state != "planned":
            others |= {id_: "cancelled" for id_, state in others.items() if state == "planned"}
        assert {id_: after.dose[id_].state for id_ in others} == others, "one telling, one dose"

    @rule(moment=moments, minutes=st.sampled_from([60, 120, 240]))
    def they_wish_for_a_later_text_on_the_page(self, moment: Moment, minutes: int) -> None:
        self._until(moment)
        due = [row for row in self._doses() if row.state == "due"]
        for row in due[-1:]:
            wish_later(self.patient.id, row.id, minutes, PATIENT, self.now)
            after = self._judge()
            laters = [t for t in after.texts if t.dedup_key == f"dose:{row.id}:later"]
            assert len([t for t in laters if t.state != "cancelled"]) <= 1

    @rule(moment=moments)
    def days_go_by_and_all_that_fell_due_has_ended(self, moment: Moment) -> None:
        """Whatever came before, in whatever order: each ends in exactly one way, and what was
        missed has been put before the team."""
        self._until(moment)
        fell_due = {row.id for row in self.seen.doses if row.step or row.state == "due"}
        for _ in range(4):
            self.now += DAY
            self._clock()
        for id_ in fell_due:
            row = self.seen.dose[id_]
            assert row.state in ("taken", "skipped", "missed", "cancelled")
            assert (row.missed_because != "") == (row.state == "missed")
            if row.state == "missed":
                items = WorkItem.objects.filter(
                    patient=self.patient,
                    cause__in=["no_answer", "not_asked"],
                    notes__facts__dose=str(id_),
                )
                assert any(item.closed_at is None or item.outcome == "done" for item in items), (
                    "it waits for the team, or the team has dealt with it"
                )

    def _told(self, kind: str, outcome: Outcome) -> None:
        """The patient is told, or the team that the patient isn't; and what had left is named."""
        schedule = self.seen.schedules[-1]
        notice = outcome.notice
        rows = [
            row
            for row in self.seen.texts
            if row.id not in self._former.text and row.about_id == schedule.id
        ]
        if notice.leaves_at is None:
            assert not rows
            assert "held_back" in self.seen.open_causes
        else:
            (row,) = rows
            assert row.dedup_key.startswith(f"notice:{schedule.id}:{kind}:")
            assert (row.body, row.available_at, row.expires_at, row.state) == (
                notice.body, notice.leaves_at, notice.expires_at, "queued",
            )  # fmt: skip
        closed = {
            row.id
            for row in self._former.doses
            if row.state != "cancelled" and self.seen.dose[row.id].state == "cancelled"
        }
        left = {
            row.id
            for row in self._former.texts
            if row.about_id in closed and row.state in MAY_HAVE_GONE
        }
        assert left <= {row.id for row in outcome.too_late}, "had left, and nobody was told"

    def _refused(self, why: type[Exception], act: Any) -> None:
        with pytest.raises(why):
            act()
        assert take_picture(self.patient.id) == self.seen, "refused, and yet something changed"

    def _cannot_be(self, plan: Plan, decision: Decision) -> bool:
        last = plan.last_injection_on
        if decision.starts_on < self._today() or (last is not None and decision.starts_on <= last):
            return True
        if any(row.state in ENDED and decision.starts_on < row.date for row in self._doses()):
            return True
        due = [row.date for row in self._doses() if row.state == "due"]
        if not due or decision.open_dose is None:
            return False
        if decision.open_dose == OpenDose.CLOSE:
            return max(due) == decision.starts_on
        # Asked for a date that hasn't come yet where the patient travelled to.
        return max(due) > decision.starts_on


def test_any_story_keeps_what_must_hold(cast: Cast) -> None:
    cast.clinic.intervals = INTERVALS
    cast.clinic.save()
    profile = settings.default
    Story.cast = cast
    run_state_machine_as_test(
        Story,
        settings=settings(profile, max_examples=profile.max_examples // 4, stateful_step_count=15),
    )
