"""What a patient's own pages do, without a browser: what they record, refuse and warn of."""

import re
import tomllib
from datetime import time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Sms
from reminders.dates.ladder import LATEST
from reminders.models import (
    Cause,
    Dose,
    DoseRecord,
    DoseState,
    Language,
    Patient,
    SideEffectEntry,
    WorkItem,
)
from reminders.patients import signing_in
from reminders.planning.steps import plan_doses
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.understanding import Sign
from tests.cast import Cast, make_patient
from web.words import FOLDER, LANGUAGES, words

NOW = timezone.now()


def sign_in(patient: Patient, cast: Cast) -> Client:
    """As the session is after both proofs, which test_patient_login.py goes through."""
    signing_in.invite(patient.id, cast.actor, NOW)
    client = Client(headers={"Accept-Language": patient.language})
    client.force_login(signing_in.PatientLogin.objects.get(patient=patient).user)
    return client


@pytest.fixture
def ada(cast) -> Client:
    return sign_in(cast.ada, cast)


def plan(cast: Cast, *, days_ago: int = 0, interval: int = 7) -> Dose:
    """A plan whose first day was so many days ago, with its first dose due, or missed by now."""
    then = NOW - timedelta(days=days_ago)
    hour = min(then.astimezone(cast.ada.zone).time().replace(second=0, microsecond=0), LATEST)
    Patient.objects.filter(id=cast.ada.id).update(hour=hour)
    first = then.astimezone(cast.ada.zone).date()
    decision = Decision(interval, first)
    prescribing.start(cast.ada.id, decision, first - timedelta(days=interval), cast.actor, then)
    for day in range(days_ago + 1):
        plan_doses(then + timedelta(days=day))
    return Dose.objects.order_by("date")[0]


def told(client: Client, dose: Dose, **other: str) -> int:
    today = NOW.astimezone(dose.schedule.patient.zone).date()
    form = {"told": "taken", "day": today.isoformat(), "seen": "0", **other}
    return client.post(f"/me/days/{dose.id}", form).status_code


def text(client: Client, path: str = "/me") -> str:
    return client.get(path).content.decode()


def test_each_state_of_a_plan_has_words_that_say_what_to_do(cast, ada):
    assert "Your team has not put in your first day yet" in text(ada)
    assert "There is nothing here yet" in text(ada, "/me/past")
    assert "You have written nothing yet" in text(ada, "/me/feel")
    plan(cast)
    assert "Today is your day" in text(ada)
    review = NOW.date() + timedelta(days=20)
    token = read_plan(cast.ada).token
    prescribing.pause(cast.ada.id, review, "Counts.", token, cast.actor, NOW)
    assert "Your plan is paused" in text(ada)
    prescribing.stop(cast.ada.id, "Done.", read_plan(cast.ada).token, cast.actor, NOW)
    assert "Your plan has ended" in text(ada)


def test_after_two_days_it_says_to_call_and_nothing_else_first(cast, ada):
    dose = plan(cast, days_ago=3)
    dose.refresh_from_db()
    assert dose.state == DoseState.MISSED
    said = text(ada)
    assert "Please call your team before you do anything" in said
    assert said.index("tel:") < said.index(f"/me/days/{dose.id}")


def test_a_dose_is_recorded_once_and_a_correction_keeps_the_first(cast, ada):
    dose = plan(cast)
    assert told(ada, dose, site="thigh_left", time="07:30", note="fine") == 302
    first = DoseRecord.objects.get()
    assert (first.taken_at, first.site, first.source) == (time(7, 30), "thigh_left", "page")
    assert first.recorded_by is None
    assert told(ada, dose, site="thigh_left", time="07:30", note="fine", seen="1") == 302
    assert DoseRecord.objects.count() == 1
    assert told(ada, dose, told="skipped", seen="1") == 302
    assert [r.told for r in DoseRecord.objects.order_by("number")] == ["taken", "skipped"]
    dose.refresh_from_db()
    assert dose.state == DoseState.SKIPPED


