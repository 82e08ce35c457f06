"""Signing in with a token."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session
from podium.dashboards.choice import wanted_slug
from podium.dashboards.markup import plain_markdown
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.session import Viewer
from podium.platform.errors import NotAuthenticated, PlatformFault, PodiumError

_REFUSAL = "podium-sign-in-refusal"


def show() -> None:
    """Show the form, or who is signed in."""
    who = session.viewer()
    if who is None:
        _show_form()
    else:
        _show_account(who)


def _show_form() -> None:
    layout.page_head("Sign in", below="With a token, to see your submissions and your place.")
    with st.form("sign-in", clear_on_submit=True, width=520):
        st.text_input("Token", type="password", key="sign-in-token", autocomplete="off", placeholder="Paste it here")
        st.form_submit_button("Sign in", type="primary", on_click=_try_to_sign_in)
    refusal = st.session_state.get(_REFUSAL)
    if isinstance(refusal, str):
        layout.inline(layout.notice(refusal, kind="warning"))
    st.caption(
        "Where to get one: the operator of this platform gives you the first, and `podium login` keeps it for the "
        "command line. Here it stays in this tab until you sign out, close the tab or reload the page."
    )


def _try_to_sign_in() -> None:
    # A callback runs before the page: the header names the viewer at once, and the field is empty again.
    st.session_state.pop(_REFUSAL, None)
    try:
        session.sign_in(str(st.session_state.get("sign-in-token", "")).strip())
    except PodiumError as error:
        st.session_state[_REFUSAL] = _refusal(error)


def _refusal(error: PodiumError) -> str:
    if isinstance(error, NotAuthenticated):
        return "This token is not known here, has expired or was revoked. Check that all of it was pasted."
    if isinstance(error, PlatformFault):
        return "Podium does not answer at the moment. Try again shortly."
    return f"{error.detail} {error.remedy}".strip()


def _show_account(who: Viewer) -> None:
    layout.page_head(who.person.name or who.username, above="Signed in", below=f"{who.username}, {who.person.email}")
    roles = [
        word
        for word, applies in (("administrator", who.person.is_administrator), ("organizer", who.person.may_organize))
        if applies
    ]
    if roles:
        st.markdown(f"You are {plain_markdown(' and '.join(roles))} on this platform.")
    with st.container(horizontal=True, vertical_alignment="center", key="links-account"):
        slug = wanted_slug()
        if slug is not None:
            link_to(PageName.COMPETITION, f"Back to {slug}", icon=":material/arrow_back:", competition=slug)
        else:
            link_to(PageName.COMPETITIONS, "Competitions", icon=":material/emoji_events:")
        link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:")
        st.button("Sign out", on_click=session.sign_out)
