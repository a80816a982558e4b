"""Another clinic takes a patient over: closed here and enrolled there, with the same dates."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts import audit
from accounts.access import May
from accounts.models import AuditEntry, Membership, User
from accounts.refusals import Conflict, Invalid, NotFound
from messaging.models import Sms
from messaging.states import State
from reminders.doses.recording import Telling, record_dose
from reminders.models import (
    Cause,
    Dose,
    DoseRecord,
    NumberChange,
    Patient,
    Schedule,
    ScheduleVersion,
    Source,
    Told,
    Transfer,
    WorkItem,
)
from reminders.patients import transfers
from reminders.patients.enrolling import change_patient
from reminders.patients.new_number import ask_new_number
from reminders.planning.steps import plan_doses
from reminders.reading import care
from reminders.reading.own import own_dose, own_past
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.injections import last_site
from reminders.schedules.notices import slot
from reminders.schedules.plan import read_plan
from reminders.worklist.items import Finding, open_items
from tests.cast import NOW, make_clinic, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
NUMBER = "+447700900001"


@pytest.fixture
def they(cast):
    """A clinician of the other clinic as the one who acts."""
    return audit.by(cast.stranger, "there")


@pytest.fixture
def offered(cast) -> Transfer:
    """Ada, on her second decision, offered to the other clinic."""
    prescribing.start(cast.ada.id, Decision(7, MONDAY, "First."), MONDAY - WEEK, cast.actor, NOW)
    plan_doses(NINE)
    Sms.objects.update(state=State.DELIVERED, claimed_at=NINE)
    token = read_plan(cast.ada).token
    later = Decision(14, MONDAY + 2 * WEEK, "Stable.", "Hct 0.43 L/L")
    prescribing.change_interval(cast.ada.id, later, token, cast.actor, NINE)
    return transfers.offer(cast.ada.id, cast.other_clinic.id, "Moves.", cast.actor, NINE)


def accepted(offered: Transfer, they) -> Patient:
    became = transfers.accept(offered.id, they, NINE).became
    assert isinstance(became, Patient)
    return became


def decisions(patient: Patient) -> list[tuple]:
    rows = ScheduleVersion.objects.filter(schedule__patient=patient).order_by("number")
    return list(
        rows.values_list(
            *("number", "interval_days", "starts_on", "holds_from", "reason", "results"),
            *("decided_by", "decided_at"),
        )
    )


def open_doses(patient: Patient) -> list[tuple]:
    rows = Dose.objects.filter(schedule__patient=patient, next_step_at__isnull=False)
    return list(rows.order_by("date").values_list("date", "state", "step", "next_step_at"))


def test_the_offer_alone_changes_nothing(cast, offered):
    assert Patient.objects.get(id=cast.ada.id).left_at is None
    assert Schedule.objects.get().status == "running"
    assert Sms.objects.filter(state="queued").exists()
    with pytest.raises(NotFound):
        care.patient_for(cast.stranger, cast.ada.id, May.SEE_PATIENTS)


def test_the_schedule_goes_on_with_the_same_decisions_and_dates(cast, offered, they):
    before, doses = decisions(cast.ada), open_doses(cast.ada)
    assert len(before) == 2
    assert [state for _, state, _, _ in doses] == ["due", "planned"]
    new = accepted(offered, they)
    assert decisions(new) == before
    assert open_doses(new) == doses
    plan = read_plan(new)
    assert (plan.schedule.status, plan.schedule.last_injection_on) == ("running", MONDAY - WEEK)


def test_the_person_is_the_same_at_the_other_clinic(cast, offered, they):
    new = accepted(offered, they)
    same = ("name", "time_zone", "language", "hour", "wording", "consent_on", "consent_source")
    assert [getattr(new, name) for name in same] == [getattr(cast.ada, name) for name in same]
    assert (new.clinic, new.number, new.reference) == (cast.other_clinic, NUMBER, "")
    assert care.patient_for(cast.stranger, new.id, May.PRESCRIBE)
    with pytest.raises(NotFound):
        care.patient_for(cast.clinician, new.id, May.SEE_PATIENTS)


def test_where_they_were_all_is_closed_and_stays_readable(cast, offered, they):
    accepted(offered, they)
    former = care.patient_for(cast.clinician, cast.ada.id, May.SEE_PATIENTS)
    assert (former.left_at, former.number) == (NINE, "")
    plan = read_plan(former)
    assert (plan.schedule.status, plan.due, plan.planned) == ("stopped", [], None)
    assert not Sms.objects.filter(owner_id=cast.ada.id, state="queued").exists()
    for act in (
        lambda: change_patient(cast.ada.id, {"name": "X"}, cast.actor, NINE),
        lambda: prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NINE),
        lambda: transfers.offer(cast.ada.id, cast.other_clinic.id, "", cast.actor, NINE),
        lambda: transfers.accept(offered.id, they, NINE),
    ):
        with pytest.raises(Conflict) as refusal:
            act()
        assert refusal.value.code == "left"


def test_the_other_clinic_reminds_from_now_on_and_the_first_no_more(cast, offered, they):
    new = accepted(offered, they)
    for days in range(1, 16):
        plan_doses(NINE + timedelta(days=days))
    since = Sms.objects.filter(dedup_key__startswith="dose:").exclude(state="cancelled")
    assert {sms.owner_id for sms in since if sms.queued_at > NINE} == {new.id}
    assert all("Elsewhere" in sms.body for sms in since if sms.owner_id == new.id)


def test_texts_of_the_first_clinic_count_for_the_others_limits(cast, offered, they):
    new = accepted(offered, they)
    found = slot(new, [], NINE + timedelta(hours=1))
    assert found is not None
    assert found[0] == NINE + timedelta(days=1)


def test_both_clinics_trails_have_it(cast, offered, they):
    new = accepted(offered, they)
    rows = AuditEntry.objects.filter(verb__startswith="transfer_").order_by("verb")
    assert list(rows.values_list("verb", "clinic", "subject_id", "user")) == [
        ("transfer_in", cast.other_clinic.id, new.id, cast.stranger.id),
        ("transfer_out", cast.clinic.id, cast.ada.id, cast.stranger.id),
    ]


def test_a_pause_goes_along(cast, they):
    prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
    token = read_plan(cast.ada).token
    prescribing.pause(cast.ada.id, MONDAY + WEEK, "", token, cast.actor, NOW)
    offer = transfers.offer(cast.ada.id, cast.other_clinic.id, "", cast.actor, NOW)
    plan = read_plan(accepted(offer, they))
    assert (plan.schedule.status, plan.schedule.review_on) == ("paused", MONDAY + WEEK)


@pytest.mark.parametrize("stopped", [False, True])
def test_without_a_schedule_that_goes_on_only_the_person_goes(cast, they, stopped):
    if stopped:
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NOW)
    offer = transfers.offer(cast.ada.id, cast.other_clinic.id, "", cast.actor, NOW)
    new = accepted(offer, they)
    assert not Schedule.objects.filter(patient=new).exists()


def test_the_last_injection_that_was_told_goes_along(cast, offered, they):
    dose = Dose.objects.get(state="due")
    Dose.objects.filter(id=dose.id).update(state="taken", next_step_at=None)
    DoseRecord.objects.create(
        dose=dose, number=1, told="taken", taken_on=MONDAY, source="text", recorded_at=NINE
    )
    assert read_plan(accepted(offered, they)).schedule.last_injection_on == MONDAY


def test_a_phone_that_is_shared_stays_with_its_clinic(cast, offered, they):
    make_patient(cast.clinic, cast.clinician, name="Her husband")
    with pytest.raises(Conflict) as refusal:
        transfers.accept(offered.id, they, NINE)
    assert refusal.value.code == "number_in_use"
    assert Patient.objects.get(id=cast.ada.id).number == NUMBER
    assert Schedule.objects.get().status == "running"


def test_a_number_that_waits_for_its_code_does_not_go_along(cast, offered, they):
    change = ask_new_number(cast.ada.id, "07700 900007", cast.actor, NINE)
    accepted(offered, they)
    assert change is not None
    assert NumberChange.objects.get(id=change.id).outcome == "replaced"
    assert Sms.objects.get(about_id=change.id).state == "cancelled"


def test_and_back_again(cast, offered, they):
    new = accepted(offered, they)
    back = transfers.offer(new.id, cast.clinic.id, "", they, NINE)
    again = transfers.accept(back.id, cast.actor, NINE).became
    assert again is not None
    assert (again.clinic, again.number) == (cast.clinic, NUMBER)
    assert decisions(again) == decisions(cast.ada)
    assert Patient.objects.filter(number=NUMBER).count() == 1


@pytest.mark.parametrize("verb", [transfers.decline, transfers.withdraw])
def test_an_offer_that_ended_stands_no_more(cast, offered, they, verb):
    actor = they if verb is transfers.decline else cast.actor
    ended = verb(offered.id, actor, NINE)
    for again in (transfers.accept, transfers.decline, transfers.withdraw):
        with pytest.raises(Conflict) as refusal:
            again(offered.id, they, NINE)
        assert refusal.value.code == ended.state
    assert transfers.offer(cast.ada.id, cast.other_clinic.id, "", cast.actor, NINE)


def test_who_can_be_offered_what(cast, offered):
    third = make_clinic("Third", phone="+442079460777")
    with pytest.raises(Conflict):
        transfers.offer(cast.ada.id, third.id, "", cast.actor, NINE)
    transfers.withdraw(offered.id, cast.actor, NINE)
    with pytest.raises(Invalid) as refusal:
        transfers.offer(cast.ada.id, cast.clinic.id, "", cast.actor, NINE)
    assert refusal.value.field == "clinic"
    with pytest.raises(NotFound):
        transfers.offer(cast.ada.id, cast.ada.id, "", cast.actor, NINE)


def test_no_membership_comes_of_it(cast, offered, they):
    accepted(offered, they)
    assert Membership.objects.count() == User.objects.count() == 4


def test_what_waits_on_the_worklist_goes_along_and_pages_there(cast, offered, they):
    found = [Finding(cast.ada.id, Cause.URGENT_SIGN, {"signs": ["fever"]}),
             Finding(cast.ada.id, Cause.NO_PLAN)]  # fmt: skip
    open_items(found, NINE)
    new = accepted(offered, they)
    assert not WorkItem.objects.filter(patient=cast.ada, closed_at=None).exists()
    item = WorkItem.objects.get(patient=new)
    assert (item.cause, item.clinic, item.closed_at) == ("urgent_sign", cast.other_clinic, None)
    assert item.next_page_at == NINE
    assert item.facts["signs"] == ["fever"]


def test_the_new_team_reads_one_history_of_injections(cast, offered, they):
    dose = Dose.objects.get(schedule__patient=cast.ada, state="due")
    telling = Telling(Told.TAKEN, MONDAY, site="thigh_left")
    record_dose(cast.ada.id, dose.id, telling, Source.STAFF, cast.actor, NINE)
    new = accepted(offered, they)
    history = care.doses_for(cast.stranger, new.id)
    assert [each.id for each in history if each.records.all()] == [dose.id]
    assert last_site(new, MONDAY + WEEK) == "thigh_left"
    with pytest.raises(NotFound):
        care.doses_for(cast.stranger, cast.ada.id)
    with pytest.raises(NotFound):
        own_dose(new, dose.id)  # theirs to read, not to change any more
    assert dose.id in {each.id for each in own_past(new, None)}