def test_what_was_told_while_the_page_was_open_is_shown_first(cast, ada):
    dose = plan(cast)
    assert told(ada, dose) == 302
    again = ada.post(f"/me/days/{dose.id}", {"told": "skipped", "seen": "0"}, follow=True)
    assert again.status_code == 422
    assert "while you had this page open" in again.content.decode()
    assert DoseRecord.objects.count() == 1


def test_a_second_dose_close_by_asks_and_tells_the_team(cast, ada):
    plan(cast, days_ago=7)
    old, new = Dose.objects.order_by("date")[:2]
    assert told(ada, old) == 302  # a week late: today
    today = NOW.astimezone(cast.ada.zone).date()
    form = {"told": "taken", "day": today.isoformat(), "seen": "0"}
    asked = ada.post(f"/me/days/{new.id}", form)
    assert asked.status_code == 422
    assert "Are both right?" in asked.content.decode()
    assert DoseRecord.objects.count() == 1
    assert told(ada, new, confirmed="on") == 302
    assert WorkItem.objects.filter(cause=Cause.SECOND_DOSE, closed_at=None).exists()


def test_the_same_place_again_is_warned_of_before_and_after(cast, ada):
    plan(cast, days_ago=7)
    old, new = Dose.objects.order_by("date")[:2]
    assert told(ada, old, site="abdomen_left", day=old.date.isoformat()) == 302
    page = text(ada, f"/me/days/{new.id}")
    assert re.search(r"Belly, left <strong[^>]*>last time", page)
    assert told(ada, new, site="abdomen_left") == 302
    assert "You used the same place last time: Belly, left" in text(ada)


def test_whether_it_was_the_amount_is_asked_and_need_not_be_said(cast, ada):
    dose = plan(cast)
    assert re.search('as_prescribed" value="" checked', text(ada, f"/me/days/{dose.id}"))
    assert told(ada, dose) == 302
    assert not WorkItem.objects.filter(cause=Cause.NOT_AS_PRESCRIBED).exists()
    assert told(ada, dose, as_prescribed="no", seen="1") == 302
    assert "Your team will see that it was another amount" in text(ada)
    assert WorkItem.objects.get(closed_at=None).cause == Cause.NOT_AS_PRESCRIBED
    assert re.search('as_prescribed" value="no" checked', text(ada, f"/me/days/{dose.id}"))
    assert told(ada, dose, as_prescribed="yes", seen="2") == 302
    records = DoseRecord.objects.order_by("number")
    assert [record.as_prescribed for record in records] == [None, False, True]


