"""Decisions on a schedule, on the day and around it: what becomes of doses and of their texts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, Stale
from messaging.models import Sms
from messaging.states import State
from reminders.models import Dose, DoseState, ScheduleVersion, Status, WorkItem
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast

MONDAY = date(2027, 1, 4)


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """An instant in London's winter."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def start(cast: Cast, interval: int = 7, starts_on: date = MONDAY, now: datetime = NOW):
    return prescribing.start(cast.ada.id, Decision(interval, starts_on), None, cast.actor, now)


def change(cast: Cast, interval: int, starts_on: date, now: datetime, **more):
    return prescribing.change_interval(
        cast.ada.id,
        Decision(interval, starts_on, reason="good counts", **more),
        read_plan(cast.ada).token,
        cast.actor,
        now,
    )


def planned(cast: Cast) -> list[date]:
    return list(
        Dose.objects.filter(schedule__patient=cast.ada, state="planned").values_list(
            "date", flat=True
        )
    )


def texts(cast: Cast) -> list[tuple[str, str]]:
    """Step or kind of notice, and state, of all texts to Ada, oldest first."""
    return [
        (sms.dedup_key.split(":")[2], sms.state)
        for sms in Sms.objects.filter(owner_id=cast.ada.id).order_by("id")
    ]


def mark(state: State, **where: object) -> None:
    """As if messaging had brought the texts so far (its own tests show that it does)."""
    lease = {"lease_until": NOW, "sender": None} if state == State.SENDING else {}
    Sms.objects.filter(**where).update(state=state, **lease)


def test_start_plans_the_first_dose_and_no_text(cast):
    outcome = start(cast)
    assert planned(cast) == [MONDAY]
    assert outcome.plan.planned.next_step_at == at(MONDAY)
    assert texts(cast) == []
    assert AuditEntry.objects.filter(verb="start", subject_id=outcome.plan.schedule.id).count() == 1


def test_a_second_start_is_refused(cast):
    start(cast)
    with pytest.raises(Conflict) as refusal:
        start(cast)
    assert refusal.value.code == "already_started"


@pytest.mark.parametrize(
    ("interval", "starts_on", "field"),
    [
        (10, MONDAY, "interval_days"),
        (0, MONDAY, "interval_days"),
        (7, MONDAY - timedelta(days=1), "starts_on"),
        (7, date(2028, 1, 6), "starts_on"),
        (7, date.max, "starts_on"),
        (7, date.min, "starts_on"),
    ],
)
def test_what_cannot_be_meant_names_its_field(cast, interval, starts_on, field):
    with pytest.raises(Invalid) as refusal:
        start(cast, interval, starts_on)
    assert refusal.value.field == field
    assert not Dose.objects.exists()


def test_a_start_on_or_before_the_last_injection_is_refused(cast):
    with pytest.raises(Invalid) as refusal:
        prescribing.start(cast.ada.id, Decision(7, MONDAY), MONDAY, cast.actor, NOW)
    assert refusal.value.code == "after_last_injection"


def test_the_ladder_of_an_unanswered_dose(cast):
    start(cast)
    plan_doses(at(MONDAY, 8, 59))
    assert texts(cast) == []
    for day, expected in [
        (0, [("day", "queued")]),
        (1, [("day", "delivered"), ("next", "queued")]),
        (2, [("day", "delivered"), ("next", "delivered"), ("overdue", "queued")]),
    ]:
        plan_doses(at(MONDAY + timedelta(days=day)))
        plan_doses(at(MONDAY + timedelta(days=day), 9, 1))
        assert texts(cast) == expected
        mark(State.DELIVERED)
    dose = Dose.objects.get(date=MONDAY)
    assert (dose.state, dose.missed_because) == ("missed", "no_answer")
    assert planned(cast) == [MONDAY + timedelta(days=7)]
    assert [item.cause for item in WorkItem.objects.all()] == ["no_answer"]


def test_a_dose_whose_texts_never_arrived_is_missed_without_blame_or_text(cast):
    start(cast)
    for day in range(3):
        plan_doses(at(MONDAY + timedelta(days=day)))
        mark(State.FAILED)
    dose = Dose.objects.get(date=MONDAY)
    assert (dose.state, dose.missed_because) == ("missed", "not_asked")
    assert [step for step, _ in texts(cast)] == ["day", "next"]
    assert [item.cause for item in WorkItem.objects.all()] == ["not_asked"]


