"""Trying a rule against past posts, before it is switched on: what it would have caught, and how
much of that people found to be in order."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from community.models import Decision, HouseRule, Revision
from community.moderation.rule_book import as_rule
from community.posts.markdown import to_plain
from community.rules import Action, Hit, asking

BACK = timedelta(days=30)
MOST = 5000
"""Wordings that are looked at, the newest first: a few seconds' work."""
EXAMPLES = 20


@dataclass(frozen=True)
class Caught:
    """A post that the rule would have caught, by the wording in which it would, and how that was
    judged then. decided: "wrongly" where a person found the post in order, "rightly" where a person
    decided against it, "" where nobody decided. words: its title and body."""

    post_id: UUID
    revision_id: UUID
    verdict: str
    words: str
    decided: str = ""


@dataclass
class Trial:
    """looked_at: wordings, from `since` on (all of the last 30 days, or as many as are looked at).
    caught: posts; were: how they were judged then; examples: the newest of them."""

    looked_at: int
    since: datetime
    caught: int = 0
    wrongly: int = 0
    rightly: int = 0
    were: dict[str, int] = field(default_factory=dict)
    examples: list[Caught] = field(default_factory=list)


def try_out(row: HouseRule, now: datetime) -> Trial:
    """What a version would have caught of the posts of the last 30 days, each counted once."""
    ask = _asker(row)
    looked_at, since = 0, now - BACK
    newest = Revision.objects.filter(at__gte=since).order_by("-id")
    fields = ("id", "post_id", "verdict", "language", "title", "body", "at")
    found: dict[UUID, Caught] = {}
    for id_, post_id, verdict, language, title, body, at in newest.values_list(*fields)[:MOST]:
        looked_at, oldest = looked_at + 1, at
        if post_id not in found and ask(title, body, language):
            found[post_id] = Caught(post_id, id_, verdict, f"{title}\n{body}".strip())
    decided = _decided({one.revision_id for one in found.values()})
    caught = [replace(one, decided=decided.get(one.revision_id, "")) for one in found.values()]
    said = Counter(one.decided for one in caught)
    return Trial(
        looked_at=looked_at,
        since=oldest if looked_at == MOST else since,
        caught=len(caught),
        wrongly=said["wrongly"],
        rightly=said["rightly"],
        were=dict(Counter(one.verdict for one in caught)),
        examples=caught[:EXAMPLES],
    )


def _asker(row: HouseRule) -> Callable[[str, str, str], bool]:
    """Whether the rule would have caught a title and a body in a language, as posting judges them:
    as they were written, and as they are read."""
    hits = asking(as_rule(row))

    def ask(title: str, body: str, language: str) -> bool:
        if any(map(_counts, hits(f"{title}\n{body}", language))):
            return True
        plain = to_plain(body)
        return plain != body and any(map(_counts, hits(f"{title}\n{plain}", language)))

    return ask


def _counts(hit: Hit) -> bool:
    """Advice that is denied is none."""
    return not (hit.action == Action.ADVICE and "negated" in hit.note)


def _decided(revision_ids: Collection[UUID]) -> dict[UUID, str]:
    """What people made of these wordings: against one, if any decision against it stands."""
    rows = Decision.objects.filter(revision__in=revision_ids).order_by("id")
    found: dict[UUID, str] = {}
    for revision_id, adverse, overturned_at in rows.values_list(
        "revision_id", "adverse", "overturned_at"
    ):
        against = adverse and overturned_at is None
        if revision_id is not None and found.get(revision_id) != "rightly":
            found[revision_id] = "rightly" if against else "wrongly"
    return found
