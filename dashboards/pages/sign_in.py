"""Signing in, at the provider or with a token."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from podium.dashboards import account, layout, session, source
from podium.dashboards.choice import wanted_slug
from podium.dashboards.markup import element, text
from podium.dashboards.provider_way import SIGN_IN_PATH
from podium.platform.errors import NotAuthenticated, PlatformFault, PodiumError
from podium.platform.records.sign_in import SignInRecord

_REFUSAL = "podium-sign-in-refusal"


def show() -> None:
    """Show the ways to sign in, or who is signed in."""
    who = session.viewer()
    if who is None:
        _show_ways()
    else:
        account.show(who)


def _show_ways() -> None:
    way = source.sign_in_way().value
    provider = way.provider if way is not None else None
    below = (
        "To see your submissions and your place."
        if provider
        else "With a token, to see your submissions and your place."
    )
    layout.page_head("Sign in", below=below)
    account.say_words()
    if way is not None and provider:
        st.html(_provider_link(way, provider))
        layout.inline(element("h2", text("Or with a token"), class_="podium-or"))
    with st.form("sign-in", clear_on_submit=True, width=520):
        st.text_input("Token", type="password", key="sign-in-token", autocomplete="off", placeholder="Paste it here")
        st.form_submit_button("Sign in", type="secondary" if provider else "primary", on_click=_try_to_sign_in)
    refusal = st.session_state.get(_REFUSAL)
    if isinstance(refusal, str):
        layout.inline(layout.notice(refusal, kind="warning"))
    st.caption(
        "Where to get one: the operator of this platform gives you the first, and `podium login` keeps it for the "
        "command line. Here it stays in this tab until you sign out, close the tab or reload the page."
    )


def _provider_link(way: SignInRecord, provider: str) -> str:
    """A link that leaves the app, in the same tab, by the address to which the provider sends people back."""
    slug = wanted_slug()
    query = f"?{urlencode({'competition': slug})}" if slug else ""
    address = f"{way.pages}{SIGN_IN_PATH}{query}"
    return element("a", text(f"Sign in with {provider}"), href=address, target="_self", class_="podium-button")


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
