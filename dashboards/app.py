"""The app: its pages and the way between them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from podium.dashboards import layout, navigation, session
from podium.dashboards.navigation import PageName
from podium.dashboards.pages import (
    agents,
    competition,
    competitions,
    image,
    images,
    leaderboard,
    organize,
    results,
    sign_in,
    submissions,
    submit,
)

_MARK = Path(__file__).with_name("podium.svg")
_ABOUT = "**Podium** runs data-science competitions: bundles in, scored leaderboards out."


def main(landing: PageName = PageName.COMPETITIONS) -> None:
    """Show the page that the address names; `landing` is the one without a path."""
    # Before the navigation: else the icon of a page, which comes from the internet, becomes the tab's.
    st.set_page_config(page_icon=str(_MARK), layout="wide", menu_items={"About": _ABOUT})
    st.logo(str(_MARK), size="medium")
    layout.apply_style()
    layout.keep_presses()
    who = session.viewer()
    account = "Sign in" if who is None else f"Signed in as {who.username}"
    shown = {
        PageName.COMPETITIONS: (competitions.show, "Competitions", ":material/emoji_events:"),
        PageName.COMPETITION: (competition.show, "Competition", ":material/description:"),
        PageName.LEADERBOARD: (leaderboard.show, "Leaderboard", ":material/leaderboard:"),
        PageName.SUBMIT: (submit.show, "Submit", ":material/upload:"),
        PageName.SUBMISSIONS: (submissions.show, "My submissions", ":material/upload_file:"),
        PageName.ORGANIZE: (organize.show, "Organize", ":material/tune:"),
        PageName.AGENTS: (agents.show, "Agents", ":material/dns:"),
        PageName.RESULTS: (results.show, "Detailed results", ":material/lab_profile:"),
        PageName.IMAGES: (images.show, "Images", ":material/image:"),
        PageName.IMAGE: (image.show, "Image", ":material/image:"),
        PageName.SIGN_IN: (sign_in.show, account, ":material/person:"),
    }
    hidden = {PageName.COMPETITION, PageName.RESULTS, PageName.IMAGES, PageName.IMAGE}
    if who is None or not session.may_organize(who):
        hidden |= {PageName.ORGANIZE, PageName.AGENTS}
    pages = {
        name: st.Page(
            show,
            title=title,
            icon=icon,
            url_path=name.value,
            default=name is landing,
            visibility="hidden" if name in hidden else "visible",
        )
        for name, (show, title, icon) in shown.items()
    }
    navigation.remember_pages(pages)
    page = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{page.title} - Podium")
    page.run()
