"""The moderators' pages, without a browser."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from community.models import (
    Appeal,
    Case,
    CaseEvent,
    Decision,
    LiveText,
    LiveThread,
    Persona,
    Post,
    PostState,
    Sanction,
)
from community.moderation import queue
from reminders.models import Patient
from tests.api.conftest import here
from tests.cast import Cast
from tests.community import Circle, answer, begin, make_circle
from tests.moderating import M, appeal, open_case, report, settle
from tests.pages import come_in, text

NOW = timezone.now()


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


@pytest.fixture
def owl(circle) -> Client:
    return come_in(circle.owl)


@pytest.fixture
def lark(circle) -> Client:
    return come_in(circle.lark)


def reported(circle: Circle, body: str = "You are all fools.") -> Case:
    """A case of a post that was reported."""
    post = begin(circle.heron, circle.sleep, body, now=NOW).post
    report(circle.wren, post, words="It hurts.", now=NOW)
    return open_case(post)


def at(case: Case) -> str:
    return f"/moderation/cases/{case.id}"


def form_of(page: str, **chosen: object) -> dict[str, object]:
    """What the deciding form holds, with what was chosen."""
    form = page[page.index("decide") :]
    hidden = dict(re.findall(r'type="hidden" name="(seen|revision)" value="([^"]+)"', form))
    return {**hidden, **chosen}


def send(client: Client, path: str, form: dict[str, object], status: int = 200) -> str:
    answered = client.post(f"/community{path}", form, follow=True)
    assert answered.status_code == status, answered.content.decode()
    return answered.content.decode()


def test_the_queue_has_the_most_urgent_first_and_pages_joined_are_all_of_it(circle, owl):
    for number in range(22):
        begin(
            circle.novice, circle.sleep, title=f"T{number}", now=NOW + timedelta(hours=2 * number)
        )
    reported(circle)
    begin(circle.wren, circle.sleep, "I want to kill myself.")
    page = text(owl, "/moderation")
    kinds = re.findall(r"<h2><a[^>]+>([^<]+)<", page)
    assert kinds[:2] == ["Somebody may be in danger", "Reported by members"]
    more = re.search(r'href="(\?after=[^"]+)"', page)
    assert more
    rest = text(owl, f"/moderation{more[1]}")
    found = re.findall(r"/moderation/cases/([0-9a-f-]{36})", page + rest)
    assert len(found) == len(set(found)) == Case.objects.count() == 24
    assert len(re.findall("<h2><a", text(owl, "/moderation?kind=crisis"))) == 1
    assert "Nothing waits here" in text(owl, "/moderation?whose=mine")
    text(owl, "/moderation?kind=nonsense", 404)


def test_a_crisis_is_acknowledged_and_looked_after(circle, owl, lark):
    begin(circle.wren, circle.sleep, "I want to kill myself.", now=NOW)
    case = Case.objects.get()
    assert "being paged" in text(owl, at(case))
    page = send(owl, f"{at(case)}/acknowledge", {})
    assert "nobody is paged" in page
    send(owl, f"{at(case)}/claim", {})
    case.refresh_from_db()
    assert case.owner == circle.owl
    assert "Owl looks after this case" in send(lark, f"{at(case)}/claim", {}, 409)
    send(owl, f"{at(case)}/notes", {"text": "I have written to them."})
    assert CaseEvent.objects.filter(kind="note", by=circle.owl).exists()
    assert "Write a note" in send(owl, f"{at(case)}/notes", {"text": ""}, 422)
    send(owl, f"{at(case)}/second-opinion", {})
    send(lark, f"{at(case)}/claim", {})
    send(lark, f"{at(case)}/hand-back", {})
    text(owl, f"{at(case)}/nonsense", 405)


def test_a_decision_with_measures_and_its_reason_reaches_the_author(circle, owl):
    case = reported(circle)
    page = text(owl, at(case))
    assert "It hurts." in page
    assert "You are all fools." in page
    wanted = form_of(
        page, main="hide", also=["silence"], days="7", reason="unkind", words="Please."
    )
    assert "Decided" in send(owl, f"{at(case)}/decide", wanted)
    decision = Decision.objects.get()
    assert [one["kind"] for one in decision.measures] == ["hide", "silence"]
    assert Sanction.objects.get().ends_at == decision.at + timedelta(days=7)
    assert not LiveText.objects.exists()
    assert "Please." in text(come_in(circle.heron), f"/decisions/{decision.id}")
    assert "What was decided" in text(owl, at(case))


def test_of_two_at_once_the_second_sees_what_was_decided(circle, owl, lark):
    case = reported(circle)
    form = form_of(text(lark, at(case)), main="remove", reason="unkind", words="Gone.")
    send(owl, f"{at(case)}/decide", form_of(text(owl, at(case)), main="no_action"))
    page = send(lark, f"{at(case)}/decide", form, 409)
    assert "Somebody was faster" in page
    assert "Owl" in page
    assert "Nothing against the rules" in page
    assert Decision.objects.count() == 1
    assert LiveText.objects.exists()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"main": "hide"}, "Say why"),
        ({"main": "hide", "reason": "own", "words": ""}, "Write your reason"),
        ({"main": "approve", "also": ["warn"], "reason": "unkind"}, "together"),
        ({"also": ["silence"], "reason": "unkind"}, "say until"),
        ({"main": "mask", "reason": "personal"}, "say body"),
        ({}, "Choose what to do"),
    ],
)
def test_what_cant_be_decided_is_said_and_the_form_keeps_its_words(chosen, said, circle, owl):
    case = reported(circle)
    form = form_of(text(owl, at(case)), **{"words": "My words to them.", **chosen})
    page = send(owl, f"{at(case)}/decide", form, 409)
    assert said in page
    if chosen.get("reason") != "own":
        assert "My words to them." in page
    assert not Decision.objects.exists()


def test_words_are_taken_out_and_a_thread_is_moved(circle, owl):
    case = reported(circle, "My doctor Jane Roe said so.")
    form = form_of(
        text(owl, at(case)), main="mask", also=["move"], title="Nights", reason="personal",
        body="My doctor said so.", space=str(circle.work.id),
    )  # fmt: skip
    send(owl, f"{at(case)}/decide", form)
    live = LiveText.objects.get()
    assert (live.body, live.space) == ("My doctor said so.", circle.work)


def test_first_posts_are_approved(circle, owl):
    post = begin(circle.novice, circle.sleep, now=NOW).post
    case = open_case(post)
    send(owl, f"{at(case)}/decide", form_of(text(owl, at(case)), main="approve"))
    post.refresh_from_db()
    assert post.state == PostState.PUBLISHED


def test_a_case_is_handed_over_to_a_colleague_by_name(circle, owl, lark):
    case = reported(circle)
    assert "Hand it over to" not in text(owl, at(case))
    send(owl, f"{at(case)}/claim", {})
    page = text(owl, at(case))
    named = re.findall(r'<option value="([^"]+)">[^<]+</option>', page[page.index("Hand it") :])
    assert str(circle.lark.id) in named
    assert not {str(circle.owl.id), str(circle.wren.id), str(circle.heron.id)} & set(named)
    wrong = send(owl, f"{at(case)}/hand-over", {"to": ""}, 422)
    assert "Choose who is to have it." in wrong
    assert "Choose one of the moderators." in send(
        owl, f"{at(case)}/hand-over", {"to": circle.wren.id}, 409
    )
    assert "They have it for half an hour." in send(
        owl, f"{at(case)}/hand-over", {"to": circle.lark.id}
    )
    assert "You have it" in text(lark, at(case))


def test_reports_and_events_beyond_the_newest_are_a_link_away(circle, owl, monkeypatch):
    monkeypatch.setattr(queue, "NEWEST", 1)
    case = reported(circle)
    report(circle.novice, case.post, words="Too much.", now=NOW)
    page = text(owl, at(case))
    assert "It hurts." not in page
    assert "Too much." in page
    every = text(owl, f"{at(case)}/reports")
    words = re.findall(r"<blockquote>([^<]+)", every)
    assert words == ["Too much.", "It hurts."]
    assert text(owl, f"{at(case)}/events").count("<li><strong>") == case.events.count()
    api = here(circle.owl)
    path = f"/api/v1/community/moderation/cases/{case.id}"
    file = api.ask("GET", path, expect=200)
    assert (len(file["reports"]), file["earlier_reports"], file["earlier"]) == (1, True, True)
    found, next_ = [], f"{path}/reports?page_size=1"
    while next_:
        listed = api.ask("GET", next_.removeprefix("http://testserver"), expect=200)
        found += [one["words"] for one in listed["results"]]
        next_ = listed["next"]
    assert found == words


def test_an_appeal_is_decided_by_another(circle, owl, lark):
    case = reported(circle)
    ruled = settle(circle.owl, case, M.REMOVE, now=NOW)
    appealed = appeal(ruled, "I meant the weather.", now=NOW)
    page = text(lark, at(appealed))
    assert "I meant the weather." in page
    own = send(owl, f"{at(appealed)}/decide-appeal", form_of(page, stands="yes"), 409)
    assert "against your decision" in own
    send(lark, f"{at(appealed)}/decide-appeal", form_of(page), 422)
    send(lark, f"{at(appealed)}/decide-appeal", form_of(page, stands="no", words="You are right."))
    assert Appeal.objects.get().upheld
    assert LiveText.objects.exists()
    assert "You are right." in text(come_in(circle.heron), f"/decisions/{ruled.id}")


def test_members_have_no_business_there_and_nobody_in_a_case_about_themselves(circle, owl):
    case = reported(circle)
    heron = come_in(circle.heron)
    for path in ("/moderation", "/moderation/board", at(case)):
        assert "This is for moderators" in text(heron, path, 403)
    for verb in ("claim", "acknowledge", "notes", "decide", "decide-appeal"):
        send(heron, f"{at(case)}/{verb}", {"seen": "1-1", "main": "approve"}, 403)
    send(heron, f"/moderation/threads/{case.post.thread_id}", {"slow_seconds": "5"}, 403)
    assert not Decision.objects.exists()
    assert "/community/moderation" not in text(heron)
    theirs = begin(circle.owl, circle.sleep, now=NOW).post
    report(circle.wren, theirs, now=NOW)
    about = open_case(theirs)
    text(owl, at(about), 404)
    send(owl, f"{at(about)}/claim", {}, 404)
    assert f"cases/{about.id}" not in text(owl, "/moderation")


def test_threads_are_kept_and_the_board_has_its_figures(circle, owl):
    post = begin(circle.heron, circle.sleep).post
    path = f"/moderation/threads/{post.thread_id}"
    send(owl, path, {"pinned": "on", "read_only": "on", "slow_seconds": "60"})
    assert LiveThread.objects.get().pinned
    assert "Pinned" in text(come_in(circle.wren), f"/rooms/{circle.sleep.id}")
    assert "closed for replies" in text(come_in(circle.wren), f"/threads/{post.thread_id}")
    settle(circle.owl, reported(circle), M.HIDE, now=NOW)
    page = text(owl, "/moderation/board")
    assert "1 decisions restricted" in page
    assert "Owl" in page


def test_no_moderators_page_leads_to_a_user_or_a_patient(cast: Cast, client, circle, owl):
    """As test_moderation.py has it for the API."""
    client.force_login(cast.clinician)
    joining = {"pseudonym": "Blue Heron", "language": "en", "time_zone": "Europe/London",
               "accepts": "1"}  # fmt: skip
    assert client.post("/me/community/join", joining).status_code == 302
    heron = Persona.objects.get(pseudonym="Blue Heron")
    Persona.objects.filter(id=heron.id).update(approved_posts=9, joined_at=NOW - timedelta(days=9))
    heron.refresh_from_db()
    post = begin(heron, circle.sleep, "Ring 07700 900123 or jo@example.org.", now=NOW).post
    answer(circle.wren, post.thread)
    report(circle.wren, post, words="I know them: clinician@example.org.", now=NOW)
    case = open_case(post)
    theirs = ("/moderation", at(case), "/moderation/board")
    theirs += (f"/members/{heron.id}", f"/threads/{post.thread_id}")
    shown = [text(owl, path) for path in theirs]
    shown.append(send(owl, f"{at(case)}/decide", form_of(shown[1], main="hide", reason="unkind")))
    shown.append(text(owl, at(case)))
    known = [str(row.id) for model in (User, Patient) for row in model.objects.all()]
    known += list(User.objects.exclude(email=None).values_list("email", flat=True))
    known += list(Patient.objects.values_list("name", flat=True))
    known += ["07700", "900123", "jo@example.org", "clinician@"]
    for page in shown:
        assert [one for one in known if one in page] == []
    assert Post.objects.get(id=post.id).state == PostState.HIDDEN
