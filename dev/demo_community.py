"""The demo's community: members, what they wrote over the last weeks, and what moderators have done
about some of it. All goes through the product's own verbs, so the rules have seen every word.

Needs Django to be set up.
"""

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from accounts import audit
from accounts.models import User
from community.members.entering import join
from community.members.house_rules import VERSION
from community.members.pseudonyms import key_of
from community.models import Persona, PersonaRole, PostState, Space, Thread
from community.moderation.appointing import appoint
from community.posts.judging import Writing
from community.posts.posting import Posted, open_thread, reply
from community.posts.spaces import set_up_spaces
from dev.demo_moderation import Desk, moderate, put_on_duty
from dev.stack import Trouble
from reminders.models import Patient
from reminders.patients.signing_in import invite

WORDS = Path(__file__).with_name("words") / "community.toml"
DEMO = audit.Actor("demo")

MODERATORS_PHONE = "+447700900990"

WHO_SIGN_IN = {
    "member@community.example": ("Blue Heron", PersonaRole.MEMBER),
    "moderator@community.example": ("Barn Owl", PersonaRole.MODERATOR),
    "second@community.example": ("Tawny Owl", PersonaRole.MODERATOR),
    "lead@community.example": ("Golden Eagle", PersonaRole.LEAD),
}
"""Whom a visitor can play: e-mail, pseudonym, role. The password is that of all."""


@dataclass
class Circle:
    """Everybody by pseudonym, and the spaces by key."""

    people: dict[str, Persona]
    spaces: dict[str, Space]
    now: datetime

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


def fill_community(hashed: str, phones: Sequence[str], now: datetime) -> int:
    """Fill an empty community in the caller's transaction; answers how many texts were written.
    hashed: the password of those who sign in. phones: numbers of patients, the first of whom are
    they too, so that they can come in by their pages."""
    words = tomllib.loads(WORDS.read_text("utf-8"))
    set_up_spaces(DEMO)
    circle = Circle(
        _people(words, hashed, phones, now),
        {space.key: space for space in Space.objects.all()},
        now,
    )
    written = sum(_write_thread(circle, thread) for thread in words["thread"])
    people = circle.people
    put_on_duty(people["Tawny Owl"], MODERATORS_PHONE, now)
    reporters = (people["Foxglove"], people["Old Oak"])
    desk = Desk(people["Barn Owl"], people["Tawny Owl"], reporters, now)
    for row in sorted(words["to_moderate"], key=lambda row: -row["days_ago"]):
        posted = _write(circle, row)
        moderate(desk, posted.post, row["becomes"], circle.ago(row["days_ago"]))
    return written + len(words["to_moderate"])


def _people(
    words: dict[str, Any], hashed: str, phones: Sequence[str], now: datetime
) -> dict[str, Persona]:
    """Those who sign in, and all who write. Who writes to be moderated is new here."""
    people: dict[str, Persona] = {}
    for (email, (pseudonym, role)), phone in zip(WHO_SIGN_IN.items(), phones, strict=False):
        user = User.objects.create(
            email=email, phone=phone, name=f"The demo's {role}", password=hashed
        )
        persona = join(
            user,
            pseudonym=pseudonym,
            language="en",
            time_zone="Europe/London",
            accepts=VERSION,
            now=now - timedelta(days=90),
        ).persona
        people[pseudonym] = appoint(persona.id, role, DEMO, now)
    chance = random.Random(11)  # noqa: S311 - the same people each time, and no secret
    known = {name for thread in words["thread"] for name, _ in thread["replies"]}
    known |= {thread["by"] for thread in words["thread"]}
    languages = {thread["by"]: thread["language"] for thread in words["thread"]}
    for pseudonym in sorted(known - set(people)):
        people[pseudonym] = Persona(
            pseudonym=pseudonym,
            pseudonym_key=key_of(pseudonym),
            language=languages.get(pseudonym, "en"),
            time_zone="Europe/London",
            accepted_rules=VERSION,
            joined_at=now - timedelta(days=chance.randrange(70, 400)),
            approved_posts=20,
            condition=chance.choice(["pv", "et", ""]),
            interval_days=chance.choice([7, 14, 21, None]),
            months=chance.choice([3, 8, 14, 30, 60, None]),
        )
    for row in words["to_moderate"]:
        people.setdefault(
            row["by"],
            Persona(
                pseudonym=row["by"],
                pseudonym_key=key_of(row["by"]),
                language="en",
                time_zone="Europe/London",
                accepted_rules=VERSION,
                joined_at=now - timedelta(days=row["days_ago"] + 1),
            ),
        )
    Persona.objects.bulk_create(
        persona for name, persona in people.items() if name not in _signing_in()
    )
    Persona.objects.filter(pseudonym="Blue Heron").update(approved_posts=20)
    return people


def _signing_in() -> set[str]:
    return {pseudonym for pseudonym, _ in WHO_SIGN_IN.values()}


