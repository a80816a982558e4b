"""The worklist: what the care team does with its items, and what closes them by itself."""

from datetime import datetime, timedelta

import pytest

from accounts import audit
from accounts.models import AuditEntry, Role
from accounts.refusals import Conflict
from dev.environment import ROUTINE_NUMBER
from messaging import inbound, outbox
from messaging.claim import claim
from messaging.models import Scope, Sms, SmsEvent
from messaging.states import Finding as Evidence
from messaging.states import State
from reminders.conversation.hearing import hear
from reminders.conversation.news import take_news
from reminders.models import NEXT_STEP, URGENCY, Cause, Dose, Outcome, Urgency, WorkItem, WorkNote
from reminders.patients import enrolling
from reminders.patients.new_number import confirm_new_number
from reminders.planning.sweep import sweep
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items, settle_items
from tests.cast import NOW, Cast, make_patient, make_user
from tests.codes import code_sent

MINUTE = timedelta(minutes=1)
LATER = NOW + 5 * MINUTE
TEXT = "0198c0de-0000-7000-8000-000000007e87"


def item_of(cast: Cast, cause: Cause = Cause.NO_ANSWER, **facts: str) -> WorkItem:
    open_items([Finding(cast.ada.id, cause, facts)], NOW)
    return WorkItem.objects.get(cause=cause, closed_at=None)


def kinds(item: WorkItem) -> list[str]:
    return list(item.notes.order_by("id").values_list("kind", flat=True))


def colleague(cast: Cast) -> audit.Actor:
    return audit.by(cast.coordinator, "test")


def test_every_cause_has_a_next_step_and_an_urgency():
    assert set(NEXT_STEP) == set(Cause)
    assert [cause for cause, urgency in URGENCY.items() if urgency == Urgency.NOW] == [
        Cause.URGENT_SIGN
    ]


def test_an_item_is_taken_handed_back_noted_and_closed_each_with_a_note_and_an_audit_row(cast):
    item = item_of(cast)
    taken = attending.take(item.id, cast.actor, LATER)
    assert (taken.owner, taken.owned_until) == (cast.clinician, LATER + attending.LEASE)
    assert attending.owner_of(taken, LATER) == cast.clinician
    attending.add_note(item.id, "Rang twice.", cast.actor, LATER)
    assert attending.hand_back(item.id, cast.actor, LATER).owner is None
    closed = attending.close(item.id, Outcome.DONE, "Done at last.", colleague(cast), LATER)
    assert (closed.closed_by, closed.closed_at, closed.outcome) == (cast.coordinator, LATER, "done")
    assert kinds(item) == ["opened", "taken", "note", "handed_back", "closed"]
    last = item.notes.get(kind="closed")
    assert (last.text, last.by, last.at) == ("Done at last.", cast.coordinator, LATER)
    entries = AuditEntry.objects.filter(subject_id=item.id).order_by("id")
    assert [entry.verb for entry in entries] == [
        "take_item", "note_on_item", "hand_item_back", "close_item",
    ]  # fmt: skip
    assert "Rang" not in str([(entry.detail, entry.reason) for entry in entries])


def test_what_somebody_has_taken_is_theirs_until_the_lease_ends(cast):
    item = item_of(cast)
    attending.take(item.id, cast.actor, NOW)
    for verb in (
        lambda now: attending.take(item.id, colleague(cast), now),
        lambda now: attending.close(item.id, Outcome.DONE, "", colleague(cast), now),
    ):
        with pytest.raises(Conflict, match=r"Clinician looks after this item until 09:00") as no:
            verb(LATER)
        assert no.value.code == "taken"
    with pytest.raises(Conflict, match="Clinician"):
        attending.hand_back(item.id, colleague(cast), LATER)
    attending.add_note(item.id, "She rang us.", colleague(cast), LATER)
    over = NOW + attending.LEASE
    assert attending.take(item.id, colleague(cast), over).owner == cast.coordinator
    with pytest.raises(Conflict, match="Coordinator"):
        attending.take(item.id, cast.actor, over)


def test_taking_again_begins_the_lease_anew(cast):
    item = item_of(cast)
    attending.take(item.id, cast.actor, NOW)
    assert attending.take(item.id, cast.actor, LATER).owned_until == LATER + attending.LEASE


def test_what_nobody_took_cannot_be_handed_back_and_may_be_closed(cast):
    item = item_of(cast)
    with pytest.raises(Conflict) as no:
        attending.hand_back(item.id, cast.actor, LATER)
    assert no.value.code == "not_taken"
    attending.close(item.id, Outcome.NOT_NEEDED, "", cast.actor, LATER)
    for verb in (attending.take, attending.hand_back):
        with pytest.raises(Conflict, match="Nothing to do"):
            verb(item.id, cast.actor, LATER)
    with pytest.raises(Conflict):
        attending.close(item.id, Outcome.DONE, "", cast.actor, LATER)
    attending.add_note(item.id, "For the record.", cast.actor, LATER)
    assert kinds(item) == ["opened", "closed", "note"]


