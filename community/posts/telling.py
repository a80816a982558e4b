"""What the author of a text is told of what became of it, in plain words of their language. Words:
words/*.toml."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from community.models import HouseRule, Revision
from community.rules import Action

Hits = Iterable[Mapping[str, Any]]
Own = Mapping[tuple[str, int], str]

FOLDER = Path(__file__).parent / "words"

_TURNED = frozenset({Action.BLOCK.value, Action.HOLD.value})


def reasons(hits: Hits, language: str) -> list[str]:
    """Why a text was not taken, or waits: what the rules that it met are for, each once; in the
    moderators' words for their own. hits: as Revision keeps them. Signs of danger are not reasons;
    whoever writes them is shown help."""
    return _said(hits, _own_words([hits]), language)


def reasons_of(revisions: Sequence[Revision], language: str) -> dict[UUID, list[str]]:
    """The reasons of each of some revisions, by its id."""
    own = _own_words([revision.hits for revision in revisions])
    return {revision.id: _said(revision.hits, own, language) for revision in revisions}


def state_in_words(state: str, language: str) -> str:
    """What the state of a post is called."""
    said: str = _words(language)["states"][state]
    return said


@cache
def _all() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}


def _words(language: str) -> dict[str, Any]:
    return _all().get(language, _all()["en"])


def _said(hits: Hits, own: Own, language: str) -> list[str]:
    words = _words(language)
    said = (
        own.get((hit["rule"], hit["version"]))
        # "trade.en": what a rule is for is the same in the words of all languages.
        or words["rules"].get(hit["rule"].rpartition(".")[0])
        or words["link" if hit["rule"] == "link" else "not_read"]
        for hit in _told(hits)
    )
    return list(dict.fromkeys(said))


def _own_words(several: Iterable[Hits]) -> Own:
    """What the moderators' own rules behind some hits are for, in one query."""
    told = [hit["rule"] for hits in several for hit in _told(hits)]
    own = {rule.removeprefix("own.") for rule in told if rule.startswith("own.")}
    versions = HouseRule.objects.filter(key__in=own) if own else ()
    return {(f"own.{row.key}", row.version): row.description for row in versions}


def _told(hits: Hits) -> list[Mapping[str, Any]]:
    return [hit for hit in hits if hit["action"] in _TURNED]
