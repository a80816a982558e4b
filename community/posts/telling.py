"""What the author of a text is told of what the rules made of it, in plain words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from community.models import HouseRule, Revision
from community.rules import Action, house_rules

Hits = Iterable[Mapping[str, Any]]
Words = Mapping[tuple[str, int], str]

_TURNED = frozenset({Action.BLOCK.value, Action.HOLD.value})

LINK = "It holds a link."
NOT_READ = "We couldn't look through it."


def reasons(hits: Hits) -> list[str]:
    """Why a text was not taken, or waits: the descriptions of the rules it met, each once. hits: as
    Revision keeps them. Signs of danger are not reasons; whoever writes them is shown help."""
    return _said(hits, _words([hits]))


def reasons_of(revisions: Sequence[Revision]) -> dict[UUID, list[str]]:
    """The reasons of each of some revisions, by its id."""
    words = _words([revision.hits for revision in revisions])
    return {revision.id: _said(revision.hits, words) for revision in revisions}


def _said(hits: Hits, words: Words) -> list[str]:
    said = (words.get((hit["rule"], hit["version"])) or _other(hit) for hit in _told(hits))
    return list(dict.fromkeys(said))


def _words(several: Iterable[Hits]) -> Words:
    """What the rules behind some hits are for, the moderators' own in one query."""
    told = [hit["rule"] for hits in several for hit in _told(hits)]
    own = {rule.removeprefix("own.") for rule in told if rule.startswith("own.")}
    versions = HouseRule.objects.filter(key__in=own) if own else ()
    words = {(f"own.{row.key}", row.version): row.description for row in versions}
    return words | {(rule.id, rule.version): rule.description for rule in house_rules()}


def _told(hits: Hits) -> list[Mapping[str, Any]]:
    return [hit for hit in hits if hit["action"] in _TURNED]


def _other(hit: Mapping[str, Any]) -> str:
    return LINK if hit["rule"] == "link" else NOT_READ
