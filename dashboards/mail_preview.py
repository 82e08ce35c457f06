"""A campaign's message as somebody gets it, and a test of it in one's own mail.

Its HTML stands in a frame without an origin and without scripts, whose policy lets it ask for nothing: what organizers
write, and what participants call themselves, is nobody's to trust.
"""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.deeds import Deed, refusal_words, show_deeds
from podium.dashboards.detailed import framed
from podium.dashboards.mail_cards import headers_table
from podium.dashboards.mail_words import left_out_words
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.records.mail import CampaignRecord, MessagePreview

_HEIGHT = 460


def show_preview(slug: str, campaign: CampaignRecord, who: Viewer, *, unsaved: bool) -> None:
    """Show a box for the recipient, and the message when it was asked for."""
    place = f"mail-preview-{slug}-{campaign.number}"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"of-{place}"):
        st.text_input(
            "As who gets it",
            key=f"name-{place}",
            placeholder="who joined first",
            help="A username of somebody who takes part, or organizes.",
            autocomplete="off",
            width=280,
        )
        st.button(
            "Preview",
            icon=":material/visibility:",
            key=f"look-{place}",
            help="Sends nothing",
            on_click=_look,
            args=(slug, campaign, place, who),
        )
    deed = Deed(
        "test",
        "Send a test to myself",
        ":material/outgoing_mail:",
        lambda: who.patient_gateway.test_campaign(slug, campaign.number),
        f"A test is on its way to {who.person.email}.",
    )
    show_deeds(place, [deed])
    with st.container(key=f"shown-{place}"):
        if unsaved:
            layout.inline(layout.notice("This is what was saved last, not what you have typed since."))
        seen = st.session_state.get(_key(place))
        if seen is None:
            st.caption("The preview fills in the variables as for that recipient. Nothing is sent.")
        elif isinstance(seen[1], str):
            layout.inline(layout.notice(seen[1], kind="warning"))
        elif seen[0] != (campaign.subject, campaign.body):
            st.caption("The message has changed since. Preview it again.")
        else:
            _show_message(seen[1])


def _show_message(preview: MessagePreview) -> None:
    if preview.left_out:
        words = left_out_words({preview.left_out: 1}).removeprefix("Left out: 1 ")
        layout.inline(layout.notice(f"This person gets none: one {words}", kind="warning"))
    layout.inline(headers_table(preview))
    formatted, plain = st.tabs(["Formatted", "Plain text"])
    with formatted:
        title = f"The message to {preview.to}"
        st.iframe(framed(preview.html, title, with_scripts=False), height=_HEIGHT)
    with plain:
        st.code(preview.text, language=None, wrap_lines=True)


def _look(slug: str, campaign: CampaignRecord, place: str, who: Viewer) -> None:
    username = str(st.session_state.get(f"name-{place}") or "").strip() or None
    try:
        found: MessagePreview | str = who.patient_gateway.preview_campaign(slug, campaign.number, username=username)
    except PodiumError as error:
        found = refusal_words(error)
    st.session_state[_key(place)] = ((campaign.subject, campaign.body), found)


def _key(place: str) -> str:
    return f"seen-{place}"
