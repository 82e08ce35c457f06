"""Text of people on its way into a page: nothing that they write becomes markup of ours."""

from __future__ import annotations

import re
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""HTML whose every text was escaped."""

_MARKDOWN_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^&\"'])")
_MONEY = re.compile(r"(?<![\\$])\$(?=\d)")


def text(words: object) -> Html:
    """Words as HTML text, safe between tags and inside a quoted attribute."""
    return Html(escape(str(words), quote=True))


def join(*parts: str, by: str = "") -> Html:
    """HTML after HTML. Each part must be HTML already."""
    return Html(by.join(parts))


def element(tag: str, /, *content: str, **attributes: str | None) -> Html:
    """An element. `content` is HTML; attribute values are escaped here, and `None` leaves one out.

    A trailing underscore is dropped and others become hyphens: `class_`, `aria_label`.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{written}>{''.join(content)}</{tag}>")


def unseen(words: str) -> Html:
    """Words for screen readers alone."""
    return element("span", text(words), class_="podium-unseen")


def plain_markdown(words: str) -> str:
    """Words for a Markdown element, so that they read as they are, on one line."""
    return _MARKDOWN_MARKS.sub(r"\\\1", " ".join(words.split()))


def organizer_markdown(source: str) -> str:
    """An organizer's Markdown, with dollars before digits kept from becoming formulas: `$500` is money."""
    return _MONEY.sub(r"\\$", source)


def sentence(words: str) -> str:
    """Words of a person's with a full stop, where they have no end of their own."""
    kept = words.strip()
    return kept if not kept or kept[-1] in ".!?…" else f"{kept}."


def actor_words(actor: str) -> str:
    """Who did something, as the gateway notes it: a person by their name, anything else by its kind."""
    kind, colon, name = actor.partition(":")
    if not colon:
        return actor
    return name if kind == "person" else f"the {kind}"
