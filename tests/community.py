"""Who is in the tests of the community, each for a reason, and how they write."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import audit
from community.members.house_rules import VERSION
from community.members.pseudonyms import key_of
from community.models import (
    CaseKind,
    Decision,
    LiveText,
    Persona,
    PersonaRole,
    Sanction,
    SanctionKind,
    Space,
    Thread,
)
from community.moderation import cases
from community.posts.judging import Writing
from community.posts.posting import Posted, open_thread, reply
from tests.cast import NOW


@dataclass
class Circle:
    """heron: a trusted member. wren: another. novice: new, so that posts wait. owl, lark:
    moderators, so that one can decide on the other's appeal; eagle leads them. sleep: a space."""

    heron: Persona
    wren: Persona
    novice: Persona
    owl: Persona
    lark: Persona
    eagle: Persona
    sleep: Space
    work: Space


def make_circle() -> Circle:
    """The circle, stored."""
    return Circle(
        heron=make_persona("Heron", approved=20),
        wren=make_persona("Wren", approved=20),
        novice=make_persona("Novice", joined=NOW),
        owl=make_persona("Owl", role=PersonaRole.MODERATOR),
        lark=make_persona("Lark", role=PersonaRole.MODERATOR),
        eagle=make_persona("Eagle", role=PersonaRole.LEAD),
        sleep=make_space("sleep"),
        work=make_space("work"),
    )


def make_persona(
    pseudonym: str,
    *,
    role: PersonaRole = PersonaRole.MEMBER,
    approved: int = 0,
    joined: datetime = NOW - timedelta(days=100),
    language: str = "en",
) -> Persona:
    return Persona.objects.create(
        pseudonym=pseudonym,
        pseudonym_key=key_of(pseudonym),
        role=role,
        language=language,
        time_zone="Europe/London",
        accepted_rules=VERSION,
        joined_at=joined,
        approved_posts=approved,
    )


def make_space(key: str) -> Space:
    return Space.objects.create(
        key=key, title={"en": key.title()}, about={"en": f"About {key}."}, position=1
    )


def as_actor(persona: Persona) -> audit.Actor:
    return audit.as_persona(persona.id, "test")


def wrote(body: str, title: str = "", language: str = "en", tags: tuple[str, ...] = ()) -> Writing:
    return Writing(title, body, language, tags)


def begin(
    author: Persona,
    space: Space,
    body: str = "I sleep badly after the injection.",
    title: str = "Nights",
    now: datetime = NOW,
    **more: Any,
) -> Posted:
    """A thread."""
    return open_thread(author.id, space.id, wrote(body, title, **more), as_actor(author), now)


def answer(
    author: Persona, thread: Thread | UUID, body: str = "Same for me.", now: datetime = NOW
) -> Posted:
    """A reply."""
    thread_id = thread if isinstance(thread, UUID) else thread.id
    return reply(author.id, thread_id, wrote(body), as_actor(author), now)


def seen(post: Any) -> bool:
    """Whether a post can be seen."""
    return LiveText.objects.filter(post_id=post.id).exists()


def silence(circle: Circle, until: datetime, now: datetime = NOW) -> Sanction:
    """Let heron be silenced, by the owl's decision."""
    case = cases.open_case(CaseKind.REVIEW, None, circle.heron, as_actor(circle.owl), now)
    decision = Decision.objects.create(
        case=case,
        on_version=case.version,
        by=circle.owl,
        about=circle.heron,
        measures=[{"kind": "silence"}],
        reason="unkind",
        adverse=True,
        at=now,
    )
    return Sanction.objects.create(
        persona=circle.heron,
        decision=decision,
        kind=SanctionKind.SILENCE,
        starts_at=now,
        ends_at=until,
    )


def held(word: str) -> dict[str, int]:
    """How many rows of each table hold a word, in whatever column."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row[0] for row in cursor.fetchall()]
        counts = " UNION ALL ".join(
            f"SELECT '{name}', count(*) FROM \"{name}\" t WHERE t::text ILIKE %s"  # noqa: S608
            for name in names
        )
        cursor.execute(counts, [f"%{word}%"] * len(names))
        return {name: found for name, found in cursor.fetchall() if found}
