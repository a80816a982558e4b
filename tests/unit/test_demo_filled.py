"""The demo as it is filled: two clinics, their past, and a community that is alive.

One test, because the filling goes through the product's own verbs and takes a while.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from accounts.models import Membership, Role
from accounts.people import user_of_phone
from community.members import entering
from community.models import (
    Appeal,
    Case,
    CaseEvent,
    Decision,
    LiveText,
    LiveThread,
    Persona,
    Post,
    Sanction,
)
from dev import demo_community, demo_people
from messaging.models import Sms
from reminders.models import (
    BloodResult,
    Cause,
    Dose,
    DoseRecord,
    DoseState,
    Patient,
    Schedule,
    SideEffectEntry,
    Urgency,
    WorkItem,
    WorkNote,
)
from reminders.patients.signing_in import take_welcome_code
from reminders.planning.steps import plan_doses

NOW = datetime(2026, 11, 23, 16, 20, 41, tzinfo=UTC)


def test_it_is_filled_once_and_whole(db: None) -> None:
    assert demo_people.fill(NOW) == 200
    assert demo_people.fill(NOW) == 0
    two_clinics_are_there()
    their_past_is_whole()
    what_was_missed_lately_is_on_the_worklist()
    the_community_is_alive()
    who_plays_it_comes_in_by_pages()
    # Nothing of the past is asked for again.
    assert not Sms.objects.filter(state="queued").exists()
    plan_doses(NOW)
    assert Sms.objects.filter(state="queued").count() < 5


def who_plays_it_comes_in_by_pages() -> None:
    """They are patients, too: their welcome codes are good, and so is the way in."""
    invited = demo_community.invite_to_pages(NOW)
    assert set(invited) == {name for name, _ in demo_community.WHO_SIGN_IN.values()}
    for pseudonym, (number, code) in invited.items():
        user = user_of_phone(number)
        assert user is not None
        take_welcome_code(user, code, NOW)
        assert entering.enter(user, NOW).persona.pseudonym == pseudonym
    said = demo_community.what_to_try("http://site", "http://phones", "secret", "take {}", NOW)
    assert "http://site/sign-in with" in said


def two_clinics_are_there() -> None:
    assert Patient.objects.count() == 200
    assert Counter(Membership.objects.values_list("role", flat=True)) == dict.fromkeys(Role, 2)
    statuses = Counter(Schedule.objects.values_list("status", flat=True))
    assert set(statuses) == {"running", "paused", "stopped"}
    assert sum(statuses.values()) < 200, "some have not begun"
    for number in Patient.objects.values_list("number", flat=True):
        assert number.startswith("+447700900") or number[5:10] == "55501", number
    assert len(set(Patient.objects.values_list("language", flat=True))) == 6


def their_past_is_whole() -> None:
    fates = Counter(Dose.objects.values_list("state", flat=True))
    past = fates.total() - fates[DoseState.PLANNED] - fates[DoseState.CANCELLED]
    assert 0.8 * past < fates[DoseState.TAKEN] < past
    assert fates[DoseState.SKIPPED]
    assert fates[DoseState.MISSED]
    assert fates[DoseState.DUE] == 0
    assert DoseRecord.objects.count() == fates[DoseState.TAKEN] + fates[DoseState.SKIPPED]
    assert not DoseRecord.objects.filter(recorded_at__gt=NOW).exists()
    assert BloodResult.objects.count() > 500
    assert SideEffectEntry.objects.count() > 200


def what_was_missed_lately_is_on_the_worklist() -> None:
    lately = Dose.objects.filter(
        state=DoseState.MISSED, date__gt=NOW.date() - timedelta(days=9), date__lt=NOW.date()
    )
    noted = set(WorkNote.objects.values_list("facts__dose", flat=True))
    assert lately
    assert {str(dose.id) for dose in lately} <= noted
    open_ = WorkItem.objects.filter(closed_at=None)
    causes = set(open_.values_list("cause", flat=True))
    assert causes >= {Cause.NO_ANSWER, Cause.TEXT_TO_READ, Cause.CALL_ME, Cause.OPTED_OUT}
    assert not open_.filter(urgency=Urgency.NOW).exists(), "nobody is paged by the filling"


def the_community_is_alive() -> None:
    assert LiveText.objects.count() >= 135
    assert set(LiveText.objects.values_list("language", flat=True)) == {
        "en", "cy", "es", "fr", "de", "pl",
    }  # fmt: skip
    assert set(LiveThread.objects.values_list("space__key", flat=True)) == {
        "side_effects", "injections", "sleep", "mood", "work", "newly_diagnosed", "anything",
    }  # fmt: skip
    assert not Post.objects.filter(author__pseudonym="Cheap Meds", state="published").exists()
    assert Persona.objects.filter(role="lead").count() == 1
    assert set(Post.objects.values_list("state", flat=True)) >= {
        "published", "pending", "blocked", "changes_requested", "rejected", "hidden", "removed",
    }  # fmt: skip
    open_ones = Case.objects.filter(closed_at__isnull=True)
    assert set(open_ones.values_list("kind", flat=True)) == {
        "crisis", "report", "review", "appeal",
    }  # fmt: skip
    cases_are_in_every_state()


def cases_are_in_every_state() -> None:
    """What a visitor who moderates finds: each thing that can be with a case, now or before."""
    open_ones = Case.objects.filter(closed_at__isnull=True)
    taken = open_ones.filter(owned_until__gt=NOW)
    assert set(taken.values_list("owner__pseudonym", flat=True)) == {"Barn Owl", "Tawny Owl"}
    assert open_ones.filter(owner=None, second_opinion_for=None).exists()
    assert open_ones.filter(second_opinion_for__pseudonym="Barn Owl").exists()
    assert open_ones.filter(crisis=True, held_until__gt=NOW).exists()
    assert set(CaseEvent.objects.values_list("kind", flat=True)) >= {
        "opened", "merged", "claimed", "handed_over", "note", "second_opinion", "acknowledged",
        "decided",
    }  # fmt: skip
    kinds = {one["kind"] for row in Decision.objects.values_list("measures") for one in row[0]}
    assert kinds >= {
        "approve", "request_changes", "reject", "hide", "remove", "warn", "silence", "suspend",
        "uphold", "overturn",
    }  # fmt: skip
    assert set(Appeal.objects.values_list("upheld", flat=True)) == {None, True, False}
    holding = Sanction.objects.filter(ends_at__gt=NOW, lifted_at=None)
    assert set(holding.values_list("kind", flat=True)) == {"silence", "suspend"}
    assert Case.objects.filter(crisis=True, closed_at__isnull=False).exists()
