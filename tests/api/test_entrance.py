"""Who may enter: every route there is, and what each of the cast is told at its door."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.cast import PASSWORD
from tests.pages import COMMUNITY_PAGES
from tests.team import TEAM_PAGES

WHO_MAY_ENTER = {
    "/": "Anybody",
    "/sign-in": "Anybody",
    "/sign-in/code": "Anybody",
    "/sign-in/welcome": "Anybody",
    "/sign-out": "Anybody",
    "/me": "Patient",
    "/me/days/<uuid:dose_id>": "Patient",
    "/me/days/<uuid:dose_id>/later": "Patient",
    "/me/days/<uuid:dose_id>/skip": "Patient",
    "/me/token": "Session",
    "/me/past": "Patient",
    "/me/feel": "Patient",
    "/me/feel/new": "Patient",
    "/me/feel/<uuid:entry_id>": "Patient",
    "/team/sign-in": "Anybody",
    **dict.fromkeys(TEAM_PAGES, "Team"),
    "/me/community": "Session",
    "/me/community/join": "Session",
    "/me/community/appeal": "Session",
    "/me/community/share": "Session",
    **COMMUNITY_PAGES,
    "/health": "Anybody",
    "/health/work": "Anybody",
    "/metrics": "Staff",
    "/api/docs": "Anybody",
    "/api/openapi.yaml": "Anybody",
    "/api/v1/sign-in": "Anybody",
    "/api/v1/sign-out": "SignedIn",
    "/api/v1/me": "SignedIn",
    "/api/v1/patients": "Staff",
    "/api/v1/patients/<uuid:patient_id>": "Staff",
    "/api/v1/patients/<uuid:patient_id>/number/confirm": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule/preview": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule/change": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule/pause": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule/resume": "Staff",
    "/api/v1/patients/<uuid:patient_id>/schedule/stop": "Staff",
    "/api/v1/patients/<uuid:patient_id>/doses": "Staff",
    "/api/v1/patients/<uuid:patient_id>/doses/history": "Staff",
    "/api/v1/patients/<uuid:patient_id>/doses/<uuid:dose_id>/record": "Staff",
    "/api/v1/patients/<uuid:patient_id>/injections": "Staff",
    "/api/v1/patients/<uuid:patient_id>/injections/<uuid:injection_id>/correct": "Staff",
    "/api/v1/patients/<uuid:patient_id>/injections/<uuid:injection_id>/take-back": "Staff",
    "/api/v1/patients/<uuid:patient_id>/consent/withdraw": "Staff",
    "/api/v1/patients/<uuid:patient_id>/sign-in/invite": "Staff",
    "/api/v1/patients/<uuid:patient_id>/sign-in/revoke": "Staff",
    "/api/v1/patients/<uuid:patient_id>/texts": "Staff",
    "/api/v1/patients/<uuid:patient_id>/answers": "Staff",
    "/api/v1/patients/<uuid:patient_id>/side-effects": "Staff",
    "/api/v1/patients/<uuid:patient_id>/side-effects/trend": "Staff",
    "/api/v1/patients/<uuid:patient_id>/blood-results": "Staff",
    "/api/v1/patients/<uuid:patient_id>/blood-results/trend": "Staff",
    "/api/v1/patients/<uuid:patient_id>/blood-results/<uuid:result_id>/correct": "Staff",
    "/api/v1/patients/<uuid:patient_id>/blood-results/<uuid:result_id>/take-back": "Staff",
    "/api/v1/patients/<uuid:patient_id>/adherence": "Staff",
    "/api/v1/patients/<uuid:patient_id>/adherence.csv": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/blood-results/import": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/adherence": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/adherence.csv": "Staff",
    "/api/v1/patients/<uuid:patient_id>/transfer": "Staff",
    "/api/v1/patients/<uuid:patient_id>/messages": "Staff",
    "/api/v1/patients/<uuid:patient_id>/corrections": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/imports": "Staff",
    "/api/v1/community/house-rules": "Anybody",
    "/api/v1/community/house-rules/accept": "Joined",
    "/api/v1/community/join": "SignedIn",
    "/api/v1/community/enter": "SignedIn",
    "/api/v1/community/go-out": "Joined",
    "/api/v1/community/me": "Joined",
    "/api/v1/community/posts/<uuid:post_id>/share": "Member",
    "/api/v1/community/shares": "Joined",
    "/api/v1/community/shares/<uuid:share_id>/revoke": "Joined",
    "/api/v1/patients/<uuid:patient_id>/experiences": "Staff",
    "/api/v1/community/notices": "Joined",
    "/api/v1/community/notices/unread": "Joined",
    "/api/v1/community/notices/read": "Joined",
    "/api/v1/community/notices/kinds": "Joined",
    "/api/v1/community/contacts": "Joined",
    "/api/v1/community/contacts/ask": "Joined",
    "/api/v1/community/contacts/confirm": "Joined",
    "/api/v1/community/contacts/turn-off": "Joined",
    "/community/off/<str:token>": "Anybody",
    "/api/v1/community/my-posts": "Member",
    "/api/v1/community/my-posts/<uuid:post_id>": "Member",
    "/api/v1/community/drafts": "Member",
    "/api/v1/community/drafts/<uuid:draft_id>/discard": "Member",
    "/api/v1/community/spaces/<uuid:space_id>/threads": "Joined",
    "/api/v1/community/spaces/<uuid:space_id>/draft": "Member",
    "/api/v1/community/threads/<uuid:thread_id>/replies": "Joined",
    "/api/v1/community/threads/<uuid:thread_id>/draft": "Member",
    "/api/v1/community/threads/<uuid:thread_id>/follow": "Member",
    "/api/v1/community/spaces": "Member",
    "/api/v1/community/threads": "Member",
    "/api/v1/community/threads/<uuid:thread_id>": "Member",
    "/api/v1/community/threads/<uuid:thread_id>/read": "Member",
    "/api/v1/community/search": "Member",
    "/api/v1/community/members/<uuid:member_id>/texts": "Member",
    "/api/v1/community/me/profile": "Member",
    "/api/v1/community/me/pseudonym": "Joined",
    "/api/v1/community/me/export": "Joined",
    "/api/v1/community/leave": "Joined",
    "/api/v1/community/bonds": "Member",
    "/api/v1/community/members/<uuid:member_id>": "Member",
    "/api/v1/community/members/<uuid:member_id>/bond": "Member",
    "/api/v1/community/members/<uuid:member_id>/bond/lift": "Member",
    "/api/v1/community/posts/<uuid:post_id>": "Joined",
    "/api/v1/community/posts/<uuid:post_id>/withdraw": "Member",
    "/api/v1/community/posts/<uuid:post_id>/ask-for-a-person": "Member",
    "/api/v1/community/posts/<uuid:post_id>/reactions": "Member",
    "/api/v1/community/posts/<uuid:post_id>/report": "Joined",
    "/api/v1/community/members/<uuid:member_id>/report": "Joined",
    "/api/v1/community/reports": "Member",
    "/api/v1/community/enter-to-appeal": "SignedIn",
    "/api/v1/community/decisions": "Joined",
    "/api/v1/community/decisions/<uuid:decision_id>": "Joined",
    "/api/v1/community/decisions/<uuid:decision_id>/appeal": "Joined",
    "/api/v1/community/figures": "Member",
    "/api/v1/community/moderation/members/<uuid:member_id>/role": "Lead",
    "/api/v1/community/moderation/board": "Moderator",
    "/api/v1/community/moderation/cases": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>": "Moderator",
    "/api/v1/community/moderation/choices": "Moderator",
    "/api/v1/community/moderation/threads/<uuid:thread_id>": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/events": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/reports": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/claim": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/hand-back": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/hand-over": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/second-opinion": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/notes": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/decide": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/decide-appeal": "Moderator",
    "/api/v1/community/moderation/rota": "Moderator",
    "/api/v1/community/moderation/rota/<uuid:duty_id>/acknowledge": "Moderator",
    "/api/v1/community/moderation/rota/<uuid:duty_id>/test": "Moderator",
    "/api/v1/community/moderation/rota/<uuid:duty_id>/end": "Moderator",
    "/api/v1/community/moderation/cases/<uuid:case_id>/acknowledge": "Moderator",
    "/api/v1/community/moderation/rules": "Moderator",
    "/api/v1/community/moderation/rules/<uuid:rule_id>/try": "Moderator",
    "/api/v1/community/moderation/rules/<uuid:rule_id>/switch-on": "Lead",
    "/api/v1/community/moderation/rules/<uuid:rule_id>/switch-off": "Lead",
    "/api/v1/transfers": "Staff",
    "/api/v1/transfers/<uuid:transfer_id>/accept": "Staff",
    "/api/v1/transfers/<uuid:transfer_id>/decline": "Staff",
    "/api/v1/transfers/<uuid:transfer_id>/withdraw": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/templates": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/templates/preview": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/templates/retire": "Staff",
    "/api/v1/imports/<uuid:import_id>": "Staff",
    "/api/v1/imports/<uuid:import_id>/problems": "Staff",
    "/api/v1/imports/<uuid:import_id>/confirm": "Staff",
    "/api/v1/worklist": "Staff",
    "/api/v1/worklist/counts": "Staff",
    "/api/v1/worklist/<uuid:item_id>": "Staff",
    "/api/v1/worklist/<uuid:item_id>/take": "Staff",
    "/api/v1/worklist/<uuid:item_id>/hand-back": "Staff",
    "/api/v1/worklist/<uuid:item_id>/notes": "Staff",
    "/api/v1/worklist/<uuid:item_id>/close": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/rota": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/policy": "Staff",
    "/api/v1/clinics/<uuid:clinic_id>/daily-counts": "Staff",
    "/api/v1/twilio/status/<uuid:sms_id>/<int:attempt>": "TwilioOnly",
    "/api/v1/twilio/inbound": "TwilioOnly",
}

DECISION = {"interval_days": 14, "starts_on": "2027-01-18"}
ENROLMENT = {
    "name": "Bo Example",
    "number": "+44 7700 900002",
    "time_zone": "Europe/London",
    "language": "en",
    "hour": "09:00",
    "consent_on": "2026-12-01",
    "consent_source": "written",
}
NOBODY = "0198c0de-0000-7000-8000-000000000000"
PAUSE = {"review_on": "2027-02-01"}

# Method, path, body; then what a clinician, a coordinator and an admin of Ada's clinic, Ada
# herself, and a clinician of another clinic, are told. Nobody without a token gets past 401.
DOORS = [
    ("GET", "/metrics", None, 200, 200, 200, 403, 200),
    ("GET", "/api/v1/me", None, 200, 200, 200, 200, 200),
    ("GET", "/api/v1/patients", None, 200, 200, 200, 403, 200),
    ("POST", "/api/v1/patients", ENROLMENT, 201, 201, 201, 403, 404),
    ("GET", "{ada}", None, 200, 200, 200, 403, 404),
    ("PATCH", "{ada}", {"name": "Ada Other"}, 200, 200, 200, 403, 404),
    ("POST", "{ada}/number/confirm", {"code": "000000"}, 409, 409, 409, 403, 404),
    ("GET", "{ada}/schedule", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/schedule", DECISION, 409, 403, 403, 403, 404),
    ("POST", "{ada}/schedule/preview", DECISION, 200, 403, 403, 403, 404),
    ("POST", "{ada}/schedule/change", DECISION, 200, 403, 403, 403, 404),
    ("POST", "{ada}/schedule/pause", PAUSE, 200, 403, 403, 403, 404),
    ("POST", "{ada}/schedule/resume", DECISION, 409, 403, 403, 403, 404),
    ("POST", "{ada}/schedule/stop", {}, 200, 403, 403, 403, 404),
    ("GET", "{ada}/doses", None, 200, 200, 200, 403, 404),
    ("GET", "{ada}/doses/history", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/consent/withdraw", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/sign-in/invite", None, 201, 201, 201, 403, 404),
    ("POST", "{ada}/sign-in/revoke", None, 204, 204, 204, 403, 404),
    ("GET", "{ada}/answers", None, 200, 200, 200, 403, 404),
    ("GET", "{ada}/texts", None, 200, 200, 200, 403, 404),
    ("GET", "{ada}/experiences", None, 200, 200, 200, 403, 404),
    ("POST", "{ada}/transfer", {"clinic": NOBODY}, 404, 403, 403, 403, 404),
    ("GET", "/api/v1/transfers", None, 200, 200, 200, 403, 200),
    ("POST", "{ada}/messages", {"kind": "message:closed"}, 409, 409, 409, 403, 404),
    ("POST", "{ada}/corrections", {"text": NOBODY}, 400, 400, 400, 403, 404),
    ("GET", "/api/v1/worklist", None, 200, 200, 200, 403, 200),
    ("GET", "/api/v1/worklist/counts", None, 400, 400, 400, 403, 400),
    ("POST", "/api/v1/sign-out", None, 204, 204, 204, 204, 204),
]

# Doors with a table of their own, in the tests of their subjects.
TOLD_ELSEWHERE = {
    path
    for path in WHO_MAY_ENTER
    if re.search("side-effects|blood-results|adherence|injections|/record$", path)
}


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        else:
            yield path, entry


def entrance(pattern: URLPattern) -> str:
    """What a view says of who may enter; a page says it in Django's own way."""
    view = getattr(pattern.callback, "cls", None)
    if getattr(pattern.callback, "for_patients", False):
        return "Patient"
    if getattr(pattern.callback, "for_team", False):
        return "Team"
    if who := getattr(pattern.callback, "for_personas", ""):
        return f"{who} page"
    if view is None:
        # Django's middleware asks for a session wherever a page doesn't say that it needs none.
        return "Session" if getattr(pattern.callback, "login_required", True) else "Anybody"
    (permission,) = view.permission_classes
    return permission.__name__


