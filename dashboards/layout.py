"""Pieces that several pages share: the head of a page, notices, facts, and what stands where nothing is yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import streamlit as st

from podium.dashboards import times
from podium.dashboards.markup import Html, element, join, text
from podium.platform.errors import NotAllowed, NotAuthenticated, NotFound, PlatformFault, PodiumError

_STYLE = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("podium.css", "board.css"))
_PRESSES = Path(__file__).with_name("presses.js").read_text(encoding="utf-8")


def apply_style() -> None:
    """Put the style sheet into the page."""
    st.html(f"<style>{_STYLE}</style>")


def keep_presses() -> None:
    """Let a press count for the button that it began on, wherever the page moves that meanwhile."""
    with st.container(key="presses"):
        st.html(f"<script>{_PRESSES}</script>", unsafe_allow_javascript=True)


def page_head(title: str, *, above: str = "", below: str = "") -> None:
    """The heading of a page, with a line above and a line below it."""
    parts = [
        element("p", text(above), class_="above") if above else "",
        element("h1", text(title)),
        element("p", text(below), class_="below") if below else "",
    ]
    st.html(element("header", *parts, class_="podium-head"))


def facts(pairs: Iterable[tuple[str, str]]) -> Html:
    """Short facts in a row: a word and its value each."""
    items = [element("div", element("dt", text(word)), element("dd", text(value))) for word, value in pairs if value]
    return element("dl", *items, class_="podium-facts")


def nothing_here(title: str, sentence: str, *more: Html) -> None:
    """What stands where there is nothing to show, and what to do about it."""
    st.html(element("section", element("h2", text(title)), element("p", text(sentence)), *more, class_="podium-empty"))


def notice(words: str, *, kind: str = "info") -> Html:
    """A line that says how things are. `kind` is `info`, `good`, `warning` or `bad`; each has a mark of its own."""
    marks = {"info": "i", "warning": "!", "good": "✓", "bad": "✕"}
    mark = element("span", text(marks[kind]), class_="mark", aria_hidden="true")
    return element("p", mark, element("span", text(words)), class_=f"podium-notice {kind}", role="status")


def stale_notice(at: datetime, every: str) -> Html:
    """That the gateway is silent, and from when what is shown is."""
    return notice(
        f"Podium does not answer at the moment. This is what it said at {times.seconds_clock(at)}; "
        f"trying again {every}.",
        kind="warning",
    )


def trouble(error: PodiumError, *, what: str, every: str = "") -> None:
    """What stands where the gateway gave no answer.

    Args:
        error: What went wrong.
        what: What was asked for, such as `competition`.
        every: How often the page tries again, in words; empty when it does not.
    """
    if isinstance(error, PlatformFault):
        again = f"This page tries again {every}." if every else "Please try again in a moment."
        nothing_here(
            "Podium does not answer at the moment",
            f"Your submissions are safe, and nothing needs to be done. {again}",
        )
    elif isinstance(error, NotFound):
        nothing_here(f"There is no such {what}", "It may not be published yet, or its address has a slip in it.")
    elif isinstance(error, NotAuthenticated):
        nothing_here("Your token no longer holds", "It has expired or was revoked. Sign in again with another one.")
    elif isinstance(error, NotAllowed):
        nothing_here("This is not open to you", error.detail)
    else:
        nothing_here("That did not work", f"{error.detail} {error.remedy}".strip())


def commands(lines: Iterable[str]) -> None:
    """Commands for a terminal, to be copied."""
    st.code("\n".join(lines), language="bash", wrap_lines=True)


def inline(*parts: Html) -> None:
    """HTML of ours."""
    st.html(join(*parts))
