"""The bridge over HTTP: a member shows a post of their own to their care team, and takes it back;
nothing else leads from the one world to the other."""

from uuid import UUID

import pytest
from django.db import connection

from accounts.models import AuditEntry
from accounts.sign_in import give_token
from community.models import PersonaLink, SharedPost
from reminders.models import PatientLogin, SharedExperience
from reminders.patients import signing_in
from tests.api.client import Caller
from tests.api.conftest import here
from tests.cast import NOW, Cast
from tests.community import Circle, begin

HERE = "/api/v1/community"
BODY = "I sleep badly after the injection."


@pytest.fixture
def ada_here(cast: Cast, circle: Circle) -> tuple[Caller, str]:
    """Ada, who is Heron in the community: she as Heron, and her token as a patient."""
    signing_in.invite(cast.ada.id, cast.actor, NOW)
    user = PatientLogin.objects.get(patient=cast.ada).user
    PersonaLink.objects.create(user=user, persona=circle.heron)
    return here(circle.heron), give_token(user).token


def share(caller: Caller, token: str, post_id: UUID, expect: int = 201, **more: str):
    path = f"{HERE}/posts/{post_id}/share"
    return caller.ask("POST", path, expect=expect, body={}, X_Patient_Token=token, **more)


def test_a_post_is_shared_read_by_the_care_team_and_taken_back(
    circle, ada, ada_here, clinician, stranger
):
    heron, token = ada_here
    posted = begin(circle.heron, circle.sleep)
    shared = share(heron, token, posted.post.id)
    [seen] = clinician.ask("GET", f"{ada}/experiences", expect=200)["results"]
    assert seen == {
        "id": shared["id"], "title": "Nights", "body": BODY, "shared_at": "2027-01-04T08:30:00Z",
    }  # fmt: skip
    stranger.ask("GET", f"{ada}/experiences", expect=404)
    [mine] = heron.ask("GET", f"{HERE}/shares", expect=200)["results"]
    assert (mine["id"], mine["post"], mine["revoked_at"]) == (
        shared["id"], str(posted.post.id), None,
    )  # fmt: skip
    share(heron, token, posted.post.id, 409, code="shared")

    path = f"{HERE}/shares/{shared['id']}/revoke"
    here(circle.wren).ask("POST", path, expect=404, body={})
    heron.ask("POST", path, expect=204, body={})
    heron.ask("POST", path, expect=404, body={})
    assert clinician.ask("GET", f"{ada}/experiences", expect=200)["results"] == []
    row = SharedExperience.objects.get()
    assert (row.title, row.body, row.revoked_at) == ("", "", NOW)
    share(heron, token, posted.post.id)


def test_a_repeat_with_its_key_shares_once(circle, ada_here):
    heron, token = ada_here
    posted = begin(circle.heron, circle.sleep)
    first, again = (share(heron, token, posted.post.id, Idempotency_Key="k") for _ in range(2))
    assert first.body == again.body
    assert SharedPost.objects.count() == SharedExperience.objects.count() == 1


def test_only_ones_own_post_that_can_be_seen(circle, ada_here):
    heron, token = ada_here
    share(heron, token, begin(circle.wren, circle.sleep).post.id, 404)
    waits = begin(circle.heron, circle.sleep, "I want to kill myself.")
    share(heron, token, waits.post.id, 404)
    assert not SharedPost.objects.exists()


def test_both_tokens_are_needed_and_of_one_person(circle, cast, ada_here, clinician):
    heron, token = ada_here
    post = begin(circle.heron, circle.sleep).post
    path = f"{HERE}/posts/{post.id}/share"
    heron.ask("POST", path, expect=403, code="not_a_patient", body={})
    for other in ("0" * 64, "é", clinician.token):
        share(heron, other.encode().decode("latin-1"), post.id, 403, code="not_a_patient")
    wrens = begin(circle.wren, circle.sleep).post
    share(here(circle.wren), token, wrens.id, 403, code="somebody_else")
    Caller(token).ask("POST", path, expect=401, body={}, X_Patient_Token=token)


def test_where_one_side_refuses_neither_has_it(circle, cast, ada_here, monkeypatch):
    monkeypatch.setattr("reminders.health.shared_experiences.MOST", 1)
    heron, token = ada_here
    share(heron, token, begin(circle.heron, circle.sleep).post.id)
    share(heron, token, begin(circle.heron, circle.sleep).post.id, 409, code="many_shared")
    assert SharedPost.objects.count() == SharedExperience.objects.count() == 1


def test_leaving_takes_all_back(circle, ada, ada_here, clinician):
    heron, token = ada_here
    share(heron, token, begin(circle.heron, circle.sleep).post.id)
    heron.ask("POST", f"{HERE}/leave", expect=204, body={"posts": "keep"})
    assert clinician.ask("GET", f"{ada}/experiences", expect=200)["results"] == []
    assert SharedExperience.objects.get().body == ""


def test_both_sides_write_it_down_and_no_row_names_both(circle, cast, ada_here):
    heron, token = ada_here
    shared = share(heron, token, begin(circle.heron, circle.sleep).post.id)
    heron.ask("POST", f"{HERE}/shares/{shared['id']}/revoke", expect=204, body={})
    rows = AuditEntry.objects.filter(detail__share=shared["id"]).order_by("id")
    assert [row.verb for row in rows] == [
        "share_post", "receive_experience", "revoke_share", "take_back_experience",
    ]  # fmt: skip
    assert all(row.user_id is None or row.persona_id is None for row in rows)
    assert {row.request_id for row in rows if row.user_id or row.persona_id} == {""}
    assert not any(BODY in str(row.detail) for row in rows)


def ids_in(app: str) -> set[UUID]:
    """Every id in any row of an app's tables."""
    found: set[UUID] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'uuid' AND table_name LIKE %s",
            [f"{app}\\_%"],
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" NOTNULL')  # noqa: S608
            found |= {row[0] for row in cursor.fetchall()}
    return found


def test_the_two_worlds_have_one_id_in_common_that_of_what_is_shared(circle, cast, ada_here):
    heron, token = ada_here
    shared = share(heron, token, begin(circle.heron, circle.sleep).post.id)
    user = PersonaLink.objects.get(persona=circle.heron).user_id
    assert ids_in("community") & ids_in("reminders") == {UUID(shared["id"]), user}
    PersonaLink.objects.all().delete()
    assert ids_in("community") & ids_in("reminders") == {UUID(shared["id"])}, (
        "but for the sign-in's own table, which one file reads"
    )