def test_nothing_floods_after_nine_days_of_silence(cast):
    start(cast)
    plan_doses(at(MONDAY + timedelta(days=9), 10))
    states = dict(Dose.objects.values_list("date", "state"))
    assert states == {
        MONDAY: "missed",
        MONDAY + timedelta(days=7): "missed",
        MONDAY + timedelta(days=14): "planned",
    }
    assert texts(cast) == []
    assert [item.cause for item in WorkItem.objects.all()] == ["not_asked"]


def test_a_late_tick_of_the_same_day_still_asks_once(cast):
    start(cast)
    plan_doses(at(MONDAY, 20, 59))
    plan_doses(at(MONDAY, 20, 59))
    assert texts(cast) == [("day", "queued")]
    sms = Sms.objects.get()
    assert (sms.available_at, sms.expires_at) == (at(MONDAY, 20, 59), at(MONDAY, 21))


class TestChangeBeforeTheDay:
    def test_the_planned_dose_moves_and_the_history_stays(self, cast):
        start(cast)
        outcome = change(cast, 21, date(2027, 1, 11), at(MONDAY, 8, 45))
        assert planned(cast) == [MONDAY], "today is still the old version's"
        assert outcome.too_late == []
        plan_doses(at(MONDAY))
        assert planned(cast) == [date(2027, 1, 11)]
        assert ScheduleVersion.objects.count() == 2

    def test_the_new_start_takes_the_place_of_the_old_dates(self, cast):
        start(cast)
        change(cast, 14, MONDAY, at(MONDAY, 8, 45))
        assert planned(cast) == [MONDAY]
        assert Dose.objects.get(state="planned").version.number == 2
        plan_doses(at(MONDAY))
        assert planned(cast) == [MONDAY + timedelta(days=14)]

    def test_decided_twice_with_the_later_one_starting_earlier(self, cast):
        start(cast, starts_on=MONDAY)
        plan_doses(at(MONDAY))
        change(cast, 21, date(2027, 2, 1), at(MONDAY, 10))
        change(cast, 14, date(2027, 1, 20), at(MONDAY, 10, 1))
        seen = []
        now = at(MONDAY, 11)
        for _ in range(6):
            seen += planned(cast)
            now = Dose.objects.get(state="planned").next_step_at
            plan_doses(now)
        assert seen == [
            date(2027, 1, 11),
            date(2027, 1, 20),
            date(2027, 2, 3),
            date(2027, 2, 17),
            date(2027, 3, 3),
            date(2027, 3, 17),
        ]


