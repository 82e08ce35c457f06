"""What mail somebody gets: how often, by what it is about, and whose announcements they have stopped."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.deeds import Deed, show_deeds, show_outcome, try_to
from podium.dashboards.markup import plain_markdown
from podium.dashboards.session import Viewer
from podium.platform.records.mail import FREQUENCY_WORDS, KIND_WORDS, MailPreferences

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
        for kind, label in KIND_WORDS.items():
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
    options = [one for one in FREQUENCY_WORDS if kind != "announcement" or one != "daily"]
    st.selectbox(
        label,
        options,
        index=options.index(frequency),
        format_func=FREQUENCY_WORDS.__getitem__,
        key=f"{_PLACE}-{kind}",
        on_change=_choose,
        args=(kind, who),
        width=320,
    )


def _choose(kind: str, who: Viewer) -> None:
    frequency = str(st.session_state[f"{_PLACE}-{kind}"])
    words = f"{KIND_WORDS[kind]}: {FREQUENCY_WORDS[frequency].lower()}."
    if not try_to(_PLACE, lambda: who.patient_gateway.choose_mail(kind, frequency), words):
        # The box shows again what holds.
        del st.session_state[f"{_PLACE}-{kind}"]