@pytest.mark.parametrize(("effect", "words"), [
    ("flu_like", "please call your team now"), ("mood", "we are glad you told us"),
])  # fmt: skip
def test_what_may_be_fever_or_low_mood_is_never_only_saved(effect, words, cast, ada):
    today = NOW.astimezone(cast.ada.zone).date().isoformat()
    form = {"effect": effect, "severity": "0", "on_date": today}
    assert words in ada.post("/me/feel/new", form, follow=True).content.decode()
    assert WorkItem.objects.filter(cause=Cause.URGENT_SIGN).exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"told": "maybe"}, "Say what happened"),
        ({"day": "other"}, "Type the day you mean"),
        ({"day": "other", "other_day": "soon"}, "Type the day you mean"),
        ({"day": "2099-01-01"}, "This day is still to come"),
        ({"day": "2020-01-01"}, "This day belongs to the dose before"),
        ({"time": "noonish"}, "Type the time"),
        ({"site": "arm_left"}, "Choose one of these places"),
        ({"site": "nose"}, "Choose one of these places"),
        ({"note": "x" * 501}, "500 letters at most"),
    ],
)
def test_what_cant_be_is_said_in_plain_words(sent, words, cast, ada):
    dose = plan(cast)
    today = NOW.astimezone(cast.ada.zone).date()
    form = {"told": "taken", "day": today.isoformat(), "seen": "0", **sent}
    answer = ada.post(f"/me/days/{dose.id}", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not DoseRecord.objects.exists()


def test_later_queues_one_text_more_and_says_the_real_time(cast, ada):
    dose = plan(cast)
    answer = ada.post(f"/me/days/{dose.id}/later", {"minutes": "60"}, follow=True)
    waiting = Sms.objects.filter(dedup_key=f"dose:{dose.id}:later")
    said = answer.content.decode()
    # Late in the evening there is no room any more, and it says so.
    assert ("We text you again today at" in said) == waiting.exists()
    assert ("text you again today. Not sure" in said) == (not waiting.exists())


def test_left_out_with_a_note(cast, ada):
    dose = plan(cast)
    answer = ada.post(f"/me/days/{dose.id}/skip", {"note": "team said so"}, follow=True)
    assert "Left out" in answer.content.decode()
    record = DoseRecord.objects.get()
    assert (record.told, record.note) == ("skipped", "team said so")


def test_signs_of_danger_get_the_fixed_words_at_once_and_an_urgent_item(cast, ada):
    dose = plan(cast)
    assert told(ada, dose, note="bad fever since last night") == 302
    assert "please call your team now about what you wrote" in text(ada)
    item = WorkItem.objects.get(cause=Cause.URGENT_SIGN)
    assert item.urgency == 0
    assert item.facts["signs"] == ["fever"]


def test_ticked_signs_and_low_mood_in_the_diary(cast, ada):
    form = {"effect": "mood", "severity": "3", "signs": ["self_harm", "cough"],
            "on_date": NOW.astimezone(cast.ada.zone).date().isoformat()}  # fmt: skip
    said = ada.post("/me/feel/new", form, follow=True).content.decode()
    assert "we are glad you told us" in said
    assert "116 123" in said
    assert "please call your team now" in said
    assert WorkItem.objects.get(cause=Cause.URGENT_SIGN).facts["signs"] == [
        "cough",
        "low_mood",
        "self_harm",
    ]


def test_an_entry_is_corrected_by_another_and_shown_once(cast, ada):
    today = NOW.astimezone(cast.ada.zone).date().isoformat()
    ada.post("/me/feel/new", {"effect": "sleep", "severity": "1", "on_date": today})
    first = SideEffectEntry.objects.get()
    changed = {"effect": "sleep", "severity": "3", "on_date": today, "note": "awake till four"}
    assert ada.post(f"/me/feel/{first.id}", changed).status_code == 302
    assert SideEffectEntry.objects.count() == 2
    page = text(ada, "/me/feel")
    assert page.count("Trouble sleeping</h2>") == 1
    assert "awake till four" in page
    assert ada.get(f"/me/feel/{first.id}").status_code == 404


def test_what_is_anybody_elses_isnt_there(cast, ada):
    dose = plan(cast)
    today = NOW.astimezone(cast.ada.zone).date().isoformat()
    ada.post("/me/feel/new", {"effect": "sleep", "severity": "1", "on_date": today})
    entry = SideEffectEntry.objects.get()
    bo = sign_in(make_patient(cast.clinic, cast.clinician, name="Bo", number="+447700900002"), cast)
    doors = [f"/me/days/{dose.id}", f"/me/days/{dose.id}/later", f"/me/days/{dose.id}/skip",
             f"/me/feel/{entry.id}"]  # fmt: skip
    for path in doors:
        assert bo.get(path).status_code == 404
        form = {"told": "taken", "day": today, "seen": "0", "minutes": "60", "effect": "sleep",
                "severity": "0", "on_date": today}  # fmt: skip
        assert bo.post(path, form).status_code == 404
        assert Client().get(path).headers["Location"] == "/sign-in"
    assert not DoseRecord.objects.exists()
    assert SideEffectEntry.objects.count() == 1


def test_staff_see_no_patients_pages(cast, client):
    client.force_login(cast.clinician)
    assert "There is nothing here for you yet" in text(client)


def test_pages_are_kept_by_nobody_and_forms_need_their_proof(cast, ada):
    dose = plan(cast)
    for path in ("/me", "/me/past", "/me/feel", "/me/feel/new", f"/me/days/{dose.id}", "/sign-in"):
        answer = ada.get(path) if path != "/sign-in" else Client().get(path)
        assert answer.headers["Cache-Control"].startswith("private, no-store"), path
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(signing_in.PatientLogin.objects.get().user)
    assert strict.post(f"/me/days/{dose.id}/skip", {"note": ""}).status_code == 403
    assert not DoseRecord.objects.exists()


@pytest.mark.parametrize("language", Language.values)
def test_every_language_has_every_page(language, cast):
    Patient.objects.filter(id=cast.ada.id).update(language=language)
    cast.ada.refresh_from_db()
    ada = sign_in(cast.ada, cast)
    dose = plan(cast)
    title = words(language)["today"]["waiting_title"]
    assert title.replace("'", "&#x27;") in text(ada)
    for path in ("/me/past", "/me/feel", "/me/feel/new", f"/me/days/{dose.id}",
                 f"/me/days/{dose.id}/later", f"/me/days/{dose.id}/skip"):  # fmt: skip
        answer = ada.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.content.decode()
    anybody = Client(headers={"Accept-Language": f"{language}-XX,en;q=0.1"})
    entrance = words(language)["entrance"]["title"]
    assert f"<h1>{entrance}</h1>" in text(anybody, "/sign-in")


def flat(tree: dict, before: str = "") -> dict[str, str]:
    found = {}
    for key, value in tree.items():
        found |= (
            flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
        )
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_and_names_nothing_medical(language):
    english, other = (
        flat(tomllib.loads((FOLDER / f"{name}.toml").read_text())) for name in ("en", language)
    )
    assert set(other) == set(english)
    holes = re.compile(r"\{\w+\}")
    assert {k: set(holes.findall(v)) for k, v in other.items()} == {
        k: set(holes.findall(v)) for k, v in english.items()
    }
    whole = " ".join(other.values()).lower()
    for word in ("interferon", "pegasys", "cancer", "thrombo", "vera"):
        assert word not in whole
    assert set(LANGUAGES) == set(Language.values)
    assert {key.removeprefix("signs.") for key in other if key.startswith("signs.")} == set(Sign)


def test_titles_and_addresses_are_discreet(cast, ada):
    dose = plan(cast)
    for path in ("/me", "/me/past", "/me/feel", f"/me/days/{dose.id}"):
        title = re.search("<title>(.*)</title>", text(ada, path))
        assert title
        assert not re.search("inject|interferon|blood|cancer", title[1].lower())
        assert not re.search("inject|dose|interferon", path)


def test_a_token_opens_the_community_and_ends_with_the_sign_in(ada, cast):
    given = ada.post("/me/token").json()["token"]
    bearer = {"Authorization": f"Bearer {given}"}
    joining = {
        "pseudonym": "Blue Heron",
        "language": "en",
        "time_zone": "Europe/London",
        "accepts": 1,
    }
    joined = Client(headers=bearer).post(
        "/api/v1/community/join", joining, content_type="application/json"
    )
    assert joined.status_code == 201, joined.content
    assert Client(headers=bearer).get(f"/api/v1/patients/{cast.ada.id}").status_code == 403
    signing_in.revoke_sign_in(cast.ada.id, cast.actor)
    assert Client(headers=bearer).get("/api/v1/me").status_code == 401
    assert ada.post("/me/token").status_code == 401
    assert Client(enforce_csrf_checks=True).post("/me/token").status_code == 403
