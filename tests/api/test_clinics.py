"""A clinic's rota and policy over the API."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from messaging import inbound
from reminders.dates.schedule import local_date
from reminders.models import DailyCount, Dose, Duty, Policy
from reminders.planning.daily_count import FIGURES, count_today
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from tests.api.test_worklist import POLICY
from tests.cast import NOW, Cast

STALE = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def rota(cast: Cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}/rota"


@pytest.fixture
def policy(cast: Cast) -> str:
    return f"/api/v1/clinics/{cast.clinic.id}/policy"


def duty(cast: Cast, **other: object) -> dict[str, object]:
    return {"user": str(cast.coordinator.id), "rung": 1, "number": "07700 900201", **other}


def test_a_rota_is_set_whole_on_what_was_seen(cast, rota, clinician):
    empty = clinician.ask("GET", rota, expect=200)
    assert empty.body == {"covered": False, "duties": []}
    duties = [
        duty(cast, rung=2, starts_at="2027-01-05T08:00:00Z", ends_at="2027-01-12T08:00:00+01:00"),
        duty(cast, user=str(cast.clinician.id)),
    ]
    set_ = clinician.ask("PUT", rota, body={"duties": duties}, expect=200, If_Match=empty.etag)
    assert set_["covered"] is True
    assert [one["rung"] for one in set_["duties"]] == [1, 2]
    assert set_["duties"][1] == {
        "user": str(cast.coordinator.id),
        "name": "Coordinator",
        "rung": 2,
        "number": "+447700900201",
        "starts_at": "2027-01-05T08:00:00Z",
        "ends_at": "2027-01-12T07:00:00Z",
        "deaf_since": None,
    }
    again = clinician.ask("GET", rota, expect=200)
    assert (again.body, again.etag) == (set_.body, set_.etag)
    for seen in (empty.etag, STALE):
        clinician.ask(
            "PUT", rota, body={"duties": []}, expect=412, code="changed_meanwhile", If_Match=seen
        )
    clinician.ask("PUT", rota, body={"duties": []}, expect=428)
    assert Duty.objects.count() == 2
    clinician.ask("PUT", rota, body={"duties": []}, expect=200, If_Match=set_.etag)
    assert not Duty.objects.exists()
    entry = AuditEntry.objects.filter(verb="set_rota").order_by("id").first()
    assert entry is not None
    assert "7700900" not in str(entry.detail)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"user": "stranger"}, "duties.0.user", "not_a_member"),
        ({"number": "12"}, "duties.0.number", "number"),
        ({"rung": 0}, "duties.0.rung", "min_value"),
        ({"rung": 10}, "duties.0.rung", "max_value"),
        ({"rung": None}, "duties.0.rung", "null"),
        ({"starts_at": "2027-01-05"}, "duties.0.starts_at", "invalid"),
        ({"starts_at": "2027-01-05T08:00:00"}, "duties.0.starts_at", "invalid"),
        ({"starts_at": "2027-13-05T08:00:00Z"}, "duties.0.starts_at", "invalid"),
        ({"starts_at": "2030-01-05T08:00:00Z"}, "duties.0.starts_at", "too_far"),
        ({"ends_at": "2027-01-04T08:00:00Z"}, "duties.0.ends_at", "ends_at"),
        ({"until": "2027-01-04T08:00:00Z"}, "duties.0.until", "unknown_field"),
    ],
)
def test_a_duty_that_cannot_be_meant(change, field, code, cast, rota, clinician):
    if change.get("user") == "stranger":
        change = {"user": str(cast.stranger.id)}
    etag = clinician.ask("GET", rota, expect=200).etag
    body = {"duties": [duty(cast, **change)]}
    clinician.ask("PUT", rota, body=body, expect=400, field=field, code=code, If_Match=etag)
    assert not Duty.objects.exists()


def test_a_policy_is_the_defaults_until_it_is_set(cast, policy, clinician, coordinator):
    default = clinician.ask("GET", policy, expect=200)
    assert (default["page_minutes"], default["emergency"]) == (10, "999")
    assert not Policy.objects.exists()
    expected = {**POLICY, "out_of_hours": "+442079460111"}
    for _ in range(2):
        assert clinician.ask("PUT", policy, body=POLICY, expect=200).body == expected
    assert coordinator.ask("GET", policy, expect=200).body == expected
    assert Policy.objects.count() == 1
    clinician.ask("PUT", policy, body={**POLICY, "out_of_hours": ""}, expect=200)
    entry = AuditEntry.objects.filter(verb="set_policy").order_by("id").first()
    assert entry is not None
    assert (entry.detail["page_minutes"], entry.clinic) == (5, cast.clinic)
    assert "79460" not in str(entry.detail)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("text_next_day", 1, "invalid"),
        ("texts_from", "07:59", "hours"),
        ("texts_until", "21:01", "hours"),
        ("texts_from", "15:01", "hours"),
        ("texts_from", "8", "invalid"),
        ("later_minutes", 14, "min_value"),
        ("later_minutes", 601, "max_value"),
        ("on_time_days", 4, "max_value"),
        ("on_time_days", -1, "min_value"),
        ("page_minutes", 0, "min_value"),
        ("page_minutes", 121, "max_value"),
        ("page_minutes", "5", "invalid"),
        ("result_days", 0, "min_value"),
        ("result_days", 367, "max_value"),
        ("sites", [], "min_length"),
        ("sites", ["navel"], "invalid_choice"),
        ("sites", ["thigh_left", "thigh_left"], "sites"),
        ("out_of_hours", "12", "number"),
        ("emergency", "", "invalid"),
        ("crisis_line", "call us", "invalid"),
        ("crisis_line", None, "null"),
        ("clinic", "x", "unknown_field"),
    ],
)
def test_a_policy_that_cannot_be_meant(field, value, code, policy, clinician):
    body = {**POLICY, field: value}
    clinician.ask("PUT", policy, body=body, expect=400, code=code)
    assert not Policy.objects.exists()


def test_a_policy_is_set_whole(policy, clinician):
    body = {name: value for name, value in POLICY.items() if name != "sites"}
    clinician.ask("PUT", policy, body=body, expect=400, field="sites")


def test_one_who_said_stop_to_pages_is_shown_and_is_an_alarm(cast, rota, clinician):
    etag = clinician.ask("GET", rota, expect=200).etag
    clinician.ask("PUT", rota, body={"duties": [duty(cast)]}, expect=200, If_Match=etag)
    clinician.ask("GET", "/health/work", expect=200)
    inbound.store(cast.staff_sender, "SM1", "+447700900201", "STOP", NOW)
    assert [
        alarm["name"] for alarm in clinician.send("GET", "/health/work", b"", {})["alarms"]
    ] == ["duty_opted_out"]
    [shown] = clinician.ask("GET", rota, expect=200)["duties"]
    assert shown["deaf_since"] == "2027-01-04T08:30:00Z"


def test_a_clinic_sees_its_own_counts(cast, clinician):
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    Dose.objects.update(trouble=3)
    count_today(NOW + timedelta(hours=2))
    path = f"/api/v1/clinics/{cast.clinic.id}/daily-counts"
    counts = clinician.ask("GET", path, expect=200)["counts"]
    assert [count["step"] for count in counts] == ["day", "next", "overdue"] * 2
    [stuck] = [count for count in counts if count["due"]]
    assert stuck == counts[0] | {"day": "2027-01-04", "due": 1, "stuck": 1}


def test_a_clinics_own_monitor_has_its_figures(cast, clinician, stranger):
    now = timezone.now()
    none = dict.fromkeys(FIGURES, 0)
    DailyCount.objects.create(
        clinic=cast.clinic,
        day=local_date(now, ZoneInfo(cast.clinic.time_zone)),
        step="day",
        counted_at=now,
        **none | {"due": 1, "stuck": 1},
    )
    label = f'clinic="{cast.clinic.id}",figure="stuck",step="day"'
    assert f"dosecircle_steps_today{{{label}}} 1.0" in metrics(clinician)
    assert str(cast.clinic.id) not in metrics(stranger)
    assert "dosecircle_doses_today_stuck 1.0" in metrics(stranger)


def metrics(caller) -> str:
    return caller.ask("GET", "/metrics", expect=200).body
