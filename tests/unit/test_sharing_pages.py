"""The bridge by pages: a member shows a post to their care team, who read it; and takes it back."""

import html
import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry
from community.members import entering
from community.models import (
    LiveText,
    Persona,
    PersonaLink,
    SharedPost,
)
from community.posts.editing import edit, withdraw
from reminders.models import PatientLogin, SharedExperience
from reminders.patients import signing_in, transfers
from tests.cast import Cast, make_patient
from tests.community import Circle, as_actor, begin, make_circle, wrote
from tests.moderating import M, open_case, report, settle
from tests.pages import text
from tests.team import at_work

NOW = timezone.now()
BODY = "I sleep badly after the injection."


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def signed_in(cast: Cast, patient, persona: Persona | None) -> Client:
    """A patient's browser: signed in by phone, and come in as a persona."""
    signing_in.invite(patient.id, cast.actor, NOW)
    user = PatientLogin.objects.get(patient=patient).user
    client = Client()
    client.force_login(user)
    if persona is not None:
        PersonaLink.objects.create(user=user, persona=persona)
        client.cookies["community"] = entering._session(persona, timezone.now()).token
    return client


@pytest.fixture
def ada(cast: Cast, circle: Circle) -> Client:
    return signed_in(cast, cast.ada, circle.heron)


def ticket_on(page: str) -> str:
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', page)
    return html.unescape(ticket)


def press(client: Client, ticket: str, **more: str):
    return client.post("/me/community/share", {"ticket": ticket, **more})


def share(client: Client, post_id) -> str:
    """From one's own post to what one shares, which it answers."""
    asked = press(client, ticket_on(text(client, f"/mine/{post_id}")))
    done = press(client, ticket_on(asked.content.decode()), sure="yes")
    assert done.headers["Location"] == "/community/shares?told=shared"
    return text(client, "/shares?told=shared")


def team_reads(cast: Cast, patient=None) -> str:
    key = (patient or cast.ada).id
    told = at_work(cast.clinician).get(f"/team/patients/{key}/experiences")
    assert told.status_code == 200
    return told.content.decode()


def test_a_post_is_shown_to_the_care_team_and_taken_back(cast, circle, ada):
    post = begin(circle.heron, circle.sleep, "I *sleep* badly.").post
    own = text(ada, f"/mine/{post.id}")
    assert "Share with my care team" in own
    asked = press(ada, ticket_on(own))
    page = asked.content.decode()
    for words in ("everybody at St Example", "know that you wrote them", "your made-up name",
                  "020 7946 0000", "I <em>sleep</em> badly.", "You can take it back"):  # fmt: skip
        assert words in page
    assert "Heron" not in page
    assert asked.headers["Cache-Control"] == "private, no-store"
    assert not SharedPost.objects.exists(), "looking shares nothing"
    done = press(ada, ticket_on(page), sure="yes")
    assert done.headers["Location"] == "/community/shares?told=shared"
    listed = text(ada, "/shares?told=shared")
    assert "Your care team can read it now" in listed
    assert "I <em>sleep</em> badly." in listed
    own = text(ada, f"/mine/{post.id}")
    assert "You share this with your care team" in own
    assert "ticket" not in own

    page = at_work(cast.clinician).get(f"/team/patients/{cast.ada.id}").content.decode()
    assert "Shared with you by the patient" in page
    assert "I sleep badly." in page
    whole = team_reads(cast)
    assert "I <em>sleep</em> badly." in whole
    assert "Heron" not in page + whole
    assert str(post.id) not in page + whole
    assert at_work(cast.stranger).get(
        f"/team/patients/{cast.ada.id}/experiences").status_code == 404  # fmt: skip

    row = SharedPost.objects.get()
    back = ada.post(f"/community/shares/{row.id}/take-back")
    assert back.headers["Location"] == "/community/shares?told=taken_back"
    assert "You share nothing" in text(ada, "/shares?told=taken_back")
    assert ada.post(f"/community/shares/{row.id}/take-back").status_code == 404
    assert "I <em>sleep" not in team_reads(cast)
    assert SharedExperience.objects.get().body == ""
    verbs = AuditEntry.objects.filter(detail__share=str(row.id)).order_by("id")
    assert [entry.verb for entry in verbs] == [
        "share_post", "receive_experience", "revoke_share", "take_back_experience",
    ]  # fmt: skip
    assert not verbs.filter(user__isnull=False, persona_id__isnull=False).exists()
    assert {entry.request_id for entry in verbs if entry.verb.startswith(("share", "rec"))} == {""}
    share(ada, post.id)


