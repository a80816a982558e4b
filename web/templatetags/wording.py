"""Words with facts in them."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def fill(text: str, **facts: Any) -> str:
    """A text with its placeholders filled; the template escapes it."""
    return text.format(**facts)


@register.filter
def of(words: dict[str, str], key: object) -> str:
    """One of several words by its key, as a state's name."""
    return words[str(key)]
