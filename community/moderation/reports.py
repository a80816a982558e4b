"""Reports by members: what they say of a post or of a member, and what became of it.

Whom one blocked or muted oneself can be reported all the same. Members do both to somebody who
harms them, in either order, and a report shows nothing of what they chose not to see. Who was
blocked by another finds nothing of theirs to report: an answer would say that it is there still,
and the block is to give peace from them. Whoever else sees it can report it.

All figures are here, and ours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts import audit
from accounts.refusals import Conflict, Invalid, NotFound, Refusal
from community.members.bonds import is_blocked
from community.members.house_rules import check_has_accepted
from community.members.locking import check_is_here, lock_persona
from community.models import (
    Case,
    CaseKind,
    LiveText,
    Notice,
    NoticeKind,
    Persona,
    Post,
    PostState,
    Report,
    ReportReason,
    Revision,
    Thread,
)
from community.moderation import cases
from community.moderation.words import hear
from community.notices.writing import tell_each
from community.posts import states, visibility
from community.posts.posting import lock_thread
from community.posts.trust import is_trusted

WEIGHT_OF_TRUSTED, WEIGHT_OF_NEW = 2, 1
"""What a report weighs: of a member whose posts are seen at once, and of another."""

HIDES_AT = 4
"""The weight of undecided reports on one revision at which its post is hidden until a person has
decided: two trusted members, or four new ones. Those of before a decision count no more, so a
revision that was left up is only hidden again by others."""

A_DAY = 20
"""Reports of one member in a day."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Reported:
    """report: null where it wasn't taken, but its words held a sign of danger (crisis): whoever
    wrote them sees help, and a moderator is called."""

    report: Report | None
    crisis: bool


@dataclass(frozen=True)
class Complaint:
    """Why something is reported. words: the reporter's own, or ""."""

    reason: ReportReason
    words: str = ""


def report_post(
    reporter_id: UUID, post_id: UUID, complaint: Complaint, actor: audit.Actor, now: datetime
) -> Reported:
    """Report what can be seen of a post now.

    Raises NotFound for what isn't there for the reporter, Invalid for their own, and Conflict for a
    revision that they have reported, or too many in a day; Forbidden under new house rules.
    """
    with transaction.atomic():
        reporter = lock_persona(reporter_id)
        words, crisis = _heard(reporter, complaint, actor, now)
        try:
            check_has_accepted(reporter.accepted_rules)
            _check_rate(reporter, now)
            thread, live = _live(reporter, post_id)
            report = _on_post(reporter, thread, live, complaint.reason, words, actor, now)
        except Refusal:
            if not crisis:
                raise
            report = None
    return Reported(report, crisis)


def report_member(
    reporter_id: UUID, about_id: UUID, complaint: Complaint, actor: audit.Actor, now: datetime
) -> Reported:
    """Report a member. Raises as `report_post` does, Conflict while an earlier one waits."""
    with transaction.atomic():
        both = Persona.objects.select_for_update(no_key=True).filter(id__in=(reporter_id, about_id))
        locked = {persona.id: persona for persona in both.order_by("id")}
        reporter = locked[reporter_id]
        check_is_here(reporter)
        words, crisis = _heard(reporter, complaint, actor, now)
        try:
            check_has_accepted(reporter.accepted_rules)
            _check_rate(reporter, now)
            about = locked.get(about_id)
            if about is None or about.left_at is not None or is_blocked(reporter_id, about_id):
                raise NotFound("member")
            report = _on_member(reporter, about, complaint.reason, words, actor, now)
        except Refusal:
            if not crisis:
                raise
            report = None
    return Reported(report, crisis)


def reports_by(reporter: Persona) -> QuerySet[Report]:
    """What somebody reported, and what became of it."""
    return Report.objects.filter(reporter=reporter)


def has_undecided(post: Post) -> bool:
    """Whether somebody reported a post, whose thread is locked, and no person has decided that."""
    return Report.objects.filter(post=post, outcome="").exists()


def answer_reports(case: Case, outcome: Report.Outcome, now: datetime) -> None:
    """Say what became of a case's reports, and tell each reporter, once."""
    waiting = Report.objects.filter(case=case, outcome="")
    _answer(waiting, outcome, "", now)


def answer_again(case: Case, now: datetime) -> None:
    """An appeal was right: the reports were not. Each reporter is told, once more."""
    upheld = Report.objects.filter(case=case, outcome=Report.Outcome.UPHELD)
    _answer(upheld, Report.Outcome.NOT_UPHELD, ":appeal", now)


