"""Deciding a case: on what was seen of it, once, with all its effects in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.refusals import Conflict, Forbidden, Invalid, NotFound, Stale
from community.models import (
    Case,
    CaseEvent,
    CaseKind,
    Decision,
    MeasureKind,
    NoticeKind,
    Persona,
    PersonaSession,
    Post,
    PostState,
    Report,
    Revision,
    Sanction,
    Space,
    Thread,
)
from community.moderation import cases
from community.moderation.claiming import check_not_anothers, hand_all_back, lock_case
from community.moderation.impartial import check_impartial
from community.moderation.measures import (
    ADVERSE,
    SANCTIONS,
    Measure,
    check_together,
    main_of,
    where_to,
)
from community.moderation.reasons import OWN, is_reason
from community.moderation.reports import answer_reports
from community.moderation.rule_book import current_book
from community.moderation.sanctions import check_may_write
from community.moderation.threads import merge, move
from community.moderation.words import without_personal_data
from community.notices.writing import tell
from community.posts import states, visibility
from community.posts.editing import lock_post
from community.posts.judging import Writing, assess
from community.posts.posting import add_revision, publish
from community.rules import State

APPEAL_WITHIN = timedelta(days=30)
"""How long an adverse decision may be appealed against; ours."""

M = MeasureKind
Row = TypeVar("Row", Space, Thread)


@dataclass(frozen=True)
class Ruling:
    """What a moderator decides. revision: the wording it is about, null for a case without a post.
    reason: a key of reasons.toml, or OWN with words; words: the moderator's, for the author."""

    measures: tuple[Measure, ...]
    revision: UUID | None = None
    reason: str = ""
    words: str = ""

    @property
    def kinds(self) -> list[MeasureKind]:
        return [measure.kind for measure in self.measures]

    @property
    def adverse(self) -> bool:
        return bool(ADVERSE.intersection(self.kinds))


@dataclass
class Locked:
    """A case with all that a decision on it may change, locked in order."""

    about: Persona
    thread: Thread | None
    post: Post | None
    case: Case


def decide(
    moderator: Persona, case_id: UUID, seen: str, ruling: Ruling, actor: audit.Actor, now: datetime
) -> Decision:
    """Decide a case as it was seen (`token_of`), and close it.

    Raises Stale, with what was decided, where something happened to the case or its post since;
    NotFound, Forbidden and Conflict for a case that isn't this moderator's to decide; Invalid and
    Conflict for measures that don't go together or not from here.
    """
    check_together(ruling.measures, now)
    _check_reason(ruling)
    with transaction.atomic():
        locked = lock_all(case_id, moderator.id, _threads_of(ruling))
        case, post = locked.case, locked.post
        check_seen(case, post, seen)
        check_impartial(case, moderator.id)
        check_not_anothers(case, moderator.id, now)
        if case.kind == CaseKind.APPEAL:
            raise Conflict("appeal", "This is an appeal: the decision stands, or was wrong.")
        revision = _revision(post, ruling)
        before = _standing(post)
        if M.APPROVE in ruling.kinds:
            count_approved(locked.about, post)
        if locked.thread is not None and post is not None and revision is not None:
            to = where_to(main_of(ruling.kinds), post, revision)
            _act(locked.thread, post, revision, to, ruling, moderator, actor, now)
        elif set(ruling.kinds) - {*SANCTIONS, M.NO_ACTION}:
            raise Conflict("no_post", "This case is about a member, and no post.", "measures")
        decision = Decision.objects.create(
            case=case,
            on_version=case.version,
            by=moderator,
            about=locked.about,
            post=post,
            revision=revision,
            measures=[measure.as_json() for measure in ruling.measures],
            before={**before, "then": _standing(post)} if post else {},
            reason=ruling.reason,
            words=without_personal_data(ruling.words, locked.about.language),
            adverse=ruling.adverse,
            at=now,
            appeal_until=now + APPEAL_WITHIN if ruling.adverse else None,
        )
        _sanction(decision, ruling, actor, now)
        _tell(decision, now)
        upheld = Report.Outcome.UPHELD if ruling.adverse else Report.Outcome.NOT_UPHELD
        answer_reports(case, upheld, now)
        case.seen_at = case.seen_at or max(now, case.opened_at)
        close_decided(decision, case, actor, now)
    return decision


def token_of(case: Case, post: Post | None) -> str:
    """Names the state of a case and of its post: what a decision is made on."""
    return f"{case.version}-{post.version if post else 0}"


def lock_all(case_id: UUID, moderator_id: UUID, threads: Sequence[UUID] = ()) -> Locked:
    """A case that a moderator may see with its persona, thread and post, locked in this order.

    threads: others that the decision touches. Raises NotFound.
    """
    plain = Case.objects.filter(id=case_id).values("about_id", "post_id", "post__thread_id").first()
    if plain is None:
        raise NotFound("case")
    about = Persona.objects.select_for_update(no_key=True).get(id=plain["about_id"])
    wanted = [plain["post__thread_id"], *threads]
    held = Thread.objects.select_for_update(no_key=True).filter(
        id__in=[id_ for id_ in wanted if id_]
    )
    by_id = {thread.id: thread for thread in held.order_by("id")}
    post = lock_post(plain["post_id"]) if plain["post_id"] else None
    if post is not None and post.thread_id not in by_id:
        raise Stale("changed_meanwhile", "This post was moved a moment ago: look again.")
    case = lock_case(case_id, moderator_id)
    return Locked(about, by_id[post.thread_id] if post else None, post, case)


