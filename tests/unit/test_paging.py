"""Paging: an urgent item climbs the rota until somebody takes it."""

from datetime import timedelta

import pytest

from accounts import audit
from accounts.models import Role, User
from messaging import inbound
from messaging.models import Sms
from messaging.states import State
from reminders.models import Cause, Outcome, Policy, WorkItem
from reminders.planning.alarms import alarms
from reminders.worklist import attending
from reminders.worklist.items import Finding, open_items
from reminders.worklist.paging import page_staff
from reminders.worklist.rota import Turn, rota_of, set_rota, token_of
from tests.cast import NOW, Cast, make_patient, make_user

MINUTE = timedelta(minutes=1)
FIRST, SECOND, THIRD = "+447700900201", "+447700900202", "+447700900203"


def urgent(cast: Cast, sign: str = "fever") -> WorkItem:
    open_items([Finding(cast.ada.id, Cause.URGENT_SIGN, {"sign": sign})], NOW)
    return WorkItem.objects.get()


def rota(cast: Cast, *turns: Turn) -> None:
    set_rota(cast.clinic, turns, token_of(rota_of(cast.clinic.id)), cast.actor, NOW)


@pytest.fixture
def staffed(cast: Cast) -> Cast:
    """The coordinator on the first rung, two on the third."""
    rota(
        cast,
        Turn(cast.coordinator.id, 1, FIRST),
        Turn(cast.clinician.id, 3, SECOND),
        Turn(cast.admin.id, 3, THIRD),
    )
    return cast


def paged(now) -> set[str]:
    """Whom a look at `now` pages."""
    before = set(Sms.objects.values_list("id", flat=True))
    page_staff(now)
    return set(Sms.objects.exclude(id__in=before).values_list("to", flat=True))


def names(now) -> list[str]:
    return [alarm.name for alarm in alarms(now)]


def test_it_climbs_rung_by_rung_and_then_pages_everybody_again_and_again(staffed):
    item = urgent(staffed)
    assert paged(NOW) == {FIRST}
    assert paged(NOW + 9 * MINUTE) == set()
    assert paged(NOW + 10 * MINUTE) == {SECOND, THIRD}
    for minutes in (20, 30, 40):
        assert paged(NOW + minutes * MINUTE) == {FIRST, SECOND, THIRD}
    notes = item.notes.filter(kind="paged").order_by("id")
    assert [len(note.facts["users"]) for note in notes] == [1, 2, 3, 3, 3]


def test_a_page_names_no_patient_and_no_illness(staffed):
    urgent(staffed)
    page_staff(NOW)
    page = Sms.objects.get()
    assert page.body == (
        "Dosecircle, St Example: somebody needs an urgent call. Open the worklist and take it."
    )
    assert (page.scope, page.lane, page.kind, page.asked_for) == ("staff", "urgent", "repeat", True)
    assert page.owner_id == staffed.coordinator.id
    assert page.expires_at == NOW + 10 * MINUTE


def test_the_clinic_says_how_long_a_rung_is_waited_for(staffed):
    Policy.objects.create(clinic=staffed.clinic, page_minutes=2)
    urgent(staffed)
    assert paged(NOW) == {FIRST}
    assert paged(NOW + 2 * MINUTE) == {SECOND, THIRD}


def test_taking_ends_it_and_a_lease_that_ended_goes_on(staffed):
    item = urgent(staffed)
    page_staff(NOW)
    attending.take(item.id, staffed.actor, NOW + MINUTE)
    assert Sms.objects.get().state == State.CANCELLED, "it waited still, and is of no use"
    assert paged(NOW + 30 * MINUTE) == set()
    assert paged(NOW + 31 * MINUTE) == {SECOND, THIRD}


def test_handing_back_pages_on_at_once_and_closing_ends_it_for_good(staffed):
    item = urgent(staffed)
    page_staff(NOW)
    attending.take(item.id, staffed.actor, NOW + MINUTE)
    attending.hand_back(item.id, staffed.actor, NOW + 2 * MINUTE)
    assert paged(NOW + 2 * MINUTE) == {SECOND, THIRD}
    attending.close(item.id, Outcome.DONE, "", staffed.actor, NOW + 3 * MINUTE)
    assert paged(NOW + 1000 * MINUTE) == set()


def test_news_of_a_taken_one_pages_its_owner_and_the_first_rung(staffed):
    item = urgent(staffed)
    page_staff(NOW)
    attending.take(item.id, audit.by(staffed.admin, "t"), NOW)
    urgent(staffed, "chest pain")
    assert paged(NOW + MINUTE) == {FIRST, THIRD}
    attending.take(item.id, audit.by(staffed.admin, "t"), NOW + 2 * MINUTE)
    assert paged(NOW + 30 * MINUTE) == set()
    assert item.notes.filter(kind="paged").count() == 2


def test_a_patient_who_keeps_writing_does_not_stop_the_climb(staffed):
    item = urgent(staffed)
    assert paged(NOW) == {FIRST}
    for minutes in (3, 6, 9):
        open_items(
            [Finding(staffed.ada.id, Cause.URGENT_SIGN, {"n": minutes})], NOW + minutes * MINUTE
        )
        assert paged(NOW + minutes * MINUTE) == set(), "the first rung was called, and has its time"
    assert paged(NOW + 10 * MINUTE) == {SECOND, THIRD}
    item.refresh_from_db()
    assert (item.times, item.rung) == (4, 3)