def test_every_route_says_who_may_enter():
    found = {path: entrance(pattern) for path, pattern in routes(get_resolver(), "/")}
    assert found == WHO_MAY_ENTER


def test_the_table_below_leaves_out_no_door_for_people():
    named = {path.replace("{ada}", "/api/v1/patients/<uuid:patient_id>") for _, path, *_ in DOORS}
    elsewhere = {
        path
        for path, who in WHO_MAY_ENTER.items()
        if who not in ("Patient", "Team")
        and re.search("<uuid:(item|clinic|import|transfer)_id>", path)
    }
    for_people = {path for path, who in WHO_MAY_ENTER.items() if who in ("SignedIn", "Staff")}
    of_the_community = {
        f"/api/v1/community/{door}" for door in ("join", "enter", "enter-to-appeal")
    }
    assert named | elsewhere | TOLD_ELSEWHERE | of_the_community == for_people


def test_doors_reach_rows_through_the_guarded_readings_alone():
    root = Path(__file__).parents[2]
    doors = [*(root / "api").glob("*.py"), *(root / "web").glob("*.py")]
    assert len(doors) > 15
    assert [path.name for path in doors if ".objects" in path.read_text()] == []


@pytest.mark.parametrize(
    (
        *("method", "path", "body"),
        *("to_clinician", "to_coordinator", "to_admin", "to_patient", "to_stranger"),
    ),
    DOORS,
    ids=[f"{method} {path}" for method, path, *_ in DOORS],
)
def test_what_each_is_told(
    method, path, body, to_clinician, to_coordinator, to_admin, to_patient, to_stranger,
    cast, ada, weekly, clinician, coordinator, admin, patient, stranger, anonymous,
):  # fmt: skip
    path = path.format(ada=ada)
    if path == "/api/v1/patients" and body:
        body = {**body, "clinic": str(cast.clinic.id)}
    etag = clinician.ask("GET", weekly, expect=200).etag
    anonymous.ask(method, path, body=body, expect=401, If_Match=etag)
    for caller, status in (
        (stranger, to_stranger),
        (patient, to_patient),
        (admin, to_admin),
        (coordinator, to_coordinator),
        (clinician, to_clinician),
    ):
        caller.ask(method, path, body=body, expect=status, If_Match=etag)


