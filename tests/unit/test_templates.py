"""A clinic's own texts: what may not be said, what it costs, which version holds, who gets it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.refusals import Conflict, Invalid, NotFound
from messaging.models import Sms
from messaging.states import State
from reminders.conversation import messages
from reminders.models import Language, Policy, Template, Wording
from reminders.patients.enrolling import change_patient
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.texts import template_checks, templates, wording
from reminders.texts.templates import Draft
from tests.cast import NOW, make_patient

MONDAY = date(2027, 1, 4)
NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
CLOSED = "{clinic}: we are closed on Friday. Call {phone}."
DAY = "{clinic}: {date} is your day. Call {phone}."

# Language, kind, body, and what the check must say; everything in discreet wording.
REFUSED = [
    ("en", "day", "{clinic}: today is your day. Call {phone}.", "placeholder_missing"),
    ("en", "day", "{date} is your day. Call {phone}.", "placeholder_missing"),
    ("en", "day", "{clinic}: {date} is your day.", "placeholder_missing"),
    ("en", "day", DAY + " {every}", "placeholder"),
    ("en", "day", DAY + " {name}", "placeholder"),
    ("en", "message:x", CLOSED + " {date}", "placeholder"),
    ("en", "message:x", CLOSED + " {}", "braces"),
    ("en", "message:x", CLOSED + " {clinic.phone}", "placeholder"),
    ("en", "message:x", CLOSED + " {phone!r}", "braces"),
    ("en", "message:x", CLOSED + " {phone:>99}", "braces"),
    ("en", "message:x", CLOSED + " {", "braces"),
    ("en", "message:x", CLOSED + " See https://nhs.uk/x", "link"),
    ("en", "message:x", CLOSED + " See bit.ly/abc", "link"),
    ("en", "message:x", CLOSED + " See www example", "link"),
    ("en", "message:x", CLOSED + " Or 020 7946 0001", "digits"),
    ("en", "message:x", CLOSED + " Or 020-79-46.0001", "digits"),
    ("en", "message:x", CLOSED + " Or \uff10\uff12\uff10\uff17\uff19\uff14", "digits"),
    ("en", "message:x", CLOSED + " Reply YES", "carrier_word"),
    ("en", "message:x", CLOSED + " Reply yes or no", "carrier_word"),
    ("en", "message:x", CLOSED + " Answer with \u201cend\u201d", "carrier_word"),
    ("de", "message:x", CLOSED + " Antworten Sie stop", "carrier_word"),
    ("fr", "message:x", CLOSED + " R\u00e9pondez info", "carrier_word"),
    ("en", "message:x", CLOSED + " Your injection", "telling"),
    ("en", "message:x", CLOSED + " Your I.N.J.E.C.T.I.O.N", "telling"),
    ("en", "message:x", CLOSED + " Your in\u200bjection", "telling"),
    ("en", "message:x", CLOSED + " Take Pegasys", "telling"),
    ("en", "message:x", CLOSED + " Polycythaemia day", "telling"),
    ("cy", "message:x", CLOSED + " Eich pigiad", "telling"),
    ("es", "message:x", CLOSED + " Su INYECCI\u00d3N", "telling"),
    ("fr", "message:x", CLOSED + " Votre piq\u00fbre", "telling"),
    ("de", "message:x", CLOSED + " Ihre Spritze", "telling"),
    ("pl", "message:x", CLOSED + " Zastrzyk", "telling"),
    ("pl", "message:x", CLOSED + " Interferon", "telling"),
    ("en", "day", "{clinic}: {date}. 1 skip, 2 done, 3 later. {phone}", "digit_means"),
    ("fr", "later", "{clinic}: {date}. Répondez 1, 2 ou 3. {phone}", "digit_means"),
    ("de", "day", "{clinic}: {date}. erledigt 1, später 2. {phone}", "digit_means"),
    ("en", "message:x", CLOSED + "\nLine", "characters"),
    ("en", "message:x", CLOSED + " \u202eold", "characters"),
    ("en", "message:x", CLOSED + " word" * 100, "long"),
]
ALLOWED = [
    ("en", "day", "{clinic}: {date} is your day. Reply 1: done, 2 = later or 3 skip. {phone}"),
    ("es", "day", "{clinic}: hoy es {date}. ¿Está hecho? Llame al {phone}."),
    ("en", "message:x", CLOSED + " If you need help, come in from 9:00 to 17:30."),
    ("en", "message:x", CLOSED + " In the end it is fine. We start at 9."),
    ("de", "message:x", CLOSED + " Das Krankenhaus ist z. B. am 24.12. zu."),
    ("es", "message:x", CLOSED + " Su m\u00e9dico le espera."),
]


def draft(language: str, kind: str, body: str, style: Wording = Wording.DISCREET) -> Draft:
    return Draft(Language(language), style, kind, body)


def save(cast, kind: str, body: str, language: str = "en", style: Wording = Wording.DISCREET):
    return templates.save(cast.clinic, draft(language, kind, body, style), cast.actor, NOW)


@pytest.mark.parametrize(("language", "kind", "body", "code"), REFUSED)
def test_what_may_not_be_sent_is_not_saved(cast, language, kind, body, code):
    checked = templates.preview(cast.clinic, draft(language, kind, body))
    assert code in {problem.code for problem in checked.problems}
    with pytest.raises(Invalid) as refusal:
        save(cast, kind, body, language)
    assert refusal.value.field == "body"
    assert not Template.objects.exists()


@pytest.mark.parametrize(("language", "kind", "body"), ALLOWED)
def test_what_may_be_sent_is(cast, language, kind, body):
    assert templates.preview(cast.clinic, draft(language, kind, body)).problems == []


def test_explicit_texts_may_say_what_they_are_about(cast):
    body = "{clinic}: {date} is your injection day. Call {phone}."
    save(cast, "day", body, style=Wording.EXPLICIT)
    assert templates.preview(cast.clinic, draft("en", "day", body)).problems


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("style", list(Wording))
def test_the_built_in_texts_pass_their_own_checks(cast, language, style):
    for kind in template_checks.kinds():
        body = wording.words(language)[style][kind]
        checked = templates.preview(cast.clinic, Draft(language, style, kind, body))
        assert checked.problems == [], kind
        assert not [found for found in checked.warnings if found.code == "reading"], kind


@pytest.mark.parametrize("kind", ["", "days", "message:", "message:A b", "message:" + "x" * 40])
def test_a_kind_that_is_none(cast, kind):
    with pytest.raises(Invalid) as refusal:
        templates.preview(cast.clinic, draft("en", kind, CLOSED))
    assert refusal.value.field == "kind"


def test_its_length_and_price_are_those_of_its_longest(cast):
    Policy.objects.create(clinic=cast.clinic, segment_price="0.0395", currency="GBP")
    body = "{clinic}: new from {date}: {every}. Call {phone}. " + "Come in as you like. " * 4
    checked = templates.preview(cast.clinic, draft("en", "changed", body))
    assert "Wednesday 13 September: every 365 days" in checked.shown
    assert "+44 20 7946 0000" in checked.shown
    assert len(checked.shown) == checked.characters > 160
    assert {found.code for found in checked.warnings} >= {"segments", "characters"}
    assert (checked.segments, checked.price, checked.currency) == (2, Decimal("0.0790"), "GBP")
    assert templates.preview(cast.other_clinic, draft("en", "changed", body)).price is None


def test_one_letter_outside_of_the_phones_alphabet_is_warned_of(cast):
    body = "{clinic}: {date} is your day \u2013 call {phone} if you have a question for us."
    checked = templates.preview(cast.clinic, draft("en", "next", body))
    assert checked.segments == 2
    assert [found.code for found in checked.warnings] == ["segments"]


def test_a_long_word_is_warned_of(cast):
    body = f"{CLOSED} Notwithstanding, come in."
    checked = templates.preview(cast.clinic, draft("en", "message:x", body))
    assert checked.problems == []
    assert "reading" in {found.code for found in checked.warnings}


def test_a_long_sentence_is_refused(cast):
    hard = "We ask you to come in and see us on the day that we have said to you before if you can."
    checked = templates.preview(cast.clinic, draft("en", "message:x", f"{CLOSED} {hard}"))
    assert [found.code for found in checked.problems] == ["reading"]
    assert "22 words" in checked.problems[0].message


class TestVersions:
    def test_the_latest_holds_and_the_former_stay(self, cast):
        save(cast, "message:closed", CLOSED)
        save(cast, "message:closed", CLOSED.replace("Friday", "Monday"))
        rows = Template.objects.order_by("version").values_list("version", "made_by")
        assert list(rows) == [(1, cast.clinician.id), (2, cast.clinician.id)]
        (body,) = templates.of([cast.clinic.id]).values()
        assert "Monday" in body

    def test_a_retired_one_gives_way_to_the_built_in_text(self, cast):
        save(cast, "day", DAY)
        which = (Language.ENGLISH, Wording.DISCREET, "day")
        templates.retire(cast.clinic, *which, cast.actor, NOW)
        assert templates.of([cast.clinic.id]) == {}
        with pytest.raises(NotFound):
            templates.retire(cast.clinic, *which, cast.actor, NOW)
        assert save(cast, "day", DAY).version == 3

    @pytest.mark.parametrize("statement", ["update", "delete"])
    def test_history_is_held_by_the_database(self, cast, statement):
        save(cast, "day", DAY)
        rows = Template.objects.all()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(body="x") if statement == "update" else rows.delete()

    def test_all_clinics_texts_come_in_one_query(self, cast, django_assert_num_queries):
        save(cast, "day", DAY)
        save(cast, "message:closed", CLOSED)
        with django_assert_num_queries(1):
            own = templates.of([cast.clinic.id, cast.other_clinic.id])
        assert set(own) == {
            (cast.clinic.id, "en", "discreet", kind) for kind in ("day", "message:closed")
        }


class TestWhoGetsIt:
    def test_the_clinics_own_patients_in_their_language_and_wording(self, cast):
        save(cast, "day", DAY)
        own = templates.of([cast.clinic.id, cast.other_clinic.id])
        said = "St Example: Monday 4 January is your day. Call 020 7946 0000."
        assert wording.text("day", cast.ada, MONDAY, own=own) == said
        elsewhere = make_patient(cast.other_clinic, cast.stranger, number="07700 900008")
        polish = make_patient(cast.clinic, cast.clinician, number="07700 900009", language="pl")
        for other in (elsewhere, polish):
            assert wording.text("day", other, MONDAY, own=own) == wording.text("day", other, MONDAY)

    def test_a_notice_has_the_clinics_words(self, cast):
        save(cast, "paused", "{clinic}: a rest for now. Call {phone}.")
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        token = read_plan(cast.ada).token
        done = prescribing.pause(
            cast.ada.id, MONDAY + timedelta(days=9), "", token, cast.actor, NOW
        )
        assert done.notice is not None
        assert done.notice.body == "St Example: a rest for now. Call 020 7946 0000."


class TestAMessage:
    def test_leaves_at_once_within_hours_and_limits(self, cast):
        save(cast, "message:closed", CLOSED)
        told = messages.send_message(cast.ada.id, "message:closed", cast.actor, NINE)
        sms = Sms.objects.get()
        assert (told.leaves_at, sms.available_at, sms.to) == (NINE, NINE, cast.ada.number)
        assert sms.body == "St Example: we are closed on Friday. Call 020 7946 0000."
        assert not sms.asked_for

    def test_waits_for_the_hour_and_for_its_distance_to_reminders(self, cast):
        save(cast, "message:closed", CLOSED)
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        plan_doses(NINE)
        told = messages.send_message(cast.ada.id, "message:closed", cast.actor, NINE)
        # Monday's reminder went, Tuesday's would go before: Wednesday at nine is the first room.
        assert told.leaves_at == NINE + timedelta(days=2)

    def test_without_room_it_is_refused(self, cast):
        save(cast, "message:closed", CLOSED)
        for _ in range(3):
            messages.send_message(cast.ada.id, "message:closed", cast.actor, NINE)
        with pytest.raises(Conflict) as refusal:
            messages.send_message(cast.ada.id, "message:closed", cast.actor, NINE)
        assert refusal.value.code == "no_room"
        assert Sms.objects.count() == 3

    def test_in_explicit_wording_falls_back_to_discreet_but_never_the_other_way(self, cast):
        save(cast, "message:a", CLOSED)
        save(cast, "message:b", CLOSED, style=Wording.EXPLICIT)
        with pytest.raises(Conflict):
            messages.send_message(cast.ada.id, "message:b", cast.actor, NINE)
        change_patient(cast.ada.id, {"wording": "explicit"}, cast.actor, NINE)
        assert messages.send_message(cast.ada.id, "message:a", cast.actor, NINE).leaves_at == NINE

    @pytest.mark.parametrize("kind", ["day", "overdue", "message:none", "message:"])
    def test_only_messages_of_the_clinic_can_be_sent(self, cast, kind):
        save(cast, "day", DAY)
        with pytest.raises((Invalid, Conflict)) as refusal:
            messages.send_message(cast.ada.id, kind, cast.actor, NINE)
        assert refusal.value.field == "kind"


class TestACorrection:
    @pytest.fixture
    def too_late(self, cast) -> Sms:
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        plan_doses(NINE)
        Sms.objects.update(state=State.DELIVERED, claimed_at=NINE)
        token = read_plan(cast.ada).token
        done = prescribing.stop(cast.ada.id, "", token, cast.actor, NINE)
        (sms,) = done.too_late
        return sms

    def test_names_the_day_and_goes_before_the_notice_once(self, cast, too_late):
        told = messages.send_correction(cast.ada.id, too_late.id, cast.actor, NINE)
        assert "ignore our earlier text about Monday 4 January" in told.body
        assert told.leaves_at == NINE + timedelta(days=1)
        waiting = Sms.objects.filter(state=State.QUEUED).order_by("available_at")
        assert [sms.dedup_key.split(":")[0] for sms in waiting] == ["correction", "notice"]
        assert waiting[1].available_at == NINE + timedelta(days=2)
        with pytest.raises(Conflict) as refusal:
            messages.send_correction(cast.ada.id, too_late.id, cast.actor, NINE)
        assert refusal.value.code == "sent_before"

    def test_where_the_week_is_full_somebody_has_to_call(self, cast):
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        plan_doses(NINE)
        Sms.objects.update(state=State.DELIVERED, claimed_at=NINE)
        thursday = Decision(14, MONDAY + timedelta(days=3))
        token = read_plan(cast.ada).token
        done = prescribing.change_interval(cast.ada.id, thursday, token, cast.actor, NINE)
        with pytest.raises(Conflict) as refusal:
            messages.send_correction(cast.ada.id, done.too_late[0].id, cast.actor, NINE)
        assert refusal.value.code == "no_room"

    def test_is_not_for_what_holds_or_never_left(self, cast):
        prescribing.start(cast.ada.id, Decision(7, MONDAY), None, cast.actor, NOW)
        plan_doses(NINE)
        sms = Sms.objects.get()
        with pytest.raises(Conflict) as refusal:
            messages.send_correction(cast.ada.id, sms.id, cast.actor, NINE)
        assert refusal.value.code == "holds"
        prescribing.stop(cast.ada.id, "", read_plan(cast.ada).token, cast.actor, NINE)
        with pytest.raises(Conflict) as refusal:
            messages.send_correction(cast.ada.id, sms.id, cast.actor, NINE)
        assert refusal.value.code == "never_left"

    def test_is_not_for_another_patients_text(self, cast, too_late):
        other = make_patient(cast.clinic, cast.clinician, number="07700 900008")
        with pytest.raises(Invalid) as refusal:
            messages.send_correction(other.id, too_late.id, cast.actor, NINE)
        assert refusal.value.field == "text"
