"""The pages, and the links between them. A link inside the app keeps the session; a new tab starts another."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from podium.dashboards.markup import plain_markdown

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

_KEY = "podium-pages"


class PageName(StrEnum):
    """The pages by the path under which they are served."""

    COMPETITIONS = "competitions"
    COMPETITION = "competition"
    LEADERBOARD = "leaderboard"
    SUBMIT = "submit"
    SUBMISSIONS = "submissions"
    RESULTS = "results"
    IMAGES = "images"
    IMAGE = "image"
    ORGANIZE = "organize"
    AGENTS = "agents"
    SIGN_IN = "sign-in"


def remember_pages(pages: Mapping[PageName, StreamlitPage]) -> None:
    """Keep the pages of this run, for links to them."""
    st.session_state[_KEY] = dict(pages)


def link_to(name: PageName, label: str, *, icon: str | None = None, **query: str) -> None:
    """A link to a page, with the parameters of its address."""
    st.page_link(st.session_state[_KEY][name], label=plain_markdown(label), icon=icon, query_params=query)


def go_to(name: PageName, **query: str) -> NoReturn:
    """Leave this page for another one."""
    st.switch_page(st.session_state[_KEY][name], query_params=query)