def test_what_is_not_urgent_pages_nobody(staffed):
    open_items([Finding(staffed.ada.id, Cause.CALL_ME)], NOW)
    item = WorkItem.objects.get()
    attending.take(item.id, staffed.actor, NOW)
    attending.hand_back(item.id, staffed.actor, NOW)
    assert paged(NOW + 1000 * MINUTE) == set()


def test_only_those_on_duty_are_paged(cast):
    rota(
        cast,
        Turn(cast.coordinator.id, 1, FIRST, ends_at=NOW + MINUTE),
        Turn(cast.clinician.id, 1, SECOND, starts_at=NOW + MINUTE),
    )
    urgent(cast)
    assert paged(NOW) == {FIRST}
    assert paged(NOW + 10 * MINUTE) == {SECOND}


def test_somebody_who_has_left_is_not_on_duty(cast):
    rota(cast, Turn(cast.coordinator.id, 1, FIRST))
    urgent(cast)
    User.objects.filter(id=cast.coordinator.id).update(is_active=False)
    assert paged(NOW) == set()
    assert names(NOW) == ["nobody_on_duty"]


def test_one_phone_is_paged_once_a_round(cast):
    rota(cast, Turn(cast.clinician.id, 1, FIRST), Turn(cast.clinician.id, 1, FIRST))
    urgent(cast)
    page_staff(NOW)
    assert Sms.objects.get().to == FIRST


def test_nobody_on_duty_is_an_alarm_and_the_item_waits_for_somebody(cast):
    item = urgent(cast)
    assert paged(NOW + MINUTE) == set()
    [alarm] = alarms(NOW + MINUTE)
    assert (alarm.name, alarm.seconds, alarm.what) == ("nobody_on_duty", 60, str(item.id))
    rota(cast, Turn(cast.clinician.id, 1, FIRST, starts_at=NOW + 3 * MINUTE))
    assert paged(NOW + 2 * MINUTE) == set()
    assert paged(NOW + 3 * MINUTE) == {FIRST}
    assert names(NOW + 3 * MINUTE) == []


def test_a_clinic_that_nobody_minds_does_not_keep_others_from_being_paged(staffed):
    lonely = make_patient(staffed.other_clinic, staffed.stranger, name="Bo", number="+447700900301")
    open_items([Finding(lonely.id, Cause.URGENT_SIGN)], NOW - MINUTE)
    open_items([Finding(staffed.ada.id, Cause.URGENT_SIGN)], NOW)
    page_staff(NOW, most=1)
    assert Sms.objects.get().to == FIRST


def test_a_page_that_nobody_makes_is_an_alarm(staffed):
    urgent(staffed)
    assert names(NOW + MINUTE) == []
    assert names(NOW + 2 * MINUTE) == ["paging_silent"]


def test_one_on_duty_who_said_stop_is_an_alarm_before_anything_happens(staffed):
    inbound.store(staffed.staff_sender, "SM1", FIRST, "STOP", NOW)
    assert names(NOW) == ["duty_opted_out"]
    inbound.store(staffed.staff_sender, "SM2", FIRST, "START", NOW + MINUTE)
    assert names(NOW) == []


def test_stop_to_the_texts_of_care_silences_no_page(staffed):
    inbound.store(staffed.sender, "SM1", FIRST, "STOP", NOW)
    assert names(NOW) == []


def lose(number: str, state: State) -> None:
    Sms.objects.filter(to=number).update(state=state, untaken=True)


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.UNDELIVERED, State.FAILED])
def test_a_round_that_reached_no_phone_climbs_at_once_and_is_an_alarm(staffed, state):
    item = urgent(staffed)
    page_staff(NOW)
    lose(FIRST, state)
    page_staff(NOW + MINUTE)
    assert "page_lost" in names(NOW + MINUTE)
    assert paged(NOW + MINUTE) == {SECOND, THIRD}
    lose(SECOND, state)
    page_staff(NOW + 2 * MINUTE)
    assert paged(NOW + 2 * MINUTE) == set(), "the other one has it"
    attending.take(item.id, staffed.actor, NOW + 2 * MINUTE)
    assert names(NOW + 2 * MINUTE) == []


def test_past_the_last_rung_lost_pages_are_repeated_in_their_time(cast):
    rota(cast, Turn(cast.clinician.id, 1, FIRST))
    urgent(cast)
    page_staff(NOW)
    lose(FIRST, State.FAILED)
    page_staff(NOW + MINUTE)
    assert paged(NOW + MINUTE) == set()
    assert paged(NOW + 10 * MINUTE) == {FIRST}


def test_what_staff_text_back_does_not_wait_for_ever(staffed):
    inbound.store(staffed.staff_sender, "SM1", FIRST, "on my way", NOW)
    page_staff(NOW)
    assert inbound.untaken("staff", 10) == []


def test_looking_costs_the_same_however_many_are_paged(staffed, django_assert_num_queries):
    people: list[User] = [
        make_user(f"n{n}@example.org", staffed.clinic, Role.COORDINATOR) for n in range(5)
    ]
    rota(staffed, *(Turn(one.id, 1, f"+4477009004{n:02}") for n, one in enumerate(people)))
    for n in range(5):
        patient = make_patient(staffed.clinic, staffed.clinician, number=f"+4477009005{n:02}")
        open_items([Finding(patient.id, Cause.URGENT_SIGN)], NOW)
    with django_assert_num_queries(13):
        page_staff(NOW)
    assert Sms.objects.count() == 25
