"""The words of the community's pages: data, a file for each language, as those of the own pages."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from accounts.refusals import Refusal
from community.models import Persona

FOLDER = Path(__file__).parent / "wording"
LOCALES = {"en": "en_GB"}
"""Of a language whose dates are written in several ways."""


@cache
def words(language: str) -> Mapping[str, Any]:
    """One language's file. A test says that all hold the same keys and placeholders."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def moment(at: datetime, reader: Persona) -> str:
    """An instant as its reader writes it, where they live."""
    locale = LOCALES.get(reader.language, reader.language)
    local = at.astimezone(ZoneInfo(reader.time_zone))
    return f"{format_date(local, 'medium', locale)}, {format_time(local, 'short', locale=locale)}"


def refusal_in(language: str, refusal: Refusal, reader: Persona | None = None) -> str:
    """Why something wasn't done, in plain words; those of no code that we know are the same for
    all."""
    said = words(language)["refusals"]
    until = refusal.facts.get("until")
    told = moment(until, reader) if reader and isinstance(until, datetime) else ""
    text: str = said.get(refusal.code, said["other"])
    return text.format(until=told) if told or "{until}" not in text else said["other"]
