"""What somebody submits, through the rules: as it was written and as it is read, and masked.

The one way in: every text that a member writes for others comes through `assess`.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    stored. kinds: what was masked, like "phone". hits: as Revision keeps them. found: the same hits
    with their places in title, line break, body as they were submitted; what was found only as it
    is read, or once something was masked, is somewhere in the whole."""

    state: State
    crisis: bool
    advice: bool
    writing: Writing
    kinds: tuple[str, ...]
    hits: list[dict[str, Any]]
    found: tuple[Hit, ...]
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
    as they are read once Markdown is taken away, and once personal data is masked. The strictest
    of all readings holds, for masking takes away what it covers. Never raises."""
    title, body, language = writing.title, writing.body, writing.language
    submitted = f"{title}\n{body}"
    verdicts: list[Verdict] = []
    masks: list[Hit] = []
    while True:
        whole = f"{title}\n{body}"
        source = judge(whole, language, book.rules, trusted=trusted)
        verdicts.append(source)
        if source.masked != whole:
            masks += _masks(source)
            title, body = _masked(title, body, language, source, book)
            continue
        plain = to_plain(body)
        if plain == body:
            break
        seen = f"{title}\n{plain}"
        read = judge(seen, language, book.rules, trusted=trusted)
        verdicts.append(read)
        if read.masked == seen:
            break
        # Written so that only a reader sees it: its Markdown is lost then. Each round takes some
        # figures away, so there is an end.
        masks += _masks(read)
        title, body = _masked(title, plain, language, read, book)
    if any(hit.rule == "part.personal" for verdict in verdicts for hit in verdict.hits):
        title, body = _without_figures(title), _without_figures(body)
    return Assessment(
        state=max((verdict.state for verdict in verdicts), key=_STRICTER.index),
        crisis=any(_is_crisis(verdict) for verdict in verdicts),
        advice=any(verdict.advice for verdict in verdicts),
        writing=Writing(title, body, language, tuple(writing.tags)),
        kinds=tuple(dict.fromkeys(hit.rule.removeprefix("personal.") for hit in masks)),
        hits=[
            *({**_one(hit), "place": [hit.start, hit.end]} for hit in source.hits),
            *map(_one, _not_among(source.hits, verdicts)),
        ],
        found=(
            *verdicts[0].hits,
            *(
                replace(hit, start=0, end=len(submitted))
                for hit in _not_among(verdicts[0].hits, verdicts)
            ),
        ),
        rulebook=book.version,
    )


def _not_among(hits: Sequence[Hit], verdicts: Sequence[Verdict]) -> list[Hit]:
    """One hit of each rule that some reading met and these hits haven't."""
    known = {(hit.rule, hit.version) for hit in hits}
    found = {(hit.rule, hit.version): hit for verdict in verdicts for hit in verdict.hits}
    return [hit for key, hit in found.items() if key not in known]


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


def _one(hit: Hit) -> dict[str, Any]:
    return {
        "rule": hit.rule,
        "version": hit.version,
        "action": hit.action.value,
        "note": hit.note,
    }


def _without_figures(text: str) -> str:
    """A text without what personal data is made of, for where it couldn't be looked for."""
    return re.sub("[0-9@]", "#", text)
