"""A sign of danger opens a crisis case, and nothing else does: by every verb that takes text."""

import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.refusals import Forbidden, Invalid, NotFound, Refusal, Stale
from community.members.entering import rename
from community.models import Case, Persona, PersonaLink
from community.moderation.appeals import appeal
from community.posts.editing import edit, withdraw
from community.posts.refused import hear_refused
from community.rules import judge
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, make_circle, silence, wrote
from tests.moderating import M, open_case, report, settle

FILES = (Path(__file__).parent.parent / "corpus" / "posts").glob("en_*.toml")
TEXTS = [
    post["text"] for path in sorted(FILES) for post in tomllib.loads(path.read_text())["posts"]
]


def by_thread(circle: Circle, text: str) -> None:
    begin(circle.heron, circle.sleep, text)


def by_title(circle: Circle, text: str) -> None:
    begin(circle.heron, circle.sleep, "Nothing more to say.", " ".join(text.split())[:200])


def by_reply(circle: Circle, text: str) -> None:
    answer(circle.heron, begin(circle.wren, circle.sleep).post.thread, text)


def by_edit(circle: Circle, text: str) -> None:
    post = begin(circle.heron, circle.sleep).post
    later = NOW + timedelta(minutes=1)
    edit(
        circle.heron.id, post.id, wrote(text, "Nights"), post.version, as_actor(circle.heron), later
    )


def by_report(circle: Circle, text: str) -> None:
    report(circle.heron, begin(circle.wren, circle.sleep).post, words=text)


def by_appeal(circle: Circle, text: str) -> None:
    post = begin(circle.heron, circle.sleep).post
    report(circle.wren, post)
    decision = settle(circle.owl, open_case(post), M.REMOVE)
    appeal(circle.heron.id, decision.id, text, as_actor(circle.heron), NOW)


def refused(verb: Callable[[], object], kind: type[Refusal]) -> None:
    with pytest.raises(kind):
        verb()


def by_pseudonym(circle: Circle, text: str) -> None:
    user = User.objects.create(email="h@example.org", name="A B")
    PersonaLink.objects.create(user=user, persona=circle.heron)
    with suppress(Invalid):
        rename(circle.heron.id, text, as_actor(circle.heron), NOW)


def by_one_who_is_silenced(circle: Circle, text: str) -> None:
    silence(circle, NOW + timedelta(days=1))
    with suppress(Forbidden):
        begin(circle.heron, circle.sleep, text)


def by_one_who_has_to_accept_new_rules(circle: Circle, text: str) -> None:
    Persona.objects.filter(id=circle.heron.id).update(accepted_rules=0)
    with suppress(Forbidden):
        begin(circle.heron, circle.sleep, text)


def by_a_reply_to_what_is_gone(circle: Circle, text: str) -> None:
    post = begin(circle.wren, circle.sleep).post
    withdraw(circle.wren.id, post.id, post.version, as_actor(circle.wren), NOW)
    refused(lambda: answer(circle.heron, post.thread, text), NotFound)


def by_an_edit_of_what_has_changed(circle: Circle, text: str) -> None:
    post = begin(circle.heron, circle.sleep).post
    args = (circle.heron.id, post.id, wrote(text, "Nights"), 99, as_actor(circle.heron), NOW)
    refused(lambda: edit(*args), Stale)


def by_far_too_much(circle: Circle, text: str) -> None:
    hear_refused(circle.heron.id, f"{text}\n{'x ' * 10_000}", as_actor(circle.heron), NOW)


MORE_WAYS = [
    by_pseudonym,
    by_one_who_is_silenced,
    by_one_who_has_to_accept_new_rules,
    by_a_reply_to_what_is_gone,
    by_an_edit_of_what_has_changed,
    by_far_too_much,
]
"""Those that are refused but for the cry."""

WAYS = [by_thread, by_title, by_reply, by_edit, by_report, by_appeal, *MORE_WAYS]


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_sign_of_danger_and_a_crisis_case_go_together(way) -> None:
    @settings(max_examples=12, deadline=None)
    @given(st.sampled_from(TEXTS), st.sampled_from(["{}", "{}!!", "Hello. {}", "**{}**"]))
    def check(text: str, how: str) -> None:
        written = how.format(text)
        with transaction.atomic():
            circle = make_circle()
            way(circle, written)
            cases = list(Case.objects.filter(crisis=True))
            paged = [case for case in cases if case.next_page_at == case.opened_at]
            seen = " ".join(written.split())[:200] if way is by_title else written
            assert bool(cases) == judge(seen, "en").crisis, seen
            assert len(paged) == len(cases)
            transaction.set_rollback(True)

    check()
