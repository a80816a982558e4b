"""Dates and times on the care team's pages, as `when` of the page's facts writes them."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from web.team.moments import When

register = template.Library()


@register.simple_tag(takes_context=True)
def day(context: dict[str, Any], given: date) -> SafeString:
    """A date: Mon 4 Jan."""
    return format_html(
        '<time datetime="{}">{}</time>', given.isoformat(), context["when"].day(given)
    )


@register.simple_tag(takes_context=True)
def moment(context: dict[str, Any], at: datetime) -> SafeString:
    """An instant, where the clinic is: today 14:05."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), context["when"].moment(at))


@register.simple_tag(takes_context=True)
def ago(context: dict[str, Any], at: datetime) -> SafeString:
    """How long ago an instant is: 3 h; pointed at, it says when that was."""
    when = context["when"]
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), when.moment(at), when.ago(at)
    )


@register.filter
def time_of(at: datetime, when: When) -> str:
    """An instant's wall time where the clinic is."""
    return when.time(at)
