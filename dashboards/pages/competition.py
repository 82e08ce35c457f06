"""One competition: what it asks for, when, by which rules, and how to take part."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import paused_notices, rules, summary_facts, timeline, window_facts
from podium.dashboards.choice import remember_slug, wanted_slug
from podium.dashboards.markup import element, organizer_markdown, plain_markdown
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.organizer_html import harmless_html
from podium.dashboards.session import Viewer
from podium.dashboards.submitting import first_commands
from podium.platform.client.api import Client
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord

_PARTICIPATION_WORDS = {
    ParticipantStatus.APPROVED: ("You take part in this competition.", "good"),
    ParticipantStatus.PENDING: ("The organizer has not approved you yet.", "info"),
    ParticipantStatus.DENIED: ("The organizer has not let you take part.", "warning"),
}


def show() -> None:
    """Show the competition that the address names."""
    slug = wanted_slug()
    if slug is None:
        layout.page_head("Competition")
        layout.nothing_here("Which one?", "The address of this page names no competition.")
        link_to(PageName.COMPETITIONS, "See all competitions", icon=":material/arrow_back:")
        return
    who = session.viewer()
    answer = source.competition(slug, None) if who is None else source.own_competition(slug, who.gateway)
    if answer.value is None:
        layout.page_head("Competition")
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition")
        link_to(PageName.COMPETITIONS, "See all competitions", icon=":material/arrow_back:")
        return
    remember_slug(slug)
    if answer.is_stale:
        layout.inline(layout.notice("Podium does not answer at the moment; this may be out of date.", kind="warning"))
    _show_competition(answer.value, who)


def _show_competition(competition: CompetitionRecord, who: Viewer | None) -> None:
    summary = competition.summary
    layout.page_head(summary.title, above=f"Competition by {summary.organizer}", below=summary.description)
    _show_times(competition.summary.slug)
    if competition.participation is not None:
        words, kind = _PARTICIPATION_WORDS[competition.participation]
        layout.inline(layout.notice(words, kind=kind))
    with st.container(horizontal=True, key="links-competition"):
        link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=summary.slug)
        link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:", competition=summary.slug)
        if competition.may_organize:
            link_to(PageName.ORGANIZE, "Organize", icon=":material/tune:", competition=summary.slug)
    labels = [plain_markdown(page.title) or "Page" for page in competition.pages]
    tabs = st.tabs([*labels, "Rules", "Terms", "Take part"])
    for tab, page in zip(tabs, competition.pages, strict=False):
        with tab:
            _show_text(page.text, is_html=page.is_html)
    with tabs[-3]:
        _show_rules(competition)
    with tabs[-2]:
        _show_terms(competition)
    with tabs[-1]:
        _show_taking_part(competition, who)


@st.fragment(run_every="10s")
def _show_times(slug: str) -> None:
    """Countdowns, which go on by themselves."""
    answer = source.competition(slug, _own_gateway())
    if answer.value is not None:
        at = times.now()
        layout.inline(
            summary_facts(answer.value.summary, at),
            window_facts(answer.value, at),
            paused_notices(answer.value.phases, at),
            timeline(answer.value.phases, at),
        )


def _own_gateway() -> Client | None:
    who = session.viewer()
    return who.gateway if who is not None else None


def _show_text(words: str, *, is_html: bool) -> None:
    """An organizer's text. Neither kind can run anything."""
    if not words.strip():
        st.caption("The organizer has left this page empty.")
    elif is_html:
        layout.inline(element("div", harmless_html(words), class_="podium-organizer"))
    else:
        st.markdown(organizer_markdown(words))


def _show_rules(competition: CompetitionRecord) -> None:
    layout.inline(rules(competition))
    for phase in competition.phases:
        if phase.description.strip():
            st.markdown(f"**{plain_markdown(phase.name)}**")
            st.markdown(organizer_markdown(phase.description))


def _show_terms(competition: CompetitionRecord) -> None:
    if competition.terms.strip():
        _show_text(competition.terms, is_html=competition.terms_is_html)
    else:
        st.caption("The organizer asks for no terms.")


def _show_taking_part(competition: CompetitionRecord, who: Viewer | None) -> None:
    st.markdown("From a terminal, with a token of your own:")
    layout.commands(first_commands(competition.summary.slug))
    st.markdown(
        "`podium join` shows the terms and asks whether you accept them. `podium submit` takes a zip file or a folder; "
        "with `--wait` it follows the submission to the end and prints its scores."
    )
    if who is None:
        link_to(PageName.SIGN_IN, "Sign in here to follow your submissions", icon=":material/person:")
    if competition.contact_email:
        st.markdown(f"Questions? Write to {plain_markdown(competition.contact_email)}.")
