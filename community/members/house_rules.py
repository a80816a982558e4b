"""The house rules that members accept, by version and language. Words: words/*.toml.

When they change, VERSION grows, and members accept them anew before they write again.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

VERSION = 1
FOLDER = Path(__file__).parent / "words"


@cache
def _all() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}


def house_rules(language: str) -> dict[str, Any]:
    """{"title", "rules": [{"title", "text"}], "appeals"}, in English where we have no other."""
    return _all().get(language, _all()["en"])
