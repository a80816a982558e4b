"""The OpenAPI document: committed as the code says it, and kept by the code as it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from uuid import UUID

import pytest
import schemathesis
import yaml
from django.core.cache import caches
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, settings
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.config._checks import MissingRequiredHeaderConfig

from accounts import sign_in
from accounts.models import Membership, Role, User
from api import examples
from api.community.door import Pace
from api.document import DOCUMENT
from api.door import etag
from community.members.entering import enter
from community.models import Case, Duty, PersonaLink, PersonaRole
from reminders.models import Cause, PatientLogin, WorkItem
from reminders.schedules import prescribing
from reminders.schedules.effects import Decision
from reminders.schedules.plan import read_plan
from reminders.worklist.items import Finding, open_items
from reminders.worklist.rota import token_of
from tests.api.client import Caller, signed_in
from tests.cast import NOW, Cast
from tests.community import begin, make_persona, make_space

# What the document can't say, because it depends on the day, the clinic or the patient. All that it
# can say is said there: what fits it is never "invalid".
ONLY_THE_VERBS_KNOW = {
    *("interval_days", "starts_on", "review_on", "after_last_injection", "open_dose"),
    *("unit", "implausible", "taken_on", "on_date", "corrects", "period", "parse_error"),
    *("column", "column_twice", "column_missing", "csv", "empty", "nul", "parse_error"),
    *("own_clinic", "code_wrong", "kind", "text", "braces", "placeholder", "placeholder_missing"),
    *("link", "digits", "carrier_word", "telling", "characters", "long"),
    *(
        "injection_ahead",
        "only_taken",
        "site",
        "number",
        "time_zone",
        "consent_ahead",
        "not_signed_in",
    ),
    *("not_a_member", "too_far", "ends_at", "sites"),
    *("pseudonym", "pseudonym_personal", "pseudonym_refused", "pseudonym_real_name"),
    *("house_rules", "tags", "title", "one_of", "oneself", "own", "nothing", "hours"),
    *(
        "told_ahead",
        "measures",
        "not_together",
        "there_is_none",
        "revision",
        "reason",
        "words",
        "until",
    ),
    *("not_a_moderator", "phrases", "unless", "body_missing", "until_missing", "space_missing"),
    *("thread_missing", "if_match", "address", "code"),
}

config = SchemathesisConfig(
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(max_examples=3, deterministic=True, database="none"),
            # Other methods are Django's to refuse, and each costs as much as one that is ours.
            phases=PhasesConfig(coverage=CoveragePhaseConfig(unexpected_methods={"trace"})),
            checks=ChecksConfig(
                # 400 and 401 are looked at more closely below.
                positive_data_acceptance=PositiveDataAcceptanceConfig(
                    expected_statuses=["2xx", "400", "401", "404", "409"]
                ),
                missing_required_header=MissingRequiredHeaderConfig(
                    expected_statuses=["400", "401", "403", "406", "415", "428"]
                ),
            ),
        )
    )
)
schema = schemathesis.openapi.from_path(DOCUMENT, config=config)
schema.app = get_wsgi_application()


def test_it_is_what_the_code_says():
    """And no word in it is a member's: its examples are the house's, for it is made without a
    database, which isn't there for this test."""
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()
    written = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)
    assert written.getvalue().strip() == DOCUMENT.read_text().strip(), "run `make schema`"


def test_every_operation_is_described_and_shown():
    document = yaml.safe_load(DOCUMENT.read_text())
    assert document["openapi"].startswith("3.1")
    operations = [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names) > 15
    for where, operation in operations:
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["tags"], where
        contents = [
            *operation.get("requestBody", {}).get("content", {}).values(),
            *[
                content
                for status, answer in operation["responses"].items()
                if status.startswith("2")
                for media_type, content in answer.get("content", {}).items()
                if "json" in media_type
            ],
        ]
        for content in contents:
            assert content["examples"], where
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                assert answer["$ref"] == f"#/components/responses/Problem{status}", where


def test_the_document_is_served(anonymous):
    answer = anonymous.ask("GET", "/api/openapi.yaml", expect=200)
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.body == DOCUMENT.read_text()


