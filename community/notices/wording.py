"""What members are told, in their language: words/*.toml, a file for each."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"


def words(language: str) -> dict[str, Any]:
    """The words of a language, in English where we have no other."""
    return _all().get(language, _all()["en"])


@cache
def _all() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