def test_sent_twice_it_is_shared_once(cast, circle, ada):
    post = begin(circle.heron, circle.sleep).post
    ticket = ticket_on(text(ada, f"/mine/{post.id}"))
    for _ in range(2):
        told = press(ada, ticket, sure="yes")
        assert told.headers["Location"].startswith("/community/shares")
    assert SharedPost.objects.count() == SharedExperience.objects.count() == 1


def test_what_one_has_not_seen_one_does_not_share(circle, ada):
    """The words were changed while the page was open: nothing is shared before they are seen."""
    post = begin(circle.heron, circle.sleep).post
    ticket = ticket_on(text(ada, f"/mine/{post.id}"))
    edit(circle.heron.id, post.id, wrote("I never sleep.", "Nights"), post.version,
         as_actor(circle.heron), NOW)  # fmt: skip
    refused = press(ada, ticket, sure="yes")
    assert refused.status_code == 409
    assert not SharedPost.objects.exists()
    assert "I never sleep." in press(ada, ticket).content.decode(), "looking shows them as they are"


def test_what_becomes_of_the_post_later_changes_nothing_there_and_is_said(cast, circle, ada):
    post = begin(circle.heron, circle.sleep).post
    share(ada, post.id)
    edit(circle.heron.id, post.id, wrote("I never sleep.", "Nights"), post.version,
         as_actor(circle.heron), NOW)  # fmt: skip
    assert BODY in text(ada, "/shares")
    assert BODY in team_reads(cast)
    report(circle.wren, post, now=NOW)
    settle(circle.owl, open_case(post), M.HIDE, now=NOW)
    listed = text(ada, "/shares")
    assert BODY in listed
    assert "Hidden for now" in listed
    post.refresh_from_db()
    assert "Your care team can still read it" in text(ada, f"/mine/{post.id}/take-away")
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    assert BODY in team_reads(cast)
    assert BODY in text(ada, "/shares")
    ada.post(f"/community/shares/{SharedPost.objects.get().id}/take-back")
    assert BODY not in team_reads(cast)


def test_what_cant_be_seen_has_no_button_and_no_ticket_shares_it(circle, ada):
    waits = begin(circle.heron, circle.sleep, "I want to die.").post
    assert "ticket" not in text(ada, f"/mine/{waits.id}")
    post = begin(circle.heron, circle.sleep).post
    ticket = ticket_on(text(ada, f"/mine/{post.id}"))
    withdraw(circle.heron.id, post.id, post.version, as_actor(circle.heron), NOW)
    for more in ({}, {"sure": "yes"}):
        refused = press(ada, ticket, **more)
        assert refused.status_code == 409
        assert "only what others can see" in refused.content.decode()
    assert not SharedPost.objects.exists()


def test_a_ticket_is_of_one_person_and_one_hour_and_is_not_made_up(cast, circle, ada, monkeypatch):
    post = begin(circle.heron, circle.sleep).post
    ticket = ticket_on(text(ada, f"/mine/{post.id}"))
    bo = make_patient(cast.clinic, cast.clinician, name="Bo", number="+447700900002")
    other = signed_in(cast, bo, circle.wren)
    assert "Somebody else is signed in" in press(other, ticket, sure="yes").content.decode()
    for forged in ("", "x", ticket[:-1], signing.dumps([str(circle.heron.id)] * 3)):
        assert "open for too long" in press(ada, forged, sure="yes").content.decode()
    out = press(Client(), ticket, sure="yes")
    assert out.status_code == 401
    assert "Sign in first" in out.content.decode()
    assert str(post.id) not in out.content.decode()
    later = timezone.now().timestamp() + 3601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert "open for too long" in press(ada, ticket, sure="yes").content.decode()
    assert not SharedPost.objects.exists()
    # No words in an address, and none for who only follows a link.
    assert ada.get("/me/community/share").headers["Location"] == "/me/community"