def _write_thread(circle: Circle, row: dict[str, Any]) -> int:
    """A thread with its replies, some hours apart; answers how many texts that is."""
    author, at = circle.people[row["by"]], circle.ago(row["days_ago"])
    writing = Writing(row["title"], row["body"], row["language"], tuple(row["tags"]))
    space = circle.spaces[row["space"]]
    opened = open_thread(author.id, space.id, writing, _as(author), at)
    _demand_seen(opened, row["title"])
    chance = random.Random(row["title"])  # noqa: S311 - as above
    for name, body in row["replies"]:
        at = min(at + timedelta(hours=chance.uniform(0.2, 20)), circle.now)
        _reply(circle, name, opened.post.thread, body, at)
    return 1 + len(row["replies"])


def _reply(circle: Circle, name: str, thread: Thread, body: str, at: datetime) -> Posted:
    author = circle.people[name]
    posted = reply(author.id, thread.id, Writing("", body, author.language), _as(author), at)
    _demand_seen(posted, body)
    return posted


def _write(circle: Circle, row: dict[str, Any]) -> Posted:
    author, at = circle.people[row["by"]], circle.ago(row["days_ago"])
    writing = Writing(row["title"], row["body"], "en")
    return open_thread(author.id, circle.spaces[row["space"]].id, writing, _as(author), at)


def _demand_seen(posted: Posted, what: str) -> None:
    """A demo whose friendly members wait for a moderator shows nothing."""
    if posted.verdict != PostState.PUBLISHED:
        found = [hit["rule"] for hit in posted.assessment.hits]
        raise Trouble(f"The rules hold this text of the demo ({', '.join(found)}): {what}")


def _as(persona: Persona) -> audit.Actor:
    return audit.as_persona(persona.id, "demo")


def invite_to_pages(now: datetime) -> dict[str, tuple[str, str]]:
    """Let those who sign in do so by phone, too: by pseudonym their number and welcome code."""
    invited = {}
    for email, (pseudonym, _) in WHO_SIGN_IN.items():
        phone = User.objects.values_list("phone", flat=True).get(email=email)
        patient = Patient.objects.filter(number=phone, left_at=None).order_by("id").first()
        if patient is not None:
            invited[pseudonym] = (patient.number, invite(patient.id, DEMO, now).code)
    return invited


def how_to_come_in(
    site: str, simulator: str, invited: Mapping[str, tuple[str, str]], pseudonym: str
) -> str:
    """How a visitor plays one of them by pages."""
    number, code = invited[pseudonym]
    return (
        f"  {pseudonym:12} {site}/sign-in with {number}; the code comes to\n"
        f"  {'':12} {simulator}/#{number}; welcome code {code};\n"
        f'  {"":12} then press "Open the community"'
    )


def what_to_try(site: str, simulator: str, password: str, field: str, now: datetime) -> str:
    """How a visitor reads, writes, and sees a moderator called. field: a command, with {} for the
    name, that takes a field out of JSON."""
    api, invited = f"{site}/api/v1", invite_to_pages(now)
    by_pages = "\n".join(how_to_come_in(site, simulator, invited, one) for one in invited)
    return f"""
The community, under pseudonyms, by its pages (a member, two moderators, their lead):

{by_pages}

Write there that you want to end your life: help comes first, nobody else sees the words, and the
moderator on duty is paged ({simulator}/#{MODERATORS_PHONE}). As Barn Owl,
open Moderation: the case is on top of the queue.

The same by the API (member@community.example, moderator@..., lead@...):

  enter() {{
    TOKEN=$(curl -s {api}/sign-in -H 'Content-Type: application/json' \\
      -d "{{\\"email\\": \\"$1@community.example\\", \\"password\\": \\"{password}\\"}}" \\
      | {field.format("token")})
    curl -s -X POST {api}/community/enter -H "Authorization: Bearer $TOKEN" \\
      | {field.format("token")}
  }}
  MEMBER=$(enter member); MODERATOR=$(enter moderator)
  curl -s "{api}/community/threads?order=active" -H "Authorization: Bearer $MEMBER"
  curl -s "{api}/community/search?words=headache" -H "Authorization: Bearer $MEMBER"
  curl -s "{api}/community/moderation/cases" -H "Authorization: Bearer $MODERATOR"
  curl -s "{api}/community/moderation/board" -H "Authorization: Bearer $MODERATOR"

Write as somebody in danger, and the answer holds help:

  SPACE=$(curl -s {api}/community/spaces -H "Authorization: Bearer $MEMBER" \\
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["id"])')
  curl -s {api}/community/spaces/$SPACE/threads -H "Authorization: Bearer $MEMBER" \\
    -H 'Content-Type: application/json' \\
    -d '{{"title": "Tonight", "body": "I want to end my life.", "language": "en"}}'
"""