def _answer(reports: QuerySet[Report], outcome: Report.Outcome, again: str, now: datetime) -> None:
    """Say what became of some reports, their case locked, in a fixed number of queries."""
    told = [
        Notice(
            persona_id=report.reporter_id,
            kind=NoticeKind.REPORT,
            once=f"report:{report.id}{again}",
            report=report,
            at=now,
        )
        for report in reports.order_by("id")
    ]
    tell_each(told, now)
    reports.update(outcome=outcome, decided_at=now)


def _heard(
    reporter: Persona, complaint: Complaint, actor: audit.Actor, now: datetime
) -> tuple[str, bool]:
    """The words as they are kept, and whether there is a sign of danger in them."""
    if not complaint.words:
        return "", False
    heard = hear(reporter, complaint.words, "report", actor, now)
    return heard.writing.body, heard.crisis


def _live(reporter: Persona, post_id: UUID) -> tuple[Thread, LiveText]:
    """What there is of a post for the reporter, its thread locked."""
    found = LiveText.objects.filter(post=post_id).values_list("thread", flat=True).first()
    if found is None:
        raise NotFound("post")
    thread = lock_thread(found)
    live = LiveText.objects.filter(post=post_id, thread=thread).select_related("author").first()
    if live is None or any(
        is_blocked(reporter.id, author) for author in {live.author_id, thread.author_id}
    ):
        raise NotFound("post")
    return thread, live


def _on_post(
    reporter: Persona,
    thread: Thread,
    live: LiveText,
    reason: ReportReason,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> Report:
    if live.author_id == reporter.id:
        raise _oneself()
    if Report.objects.filter(reporter=reporter, revision=live.revision_id).exists():
        raise Conflict("reported", "You have reported this already. A moderator looks at it.")
    post = Post.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "author", "published"
    ).get(id=live.post_id)  # fmt: skip
    case = cases.open_case(_kind(reason), post, live.author, actor, now, reason=reason.value)
    report = _store(case, reporter, live.author, reason, words, actor, now, post.published)
    weight = case.reports.filter(revision=live.revision_id, outcome="").aggregate(
        all=Sum("weight")
    )["all"]  # fmt: skip
    if weight >= HIDES_AT and states.can_move(post, PostState.HIDDEN):
        states.move(post, PostState.HIDDEN, audit.CLOCK, now, post.published)
        visibility.refresh(post, thread)
    return report


def _on_member(
    reporter: Persona,
    about: Persona,
    reason: ReportReason,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> Report:
    if about.id == reporter.id:
        raise _oneself()
    if Report.objects.filter(
        reporter=reporter, about=about, revision__isnull=True, outcome=""
    ).exists():
        raise Conflict("reported", "You have reported this already. A moderator looks at it.")
    case = cases.open_case(_kind(reason), None, about, actor, now, reason=reason.value)
    return _store(case, reporter, about, reason, words, actor, now, None)


def _store(
    case: Case,
    reporter: Persona,
    about: Persona,
    reason: ReportReason,
    words: str,
    actor: audit.Actor,
    now: datetime,
    revision: Revision | None,
) -> Report:
    report = Report.objects.create(
        reporter=reporter,
        case=case,
        about=about,
        post_id=case.post_id if revision else None,
        revision=revision,
        reason=reason,
        words=words,
        weight=WEIGHT_OF_TRUSTED if is_trusted(reporter, now) else WEIGHT_OF_NEW,
        at=now,
    )
    audit.record(
        actor, "report", clinic_id=None, subject_id=report.id, case=str(case.id),
        reason_given=reason.value,
    )  # fmt: skip
    return report


def _kind(reason: ReportReason) -> CaseKind:
    """Danger pages at once, as a sign of it in a text does."""
    return CaseKind.CRISIS if reason == ReportReason.DANGER else CaseKind.REPORT


def _check_rate(reporter: Persona, now: datetime) -> None:
    newest = Report.objects.filter(reporter=reporter).order_by("-id")
    nth = newest.values_list("at", flat=True)[A_DAY - 1 : A_DAY].first()
    if nth is not None and now - nth < DAY:
        raise Conflict("rate", f"{A_DAY} reports are enough for a day.", until=nth + DAY)


def _oneself() -> Invalid:
    return Invalid("own", "That is yours. Take it away, or change it.")
