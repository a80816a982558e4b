"""The spaces there are, in a reader's language."""

from collections.abc import Mapping

from django.db.models import QuerySet

from community.models import Space


def spaces() -> QuerySet[Space]:
    """All spaces, in the house's order."""
    return Space.objects.order_by("position", "key")


def said(words: Mapping[str, str], language: str) -> str:
    """What the house wrote, in a language, or in English where it has no other."""
    return words.get(language) or words.get("en", "")