def check_seen(case: Case, post: Post | None, seen: str) -> None:
    """Nothing, if a case and its post are as they were seen; Stale else, with the case."""
    if case.closed_at is not None:
        raise Stale("closed", "Somebody has decided this. See what.", case=case)
    if token_of(case, post) != seen:
        raise Stale("changed_meanwhile", "Something happened since you looked.", case=case)


def count_approved(author: Persona, post: Post | None) -> None:
    """A post that a person lets be seen for the first time counts for its author's trust."""
    if post is not None and post.published_at is None:
        author.approved_posts += 1
        author.save(update_fields=["approved_posts"])


def close_decided(decision: Decision, case: Case, actor: audit.Actor, now: datetime) -> None:
    """Close a case with its decision."""
    kinds = [measure["kind"] for measure in decision.measures]
    cases.close(case, actor, now, CaseEvent.Kind.DECIDED, decision=str(decision.id), measures=kinds)


def _check_reason(ruling: Ruling) -> None:
    if ruling.adverse and not is_reason(ruling.reason):
        raise Invalid("reason", "Say why: choose a reason, or write your own.", "reason")
    if ruling.reason == OWN and not ruling.words:
        raise Invalid("words", "Write your reason.", "words")


def _threads_of(ruling: Ruling) -> list[UUID]:
    return [measure.thread for measure in ruling.measures if measure.thread is not None]


def _revision(post: Post | None, ruling: Ruling) -> Revision | None:
    """The wording that was decided on: the one that is seen, or the newest."""
    if post is None:
        return None
    revision = post.revisions.filter(id=ruling.revision).first() if ruling.revision else None
    if revision is None:
        raise Invalid("revision", "Say which wording you decide on.", "revision")
    if revision.number != post.latest and revision.id != post.published_id:
        raise Conflict("old_wording", "This wording was replaced: decide on a newer.", "revision")
    return revision


def _standing(post: Post | None) -> dict[str, Any]:
    if post is None:
        return {}
    published = str(post.published_id) if post.published_id else None
    return {"state": str(post.state), "published": published}


def _act(
    thread: Thread,
    post: Post,
    revision: Revision,
    to: PostState,
    ruling: Ruling,
    moderator: Persona,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """What is done to the post and its thread."""
    by_kind = {measure.kind: measure for measure in ruling.measures}
    main = main_of(ruling.kinds)
    if main in (M.APPROVE, M.MASK, M.RESTORE):
        shown = post.published or revision
        if main == M.APPROVE or post.published is None:
            check_may_be_published(post.author, now)
            shown = revision
        if main == M.MASK:
            shown = reworded(post, revision, by_kind[M.MASK], moderator, now)
        publish(post, thread, shown, actor, now)
    elif to != post.state:
        states.move(post, to, actor, now, post.published)
        visibility.refresh(post, thread)
    if M.MOVE in by_kind:
        move(thread, post, _there(Space.objects.all(), by_kind[M.MOVE].space), actor)
    if M.MERGE in by_kind:
        into = _there(Thread.objects.all(), by_kind[M.MERGE].thread)
        merge(thread, post, into, moderator, actor, now)


def _there(rows: QuerySet[Row], wanted: UUID | None) -> Row:
    """A space or a thread that a measure names."""
    row = rows.filter(pk=wanted).first() if wanted else None
    if row is None:
        raise Invalid("there_is_none", "There is no such space or thread.", "measures")
    return row


def check_may_be_published(author: Persona, now: datetime) -> None:
    """Nothing, if something new of an author's may be seen; Conflict while they are silenced."""
    try:
        check_may_write(author, now)
    except Forbidden as refusal:
        raise Conflict(
            "silenced", "Its author is silenced: nothing of theirs is published until then.",
            **refusal.facts,
        ) from refusal  # fmt: skip


def reworded(
    post: Post, revision: Revision, wording: Measure, moderator: Persona, now: datetime
) -> Revision:
    """A moderator's wording of a post, through the rules. Raises Conflict where they block it."""
    if post.opens and not wording.title:
        raise Invalid("title_missing", "An opening post has a title.", "measures")
    title = wording.title if post.opens else ""
    writing = Writing(title, wording.body, revision.language, tuple(revision.tags))
    assessment = assess(writing, current_book(), trusted=True)
    if assessment.state == State.BLOCKED:
        raise Conflict("blocked", "The rules don't take this wording.", "measures")
    return add_revision(post, moderator, assessment, now)


def _sanction(decision: Decision, ruling: Ruling, actor: audit.Actor, now: datetime) -> None:
    for measure in ruling.measures:
        if measure.kind not in SANCTIONS:
            continue
        kind = SANCTIONS[measure.kind]
        sanction = Sanction.objects.create(
            persona=decision.about,
            decision=decision,
            kind=kind,
            starts_at=now,
            ends_at=measure.until,
        )
        audit.record(
            actor, "sanction", clinic_id=None, subject_id=decision.about_id, kind=kind.value,
            sanction=str(sanction.id), until=measure.until and measure.until.isoformat(),
        )  # fmt: skip
        if measure.kind == M.SUSPEND:
            PersonaSession.objects.filter(persona=decision.about).delete()
            hand_all_back(decision.about, actor, now, "suspended")


def _tell(decision: Decision, now: datetime) -> None:
    kinds = {measure["kind"] for measure in decision.measures}
    if decision.adverse:
        kind = NoticeKind.DECISION
    elif kinds & {M.APPROVE.value, M.RESTORE.value}:
        kind = NoticeKind.APPROVED
    elif kinds & {M.MOVE.value, M.MERGE.value}:
        kind = NoticeKind.MOVED
    else:
        return
    tell(
        decision.about, kind, f"decision:{decision.id}", now, decision=decision, post=decision.post
    )
