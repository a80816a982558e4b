"""Reading for moderators: the queue, and all that is known of a case. No users, no patients."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from accounts.refusals import NotFound
from community.models import (
    Appeal,
    Case,
    CaseEvent,
    CaseKind,
    Decision,
    Persona,
    Post,
    Report,
    Revision,
    Sanction,
)
from community.moderation.cases import URGENCY
from community.moderation.impartial import check_may_see
from community.posts.trust import is_trusted

LAST = 20
"""Decisions and sanctions of a member's history, the newest."""

NEWEST = 50
"""Events and reports of a case that its file shows. A crisis that nobody takes is paged for every
five minutes."""


@dataclass(frozen=True)
class History:
    """What is known of whom a case is about. upheld: reports on them that were."""

    persona: Persona
    trusted: bool
    decisions: list[Decision]
    sanctions: list[Sanction]
    upheld: int


@dataclass(frozen=True)
class File:
    """A case with all that a decision is made on. wordings: those that were reported, that is seen,
    and the newest, oldest first; what the rules found is in each. reports, events: the newest ones,
    oldest first; earlier, earlier_reports: there were more before. decision: null while it is open.
    """

    case: Case
    post: Post | None
    wordings: list[Revision]
    reports: list[Report]
    earlier_reports: bool
    appeal: Appeal | None
    events: list[CaseEvent]
    earlier: bool
    history: History
    decision: Decision | None


def waiting(
    moderator: Persona,
    now: datetime,
    *,
    kind: CaseKind | None = None,
    mine: bool = False,
    free: bool = False,
    after: tuple[int, UUID] | None = None,
) -> QuerySet[Case]:
    """What is open, the most urgent and of these the oldest first, but for what is about the
    moderator. mine: what they look after; free: what nobody does. after: urgency and id."""
    cases = Case.objects.filter(closed_at__isnull=True).exclude(about=moderator)
    if kind is not None:
        # Urgency follows from the kind, and the queue's index begins with it.
        cases = cases.filter(kind=kind, urgency=URGENCY[kind])
    if mine:
        cases = cases.filter(owner=moderator, owned_until__gt=now)
    if free:
        cases = cases.filter(Q(owned_until__isnull=True) | Q(owned_until__lte=now))
    if after is not None:
        cases = cases.filter(TupleGreaterThan(Tuple(F("urgency"), F("id")), after))
    return cases.select_related("about", "owner", "post").order_by("urgency", "id")


def case_for(moderator: Persona, case_id: UUID) -> Case:
    """A case that a moderator may see; NotFound else."""
    related = ("about", "owner", "post__thread__space", "decision", "acknowledged_by")
    case = Case.objects.select_related(*related).filter(id=case_id).first()
    if case is None:
        raise NotFound("case")
    check_may_see(case, moderator.id)
    return case


def file_for(moderator: Persona, case_id: UUID, now: datetime) -> File:
    """All that is known of a case, open or closed. Raises NotFound."""
    case = case_for(moderator, case_id)
    reported = list(_reports(case).order_by("-id")[: NEWEST + 1])
    reports = list(reversed(reported[:NEWEST]))
    happened = list(_events(case).order_by("-id")[: NEWEST + 1])
    return File(
        case=case,
        post=case.post,
        wordings=_wordings(case, reports),
        reports=reports,
        earlier_reports=len(reported) > NEWEST,
        appeal=Appeal.objects.filter(case=case).first(),
        events=list(reversed(happened[:NEWEST])),
        earlier=len(happened) > NEWEST,
        history=_history(case.about, now),
        decision=decision_on(case),
    )


def events_of(moderator: Persona, case_id: UUID) -> QuerySet[CaseEvent]:
    """All that happened to a case, for a page of it. Raises NotFound."""
    return _events(case_for(moderator, case_id))


def reports_of(moderator: Persona, case_id: UUID) -> QuerySet[Report]:
    """All reports that a case is of, an appeal's those of what it is against, for a page of them.
    Raises NotFound."""
    return _reports(case_for(moderator, case_id))


def _reports(case: Case) -> QuerySet[Report]:
    origins = [case.id, case.decision.case_id] if case.decision else [case.id]
    return Report.objects.filter(case__in=origins).select_related("reporter")


def _events(case: Case) -> QuerySet[CaseEvent]:
    return CaseEvent.objects.filter(case=case).select_related("by")


def _wordings(case: Case, reports: list[Report]) -> list[Revision]:
    if case.post is None:
        return []
    wanted = {report.revision_id for report in reports} | {case.post.published_id}
    if case.decision is not None:
        wanted.add(case.decision.revision_id)
    shown = Q(id__in=[id_ for id_ in wanted if id_]) | Q(number=case.post.latest)
    revisions = Revision.objects.filter(shown, post=case.post_id)
    return list(revisions.select_related("by").order_by("number"))


def _history(persona: Persona, now: datetime) -> History:
    decisions = Decision.objects.filter(about=persona).exclude(case__kind=CaseKind.APPEAL)
    sanctions = Sanction.objects.filter(persona=persona)
    return History(
        persona=persona,
        trusted=is_trusted(persona, now),
        decisions=list(decisions.select_related("by", "appeal").order_by("-id")[:LAST]),
        sanctions=list(sanctions.order_by("-id")[:LAST]),
        upheld=Report.objects.filter(about=persona, outcome=Report.Outcome.UPHELD).count(),
    )


def decision_on(case: Case) -> Decision | None:
    """What was decided on a case, if it was."""
    return case.decisions.select_related("by").first()
