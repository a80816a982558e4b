"""How the tests report, decide and appeal."""

from datetime import datetime, timedelta
from typing import Any

from community.models import Case, Decision, MeasureKind, Persona, Post, ReportReason
from community.moderation import appeals, reports
from community.moderation.deciding import Ruling, decide, token_of
from community.moderation.measures import Measure
from tests.cast import NOW
from tests.community import as_actor

M = MeasureKind


def report(
    reporter: Persona,
    post: Post,
    reason: ReportReason = ReportReason.UNKIND,
    words: str = "",
    now: datetime = NOW,
) -> reports.Reported:
    complaint = reports.Complaint(reason, words)
    return reports.report_post(reporter.id, post.id, complaint, as_actor(reporter), now)


def open_case(post: Post) -> Case:
    return Case.objects.exclude(kind="appeal").get(post=post, closed_at__isnull=True)


def now_seen(case: Case) -> str:
    """What a moderator who looks now sees."""
    case = Case.objects.select_related("post").get(id=case.id)
    return token_of(case, case.post)


def measure(kind: MeasureKind, **more: Any) -> Measure:
    if kind in (M.SILENCE, M.SUSPEND):
        more.setdefault("until", NOW + timedelta(days=7))
    return Measure(kind, **more)


def ruling(case: Case, *kinds: MeasureKind | Measure, **more: Any) -> Ruling:
    """A ruling on the newest wording, or on `revision`."""
    measures = tuple(one if isinstance(one, Measure) else measure(one) for one in kinds)
    post = Post.objects.filter(id=case.post_id).first()
    if post is not None and "revision" not in more:
        more["revision"] = post.revisions.get(number=post.latest).id
    return Ruling(measures, **{"reason": "unkind", **more})


def settle(
    moderator: Persona,
    case: Case,
    *kinds: MeasureKind | Measure,
    seen: str = "",
    now: datetime = NOW,
    **more: Any,
) -> Decision:
    """Decide a case on what it is now."""
    wanted = ruling(case, *kinds, **more)
    return decide(moderator, case.id, seen or now_seen(case), wanted, as_actor(moderator), now)


def appeal(decision: Decision, words: str = "It is my experience.", now: datetime = NOW) -> Case:
    """The case of an appeal by whom a decision is about."""
    about = decision.about
    done = appeals.appeal(about.id, decision.id, words, as_actor(about), now)
    assert done.appeal is not None
    return done.appeal.case


def settle_appeal(
    moderator: Persona, case: Case, *, overturn: bool, words: str = "", now: datetime = NOW
) -> None:
    appeals.decide_appeal(
        moderator, case.id, now_seen(case), words, as_actor(moderator), now, overturn=overturn
    )
