"""Stories that went wrong once, in the shortest form that was found."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.refusals import Invalid
from messaging.models import Sms
from reminders.dates.schedule import local_date
from reminders.models import Dose
from reminders.patients.enrolling import change_patient
from reminders.planning.steps import plan_doses
from reminders.schedules.effects import Decision, OpenDose
from reminders.schedules.plan import read_plan
from reminders.schedules.prescribing import change_interval, pause, start, stop
from tests.cast import NOW, Cast

DAY = timedelta(days=1)
TODAY = NOW.date()
NINE = NOW.replace(hour=9, minute=0)


def waiting(cast: Cast) -> list[str]:
    """What the texts that wait are: of a dose the step, of a notice its kind."""
    rows = Sms.objects.filter(owner_id=cast.ada.id, state="queued").order_by("id")
    return [row.dedup_key.split(":")[2] for row in rows]


def arrive() -> None:
    Sms.objects.filter(state="queued").update(state="delivered")


def token(cast: Cast) -> str:
    return read_plan(cast.ada).token


def test_a_new_plan_takes_back_the_word_that_the_old_one_has_ended(cast: Cast) -> None:
    night = NOW.replace(hour=22)
    start(cast.ada.id, Decision(7, TODAY + 5 * DAY), None, cast.actor, night)
    stop(cast.ada.id, "done", token(cast), cast.actor, night)
    assert waiting(cast) == ["stopped"]
    start(cast.ada.id, Decision(7, TODAY + DAY), None, cast.actor, night)
    assert waiting(cast) == [], "tomorrow at nine: a reminder, not 'your plan has ended'"


def test_a_pause_takes_back_the_text_of_a_missed_dose(cast: Cast) -> None:
    start(cast.ada.id, Decision(7, TODAY), None, cast.actor, NOW)
    for days in (0, 1):
        plan_doses(NINE + days * DAY)
        arrive()
    plan_doses(NINE + 2 * DAY)
    assert waiting(cast) == ["overdue"]
    pause(cast.ada.id, TODAY + 9 * DAY, "", token(cast), cast.actor, NINE + 2 * DAY)
    assert "overdue" not in waiting(cast)


def test_the_days_reminder_goes_before_that_of_yesterday(cast: Cast) -> None:
    start(cast.ada.id, Decision(7, TODAY), None, cast.actor, NOW)
    plan_doses(NINE)
    arrive()
    decision = Decision(7, TODAY + DAY, open_dose=OpenDose.KEEP)
    change_interval(cast.ada.id, decision, token(cast), cast.actor, NINE)
    plan_doses(NINE + DAY)
    first = Dose.objects.get(schedule__patient=cast.ada, date=TODAY + DAY)
    asked = Sms.objects.filter(about_id=first.id).values_list("dedup_key", flat=True)
    assert list(asked) == [f"dose:{first.id}:day"]


def test_a_notice_that_waits_for_morning_waits_for_the_patients_morning(cast: Cast) -> None:
    night = NOW.replace(hour=22)
    start(cast.ada.id, Decision(7, TODAY + 9 * DAY), None, cast.actor, night)
    decision = Decision(14, TODAY + 9 * DAY)
    change_interval(cast.ada.id, decision, token(cast), cast.actor, night)
    zone = {"time_zone": "America/New_York"}
    patient = change_patient(cast.ada.id, zone, cast.actor, night).patient
    for row in Sms.objects.filter(owner_id=patient.id, state="queued"):
        assert time(8) <= row.available_at.astimezone(patient.zone).time() < time(21)


def test_the_token_names_the_dose_that_is_planned(cast: Cast) -> None:
    """After an outage a dose became due and was missed at once, so that none is open."""
    start(cast.ada.id, Decision(7, TODAY), None, cast.actor, NOW)
    seen = token(cast)
    plan_doses(NINE + 4 * DAY)
    assert token(cast) != seen


def test_the_first_new_date_is_not_lost_behind_a_dose_that_is_kept(cast: Cast) -> None:
    """Asked on the 5th in Samoa, then in New York, where it is the 4th still."""
    now = datetime(2027, 1, 4, 20, tzinfo=UTC)
    change_patient(cast.ada.id, {"time_zone": "Pacific/Apia"}, cast.actor, now)
    start(cast.ada.id, Decision(7, TODAY + DAY), None, cast.actor, now)
    plan_doses(now)
    patient = change_patient(
        cast.ada.id, {"time_zone": "America/New_York"}, cast.actor, now
    ).patient
    assert local_date(now, patient.zone) == TODAY
    decision = Decision(14, TODAY, open_dose=OpenDose.KEEP)
    with pytest.raises(Invalid):
        change_interval(patient.id, decision, token(cast), cast.actor, now)
