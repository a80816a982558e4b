"""The words of the pages: data, a file for each language, so that a translator can add one."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel import negotiate_locale
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

FOLDER = Path(__file__).parent / "wording"
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def words(language: str) -> Mapping[str, Any]:
    """One language's file. A test says that all hold the same keys and placeholders."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def preferred(request: HttpRequest) -> str:
    """The language that a browser asks for, among ours; English if it asks for none of them."""
    asked = []
    for part in request.headers.get("Accept-Language", "")[:500].split(","):
        name, _, weight = part.partition(";q=")
        asked.append((-_number(weight), name.strip().partition("-")[0]))
    names = [name for _, name in sorted(asked, key=lambda one: one[0])]
    return negotiate_locale(names, LANGUAGES) or "en"


def show(
    request: HttpRequest, template: str, language: str, status: int = 200, **facts: Any
) -> HttpResponse:
    """A page in a language, for this person alone: nobody on the way, and no browser, keeps it."""
    facts |= {"say": words(language), "language": language}
    response = render(request, template, facts, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _number(weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError:
        return 0
