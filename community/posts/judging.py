"""What somebody submits, through the rules: as it was written and as it is read, and masked.

The one way in: every text that a member writes for others comes through `assess`.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from community.moderation.rule_book import Book
from community.posts.markdown import to_plain
from community.rules import Action, Hit, State, Verdict, judge

_STRICTER = list(State)


@dataclass(frozen=True)
class Writing:
    """What somebody wrote. title: one line, blank for a reply; body: Markdown; language: two
    letters."""

    title: str
    body: str
    language: str
    tags: Sequence[str] = ()


@dataclass(frozen=True)
class Assessment:
    """What the rules make of a writing, and the writing with personal data masked, which alone is
    stored. kinds: what was masked, like "phone". hits: as Revision keeps them."""

    state: State
    crisis: bool
    advice: bool
    writing: Writing
    kinds: tuple[str, ...]
    hits: list[dict[str, Any]]
    rulebook: int

    @property
    def digest(self) -> str:
        """What the audit trail has of it: SHA-256, hexadecimal."""
        return digest(self.writing.title, self.writing.body)


def digest(title: str, body: str) -> str:
    """What two texts are compared by."""
    return hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()


def assess(writing: Writing, book: Book, *, trusted: bool) -> Assessment:
    """Judges title and body together, for what is split between them is read together; and again
    as they are read once Markdown is taken away. The stricter holds."""
    title, body, language = writing.title, writing.body, writing.language
    masks: list[Hit] = []
    while True:
        whole = f"{title}\n{body}"
        source = judge(whole, language, book.rules, trusted=trusted)
        if source.masked != whole:
            masks += _masks(source)
            title, body = _masked(title, body, language, source, book)
            continue
        plain = to_plain(body)
        seen = f"{title}\n{plain}"
        read = source if plain == body else judge(seen, language, book.rules, trusted=trusted)
        if plain == body or read.masked == seen:
            break
        # Written so that only a reader sees it: its Markdown is lost then. Each round takes some
        # figures away, so there is an end.
        masks += _masks(read)
        title, body = _masked(title, plain, language, read, book)
    if any(hit.rule == "part.personal" for hit in (*source.hits, *read.hits)):
        title, body = _without_figures(title), _without_figures(body)
    verdicts = (source, read)
    return Assessment(
        state=max((verdict.state for verdict in verdicts), key=_STRICTER.index),
        crisis=any(_is_crisis(verdict) for verdict in verdicts),
        advice=any(verdict.advice for verdict in verdicts),
        writing=Writing(title, body, language, tuple(writing.tags)),
        kinds=tuple(dict.fromkeys(hit.rule.removeprefix("personal.") for hit in masks)),
        hits=_as_json(source, read, masks),
        rulebook=book.version,
    )


def _is_crisis(verdict: Verdict) -> bool:
    """Also where the signs could not be looked for: a false alarm costs a moment."""
    return verdict.crisis or any(hit.rule == "part.crisis" for hit in verdict.hits)


def _masks(verdict: Verdict) -> list[Hit]:
    return [hit for hit in verdict.hits if hit.action == Action.MASK and hit.note != "failed"]


def _masked(title: str, body: str, language: str, whole: Verdict, book: Book) -> tuple[str, str]:
    """Title and body masked each by itself; or where the data began in the one and ended in the
    other, the whole as one body."""
    apart = [judge(part, language, book.rules).masked for part in (title, body)]
    together = "\n".join(apart)
    if judge(together, language, book.rules).masked == together:
        return apart[0][:200], apart[1]
    return "", whole.masked.strip()


def _as_json(source: Verdict, read: Verdict, masks: list[Hit]) -> list[dict[str, Any]]:
    """Hits with their places in what is stored; what was masked, or found only as it is read, has
    none there."""
    known = {(hit.rule, hit.version) for hit in source.hits}
    shown = [hit for hit in read.hits if (hit.rule, hit.version) not in known]
    return [
        *({**_one(hit), "place": [hit.start, hit.end]} for hit in source.hits),
        *(_one(hit) for hit in shown),
        *(_one(hit) for hit in dict.fromkeys((hit.rule, hit.version) for hit in masks)),
    ]


def _one(hit: Hit | tuple[str, int]) -> dict[str, Any]:
    if isinstance(hit, tuple):
        return {"rule": hit[0], "version": hit[1], "action": Action.MASK.value, "note": ""}
    return {
        "rule": hit.rule,
        "version": hit.version,
        "action": hit.action.value,
        "note": hit.note,
    }


def _without_figures(text: str) -> str:
    """A text without what personal data is made of, for where it couldn't be looked for."""
    return re.sub("[0-9@]", "#", text)
