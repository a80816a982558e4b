"""How what a notice tells of goes away before it is told, for the tests of all ways to tell."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from community.members.bonds import set_bond
from community.members.leaving import leave
from community.models import BondKind, LiveText, NoticeKind
from community.notices import telling
from community.posts.editing import withdraw
from tests.cast import NOW
from tests.community import Circle, as_actor, make_persona
from tests.moderating import M, open_case, report, settle

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PHONE = "+447700900401"
ADDRESS = "heron@example.org"


def gone_withdrawn(circle: Circle, reply) -> None:
    post = reply.post
    post.refresh_from_db()
    withdraw(circle.wren.id, post.id, post.version, as_actor(circle.wren), NOW)


def gone_with_its_thread(circle: Circle, reply) -> None:
    opener = LiveText.objects.get(thread=reply.post.thread_id, opens=True).post
    withdraw(circle.heron.id, opener.id, opener.version, as_actor(circle.heron), NOW)


def gone_hidden_by_reports(circle: Circle, reply) -> None:
    for name in ("Ada", "Bea"):
        report(make_persona(name, approved=20), reply.post)


def gone_removed(circle: Circle, reply) -> None:
    report(circle.novice, reply.post)
    settle(circle.owl, open_case(reply.post), M.REMOVE)


def gone_erased(circle: Circle, reply) -> None:
    leave(circle.wren.id, erase=True, actor=as_actor(circle.wren), now=NOW)


def gone_by_block(circle: Circle, reply) -> None:
    set_bond(circle.heron.id, circle.wren.id, BondKind.BLOCK, as_actor(circle.heron))


def gone_by_their_block(circle: Circle, reply) -> None:
    set_bond(circle.wren.id, circle.heron.id, BondKind.BLOCK, as_actor(circle.wren))


def gone_by_mute(circle: Circle, reply) -> None:
    set_bond(circle.heron.id, circle.wren.id, BondKind.MUTE, as_actor(circle.heron))


def gone_by_choice(circle: Circle, reply) -> None:
    telling.set_quiet(circle.heron, [NoticeKind.REPLY], as_actor(circle.heron))


GONE = [
    gone_withdrawn, gone_with_its_thread, gone_hidden_by_reports, gone_removed, gone_erased,
    gone_by_block, gone_by_their_block, gone_by_mute, gone_by_choice,
]  # fmt: skip
gone = pytest.mark.parametrize("go", GONE, ids=lambda go: go.__name__)
Go = Callable[[Circle, Any], None]


def code_in(text: str) -> str:
    """The six figures in an e-mail or a text."""
    return re.findall(r"\b\d{6}\b", text)[0]
