"""All competitions, with a search."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import deadline_words, summary_facts
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.records.competitions import CompetitionSummary

_EVERY = "every 15 seconds"
_STEP = 20
_MOST_CHARACTERS = 400


def show() -> None:
    """Show the competitions that the viewer may see."""
    layout.page_head("Competitions", below="Pick one, read what it asks for, and submit.")
    sought = st.text_input(
        "Search competitions",
        placeholder="Search competitions",
        key="competitions-search",
        label_visibility="collapsed",
        icon=":material/search:",
        # What is typed arrives before the next click: sent together with one, it would undo the way to another page.
        live="150ms",
    )
    search, limit = (sought or "").strip(), int(st.session_state.get("competitions-limit", _STEP))
    answer = _competitions(search, limit + 1, session.viewer())
    _keep_up(search, limit + 1, _face(answer))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition", every=_EVERY)
        return
    if answer.is_stale:
        layout.inline(layout.stale_notice(answer.at, _EVERY))
    if not answer.value:
        _nothing(sought or "")
    for summary in answer.value[:limit]:
        _card(summary)
    if len(answer.value) > limit:
        st.button("Show more", on_click=_show_more)


@st.fragment(run_every="15s")
def _keep_up(search: str, limit: int, drawn: object) -> None:
    """Draw the page again when something on it has changed; this itself shows nothing."""
    if _face(_competitions(search, limit, session.viewer())) != drawn:
        st.rerun()


def _face(answer: Answer[tuple[CompetitionSummary, ...]]) -> object:
    """What makes the page look as it does, the countdowns too: equal ones need no new drawing."""
    at = times.now()
    countdowns = [deadline_words(summary, at) for summary in answer.value or ()]
    return answer.value, type(answer.trouble), countdowns


def _competitions(search: str, limit: int, who: Viewer | None) -> Answer[tuple[CompetitionSummary, ...]]:
    if who is not None and session.may_organize(who):
        return source.ask(lambda: tuple(who.gateway.competitions(search or None, limit=limit)))
    return source.public_competitions(search, limit)


def _show_more() -> None:
    st.session_state["competitions-limit"] = int(st.session_state.get("competitions-limit", _STEP)) + _STEP


def _nothing(sought: str) -> None:
    if sought:
        layout.nothing_here("Nothing found", f"No competition says “{sought}” in its title or description.")
    else:
        layout.nothing_here("No competition yet", "As soon as an organizer publishes one, it is here.")


def _card(summary: CompetitionSummary) -> None:
    with st.container(border=True, key=f"card-{summary.slug}", gap="xsmall"):
        with st.container(key=f"title-{summary.slug}"):
            link_to(PageName.COMPETITION, summary.title, competition=summary.slug)
        draft = element("span", text("draft"), class_="tag") if not summary.published else ""
        layout.inline(
            element("p", text(f"by {summary.organizer} "), draft, class_="podium-by"),
            element("p", text(_shortened(summary.description)), class_="podium-description"),
            summary_facts(summary, times.now()),
        )
        with st.container(key=f"links-{summary.slug}"):
            link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=summary.slug)


def _shortened(description: str) -> str:
    words = " ".join(description.split())
    return words if len(words) <= _MOST_CHARACTERS else f"{words[:_MOST_CHARACTERS].rstrip()}…"