def test_a_stranger_sees_nothing_of_ours_in_their_lists(cast, weekly, clinician, stranger):
    ours, theirs = (
        caller.ask("GET", "/api/v1/patients", expect=200)["results"]
        for caller in (clinician, stranger)
    )
    assert [patient["id"] for patient in ours] == [str(cast.ada.id)]
    assert theirs == []
    of_ours = f"/api/v1/patients?clinic={cast.clinic.id}"
    assert stranger.ask("GET", of_ours, expect=200)["results"] == []


def test_a_patient_of_another_clinic_and_one_who_is_nobody_are_told_apart_by_nothing(
    cast, ada, stranger
):
    nobody = "/api/v1/patients/0198c0de-0000-7000-8000-000000000000"
    one, other = (stranger.ask("GET", path, expect=404).body for path in (ada, nobody))
    assert {**one, "request_id": ""} == {**other, "request_id": ""}


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer " + "0" * 64,
        "Bearer " + "é" * 64,
        "Bearer \x00",
        "Basic YTpi",
        "Token " + "0" * 64,
        "\udcff",
    ],
)
def test_a_token_that_is_none(header, ada, anonymous):
    sent = header.encode(errors="surrogateescape").decode("latin-1")
    anonymous.ask("GET", ada, expect=401, Authorization=sent)


def test_somebody_who_has_left_is_not_let_in(cast, ada, clinician):
    cast.clinician.is_active = False
    cast.clinician.save()
    clinician.ask("GET", ada, expect=401)
    credentials = {"email": cast.clinician.email, "password": PASSWORD}
    clinician.ask("POST", "/api/v1/sign-in", body=credentials, expect=401, code="not_signed_in")
