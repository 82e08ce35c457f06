"""Taking part: the next step of a viewer in a competition, and its terms, read and accepted."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, times
from podium.dashboards.deeds import refusal_words
from podium.dashboards.markup import element, organizer_markdown, plain_markdown, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.organizer_html import harmless_html
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord

_DIGITS = 12
_REFUSAL = "podium-joining-refusal"


def show_next_step(competition: CompetitionRecord, who: Viewer | None) -> None:
    """What the viewer can do now, first of all: sign in, accept the terms, wait, or submit."""
    summary, part = competition.summary, competition.participation
    with st.container(key="next-step", horizontal=True, vertical_alignment="center"):
        if who is None:
            link_to(PageName.SIGN_IN, "Sign in to take part", icon=":material/person:")
        elif part is None:
            _join_button(competition, who, "Take part")
        elif part is ParticipantStatus.APPROVED and not has_accepted(competition):
            _join_button(competition, who, "Read the new terms")
        elif part is ParticipantStatus.APPROVED:
            link_to(PageName.SUBMIT, "Submit", icon=":material/upload:", competition=summary.slug)
        link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=summary.slug)
        if part is not None:
            link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:", competition=summary.slug)
        if competition.may_organize:
            link_to(PageName.ORGANIZE, "Organize", icon=":material/tune:", competition=summary.slug)


def participation_words(competition: CompetitionRecord) -> tuple[str, str]:
    """The viewer's part in a competition in a sentence, and the kind of its notice; empty for none."""
    match competition.participation:
        case ParticipantStatus.PENDING:
            return "You have asked to take part. The organizer has not approved you yet.", "info"
        case ParticipantStatus.DENIED:
            return "The organizer has not let you take part.", "warning"
        case ParticipantStatus.APPROVED if has_accepted(competition):
            return "You take part in this competition.", "good"
        case ParticipantStatus.APPROVED:
            return "The terms have changed since you accepted them. Accept the new ones to submit again.", "warning"
        case _:
            return "", ""


def has_accepted(competition: CompetitionRecord) -> bool:
    """Whether what the viewer accepted are the present terms; a gateway that does not say is taken to mean so."""
    accepted = competition.accepted_terms_sha256
    return not accepted or accepted == competition.terms_sha256


def acceptance_words(competition: CompetitionRecord) -> str:
    """Which version of the terms stands here, and which one the viewer accepted when."""
    version = f"Version {competition.terms_sha256[:_DIGITS]}."
    if competition.terms_accepted is None:
        return version
    when = times.clock(competition.terms_accepted)
    if has_accepted(competition):
        return f"{version} You accepted this version on {when}."
    return f"{version} You accepted another one, {competition.accepted_terms_sha256[:_DIGITS]}, on {when}."


def show_text(words: str, *, is_html: bool, empty: str) -> None:
    """An organizer's text. Neither kind can run anything."""
    if not words.strip():
        st.caption(empty)
    elif is_html:
        layout.inline(element("div", harmless_html(words), class_="podium-organizer"))
    else:
        st.markdown(organizer_markdown(words))


def show_terms(competition: CompetitionRecord) -> None:
    """The terms, with what the viewer has accepted."""
    show_text(competition.terms, is_html=competition.terms_is_html, empty="The organizer asks for no terms.")
    layout.inline(element("p", text(acceptance_words(competition)), class_="podium-quiet"))


def _join_button(competition: CompetitionRecord, who: Viewer, label: str) -> None:
    is_over = competition.summary.status == "over"
    if st.button(label, type="secondary" if is_over else "primary", icon=":material/how_to_reg:", key="take-part"):
        st.session_state.pop(_REFUSAL, None)
        st.dialog(f"Take part in {plain_markdown(competition.summary.title)}", width="large")(_ask)(competition, who)


def _ask(competition: CompetitionRecord, who: Viewer) -> None:
    """The terms, and the question whether they are accepted."""
    with st.container(height=320, key="terms-to-accept"):
        show_text(
            competition.terms,
            is_html=competition.terms_is_html,
            empty="The organizer asks for nothing beyond the competition's rules.",
        )
    if not competition.registration_auto_approve and competition.participation is None:
        layout.inline(layout.notice("The organizer approves each participant: you can submit once that has happened."))
    accepted = st.checkbox("I have read these terms and accept them.", key="terms-accepted")
    refusal = st.session_state.get(_REFUSAL)
    if isinstance(refusal, str):
        layout.inline(layout.notice(refusal, kind="warning"))
    if st.button("Accept and take part", type="primary", disabled=not accepted, key="accept-terms"):
        _join(competition, who)


def _join(competition: CompetitionRecord, who: Viewer) -> None:
    try:
        who.patient_gateway.join(competition.summary.slug, competition.terms_sha256)
    except PodiumError as error:
        st.session_state[_REFUSAL] = refusal_words(error)
        st.rerun(scope="fragment")
    st.session_state.pop("terms-accepted", None)
    st.rerun()
