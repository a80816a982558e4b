"""The reasons for decisions, in the members' languages: words in reasons.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from community.members.house_rules import house_rules

OWN = "own"
"""The reason of a decision whose moderator writes it in their own words."""


@cache
def _all() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("reasons.toml").read_text("utf-8"))


def is_reason(key: str) -> bool:
    """Whether a decision may give this one."""
    return key == OWN or key in _all()["reasons"]


def all_reasons() -> list[str]:
    """All of them, OWN last."""
    return [*_all()["reasons"], OWN]


def reason_in_words(key: str, language: str) -> str:
    """What the member reads: the reason with the house rule that it is about, "" for their own."""
    reason = _all()["reasons"].get(key)
    if reason is None:
        return ""
    said: str = reason.get(language, reason["en"])
    rule = house_rules(language)["rules"][reason["rule"] - 1]["title"]
    return f"{said} ({_in(_all()['house_rule'], language)}: {rule})"


def way_to_appeal(language: str) -> str:
    """What the member reads of appealing."""
    return _in(_all()["appeal"], language)


def _in(words: dict[str, str], language: str) -> str:
    return words.get(language, words["en"])