def test_doubles_merge_and_what_happens_after_closing_opens_anew(cast):
    item = item_of(cast, dose="1")
    open_items([Finding(cast.ada.id, Cause.NO_ANSWER, {"dose": "1"})], LATER)
    open_items([Finding(cast.ada.id, Cause.NO_ANSWER, {"dose": "2"})], LATER)
    item.refresh_from_db()
    assert (item.times, item.last_at, item.facts) == (2, LATER, {"dose": "2"})
    assert kinds(item) == ["opened", "merged"]
    attending.close(item.id, Outcome.DONE, "", cast.actor, LATER)
    open_items([Finding(cast.ada.id, Cause.NO_ANSWER, {"dose": "2"})], LATER)
    assert WorkItem.objects.count() == 2


def test_a_finding_leaves_a_taken_item_with_who_took_it(cast):
    item = item_of(cast, dose="1")
    attending.take(item.id, cast.actor, NOW)
    item_of(cast, dose="2")
    item.refresh_from_db()
    assert (item.owner, item.next_page_at) == (cast.clinician, None)


# --- What closes itself ---------------------------------------------------------------------------


def settled(item: WorkItem) -> str:
    """Why an item closed by itself, "" while it is open."""
    item.refresh_from_db()
    if item.closed_at is None:
        return ""
    assert (item.outcome, item.closed_by, item.owner) == ("by_event", None, None)
    return str(item.notes.get(kind="closed").facts["because"])


def text_us(cast: Cast, body: str, sid: str, at: datetime = NOW) -> None:
    sender = cast.sender
    assert sender.number == ROUTINE_NUMBER
    assert inbound.store(sender, sid, cast.ada.number, body, at)
    hear(at)


def test_start_after_stop_closes_what_stop_opened(cast):
    text_us(cast, "STOP", "SM1")
    item = WorkItem.objects.get(cause=Cause.OPTED_OUT)
    attending.take(item.id, cast.actor, NOW)
    text_us(cast, "hello", "SM2")
    assert settled(item) == ""
    text_us(cast, "START", "SM3", NOW + timedelta(minutes=1))
    item.refresh_from_db()
    assert (item.outcome, item.owner, item.next_page_at) == ("by_event", None, None)
    assert kinds(item) == ["opened", "taken", "closed"]


def paused(cast: Cast) -> WorkItem:
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    review = NOW.date() + timedelta(days=1)
    prescribing.pause(cast.ada.id, review, "", read_plan(cast.ada).token, cast.actor, NOW)
    sweep(NOW + timedelta(days=1))
    return WorkItem.objects.get(cause=Cause.REVIEW_DUE)


def test_resuming_closes_the_review(cast):
    item, token = paused(cast), read_plan(cast.ada).token
    now = NOW + timedelta(days=1)
    prescribing.resume(cast.ada.id, Decision(7, now.date()), token, cast.actor, now)
    assert settled(item) == "The schedule was resumed."


def test_putting_it_off_closes_the_review_until_its_new_day(cast):
    item, token = paused(cast), read_plan(cast.ada).token
    now, review = NOW + timedelta(days=1), NOW.date() + timedelta(days=9)
    prescribing.pause(cast.ada.id, review, "", token, cast.actor, now)
    assert settled(item) == "The review was put off."
    due = WorkItem.objects.filter(cause=Cause.REVIEW_DUE, closed_at=None)
    sweep(now + timedelta(days=7))
    assert not due.exists()
    sweep(now + timedelta(days=8))
    assert due.count() == 1


def test_stopping_closes_the_review(cast):
    item = paused(cast)
    prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NOW)
    assert settled(item) == "The schedule was stopped."


def test_a_new_number_closes_what_the_former_one_did_not_get(cast):
    item, other = item_of(cast, Cause.UNDELIVERED, text=TEXT), item_of(cast, Cause.NO_ANSWER)
    enrolling.change_patient(cast.ada.id, {"name": "Ada"}, cast.actor, NOW)
    assert settled(item) == ""
    enrolling.change_patient(cast.ada.id, {"number": "07700 900002"}, cast.actor, NOW)
    assert settled(item) == "", "nobody has confirmed it yet"
    confirm_new_number(cast.ada.id, code_sent("+447700900002"), cast.actor, NOW)
    assert settled(item) == "The number was changed."
    assert settled(other) == ""


@pytest.mark.parametrize(
    ("cause", "bad", "good"),
    [
        (Cause.SEND_UNKNOWN, State.EXPIRED, State.ACCEPTED),
        (Cause.SEND_UNKNOWN, State.EXPIRED, State.DELIVERED),
        (Cause.UNDELIVERED, State.UNDELIVERED, State.DELIVERED),
    ],
)
def test_a_text_that_turns_out_to_have_arrived_closes_what_it_opened(cast, cause, bad, good):
    both = [queue_to(cast, key) for key in ("a", "b")]
    for sms in both:
        nobody_knows(sms)
        ends(sms, bad)
    item = WorkItem.objects.get(cause=cause)
    assert item.times == 2
    ends(both[0], good)
    assert settled(item) == "", "the other one did not arrive"
    ends(both[1], good)
    assert settled(item) == "The texts were taken after all."


