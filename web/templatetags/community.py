"""What the community's pages show of its rows."""

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.safestring import SafeString, mark_safe

from community.members.names import name_of
from community.models import MeasureKind, Persona
from community.posts.markdown import to_html, to_plain
from community.reading.spaces import said
from web.community.words import moment

EXCERPT = 280

register = template.Library()


@register.filter
def markdown(source: str) -> SafeString:
    """A post as HTML that was made safe, without attributes and links."""
    return mark_safe(to_html(source))  # noqa: S308 - nh3 has cleaned it


@register.filter
def excerpt(source: str) -> str:
    """The beginning of a text as it is read, on one line."""
    plain = " ".join(to_plain(source).split())
    return plain if len(plain) <= EXCERPT else f"{plain[: EXCERPT - 1].rstrip()}…"


@register.filter
def called(persona: Persona, language: str) -> str:
    """What somebody is called, also once they have left."""
    return name_of(persona, language)


@register.filter
def in_language(house_words: Mapping[str, str], language: str) -> str:
    """What the house wrote for every language."""
    return said(house_words, language)


@register.filter
def at(instant: datetime, reader: Persona) -> str:
    """An instant as its reader writes it."""
    return moment(instant, reader)


@register.filter
def instant(written: str, reader: Persona) -> str:
    """An instant that a decision holds, as its reader writes it."""
    return moment(datetime.fromisoformat(written), reader)


@register.filter
def measure(kind: str) -> str:
    """What a measure does, for moderators."""
    return MeasureKind(kind).label