class TestChangeWithAnOpenDose:
    @pytest.mark.parametrize(
        ("state", "late"),
        [
            (State.QUEUED, []),
            (State.ACCEPTED, ["day"]),
            (State.SENT, ["day"]),
            (State.DELIVERED, ["day"]),
            (State.FAILED, ["day"]),
        ],
    )
    def test_closing_it_cancels_its_text_or_says_it_was_on_its_way(self, cast, state, late):
        start(cast)
        plan_doses(at(MONDAY))
        mark(state)
        outcome = change(cast, 14, MONDAY + timedelta(days=2), at(MONDAY, 9, 5))
        assert Dose.objects.get(date=MONDAY).state == DoseState.CANCELLED
        assert [sms.dedup_key.split(":")[2] for sms in outcome.too_late] == late
        if not late:
            assert texts(cast)[0] == ("day", "cancelled")

    def test_kept_it_goes_on_being_asked_for(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        mark(State.DELIVERED)
        change(cast, 14, MONDAY + timedelta(days=14), at(MONDAY, 9, 5))
        assert Dose.objects.get(date=MONDAY).state == DoseState.DUE
        plan_doses(at(MONDAY + timedelta(days=1)))
        assert ("next", "queued") in texts(cast)

    def test_near_a_new_start_it_can_be_kept_by_will(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        soon = MONDAY + timedelta(days=3)
        change(cast, 14, soon, at(MONDAY, 9, 5), open_dose=OpenDose.KEEP)
        assert Dose.objects.get(date=MONDAY).state == DoseState.DUE

    def test_one_of_the_new_start_is_its_first_dose(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        change(cast, 21, MONDAY, at(MONDAY, 9, 5))
        assert Dose.objects.get(date=MONDAY).state == DoseState.DUE
        assert planned(cast) == [MONDAY + timedelta(days=21)]
        with pytest.raises(Invalid):
            change(cast, 14, MONDAY, at(MONDAY, 9, 6), open_dose=OpenDose.CLOSE)

    def test_a_closed_one_is_not_planned_again_by_a_further_change(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        change(cast, 14, MONDAY + timedelta(days=2), at(MONDAY, 9, 5))
        change(cast, 14, MONDAY + timedelta(days=3), at(MONDAY, 9, 6))
        assert planned(cast) == [MONDAY + timedelta(days=3)]

    def test_dates_of_the_old_plan_too_near_the_new_start_go_unless_kept(self, cast):
        start(cast)
        soon, near = MONDAY + timedelta(days=9), MONDAY + timedelta(days=7)
        preview = prescribing.preview_change(cast.ada, Decision(14, soon), cast.actor, NOW)
        assert preview.after[:2] == [MONDAY, soon]
        assert preview.cautions == []
        keeping = Decision(14, soon, open_dose=OpenDose.KEEP)
        preview = prescribing.preview_change(cast.ada, keeping, cast.actor, NOW)
        assert preview.after[:3] == [MONDAY, near, soon]
        assert [caution.code for caution in preview.cautions] == ["gap_short"]


class TestPauseResumeStop:
    def pause(self, cast, now, review_on=date(2027, 2, 1)):
        return prescribing.pause(
            cast.ada.id, review_on, "low counts", read_plan(cast.ada).token, cast.actor, now
        )

    def resume(self, cast, now, starts_on, interval=7):
        return prescribing.resume(
            cast.ada.id, Decision(interval, starts_on), read_plan(cast.ada).token, cast.actor, now
        )

    def test_a_pause_leaves_nothing_planned_and_nothing_queued(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        self.pause(cast, at(MONDAY, 9, 1))
        assert planned(cast) == []
        assert texts(cast)[0] == ("day", "cancelled")
        plan_doses(at(MONDAY + timedelta(days=30)))
        assert [step for step, _ in texts(cast)] == ["day", "paused"]

    def test_a_pause_needs_a_review_ahead(self, cast):
        start(cast)
        with pytest.raises(Invalid) as refusal:
            self.pause(cast, NOW, review_on=MONDAY)
        assert refusal.value.field == "review_on"

    def test_resumed_on_the_day_of_a_closed_dose_it_starts_that_day(self, cast):
        start(cast)
        plan_doses(at(MONDAY))
        self.pause(cast, at(MONDAY, 9, 1))
        self.resume(cast, at(MONDAY, 9, 2), MONDAY)
        assert planned(cast) == [MONDAY]

    def test_resume_starts_where_the_clinician_said(self, cast):
        start(cast)
        self.pause(cast, NOW)
        outcome = self.resume(cast, NOW + timedelta(days=20), date(2027, 1, 27), 14)
        assert planned(cast) == [date(2027, 1, 27)]
        assert outcome.plan.schedule.status == Status.RUNNING
        assert outcome.plan.schedule.review_on is None

    def test_only_what_runs_is_paused_and_only_what_is_paused_resumes(self, cast):
        start(cast)
        with pytest.raises(Conflict):
            self.resume(cast, NOW, MONDAY)
        self.pause(cast, NOW)
        with pytest.raises(Conflict):
            change(cast, 14, MONDAY, NOW)
        prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NOW)
        with pytest.raises(Conflict):
            self.pause(cast, NOW)

    def test_a_review_is_put_off_without_a_word_to_the_patient(self, cast):
        start(cast)
        self.pause(cast, NOW)
        told, token = texts(cast), read_plan(cast.ada).token
        later = date(2027, 3, 1)
        outcome = self.pause(cast, NOW + timedelta(days=2), later)
        assert (outcome.notice, outcome.too_late) == (None, [])
        assert outcome.plan.schedule.review_on == read_plan(cast.ada).schedule.review_on == later
        assert texts(cast) == told
        assert [entry.verb for entry in AuditEntry.objects.order_by("id")][-1] == "put_review_off"
        # Whoever decided on the former date has to look again.
        with pytest.raises(Stale):
            prescribing.pause(cast.ada.id, date(2027, 2, 8), "", token, cast.actor, NOW)
        with pytest.raises(Invalid):
            self.pause(cast, NOW, review_on=MONDAY)

    def test_a_stopped_schedule_stays_and_a_new_one_may_start(self, cast):
        start(cast)
        prescribing.stop(cast.ada.id, "moved away", read_plan(cast.ada).token, cast.actor, NOW)
        assert planned(cast) == []
        assert texts(cast) == [("stopped", "queued")]
        start(cast, 21)
        assert planned(cast) == [MONDAY]


def test_a_decision_on_an_older_state_is_refused_and_shows_the_new_one(cast):
    start(cast)
    token = read_plan(cast.ada).token
    change(cast, 14, MONDAY, NOW)
    with pytest.raises(Stale) as refusal:
        prescribing.change_interval(cast.ada.id, Decision(21, MONDAY), token, cast.actor, NOW)
    assert refusal.value.facts["plan"].version.interval_days == 14
    assert ScheduleVersion.objects.count() == 2


def test_a_dose_that_became_due_meanwhile_makes_a_decision_stale(cast):
    start(cast)
    token = read_plan(cast.ada).token
    plan_doses(at(MONDAY))
    with pytest.raises(Stale):
        prescribing.change_interval(cast.ada.id, Decision(21, MONDAY), token, cast.actor, NOW)


class TestNotices:
    def test_a_change_in_the_night_is_told_in_the_morning(self, cast):
        start(cast, starts_on=date(2027, 1, 20))
        outcome = change(cast, 21, date(2027, 1, 27), at(MONDAY, 3))
        assert outcome.notice.leaves_at == at(MONDAY, 9)
        assert "every 3 weeks" in outcome.notice.body
        assert "Wednesday 27 January" in outcome.notice.body

    def test_a_second_change_takes_back_the_first_notice(self, cast):
        start(cast, starts_on=date(2027, 1, 20))
        change(cast, 21, date(2027, 1, 27), at(MONDAY, 3))
        change(cast, 14, date(2027, 1, 27), at(MONDAY, 3, 1))
        assert texts(cast) == [("changed", "cancelled"), ("changed", "queued")]

    def test_where_there_is_no_room_somebody_has_to_call(self, cast):
        start(cast)
        for day in range(3):
            plan_doses(at(MONDAY + timedelta(days=day)))
            mark(State.DELIVERED)
        outcome = change(cast, 14, date(2027, 1, 11), at(MONDAY + timedelta(days=3), 12))
        assert outcome.notice.leaves_at is None
        assert {item.cause for item in WorkItem.objects.all()} == {"no_answer", "held_back"}

    def test_it_leaves_the_room_that_all_reminders_to_come_need(self, cast):
        start(cast, 14)
        outcome = change(cast, 7, MONDAY + timedelta(days=6), at(MONDAY, 7))
        # Monday, Tuesday and Sunday have a text each: a fourth within seven days is one too many.
        assert outcome.notice.leaves_at is None
        for day in (0, 1):
            plan_doses(at(MONDAY + timedelta(days=day)))
            mark(State.DELIVERED)
        assert texts(cast) == [("day", "delivered"), ("next", "delivered")]

    def test_the_preview_shows_what_the_change_does(self, cast):
        start(cast)
        decision = Decision(14, date(2027, 1, 13))
        preview = prescribing.preview_change(cast.ada, decision, cast.actor, NOW)
        assert preview.before[:3] == [MONDAY, date(2027, 1, 11), date(2027, 1, 18)]
        assert preview.after[:3] == [MONDAY, date(2027, 1, 13), date(2027, 1, 27)]
        outcome = prescribing.change_interval(
            cast.ada.id, decision, preview.plan.token, cast.actor, NOW
        )
        assert outcome.notice == preview.notice
