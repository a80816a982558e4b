"""What somebody who may be in danger sees at once: warm words, and numbers of their country.

The words are in help/*.toml, a file for each language. Numbers are FACTS' (Community duty of care):
the UK's and the US's; elsewhere only the words, for another country's number helps nobody.
"""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import get_global

FOLDER = Path(__file__).parent / "help"

LINES: dict[str, tuple[tuple[str, str], ...]] = {
    "GB": (("samaritans", "116 123"), ("nhs", "111"), ("emergency", "999")),
    "US": (("crisis_line", "988"), ("emergency", "911")),
}
"""By country: the key of what a line is called in help/*.toml, and its number."""


@dataclass(frozen=True)
class Help:
    """words: paragraphs; lines: (what it is, its number), the first to call first."""

    words: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """{"words": [...], "lines": [{"what": ..., "number": ...}]}."""
        lines = [{"what": what, "number": number} for what, number in self.lines]
        return {"words": list(self.words), "lines": lines}


def help_for(language: str, time_zone: str) -> Help:
    """The help for somebody who reads a language and lives by a time zone."""
    words = _words().get(language, _words()["en"])
    lines = LINES.get(get_global("zone_territories").get(time_zone, ""), ())
    said = [words["heard"], words["call"] if lines else words["elsewhere"], words["person"]]
    return Help(tuple(said), tuple((words["lines"][key], number) for key, number in lines))


def without_moderator(told: Help) -> Help:
    """Help without its last words, which say that a moderator is called: where nobody is."""
    return replace(told, words=told.words[:-1])


@cache
def _words() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
