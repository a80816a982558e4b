"""What the demo's moderators have had to look at: a story for each word that a text of
words/community.toml `becomes`, by the product's own verbs. Needs Django to be set up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import audit
from community.models import Case, Decision, Duty, MeasureKind, Persona, Post, ReportReason
from community.moderation.appeals import appeal, decide_appeal
from community.moderation.claiming import add_note, ask_for_second_opinion, claim, hand_over
from community.moderation.deciding import Ruling, decide, token_of
from community.moderation.measures import Measure
from community.moderation.paging import acknowledge
from community.moderation.reports import Complaint, report_post

SOON, LATER = timedelta(minutes=12), timedelta(hours=3)
ENDS_IN = timedelta(days=6)
"""How long a silence or a suspension lasts from now on."""

M = MeasureKind


@dataclass
class Desk:
    """Two moderators, and members who report."""

    first: Persona
    second: Persona
    reporters: tuple[Persona, ...]
    now: datetime

    def before_now(self, at: datetime) -> datetime:
        return min(at, self.now)


def put_on_duty(moderator: Persona, number: str, now: datetime) -> None:
    """As if the test page had come and been answered yesterday, or the first page would wait for
    a visitor who knows of it."""
    Duty.objects.create(
        persona=moderator,
        rung=1,
        number=number,
        test_sent_at=now - timedelta(days=1),
        ready_at=now - timedelta(days=1),
    )


def moderate(desk: Desk, post: Post, becomes: str, at: datetime) -> None:
    """Do with a post, which was written at an instant, what its story says."""
    _STORIES[becomes](desk, post, at)


def _as(persona: Persona) -> audit.Actor:
    return audit.as_persona(persona.id, "demo")


def _decide(
    desk: Desk, post: Post, at: datetime, *kinds: MeasureKind, reason: str = "", words: str = ""
) -> Decision:
    """The first moderator takes the post's open case, and decides. Who is silenced or suspended is
    so still."""
    at = desk.before_now(at)
    case = _taken(desk, post, at - timedelta(minutes=4))
    post.refresh_from_db()
    latest = post.revisions.get(number=post.latest)
    measures = (
        Measure(kind, until=desk.now + ENDS_IN if kind in (M.SILENCE, M.SUSPEND) else None)
        for kind in kinds
    )
    ruling = Ruling(tuple(measures), latest.id, reason, words)
    return decide(desk.first, case.id, token_of(case, post), ruling, _as(desk.first), at)


def _taken(desk: Desk, post: Post, at: datetime) -> Case:
    """The post's open case, which the first moderator takes."""
    case = Case.objects.get(post=post, closed_at__isnull=True)
    return claim(desk.first.id, case.id, _as(desk.first), at)


def _claimed(desk: Desk, post: Post, at: datetime) -> None:
    """The first moderator has it now."""
    _taken(desk, post, desk.now)


def _handed_over(desk: Desk, post: Post, at: datetime) -> None:
    """Reported, and given by the first moderator to the second, who has it now."""
    _reported(desk, post, at)
    case = _taken(desk, post, desk.now)
    hand_over(desk.first.id, case.id, desk.second.id, _as(desk.first), desk.now)


def _second_opinion(desk: Desk, post: Post, at: datetime) -> None:
    """The first moderator leaves the decision to somebody else."""
    case = _taken(desk, post, desk.now)
    words = "I find it funny, but would everybody?"
    add_note(desk.first, case.id, words, _as(desk.first), desk.now)
    ask_for_second_opinion(desk.first.id, case.id, _as(desk.first), desk.now)


def _approve(desk: Desk, post: Post, at: datetime) -> None:
    _decide(desk, post, at + SOON, M.APPROVE)


def _reported(desk: Desk, post: Post, at: datetime) -> None:
    """Seen at first; then enough members report it, and it is hidden until a person decides."""
    _approve(desk, post, at)
    complaint = Complaint(ReportReason.UNKIND, "This isn't how we talk to each other here.")
    for reporter in desk.reporters:
        report_post(reporter.id, post.id, complaint, _as(reporter), desk.before_now(at + LATER))


