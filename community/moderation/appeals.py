"""Appeals: one against each adverse decision, by whom it is about, decided by somebody else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.refusals import Conflict, NotFound, Refusal
from community.members.locking import lock_persona
from community.models import (
    Appeal,
    Case,
    CaseKind,
    Decision,
    MeasureKind,
    NoticeKind,
    Persona,
    Post,
    PostState,
    Revision,
    Sanction,
    Thread,
)
from community.moderation.cases import open_appeal
from community.moderation.claiming import check_not_anothers
from community.moderation.deciding import (
    check_may_be_published,
    check_seen,
    close_decided,
    count_approved,
    lock_all,
)
from community.moderation.impartial import check_impartial
from community.moderation.reports import answer_again
from community.moderation.words import hear, without_personal_data
from community.notices.writing import tell
from community.posts.posting import publish

S = PostState


@dataclass(frozen=True)
class Appealed:
    """appeal: null where it wasn't taken, but its words held a sign of danger (crisis)."""

    appeal: Appeal | None
    crisis: bool


def decisions_about(persona: Persona) -> QuerySet[Decision]:
    """The adverse decisions about somebody, with their appeals. Who decided isn't for them."""
    return Decision.objects.filter(about=persona, adverse=True).select_related("appeal")


def decision_about(persona: Persona, decision_id: UUID) -> Decision:
    """One of them; NotFound else."""
    decision = decisions_about(persona).filter(id=decision_id).first()
    if decision is None:
        raise NotFound("decision")
    return decision


def appeal(
    persona_id: UUID, decision_id: UUID, words: str, actor: audit.Actor, now: datetime
) -> Appealed:
    """Appeal against a decision about oneself, also while suspended.

    Raises NotFound for another's, Conflict for one that was appealed against before, or too long
    ago.
    """
    with transaction.atomic():
        persona = lock_persona(persona_id)
        heard = hear(persona, words, "appeal", actor, now)
        try:
            made = _appeal(persona, decision_id, heard.writing.body, actor, now)
        except Refusal:
            if not heard.crisis:
                raise
            made = None
    return Appealed(made, heard.crisis)


def decide_appeal(
    moderator: Persona,
    case_id: UUID,
    seen: str,
    words: str,
    actor: audit.Actor,
    now: datetime,
    *,
    overturn: bool,
) -> Appeal:
    """Say whether a decision stands, or was wrong: then the very wording is seen again where it
    was, its sanctions end, and its reports weren't right. words: for who appealed, or "".

    Raises as `decide` does, and Conflict while something new would be published of somebody who is
    silenced.
    """
    with transaction.atomic():
        locked = lock_all(case_id, moderator.id)
        case, post = locked.case, locked.post
        check_seen(case, post, seen)
        check_impartial(case, moderator.id)
        check_not_anothers(case, moderator.id, now)
        if case.kind != CaseKind.APPEAL or case.decision is None:
            raise Conflict("no_appeal", "This is no appeal: decide what to do.")
        decision = case.decision
        if overturn:
            _lift(decision, actor, now)
            if post is not None and locked.thread is not None:
                _restore(decision, locked.about, post, locked.thread, actor, now)
            answer_again(decision.case, now)
            decision.overturned_at = now
            decision.save(update_fields=["overturned_at"])
        made = Appeal.objects.select_for_update().get(case=case)
        made.upheld, made.decided_by, made.decided_at = overturn, moderator, now
        made.answer = without_personal_data(words, locked.about.language)
        made.save(update_fields=["upheld", "decided_by", "decided_at", "answer"])
        _decided(made, case, moderator, actor, now)
        tell(
            locked.about, NoticeKind.APPEAL, f"appeal:{made.id}", now, decision=decision, post=post
        )
    return made


def _appeal(
    persona: Persona, decision_id: UUID, words: str, actor: audit.Actor, now: datetime
) -> Appeal:
    decision = decision_about(persona, decision_id)
    if Appeal.objects.filter(decision=decision).exists():
        raise Conflict("appealed", "You have appealed against this already: once is what there is.")
    if decision.appeal_until is None or now > decision.appeal_until:
        raise Conflict("too_late", "The time to appeal is over.", until=decision.appeal_until)
    case = open_appeal(decision, actor, now)
    return Appeal.objects.create(decision=decision, case=case, by=persona, words=words, at=now)


def _decided(
    made: Appeal, case: Case, moderator: Persona, actor: audit.Actor, now: datetime
) -> None:
    kind = MeasureKind.OVERTURN if made.upheld else MeasureKind.UPHOLD
    decision = Decision.objects.create(
        case=case,
        on_version=case.version,
        by=moderator,
        about_id=case.about_id,
        post_id=case.post_id,
        measures=[{"kind": kind.value}],
        reason="",
        adverse=False,
        at=now,
    )
    case.seen_at = case.seen_at or max(now, case.opened_at)
    close_decided(decision, case, actor, now)


def _lift(decision: Decision, actor: audit.Actor, now: datetime) -> None:
    standing = Sanction.objects.select_for_update().filter(decision=decision, lifted_at=None)
    for sanction in standing.order_by("id"):
        sanction.lifted_at = now
        sanction.save(update_fields=["lifted_at"])
        audit.record(
            actor, "lift_sanction", clinic_id=None, subject_id=decision.about_id,
            sanction=str(sanction.id),
        )  # fmt: skip


def _restore(
    decision: Decision,
    author: Persona,
    post: Post,
    thread: Thread,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Let the very wording be seen again, unless something else has been decided on the post since,
    or its author took it away."""
    wrong = _wording(decision)
    if wrong is None or not _stands_as_left(decision, post):
        return
    if post.published is None:
        check_may_be_published(author, now)
        count_approved(author, post)
    publish(post, thread, wrong, actor, now)


def _wording(decision: Decision) -> Revision | None:
    """What was to be seen but for the decision: what was taken from sight, or what wasn't let in.
    Null where the decision left the post as it was."""
    before, then = decision.before, decision.before["then"]
    if before["state"] == S.PUBLISHED and before["state"] == then["state"]:
        changed = before["published"] != then["published"]
        kinds = {measure["kind"] for measure in decision.measures}
        if not changed and kinds & {MeasureKind.REJECT.value, MeasureKind.REQUEST_CHANGES.value}:
            return decision.revision
        return Revision.objects.get(id=before["published"]) if changed else None
    if before["state"] == then["state"] != S.HIDDEN:
        return None
    if before["state"] == S.PUBLISHED:
        return Revision.objects.get(id=before["published"])
    return decision.revision


def _stands_as_left(decision: Decision, post: Post) -> bool:
    then = decision.before["then"]
    later = Decision.objects.filter(post=post, id__gt=decision.id)
    if later.exclude(case__kind=CaseKind.APPEAL).exists():
        return False
    if post.state == S.PUBLISHED:
        return bool(str(post.published_id) == then["published"])
    # Sent back, and written anew: the new wording waits as before.
    states_then = {post.state, then["state"]}
    return len(states_then) == 1 or states_then == {S.PENDING, S.CHANGES_REQUESTED}
