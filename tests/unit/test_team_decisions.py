"""What the care team decides on its pages: seen before it is made, once, and by one of two."""

import re
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils.html import escape

from reminders.health import blood
from reminders.models import (
    BloodTest,
    Cause,
    Dose,
    DoseRecord,
    Injection,
    ScheduleVersion,
    WorkItem,
)
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from tests.cast import NOW, Cast
from tests.team import at_work

HOUR = NOW + timedelta(hours=1)
CHANGE = {"interval_days": "21", "starts_on": "2027-01-18", "reason": "Counts are stable."}


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cast's morning, once their hour has come."""
    monkeypatch.setattr("web.team.desk.timezone", SimpleNamespace(now=lambda: HOUR))


@pytest.fixture
def clinician(cast: Cast) -> Client:
    return at_work(cast.clinician)


@pytest.fixture
def coordinator(cast: Cast) -> Client:
    return at_work(cast.coordinator)


@pytest.fixture
def ada(cast: Cast) -> str:
    return f"/team/patients/{cast.ada.id}"


@pytest.fixture
def due(cast: Cast) -> Dose:
    """Ada's dose of today, which waits for an answer: weekly, and the last a week ago."""
    last = NOW.date() - timedelta(days=7)
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), last, cast.actor, NOW)
    plan_doses(NOW + timedelta(minutes=30))
    return Dose.objects.get(state="due")


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form that confirms."""
    form = page[page.index("/change/confirm") :]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


# --- A change of interval -------------------------------------------------------------------------


def test_a_change_is_seen_whole_and_then_made_once(cast, ada, due, clinician):
    entry = blood.Entry(BloodTest.PLATELETS, Decimal(312), "10*9/L", date(2027, 1, 3))
    result = blood.enter_result(cast.ada.id, entry, cast.actor, NOW)
    preview = clinician.post(f"{ada}/change", {**CHANGE, "results": [str(result.id)]})
    page = preview.content.decode()
    assert preview.status_code == 200
    assert "<b>14 days</b> from the last injection that is known, or was asked for" in page
    assert "every 3 weeks" in page
    assert "your plan has changed. New from Monday 18 January" in page
    assert "The open dose stays" in page
    gone = re.findall(r'<tr class="gone"><th scope="row"><time datetime="([^"]+)"', page)
    assert gone[:2] == ["2027-01-25", "2027-02-01"]
    assert ScheduleVersion.objects.count() == 1
    sent = hidden(page)
    assert sent["reason"] == CHANGE["reason"]
    for _ in range(2):  # a double click
        answer = clinician.post(f"{ada}/change/confirm", sent)
        assert answer.headers["Location"] == ada
    version = ScheduleVersion.objects.get(number=2)
    assert (version.interval_days, version.starts_on) == (21, date(2027, 1, 18))
    assert version.results == "Platelets 312 10⁹/L, Sun 3 Jan"
    assert "The plan is changed: every 3 weeks." in text(clinician, ada)


def test_of_two_who_change_at_once_the_second_sees_the_plan_as_it_is_then(
    cast, ada, due, clinician
):
    sent = hidden(clinician.post(f"{ada}/change", CHANGE).content.decode())
    other = Decision(14, date(2027, 1, 11))
    prescribing.change_interval(cast.ada.id, other, read_plan(cast.ada).token, cast.actor, NOW)
    answer = clinician.post(f"{ada}/change/confirm", sent)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was done" in page
    assert "From every 2 weeks to <b>every 3 weeks</b>" in page
    assert ScheduleVersion.objects.count() == 2
    assert clinician.post(f"{ada}/change/confirm", hidden(page)).status_code == 302
    assert ScheduleVersion.objects.get(number=3).interval_days == 21


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"interval_days": ""}, "interval_days", "Choose one of your clinic"),
        ({"interval_days": "10"}, "interval_days", "Choose one of your clinic"),
        ({"starts_on": "soon"}, "starts_on", "Type the date"),
        ({"starts_on": "2026-12-01"}, "starts_on", "Choose a first date from today"),
        ({"starts_on": "2030-01-01"}, "starts_on", "within a year"),
        ({"results": ["0198c0de-0000-7000-8000-000000000000"]}, "results", "Choose from these"),
        ({"open_dose": "forget"}, "open_dose", "Choose what becomes"),
        ({"reason": "x" * 2001}, "reason", "Shorten it"),
    ],
)
def test_what_cant_be_is_said_beside_its_field_and_words_are_kept(
    sent, field, words, cast, ada, due, clinician
):
    entry = blood.Entry(BloodTest.PLATELETS, Decimal(312), "10*9/L", date(2027, 1, 3))
    blood.enter_result(cast.ada.id, entry, cast.actor, NOW)
    form = {**CHANGE, "reason": "Tired of needles.", **sent}
    for path in ("change", "change/confirm"):
        answer = clinician.post(f"{ada}/{path}", form)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert f'id="{field}_wrong">' in page
        assert words in page[page.index(f'id="{field}_wrong">') :][:200]
        assert escape(form["reason"])[:40] in page
        assert "<title>Please mend this" in page
    assert ScheduleVersion.objects.count() == 1


def test_a_gap_outside_the_clinics_range_is_warned_of(ada, due, clinician):
    page = clinician.post(f"{ada}/change", {**CHANGE, "starts_on": "2027-01-06"}).content.decode()
    assert "less than your clinic&#x27;s 6" in page
    assert "The open dose is closed" in page


# --- Start, pause, resume, stop -----------------------------------------------------------------


def test_a_plan_is_started_once(cast, ada, clinician):
    assert f"{ada}/start" in text(clinician, ada)
    form = {"interval_days": "7", "starts_on": "2027-01-11", "last_injection_on": "2027-01-09",
            "reason": "First ones."}  # fmt: skip
    ahead = clinician.post(f"{ada}/start", form)
    assert ahead.status_code == 422
    assert 'id="last_injection_on_wrong"' in ahead.content.decode()
    assert "First ones." in ahead.content.decode()
    told = {**form, "last_injection_on": "2027-01-04", "key": "one"}
    for _ in range(2):
        assert clinician.post(f"{ada}/start", told).headers["Location"] == ada
    plan = read_plan(cast.ada)
    assert (plan.planned.date, plan.last_injection_on) == (date(2027, 1, 11), date(2027, 1, 4))
    again = clinician.post(f"{ada}/start", {**told, "key": "two"})
    assert again.status_code == 409
    assert "has a schedule already" in again.content.decode()


def test_a_pause_a_resumption_and_an_end(cast, ada, due, clinician):
    def token(verb: str) -> str:
        [found] = re.findall(r'name="token" value="(\w+)"', text(clinician, f"{ada}/{verb}"))
        return str(found)

    stale = token("pause")
    missing = clinician.post(f"{ada}/pause", {"token": stale, "reason": "Infection."})
    assert missing.status_code == 422
    assert 'id="review_on_wrong"' in missing.content.decode()
    past = {"token": stale, "review_on": "2027-01-01", "reason": "Infection."}
    refused = clinician.post(f"{ada}/pause", past)
    assert refused.status_code == 422
    assert "after today" in refused.content.decode()
    assert "Infection." in refused.content.decode()
    paused = {"token": stale, "review_on": "2027-02-01", "reason": "Infection."}
    assert clinician.post(f"{ada}/pause", paused).status_code == 302
    assert "Paused, to be looked at on" in text(clinician, ada)
    again = clinician.post(f"{ada}/stop", {"token": stale})
    assert again.status_code == 409
    assert "Somebody changed this schedule" in again.content.decode()
    on = {"token": token("resume"), "interval_days": "14", "starts_on": "2027-01-18"}
    assert clinician.post(f"{ada}/resume", on).status_code == 302
    assert read_plan(cast.ada).planned.date == date(2027, 1, 18)
    assert clinician.post(f"{ada}/stop", {"token": token("stop")}).status_code == 302
    assert read_plan(cast.ada).schedule.status == "stopped"


# --- Recording ------------------------------------------------------------------------------------


def test_a_dose_is_recorded_and_corrected_and_the_first_stays(cast, ada, due, coordinator):
    told = {"told": "taken", "taken_on": "2027-01-04", "taken_at": "08:40", "site": "thigh_left",
            "as_prescribed": "yes", "seen": "0"}  # fmt: skip
    assert coordinator.post(f"{ada}/doses/{due.id}", told).headers["Location"] == ada
    record = DoseRecord.objects.get()
    assert (record.source, record.recorded_by) == ("staff", cast.coordinator)
    assert record.as_prescribed is True
    meanwhile = {"told": "skipped", "seen": "0"}
    answer = coordinator.post(f"{ada}/doses/{due.id}", meanwhile)
    assert answer.status_code == 409
    assert "while you had this page open" in answer.content.decode()
    assert 'name="seen" value="1"' in answer.content.decode()
    assert coordinator.post(f"{ada}/doses/{due.id}", {**meanwhile, "seen": "1"}).status_code == 302
    assert [r.told for r in DoseRecord.objects.order_by("number")] == ["taken", "skipped"]
    assert "<s>Injected" in text(coordinator, f"{ada}/doses")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"told": ""}, "told"),
        ({"taken_on": ""}, "taken_on"),
        ({"taken_on": "2027-01-09"}, "taken_on"),
        ({"taken_at": "noonish"}, "taken_at"),
        ({"site": "arm_left"}, "site"),
        ({"note": "x" * 501}, "note"),
        ({"as_prescribed": "perhaps"}, "as_prescribed"),
    ],
)
def test_a_record_that_cant_be(sent, field, ada, due, coordinator):
    told = {"told": "taken", "taken_on": "2027-01-04", "note": "kept words", "seen": "0", **sent}
    answer = coordinator.post(f"{ada}/doses/{due.id}", told)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}_wrong">' in page
    assert told["note"][:60] in page
    assert not DoseRecord.objects.exists()


def test_a_second_dose_close_by_has_to_be_confirmed(cast, ada, due, coordinator):
    plan_doses(NOW + timedelta(days=7, hours=1))
    later = Dose.objects.get(date=date(2027, 1, 11))
    told = {"told": "taken", "taken_on": "2027-01-04", "seen": "0"}
    assert coordinator.post(f"{ada}/doses/{due.id}", told).status_code == 302
    asked = coordinator.post(f"{ada}/doses/{later.id}", told)
    assert asked.status_code == 409
    assert "closer to this one than your clinic" in asked.content.decode()
    assert DoseRecord.objects.count() == 1
    assert (
        coordinator.post(f"{ada}/doses/{later.id}", {**told, "confirmed": "on"}).status_code == 302
    )
    assert WorkItem.objects.filter(cause=Cause.SECOND_DOSE).exists()


def test_an_injection_without_a_dose_is_noted_and_taken_back(cast, ada, due, coordinator):
    path = f"{ada}/facts"
    of_a_dose = coordinator.post(path, {"taken_on": "2027-01-04"})
    assert of_a_dose.status_code == 409
    assert f"{ada}/doses/{due.id}" in of_a_dose.content.decode()
    nothing = coordinator.post(path, {"taken_on": "", "note": "kept words"})
    assert nothing.status_code == 422
    assert 'id="taken_on_wrong"' in nothing.content.decode()
    assert "kept words" in nothing.content.decode()
    told = {"taken_on": "2026-12-15", "site": "thigh_left", "as_prescribed": "no", "key": "one"}
    for _ in range(2):
        assert coordinator.post(path, told).headers["Location"] == path
    fact = Injection.objects.get()
    assert (fact.recorded_by, fact.as_prescribed) == (cast.coordinator, False)
    assert WorkItem.objects.filter(cause=Cause.NOT_AS_PRESCRIBED).exists()
    close = coordinator.post(path, {"taken_on": "2026-12-17"})
    assert close.status_code == 409
    assert "Both are true" in close.content.decode()
    assert coordinator.post(f"{path}/{fact.id}/take-back").status_code == 302
    assert "<s><b>" in text(coordinator, path)
    assert coordinator.post(f"{path}/{fact.id}/take-back").status_code == 409
