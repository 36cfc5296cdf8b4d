"""A stranger's Markdown as HTML that can do nothing.

Strategy: CommonMark with tables (markdown-it-py), with HTML switched off, so that tags come out as letters; no pictures; links only to the
web. What comes out is then held against a list of what may be there (nh3), whatever the renderer did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from markupsafe import Markup

from hubclient.cards.prose import readable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LONGEST = 200_000
_WORDS = ("p", "br", "hr", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a")
_TAGS = frozenset((*_WORDS, "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"))
_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType({"a": frozenset({"href"}), "ol": frozenset({"start"})})
_WEB = re.compile(r"https?://", re.IGNORECASE)
# On a page, a card's own headings stand below that of the section.
_LEVELS = MappingProxyType({"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"})


def to_html(text: str) -> Markup:
    """Raises nothing, whatever the text; a very long one comes out as letters."""
    import nh3

    shown = readable(text)
    if len(shown) > _LONGEST:
        return Markup("<pre>{}</pre>").format(shown)
    html = _renderer().render(shown)
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    clean = nh3.clean(html, tags=set(_TAGS), attributes=attributes, url_schemes={"http", "https"}, link_rel="noopener noreferrer nofollow")
    return Markup(clean)  # noqa: S704 - this is what was cleaned


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20}).enable("table").disable("image")
    # Relative links lead to pages of the hub's own site, which is not this one.
    markdown.validateLink = lambda url: bool(_WEB.match(url))  # type: ignore[method-assign]

    def lower(state: object) -> None:
        tokens: list[Token] = state.tokens  # type: ignore[attr-defined]
        for token in tokens:
            token.tag = _LEVELS.get(token.tag, token.tag)

    markdown.core.ruler.push("lower_headings", lower)
    return markdown
