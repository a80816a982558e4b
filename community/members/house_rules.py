"""The house rules that members accept, by version and language. Words: words/*.toml.

When they change, VERSION grows, and members accept them anew before they write again.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from accounts.refusals import Forbidden

VERSION = 1
FOLDER = Path(__file__).parent / "words"


@cache
def _all() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}


def house_rules(language: str) -> dict[str, Any]:
    """{"title", "rules": [{"title", "text"}], "appeals"}, in English where we have no other."""
    return _all().get(language, _all()["en"])


def check_has_accepted(accepted: int) -> None:
    """Nothing, if the version that somebody accepted is the present one; Forbidden else."""
    if accepted != VERSION:
        raise Forbidden(
            "house_rules", "The house rules have changed. Read them, and accept them first."
        )
