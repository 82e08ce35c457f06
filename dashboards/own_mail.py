"""What mail somebody gets: how often, by what it is about, and whose announcements they have stopped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.deeds import Deed, show_deeds, show_outcome, try_to
from podium.dashboards.markup import plain_markdown
from podium.dashboards.session import Viewer
from podium.platform.records.mail import MailPreferences

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "announcement": "What organizers announce",
        "submission": "My submission is finished, or has failed",
        "registration": "I may take part, or not",
        "phase": "A phase opens, or closes soon",
        "rank": "A rerun has changed my rank",
        "agent": "An agent of mine is lost",
    }
)
_OFTEN: Mapping[str, str] = MappingProxyType({"at_once": "At once", "daily": "Once a day", "none": "Never"})
_PLACE = "own-mail"


def show_own_mail(who: Viewer) -> None:
    """Show what mail the viewer gets, to be chosen at once; nothing where the gateway has no answer."""
    found = source.ask(who.gateway.own_mail).value
    if found is None:
        return
    st.subheader("Mail")
    with st.container(key="own-mail-trouble"):
        if found.trouble:
            layout.inline(layout.notice(found.trouble, kind="warning"))
            _show_confirming(found, who)
        else:
            st.caption(plain_markdown(f"It goes to {found.address}."))
    with st.container(horizontal=True, key="own-mail-kinds"):
        for kind, label in _KINDS.items():
            if kind in found.frequencies and (kind != "agent" or session.may_organize(who)):
                _show_kind(kind, label, found.frequencies[kind], who)
    show_outcome(_PLACE)
    for slug in found.stopped:
        _show_stopped(slug, who)


def _show_stopped(slug: str, who: Viewer) -> None:
    st.markdown(f"You get no announcements of {plain_markdown(slug)}.")
    again = Deed(
        "again",
        "Have them again",
        ":material/notifications:",
        lambda: who.patient_gateway.stop_mail(slug, stopped=False),
        "",
    )
    show_deeds(f"{_PLACE}-{slug}", [again])


def _show_confirming(found: MailPreferences, who: Viewer) -> None:
    ask = Deed(
        "confirm",
        "Send me a message to confirm it",
        ":material/mark_email_read:",
        who.patient_gateway.ask_for_confirmation,
        f"A message is on its way to {found.address}: open the link in it.",
    )
    show_deeds(f"{_PLACE}-address", [ask])


def _show_kind(kind: str, label: str, frequency: str, who: Viewer) -> None:
    # What is announced comes at once, or not at all.
    options = [one for one in _OFTEN if kind != "announcement" or one != "daily"]
    st.selectbox(
        label,
        options,
        index=options.index(frequency),
        format_func=_OFTEN.__getitem__,
        key=f"{_PLACE}-{kind}",
        on_change=_choose,
        args=(kind, who),
        width=320,
    )


def _choose(kind: str, who: Viewer) -> None:
    frequency = str(st.session_state[f"{_PLACE}-{kind}"])
    words = f"{_KINDS[kind]}: {_OFTEN[frequency].lower()}."
    if not try_to(_PLACE, lambda: who.patient_gateway.choose_mail(kind, frequency), words):
        # The box shows again what holds.
        del st.session_state[f"{_PLACE}-{kind}"]
