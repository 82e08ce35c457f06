"""An organizer's HTML, made harmless: the pages of a competition and its terms.

A page is read token by token and written anew from a short list of elements and attributes. Scripts, styles, forms,
frames, event handlers and addresses of any scheme but http, https and mailto don't survive; words do. The result
stands in the page itself, takes its fonts and colours, and can neither run nor cover anything. The browser's
sanitizer goes over it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from types import MappingProxyType
from urllib.parse import urlsplit

from podium.dashboards.markup import Html, text

# fmt: off
_PLAIN = frozenset((
    "abbr", "article", "b", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del", "details", "dfn",
    "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd",
    "li", "main", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strong", "sub", "summary",
    "sup", "table", "tbody", "tfoot", "thead", "tr", "u", "ul", "var",
))
# fmt: on
_WITH_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "a": frozenset({"href", "title"}),
        "img": frozenset({"src", "alt", "title", "width", "height"}),
        "td": frozenset({"colspan", "rowspan"}),
        "th": frozenset({"colspan", "rowspan", "scope"}),
        "ol": frozenset({"start"}),
    }
)
_VOID = frozenset({"br", "hr", "img"})
# What stands inside these is no text for people.
_DROPPED_WITH_CONTENT = frozenset(
    {
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "textarea",
        "select",
    }
)
_NUMBER = re.compile(r"\d{1,4}")
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "start"})
_SCOPES = frozenset({"row", "col", "rowgroup", "colgroup"})


def harmless_html(source: str) -> Html:
    """The part of an organizer's HTML that shows words, pictures and tables, and can do nothing."""
    reader = _Rewriter()
    reader.feed(source)
    reader.close()
    return reader.result()


class _Rewriter(HTMLParser):
    """Writes what it reads anew, keeping what is on the list. Every element it opens it closes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def result(self) -> Html:
        """What was written, with every element closed."""
        return Html("".join(self._written) + "".join(f"</{tag}>" for tag in reversed(self._open)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in _DROPPED_WITH_CONTENT:
            if tag in _DROPPED_WITH_CONTENT:
                self._dropping.append(tag)
            return
        if tag not in _PLAIN and tag not in _WITH_ATTRIBUTES:
            return
        kept = "".join(f' {name}="{text(value)}"' for name, value in _kept_attributes(tag, attrs).items())
        self._written.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In HTML the slash means nothing, save in foreign content, which is dropped.
        self.handle_starttag(tag, attrs)
        if tag in _DROPPED_WITH_CONTENT and self._dropping:
            self._dropping.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag in self._dropping:
                while self._dropping.pop() != tag:
                    pass
            return
        if tag in self._open:
            while (closed := self._open.pop()) != tag:
                self._written.append(f"</{closed}>")
            self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._written.append(text(data))


def _kept_attributes(tag: str, attributes: list[tuple[str, str | None]]) -> dict[str, str]:
    allowed = _WITH_ATTRIBUTES.get(tag, frozenset())
    kept = {
        name: value
        for name, value in attributes
        if name in allowed and value is not None and _is_good_value(name, value)
    }
    if tag == "a" and "href" in kept:
        kept |= {"target": "_blank", "rel": "noopener noreferrer nofollow"}
    if tag == "img":
        kept |= {"loading": "lazy", "referrerpolicy": "no-referrer"}
    return kept


def _is_good_value(name: str, value: str) -> bool:
    if name == "href":
        return _scheme(value) in {"http", "https", "mailto"}
    if name == "src":
        return _scheme(value) in {"http", "https"}
    if name in _NUMBERS:
        return _NUMBER.fullmatch(value) is not None
    return name != "scope" or value in _SCOPES


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme
    except ValueError:
        return ""