@dataclass
class Eagle:
    """patient_token: of their signing in as a patient. sees: ids of what there is, by the name that
    paths have for it."""

    caller: Caller
    patient_token: str
    sees: dict[str, UUID]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keeps Django from ending the test's transaction with each request, as its own client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def caller(cast: Cast, monkeypatch: pytest.MonkeyPatch, one_connection: None) -> Caller:
    """A clinician of whom the examples tell, and nothing in the way of what is tried."""
    prescribing.start(cast.ada.id, Decision(7, NOW.date()), None, cast.actor, NOW)
    open_items([Finding(cast.ada.id, Cause.CALL_ME)], NOW)
    grace = User.objects.create_user(examples.SIGN_IN["email"], examples.SIGN_IN["password"], "G")
    Membership.objects.create(user=grace, clinic=cast.clinic, role=Role.CLINICIAN)
    monkeypatch.setattr(sign_in, "MOST_OF_EMAIL", 1_000_000)
    monkeypatch.setattr(sign_in, "MOST_OF_ADDRESS", 1_000_000)
    monkeypatch.setattr(Pace, "rate", "1000000/min")
    # As if Twilio had signed it all, so that it gets behind the door.
    monkeypatch.setattr("messaging.twilio.signature_ok", lambda account, *_: bool(account))
    return signed_in(grace)


@pytest.fixture
def eagle(cast: Cast) -> Eagle:
    """Who leads the community's moderators, and what they can look at."""
    persona = make_persona("Eagle", role=PersonaRole.LEAD)
    PersonaLink.objects.create(user=cast.clinician, persona=persona)
    entered = enter(cast.clinician, NOW)
    # Who is a patient, too, and on duty.
    PatientLogin.objects.create(patient=cast.ada, user=cast.clinician)
    Duty.objects.create(persona=persona, rung=1, number="+447700900990", ready_at=NOW)
    own = begin(persona, make_space("sleep")).post
    waiting = begin(make_persona("Novice", joined=NOW), own.thread.space).post
    return Eagle(
        Caller(entered.token),
        signed_in(cast.clinician).token,
        {
            "space_id": own.thread.space_id,
            "thread_id": own.thread_id,
            "post_id": own.id,
            "case_id": Case.objects.get(post=waiting).id,
            "member_id": waiting.author_id,
        },
    )


@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_to_it(case, cast, caller, eagle):
    """Each request comes to the same things, and is forgotten afterwards."""
    as_persona = {"persona": []} in case.operation.definition.raw.get("security", [])
    if case.meta.generation.mode.is_positive:
        known = {
            "patient_id": cast.ada.id,
            "item_id": WorkItem.objects.get().id,
            "clinic_id": cast.clinic.id,
            **eagle.sees,
        }
        for name in known.keys() & case.path_parameters.keys():
            case.path_parameters[name] = str(known[name])
        if "If-Match" in case.headers:
            case.headers["If-Match"] = etag(state_of(case.path_parameters, cast))
        if "X-Patient-Token" in case.headers:
            case.headers["X-Patient-Token"] = eagle.patient_token
        if isinstance(case.body, dict) and "clinic" in case.body:
            case.body["clinic"] = str(cast.clinic.id)
    token = eagle.caller.token if as_persona else caller.token
    caches["pace"].clear()
    with transaction.atomic():
        case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"},
            additional_checks=[what_fits_is_refused_by_verbs_alone],
        )
        transaction.set_rollback(True)


def state_of(names: Mapping[str, str], cast: Cast) -> str:
    """What the present state is called, of what a path names."""
    if "case_id" in names:
        return "1-1"
    if "post_id" in names:
        return "2"
    return token_of([]) if "clinic_id" in names else read_plan(cast.ada).token


def what_fits_is_refused_by_verbs_alone(ctx, response, case) -> None:
    if response.status_code in {400, 401} and case.meta.generation.mode.is_positive:
        problem = response.json()
        assert problem["code"] in ONLY_THE_VERBS_KNOW, problem