def _removed(desk: Desk, post: Post, at: datetime, *also: MeasureKind) -> Decision:
    _reported(desk, post, at)
    return _decide(desk, post, at + LATER + SOON, M.REMOVE, *also, reason="unkind")


def _told_off(desk: Desk, post: Post, at: datetime) -> None:
    _reported(desk, post, at)
    _decide(desk, post, at + LATER + SOON, M.HIDE, M.WARN, reason="unkind")


def _silenced(desk: Desk, post: Post, at: datetime) -> None:
    _reported(desk, post, at)
    _decide(desk, post, at + LATER + SOON, M.HIDE, M.SILENCE, reason="unkind")


def _suspended(desk: Desk, post: Post, at: datetime) -> None:
    _reported(desk, post, at)
    _decide(desk, post, at + LATER + SOON, M.REMOVE, M.SUSPEND, reason="selling")


def _appealed(desk: Desk, post: Post, at: datetime) -> None:
    _appeal(desk, post, at, "I meant that nurses aren't always right, and no more than that.")


def _appeal_upheld(desk: Desk, post: Post, at: datetime) -> None:
    case = _appeal(desk, post, at, "It was my day. I blamed nobody, and named nobody.")
    _answer(desk, case, at + 3 * LATER, "You are right, and we are sorry.", overturn=True)


def _appeal_stood(desk: Desk, post: Post, at: datetime) -> None:
    case = _appeal(desk, post, at, "It was meant as a joke.")
    _answer(desk, case, at + 3 * LATER, "Others couldn't hear that it was one.", overturn=False)


def _appeal(desk: Desk, post: Post, at: datetime, words: str) -> Case:
    """The case of an appeal against a removal."""
    decision = _removed(desk, post, at)
    author, later = post.author, desk.before_now(at + 2 * LATER)
    appeal(author.id, decision.id, words, _as(author), later)
    return Case.objects.get(decision=decision)


def _answer(desk: Desk, case: Case, at: datetime, words: str, *, overturn: bool) -> None:
    """The second moderator decides an appeal against the first one's decision."""
    at = desk.before_now(at)
    claim(desk.second.id, case.id, _as(desk.second), at - timedelta(minutes=9))
    case = Case.objects.select_related("post").get(id=case.id)
    seen = token_of(case, case.post)
    decide_appeal(desk.second, case.id, seen, words, _as(desk.second), at, overturn=overturn)


def _rejected(desk: Desk, post: Post, at: datetime) -> None:
    _decide(desk, post, at + SOON, M.REJECT, reason="selling")


def _changes(desk: Desk, post: Post, at: datetime) -> None:
    _decide(
        desk, post, at + SOON, M.REQUEST_CHANGES, reason="personal",
        words="Please leave the doctor's name out. The rest is welcome.",
    )  # fmt: skip


def _in_danger(desk: Desk, post: Post, at: datetime) -> None:
    """The second moderator has acknowledged it, and is still with it."""
    acknowledge(Case.objects.get(post=post).id, _as(desk.second), desk.now)


def _was_in_danger(desk: Desk, post: Post, at: datetime) -> None:
    acknowledge(Case.objects.get(post=post).id, _as(desk.second), at + timedelta(minutes=3))
    _decide(desk, post, at + LATER, M.APPROVE)


def _waits(desk: Desk, post: Post, at: datetime) -> None:
    """Nobody has looked yet, or nobody need."""


_STORIES: dict[str, Callable[[Desk, Post, datetime], object]] = {
    "waits": _waits,
    "blocked": _waits,
    "approve": _approve,
    "reject": _rejected,
    "remove": _removed,
    "warn": _told_off,
    "changes": _changes,
    "reported": _reported,
    "appealed": _appealed,
    "appeal_upheld": _appeal_upheld,
    "appeal_stood": _appeal_stood,
    "silence": _silenced,
    "suspend": _suspended,
    "claimed": _claimed,
    "handed_over": _handed_over,
    "second_opinion": _second_opinion,
    "crisis": _in_danger,
    "crisis_closed": _was_in_danger,
}