def test_forms_need_their_proof(circle, ada, cast):
    post = begin(circle.heron, circle.sleep).post
    ticket = ticket_on(text(ada, f"/mine/{post.id}"))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ada.cookies
    assert press(strict, ticket, sure="yes").status_code == 403
    share(ada, post.id)
    path = f"/community/shares/{SharedPost.objects.get().id}/take-back"
    assert strict.post(path).status_code == 403


def test_who_is_no_patient_is_told_so(cast, circle):
    client = Client()
    client.force_login(cast.clinician)
    PersonaLink.objects.create(user=cast.clinician, persona=circle.heron)
    client.cookies["community"] = entering._session(circle.heron, timezone.now()).token
    post = begin(circle.heron, circle.sleep).post
    refused = press(client, ticket_on(text(client, f"/mine/{post.id}")))
    assert refused.status_code == 409
    assert "You are with no clinic here" in refused.content.decode()


def test_another_clinic_does_not_get_what_was_shared_with_the_first(cast, circle, ada):
    post = begin(circle.heron, circle.sleep).post
    share(ada, post.id)
    offer = transfers.offer(cast.ada.id, cast.other_clinic.id, "moves", cast.actor, NOW)
    stranger = at_work(cast.stranger)
    became = transfers.accept(offer.id, audit.by(cast.stranger, "test"), NOW).became
    page = stranger.get(f"/team/patients/{became.id}/experiences").content.decode()
    assert BODY not in page
    assert "They don&#x27;t see this. Take it back" in text(ada, "/shares")
    ada.post(f"/community/shares/{SharedPost.objects.get().id}/take-back")
    assert BODY not in team_reads(cast)
    asked = press(ada, ticket_on(text(ada, f"/mine/{post.id}"))).content.decode()
    assert "everybody at Elsewhere" in asked
    press(ada, ticket_on(asked), sure="yes")
    assert BODY in stranger.get(f"/team/patients/{became.id}/experiences").content.decode()


def test_the_suspended_still_take_back_and_share_nothing_more(cast, circle, ada):
    post = begin(circle.heron, circle.sleep).post
    other = begin(circle.heron, circle.sleep, "Again awake.").post
    share(ada, post.id)
    ticket = ticket_on(text(ada, f"/mine/{other.id}"))
    report(circle.wren, post, now=NOW)
    settle(circle.owl, open_case(post), M.SUSPEND, now=NOW)
    assert press(ada, ticket, sure="yes").status_code == 409
    ada.post("/me/community/appeal")
    assert "/community/shares" in text(ada, "/decisions")
    listed = text(ada, "/shares")
    assert BODY in listed
    assert "/community/mine" not in listed
    ada.post(f"/community/shares/{SharedPost.objects.get().id}/take-back")
    assert BODY not in team_reads(cast)


def test_leaving_by_pages_takes_all_back_and_a_ticket_is_over(cast, circle, ada):
    post = begin(circle.heron, circle.sleep).post
    other = begin(circle.heron, circle.sleep, "Again awake.").post
    share(ada, post.id)
    ticket = ticket_on(text(ada, f"/mine/{other.id}"))
    ada.post("/community/settings/leave", {"posts": "keep", "sure": "on"})
    assert BODY not in team_reads(cast)
    assert LiveText.objects.filter(post=other).exists()
    assert press(ada, ticket, sure="yes").status_code == 409
    assert not SharedPost.objects.filter(revoked_at=None).exists()


def test_what_is_shared_comes_by_page_on_both_sides(cast, circle, ada):
    for n in range(22):
        post = begin(
            circle.heron, circle.sleep, f"Night {n:02}.", now=NOW + timedelta(hours=n)
        ).post
        share(ada, post.id)
    for first, ask in (
        (text(ada, "/shares"), lambda q: text(ada, f"/shares{q}")),
        (team_reads(cast), lambda q: at_work(cast.clinician).get(
            f"/team/patients/{cast.ada.id}/experiences{q}").content.decode()),
    ):  # fmt: skip
        more = re.search(r'href="(\?after=[^"]+)"', first)
        both = [re.findall(r"<p>(Night \d\d)\.", page) for page in (first, ask(more[1]))]
        assert [len(page) for page in both] == [20, 2]
        assert [*both[0], *both[1]] == [f"Night {n:02}" for n in reversed(range(22))]
    unknown = f"/team/patients/{cast.ada.id}/experiences?after={cast.ada.id}"
    assert at_work(cast.clinician).get(unknown).status_code == 404
