"""Members at once, in a database in which all of them really commit."""

from threading import Thread

import pytest
from django.db import connection, connections, transaction

from accounts.refusals import Conflict, NotFound, Refusal
from community import sharing
from community.members import bonds
from community.members.entering import join, rename
from community.members.house_rules import VERSION
from community.members.leaving import leave
from community.models import (
    Bond,
    BondKind,
    Channel,
    Contact,
    Draft,
    Persona,
    PersonaLink,
    Report,
    ReportReason,
    SharedPost,
)
from community.moderation.reports import Complaint, report_post
from community.notices import contacts
from community.posts.drafts import save_draft
from community.posts.editing import edit
from dev.waiting import until
from tests.api.test_at_once import at_once
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, held, make_circle, wrote
from tests.processes import World


@pytest.fixture
def circle(world: World) -> Circle:
    return make_circle()


def tried(act):
    """What an act came to: its result, or its refusal."""

    def run():
        try:
            return act()
        except Refusal as refusal:
            return refusal

    return run


def joining(user, pseudonym: str):
    return tried(
        lambda: join(
            user, pseudonym=pseudonym, language="en", time_zone="Europe/London", accepts=VERSION,
            now=NOW,
        )
    )  # fmt: skip


ALIKE = ("Quiet Harbour", "QUIET  HARB0UR", "Quiet Harb\u043eur")
"""Letter by letter, with a nought, and with a Cyrillic letter."""


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Unlike pg_stat_activity it is looked at anew within a transaction.
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def while_uncommitted(first, second):
    """Do `first`, and before it is committed `second`, which has to wait for it; answers what the
    second came to."""
    came_to = []

    def run():
        try:
            came_to.append(tried(second)())
        finally:
            connections.close_all()

    other = Thread(target=run)
    with transaction.atomic():
        first()
        other.start()
        until(waiting_for_a_lock, 10, "the other one waits")
    other.join(10)
    [answer] = came_to
    return answer


def test_of_several_who_join_under_look_alike_names_at_once_one_has_it(world, circle):
    cast = world.cast
    users = (cast.clinician, cast.coordinator, cast.stranger)
    came_to = at_once(*(joining(*each) for each in zip(users, ALIKE, strict=True)))
    lost = [one for one in came_to if isinstance(one, Conflict)]
    assert [one.code for one in lost] == ["pseudonym_taken"] * 2, came_to
    assert PersonaLink.objects.count() == 1
    assert Persona.objects.filter(pseudonym_key=PersonaLink.objects.get().persona.pseudonym_key)


def test_who_joins_second_waits_and_is_told_that_it_is_taken(world, circle):
    one, other = world.cast.clinician, world.cast.stranger
    refused = while_uncommitted(joining(one, ALIKE[0]), joining(other, ALIKE[2]))
    assert refused.code == "pseudonym_taken"


def test_who_joins_twice_at_once_is_one_member(world, circle):
    user = world.cast.clinician
    refused = while_uncommitted(joining(user, "Quiet Harbour"), joining(user, "Loud Harbour"))
    assert refused.code == "joined"
    assert Persona.objects.filter(pseudonym__contains="Harbour").count() == 1


def test_of_a_rename_and_a_joining_under_one_name_one_has_it(world, circle):
    heron, cast = circle.heron, world.cast
    PersonaLink.objects.create(user=cast.clinician, persona=heron)
    renaming = tried(lambda: rename(heron.id, ALIKE[1], as_actor(heron), NOW))
    refused = while_uncommitted(joining(cast.stranger, ALIKE[0]), renaming)
    assert refused.code == "pseudonym_taken"
    heron.refresh_from_db()
    assert heron.pseudonym == "Heron"


def test_who_blocks_and_mutes_somebody_at_once_has_one_bond(circle):
    heron, wren = circle.heron, circle.wren

    def bar(kind):
        return tried(lambda: bonds.set_bond(heron.id, wren.id, kind, as_actor(heron)))

    came_to = at_once(bar(BondKind.BLOCK), bar(BondKind.MUTE), bar(BondKind.BLOCK))
    assert all(isinstance(one, Bond) for one in came_to), came_to
    assert Bond.objects.get().other == wren


def test_nothing_is_shared_by_who_is_leaving(circle):
    heron = circle.heron
    post = begin(heron, circle.sleep).post

    def go():
        sharing.revoke_all(heron, as_actor(heron), NOW)
        leave(heron.id, erase=False, actor=as_actor(heron), now=NOW)

    refused = while_uncommitted(go, lambda: sharing.share(heron, post.id, as_actor(heron), NOW))
    assert isinstance(refused, NotFound)
    assert not SharedPost.objects.exists()


def test_a_post_that_is_shared_twice_at_once_is_shared_once(circle):
    heron = circle.heron
    post = begin(heron, circle.sleep).post
    act = tried(lambda: sharing.share(heron, post.id, as_actor(heron), NOW))
    came_to = at_once(act, act, act)
    assert [one.code for one in came_to if isinstance(one, Refusal)] == ["shared"] * 2
    assert SharedPost.objects.count() == 1


WORDS = "Quillons all night."


@pytest.mark.parametrize("erase", [True, False])
@pytest.mark.parametrize(
    "what", ["thread", "reply", "cry", "edit", "draft", "report", "contact", "bond", "rename"]
)
def test_of_who_is_leaving_nothing_is_written_any_more(world, circle, what, erase):
    """Asked for before the leaving is committed, it waits; afterwards nobody would erase it."""
    heron, actor = circle.heron, as_actor(circle.heron)
    theirs = begin(circle.wren, circle.sleep).post
    mine = begin(heron, circle.sleep).post
    PersonaLink.objects.create(user=world.cast.stranger, persona=heron)
    acts = {
        "thread": lambda: begin(heron, circle.sleep, WORDS),
        "reply": lambda: answer(heron, theirs.thread_id, WORDS),
        "cry": lambda: answer(heron, theirs.thread_id, f"I want to die. {WORDS}"),
        "edit": lambda: edit(heron.id, mine.id, wrote(WORDS, "Nights"), mine.version, actor, NOW),
        "draft": lambda: save_draft(heron.id, wrote(WORDS), NOW, thread_id=theirs.thread_id),
        "report": lambda: report_post(
            heron.id, theirs.id, Complaint(ReportReason.UNKIND, WORDS), actor, NOW
        ),
        "contact": lambda: contacts.ask(
            heron, Channel.SMS, "+447911123456", 1, actor, NOW
        ),
        "bond": lambda: bonds.set_bond(heron.id, circle.wren.id, BondKind.MUTE, actor),
        "rename": lambda: rename(heron.id, "Quillon", actor, NOW),
    }  # fmt: skip
    refused = while_uncommitted(
        lambda: leave(heron.id, erase=erase, actor=actor, now=NOW), acts[what]
    )
    assert isinstance(refused, NotFound)
    assert held("quillon") == {}
    for model in (Draft, Contact, Bond, Report):
        assert not model.objects.exists()