def test_a_refusal_for_a_stop_says_so(cast):
    sms = queue_to(cast, "a")
    Sms.objects.filter(id=sms.id).update(error_code=21610)
    ends(sms, State.FAILED)
    assert WorkItem.objects.get().cause == Cause.OPTED_OUT


def refused(cast: Cast) -> WorkItem:
    """Ada's number is refused for good, and her worklist says so."""
    sms = queue_to(cast, "refused")
    Sms.objects.filter(id=sms.id).update(error_code=21211, claimed_at=NOW)
    ends(sms, State.FAILED)
    return WorkItem.objects.get(patient=cast.ada, closed_at=None)


def test_a_number_that_is_refused_for_good_gets_nothing_until_somebody_closes_the_item(cast):
    item = refused(cast)
    assert item.cause == Cause.NUMBER_UNREACHABLE
    sms = queue_to(cast, "next")
    Sms.objects.filter(id=sms.id).update(available_at=NOW, expires_at=LATER)
    assert claim("routine", NOW) == []
    sms.refresh_from_db()
    assert sms.state == State.SUPPRESSED
    take_news(NOW)
    assert WorkItem.objects.get() == item, "that is no stop of the patient's"
    attending.close(item.id, Outcome.DONE, "", cast.actor, LATER)
    again = queue_to(cast, "after")
    assert [text.id for text in claim("routine", NOW)] == [again.id]


def test_closing_it_takes_back_no_stop_that_came_since(cast):
    item = refused(cast)
    inbound.say("care", cast.ada.number, opted_out=True, said_at=NOW + timedelta(minutes=1))
    attending.close(item.id, Outcome.DONE, "", cast.actor, LATER)
    assert inbound.opted_out(Scope.CARE, [cast.ada.number])


def test_whoever_shares_a_refused_phone_is_told_of_too(cast):
    make_patient(cast.clinic, cast.clinician, name="Bea Example")
    refused(cast)
    found = WorkItem.objects.filter(cause=Cause.NUMBER_UNREACHABLE)
    assert len({item.patient_id for item in found}) == 2


def queue_to(cast: Cast, key: str) -> Sms:
    text = outbox.Text(
        scope=Scope.CARE, owner_id=cast.ada.id, about_id=cast.ada.id, dedup_key=key,
        to=cast.ada.number, body=key, available_at=NOW, expires_at=LATER,
    )  # fmt: skip
    outbox.queue([text], NOW)
    return Sms.objects.get(dedup_key=key)


def nobody_knows(sms: Sms) -> None:
    SmsEvent.objects.create(sms=sms, attempt=1, source="settle", status=Evidence.USE_OVER)


def ends(sms: Sms, state: State) -> None:
    """As evidence.advance leaves it: told when it ends badly, and when that was wrong."""
    Sms.objects.filter(id=sms.id).update(state=state, untaken=True)
    take_news(NOW)


def test_a_plan_that_is_whole_again_closes_what_its_absence_opened(cast):
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    dose = Dose.objects.get()
    Dose.objects.update(state="cancelled", next_step_at=None)
    sweep(NOW)
    item = WorkItem.objects.get(cause=Cause.NO_PLAN)
    sweep(NOW)
    assert settled(item) == ""
    Dose.objects.create(
        schedule=dose.schedule, version=dose.version, date=dose.date, next_step_at=LATER
    )
    sweep(NOW)
    assert settled(item) == "The plan is whole again."


def test_a_dose_that_is_not_stuck_any_more_closes_what_its_failing_opened(cast):
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    Dose.objects.update(trouble=3)
    item = item_of(cast, Cause.PLAN_FAILED)
    sweep(NOW)
    assert settled(item) == ""
    prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NOW)
    sweep(NOW)
    assert settled(item) == "The plan is whole again."


def test_what_the_daily_count_found_late_stays_for_somebody_to_look_at(cast):
    item = item_of(cast, Cause.NO_PLAN, date="2027-01-04")
    sweep(NOW)
    assert settled(item) == ""


def test_settling_leaves_others_items_alone(cast):
    item = item_of(cast)
    settle_items([cast.ada.id], [Cause.CALL_ME], NOW, because="x")
    settle_items([cast.clinic.id], [Cause.NO_ANSWER], NOW, because="x")
    assert settled(item) == ""
    assert not WorkNote.objects.filter(kind="closed").exists()


def test_a_member_who_is_nobody_in_the_cast_may_be_an_owner(cast):
    other = make_user("other@example.org", cast.clinic, Role.COORDINATOR)
    assert attending.take(item_of(cast).id, audit.by(other, "t"), NOW).owner == other


def test_two_findings_at_once_are_both_noted(cast):
    """As after an outage that swallowed two doses: the one told of must not close the other's."""
    facts = [{"dose": "one", "date": "2027-01-04"}, {"dose": "two", "date": "2027-01-11"}]
    open_items([Finding(cast.ada.id, Cause.NOT_ASKED, each) for each in facts], NOW)
    item = WorkItem.objects.get()
    assert item.facts == facts[1]
    assert [(note.kind, note.facts) for note in item.notes.order_by("id")] == [
        ("opened", facts[0]),
        ("merged", facts[1]),
    ]
