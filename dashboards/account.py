"""The account of whoever is signed in: who they are, with what they sign in, and a token for the command line."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.arrivals import words
from podium.dashboards.browser_cookie import own_secret
from podium.dashboards.choice import wanted_slug
from podium.dashboards.markup import element, plain_markdown, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.own_mail import show_own_mail
from podium.dashboards.provider_way import LINK_PATH, begin_link
from podium.dashboards.session import Viewer
from podium.dashboards.settings import read_settings
from podium.platform.errors import PodiumError
from podium.platform.records.sign_in import IdentityRecord

_TOKEN, _TROUBLE, _LINKING = "podium-new-token", "podium-account-trouble", "podium-linking"
_TOKEN_DAYS = 90


def show(who: Viewer) -> None:
    """Show the account."""
    layout.page_head(who.person.name or who.username, above="Signed in", below=f"{who.username}, {who.person.email}")
    say_words()
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
    trouble = st.session_state.pop(_TROUBLE, None)
    if isinstance(trouble, PodiumError):
        layout.inline(layout.notice(f"{trouble.detail} {trouble.remedy}".strip(), kind="warning"))
    _show_sign_ins(who)
    show_own_mail(who)
    _show_new_token(who)


def say_words() -> None:
    """Say what the way from the provider has left to say, once."""
    secret = own_secret(read_settings())
    said = words.take(secret) if secret else None
    if said is not None:
        st.session_state["podium-words"] = said
    said = st.session_state.get("podium-words")
    if said is not None:
        layout.inline(layout.notice(said.text, kind="warning" if said.is_refusal else "good"))


def _show_sign_ins(who: Viewer) -> None:
    way = source.sign_in_way().value
    if way is None or way.provider is None:
        return
    st.subheader("Signing in")
    found = source.ask(who.gateway.identities)
    if found.value is None:
        if found.trouble is not None:
            layout.trouble(found.trouble, what="sign-in")
        return
    if who.browser:
        st.caption("You stay signed in in this browser until you sign out here. That ends nothing at the provider.")
    for identity in found.value:
        _show_identity(who, identity)
    if not found.value:
        _show_link(way.provider)


def _show_identity(who: Viewer, identity: IdentityRecord) -> None:
    used = f", last used {times.stamp(identity.last_used)}" if identity.last_used else ""
    with st.container(horizontal=True, vertical_alignment="center", key=f"identity-{identity.id}"):
        layout.inline(element("p", text(f"{identity.email or identity.subject} at {identity.issuer}{used}")))
        st.button(
            "Remove", key=f"remove-{identity.id}", on_click=_remove, args=(who, identity.id), disabled=bool(who.browser)
        )
    if who.browser:
        st.caption("It can be removed where you are signed in with a token.")


def _show_link(provider: str) -> None:
    if not st.session_state.get(_LINKING):
        st.button(f"Link {plain_markdown(provider)} to this account", on_click=_prepare_link)
        return
    label = text(f"Go to {provider} and sign in there")
    st.html(element("a", label, href=LINK_PATH, target="_self", class_="podium-button"))


def _prepare_link() -> None:
    who, secret = session.viewer(), own_secret(read_settings())
    if who is None or not secret:
        return
    begin_link(secret, who.token)
    st.session_state[_LINKING] = True


def _remove(who: Viewer, identity_id: UUID) -> None:
    try:
        who.gateway.remove_identity(identity_id)
    except PodiumError as error:
        st.session_state[_TROUBLE] = error


def _show_new_token(who: Viewer) -> None:
    st.subheader("For the command line")
    secret = st.session_state.get(_TOKEN)
    if isinstance(secret, str):
        st.markdown("This is shown once. `podium login` asks for it, and keeps it on your machine.")
        st.code(secret, language=None, wrap_lines=True)
        layout.commands((f"podium login {read_settings().public_gateway}",))
        return
    st.markdown(
        f"A token of its own, good for {_TOKEN_DAYS} days: it is for one machine, and `podium token revoke` ends it."
    )
    st.button("Make a token", on_click=_make_token, args=(who,))


def _make_token(who: Viewer) -> None:
    try:
        issued = who.patient_gateway.issue_token(who.username, "command line", days=_TOKEN_DAYS)
    except PodiumError as error:
        st.session_state[_TROUBLE] = error
    else:
        st.session_state[_TOKEN] = issued.secret
