"""Markdown to HTML that is safe to show, and to the plain text that a reader sees.

No images, no raw HTML. Links become their words: a post with a link is held by the rules, and what
a moderator lets through is read, not followed by mistake.
"""

import html
from functools import cache

import nh3
from markdown_it import MarkdownIt

ALLOWED = frozenset(
    {"p", "br", "em", "strong", "s", "ul", "ol", "li", "blockquote", "code", "pre", "hr"}
)


@cache
def _parser() -> MarkdownIt:
    # A post's headings would stand among those of the page, for a screen reader too.
    return MarkdownIt("js-default", {"html": False, "linkify": False}).disable(
        ["image", "html_block", "html_inline", "table", "heading", "lheading"]
    )


def to_html(source: str) -> str:
    """The post as safe HTML: no attribute is left, no script, style, link or image."""
    return nh3.clean(_parser().render(source), tags=set(ALLOWED), attributes={})


def to_plain(source: str) -> str:
    """What a reader sees, without marks: for judging, search and previews."""
    return html.unescape(nh3.clean(_parser().render(source), tags=set(), attributes={})).strip()
