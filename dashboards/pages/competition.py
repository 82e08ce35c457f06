"""One competition: what it asks for, when, by which rules, and how to take part."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import paused_notices, rules, summary_facts, timeline, window_facts
from podium.dashboards.choice import remember_slug, wanted_slug
from podium.dashboards.markup import organizer_markdown, plain_markdown
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.offers import show_files, show_shared
from podium.dashboards.pictures import picture
from podium.dashboards.session import Viewer
from podium.dashboards.submitting import first_commands
from podium.dashboards.taking_part import participation_words, show_next_step, show_terms, show_text
from podium.dashboards.team_panel import show_team
from podium.platform.client.api import Client
from podium.platform.records.competitions import CompetitionRecord

_HOUR = timedelta(hours=1)


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
    with st.container(key="competition-head", horizontal=True, vertical_alignment="center"):
        if summary.has_image:
            st.html(picture(summary, who.gateway if who is not None else None), width="content")
        layout.page_head(summary.title, above=f"Competition by {summary.organizer}", below=summary.description)
    _show_times(competition.summary.slug, is_soon=_changes_soon(competition))
    words, kind = participation_words(competition)
    if words:
        layout.inline(layout.notice(words, kind=kind))
    show_next_step(competition, who)
    labels = [plain_markdown(page.title) or "Page" for page in competition.pages]
    shared = ["Shared"] if competition.may_share else []
    team = ["Team"] if competition.max_team_members is not None else []
    more = ["Files", "Rules", "Terms", *shared, *team, "Take part"]
    tabs = st.tabs([*labels, *more])
    for tab, page in zip(tabs, competition.pages, strict=False):
        with tab:
            show_text(page.text, is_html=page.is_html, empty="The organizer has left this page empty.")
    by_name = dict(zip(more, tabs[len(labels) :], strict=True))
    with by_name["Files"]:
        show_files(competition)
    with by_name["Rules"]:
        _show_rules(competition)
    with by_name["Terms"]:
        show_terms(competition)
    if "Shared" in by_name:
        with by_name["Shared"]:
            show_shared(competition)
    if "Team" in by_name:
        with by_name["Team"]:
            show_team(competition, who)
    with by_name["Take part"]:
        _show_taking_part(competition, who)


def _changes_soon(competition: CompetitionRecord) -> bool:
    """Whether a phase begins or ends within the hour, so that each second counts."""
    at = times.now()
    moments = (moment for phase in competition.phases for moment in (phase.start, phase.end) if moment is not None)
    return any(at <= moment <= at + _HOUR for moment in moments)


def _show_times(slug: str, *, is_soon: bool) -> None:
    st.fragment(run_every="1s" if is_soon else "10s")(_draw_times)(slug)


def _draw_times(slug: str) -> None:
    """Countdowns, which go on by themselves."""
    answer = source.competition(slug, _own_gateway())
    if answer.value is not None:
        at = times.now()
        layout.inline(
            summary_facts(answer.value.summary, at),
            window_facts(answer.value, at),
            paused_notices(answer.value.phases, at),
            timeline(answer.value.phases, at, times.viewers_zone()),
        )


def _own_gateway() -> Client | None:
    who = session.viewer()
    return who.gateway if who is not None else None


def _show_rules(competition: CompetitionRecord) -> None:
    layout.inline(rules(competition))
    for phase in competition.phases:
        if phase.description.strip():
            st.markdown(f"**{plain_markdown(phase.name)}**")
            st.markdown(organizer_markdown(phase.description))


def _show_taking_part(competition: CompetitionRecord, who: Viewer | None) -> None:
    st.markdown("**On these pages:** sign in, accept the terms, and send your file under “Submit”.")
    if who is None:
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
    st.markdown("**From a terminal**, with a token of your own:")
    layout.commands(first_commands(competition.summary.slug))
    st.markdown(
        "`podium join` shows the terms and asks whether you accept them. `podium submit` takes a zip file or a folder, "
        "of any size; with `--wait` it follows the submission to the end and prints its scores."
    )
    if competition.contact_email:
        st.markdown(f"Questions? Write to {plain_markdown(competition.contact_email)}.")
