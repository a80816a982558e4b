"""What is judged after each act of a story of moderation, from the rows as they are then."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from accounts.models import AuditEntry
from community.models import (
    Appeal,
    Case,
    CaseKind,
    Decision,
    LiveText,
    Notice,
    Post,
    Report,
    Revision,
    Sanction,
)
from community.moderation.reasons import reason_in_words
from community.moderation.reports import HIDES_AT
from community.moderation.rule_book import current_book
from community.posts.judging import Writing, assess, digest


@dataclass
class Snapshot:
    """The rows that acts change. posts: state and what is published; live: what is seen."""

    posts: dict[UUID, tuple[str, UUID | None]] = field(default_factory=dict)
    live: dict[UUID, tuple[UUID, str, str]] = field(default_factory=dict)
    audited: int = 0
    moves: int = 0


def take() -> Snapshot:
    """The rows now."""
    moves = AuditEntry.objects.filter(verb="move_post")
    return Snapshot(
        posts={id_: (state, published) for id_, state, published in Post.objects.values_list(
            "id", "state", "published")},
        live={id_: (revision, title, body) for id_, revision, title, body
              in LiveText.objects.values_list("post", "revision", "title", "body")},
        audited=AuditEntry.objects.count(),
        moves=moves.count(),
    )  # fmt: skip


def one_row_for_each_transition(before: Snapshot, after: Snapshot) -> None:
    changed = sum(1 for id_, was in before.posts.items() if after.posts[id_] != was)
    # A new post has a row of its own; it is moved once more if it is seen at once.
    changed += sum(
        1 for id_, (_, published) in after.posts.items() if id_ not in before.posts and published
    )
    assert after.moves - before.moves == changed


def folding_gives_the_state() -> None:
    """The audit trail alone says where each post, case and sanction is."""
    posts: dict[UUID, tuple[str, str | None]] = {}
    cases: dict[UUID, dict[str, Any]] = {}
    sanctions: set[str] = set()
    rows = AuditEntry.objects.order_by("id")
    for verb, subject, by, detail in rows.values_list("verb", "subject_id", "persona_id", "detail"):
        if verb == "post":
            posts[subject] = (detail["state"], None)
        elif verb == "move_post":
            assert posts[subject][0] == detail["from"]
            posts[subject] = (detail["to"], detail["revision"])
        elif verb == "sanction":
            sanctions.add(detail["sanction"])
        elif verb == "lift_sanction":
            sanctions.remove(detail["sanction"])
        elif verb.startswith("case_"):
            _fold_case(cases.setdefault(subject, {}), verb.removeprefix("case_"), by, detail)
    found = Post.objects.values_list("id", "state", "published")
    assert posts == {id_: (state, str(rev) if rev else None) for id_, state, rev in found}
    held = Case.objects.values_list("id", "owner", "version", "closed_at")
    assert {id_: (one["owner"], one["version"], one["open"]) for id_, one in cases.items()} == {
        id_: (owner, version, closed is None) for id_, owner, version, closed in held
    }
    standing = Sanction.objects.filter(lifted_at__isnull=True).values_list("id", flat=True)
    assert sanctions == set(map(str, standing))


def _fold_case(case: dict[str, Any], what: str, by: UUID | None, detail: Any) -> None:
    if what == "opened":
        case |= {"owner": None, "open": True}
    assert case["open"] or what == "note"
    if what == "claimed":
        case["owner"] = by
    if what == "handed_over":
        case["owner"] = UUID(detail["to"])
    if what in ("handed_back", "second_opinion", "decided", "closed"):
        case["owner"] = None
    if what in ("decided", "closed"):
        case["open"] = False
    case["version"] = detail["version"]


def each_adverse_decision_is_told_once_with_why_and_how_to_appeal() -> None:
    told = Notice.objects.filter(kind="decision").values_list("decision", "persona")
    decisions = list(Decision.objects.filter(adverse=True))
    assert sorted(told) == sorted((one.id, one.about_id) for one in decisions)
    for decision in decisions:
        assert reason_in_words(decision.reason, "en") or decision.words
        assert decision.appeal_until is not None
        assert decision.appeal_until > decision.at


def what_is_seen_is_a_judged_wording() -> None:
    for live in LiveText.objects.select_related("revision__by"):
        revision = live.revision
        assert (live.title, live.body, live.tags) == (revision.title, revision.body, revision.tags)
        assert revision.post_id == live.post_id
        assert revision.digest == digest(revision.title, revision.body)
        assert revision.verdict in ("published", "pending", "blocked")
        assert revision.by_id == live.author_id or revision.by.role != "member"
        assert "900123" not in revision.title + revision.body


def each_wording_has_the_verdict_that_the_rules_give_it() -> None:
    """Whoever wrote it, and by whichever door it came: what is stored is judged as it is."""
    for revision in Revision.objects.select_related("by"):
        writing = Writing(revision.title, revision.body, revision.language, tuple(revision.tags))
        of_trusted = assess(writing, current_book(), trusted=True)
        verdicts = {of_trusted.state.value}
        if revision.by.role == "member":
            verdicts.add(assess(writing, current_book(), trusted=False).state.value)
        assert revision.verdict in verdicts
        assert (revision.crisis, revision.advice) == (of_trusted.crisis, of_trusted.advice)
        assert of_trusted.writing == writing, "masked once is masked"


def reporters_count_once_and_stay_unknown() -> None:
    twice = Report.objects.filter(revision__isnull=False).values("reporter", "revision")
    assert not twice.annotate(n=Count("id")).filter(n__gt=1).exists()
    undecided = Report.objects.filter(outcome="", revision__isnull=False).values("revision")
    heavy = undecided.annotate(all=Sum("weight")).filter(all__gte=HIDES_AT)
    assert not LiveText.objects.filter(revision__in=heavy.values("revision")).exists()
    foreign = Notice.objects.filter(report__isnull=False).exclude(persona=F("report__reporter"))
    assert not foreign.exists()
    decided = Report.objects.exclude(outcome="")
    assert decided.count() == Notice.objects.values("report").filter(
        report__isnull=False).distinct().count()  # fmt: skip
    closed = Report.objects.filter(case__closed_at__isnull=False, outcome="")
    assert not closed.exists()


def nobody_decides_on_themselves_or_what_they_began() -> None:
    wrong = (
        Q(by=F("about"))
        | Q(by=F("case__second_opinion_for"))
        | Q(by=F("case__reports__reporter"))
        | Q(by=F("case__decision__by"))
    )
    assert not Decision.objects.filter(wrong).exists()
    own = Q(decided_by=F("decision__by")) | ~Q(by=F("decision__about"))
    assert not Appeal.objects.filter(own).exists()


def one_open_case_and_one_decision_for_each() -> None:
    open_ones = Case.objects.filter(closed_at__isnull=True).exclude(kind=CaseKind.APPEAL)
    of_posts = open_ones.filter(post__isnull=False).values("post")
    assert not of_posts.annotate(n=Count("id")).filter(n__gt=1).exists()
    many = Decision.objects.values("case").annotate(n=Count("id")).filter(n__gt=1)
    assert not many.exists()
    # Nothing that waits for a person is without a case that one can find.
    waiting = Post.objects.filter(state="pending").exclude(id__in=of_posts)
    assert not waiting.exists()


def silenced(persona_id: UUID, now: datetime) -> bool:
    return (
        Sanction.objects.filter(
            persona=persona_id, kind__in=("silence", "suspend"), lifted_at__isnull=True
        )
        .filter(starts_at__lte=now, ends_at__gt=now)
        .exists()
    )


def the_silenced_are_not_published(
    before: Snapshot, after: Snapshot, ever: set[UUID], now: datetime
) -> None:
    """Nothing is seen for the first time of somebody who is silenced then, but a moderator's own
    wording of what was seen already."""
    for post_id, (revision_id, *_) in after.live.items():
        if revision_id in ever:
            continue
        revision = Revision.objects.select_related("post").get(id=revision_id)
        if silenced(revision.post.author_id, now):
            assert revision.by_id != revision.post.author_id
            assert before.posts[post_id][1] is not None
