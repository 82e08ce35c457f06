"""All competitions, with a search and filters."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import deadline_words, status_pill, summary_facts
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.pictures import picture
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionSummary

_EVERY = "every 15 seconds"
_STEP = 20
_MOST_CHARACTERS = 280
_FILTER_KEY = "competitions-filter"
_ALL, _MINE = "all", "mine"
_FILTERS = {_ALL: "All", "open": "Open now", "upcoming": "Upcoming", "over": "Ended", _MINE: "Mine"}
_PART_WORDS = {
    ParticipantStatus.APPROVED: "you take part",
    ParticipantStatus.PENDING: "waits for approval",
    ParticipantStatus.DENIED: "not let in",
}
_NOTHING = {
    _ALL: ("No competition yet", "As soon as an organizer publishes one, it is here."),
    "open": ("Nothing is open at the moment", "Look at what is upcoming, or at what has ended to learn from it."),
    "upcoming": ("Nothing is announced", "What is going to open stands here as soon as it is published."),
    "over": ("Nothing has ended yet", "Competitions stay here when they are over, with their leaderboards."),
    _MINE: ("You take part in none yet", "Open a competition, read its terms and take part: then it is here."),
}


def show() -> None:
    """Show the competitions that the viewer may see."""
    layout.page_head("Competitions", below="Pick one, read what it asks for, and submit.")
    who = session.viewer()
    sought = st.text_input(
        "Search competitions",
        placeholder="Search by title, topic or organizer",
        key="competitions-search",
        label_visibility="collapsed",
        icon=":material/search:",
        # What is typed arrives before the next click: sent together with one, it would undo the way to another page.
        live="150ms",
    )
    chosen = _choose_filter(who)
    search, limit = (sought or "").strip(), int(st.session_state.get("competitions-limit", _STEP))
    answer = _competitions(search, chosen, limit + 1, who)
    _keep_up(search, chosen, limit + 1, _face(answer))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition", every=_EVERY)
        return
    if answer.is_stale:
        layout.inline(layout.stale_notice(answer.at, _EVERY))
    if not answer.value:
        _nothing(sought or "", chosen)
    for summary in answer.value[:limit]:
        _card(summary, who)
    if len(answer.value) > limit:
        st.button("Show more", on_click=_show_more)


def _choose_filter(who: Viewer | None) -> str:
    options = [one for one in _FILTERS if one != _MINE or who is not None]
    if st.session_state.get(_FILTER_KEY) not in options:
        named = st.query_params.get("show")
        st.session_state[_FILTER_KEY] = named if named in options else _ALL
    chosen = st.segmented_control(
        "Which competitions",
        options,
        format_func=lambda one: _FILTERS.get(one, one),
        required=True,
        key=_FILTER_KEY,
        label_visibility="collapsed",
    )
    # In the address, so that it can be passed on.
    if chosen == _ALL:
        st.query_params.pop("show", None)
    else:
        st.query_params["show"] = str(chosen)
    return str(chosen)


@st.fragment(run_every="15s")
def _keep_up(search: str, chosen: str, limit: int, drawn: object) -> None:
    """Draw the page again when something on it has changed; this itself shows nothing."""
    if _face(_competitions(search, chosen, limit, session.viewer())) != drawn:
        st.rerun()


def _face(answer: Answer[tuple[CompetitionSummary, ...]]) -> object:
    """What makes the page look as it does, the countdowns too: equal ones need no new drawing."""
    at = times.now()
    countdowns = [deadline_words(summary, at) for summary in answer.value or ()]
    return answer.value, type(answer.trouble), countdowns


def _competitions(search: str, chosen: str, limit: int, who: Viewer | None) -> Answer[tuple[CompetitionSummary, ...]]:
    status = "" if chosen in {_ALL, _MINE} else chosen
    if who is None:
        return source.public_competitions(search, limit, status)
    mine = True if chosen == _MINE else None
    return source.ask(lambda: who.gateway.competitions(search or None, status=status or None, mine=mine, limit=limit))


def _show_more() -> None:
    st.session_state["competitions-limit"] = int(st.session_state.get("competitions-limit", _STEP)) + _STEP


def _clear() -> None:
    st.session_state["competitions-search"] = ""
    st.session_state[_FILTER_KEY] = _ALL


def _nothing(sought: str, chosen: str) -> None:
    if sought:
        where = "" if chosen == _ALL else f" among “{_FILTERS[chosen]}”"
        layout.nothing_here(
            "Nothing found", f"No competition{where} says “{sought}” in its title, description or organizer's name."
        )
    else:
        layout.nothing_here(*_NOTHING[chosen])
    if sought or chosen != _ALL:
        st.button("Show all competitions", icon=":material/close:", on_click=_clear)


def _card(summary: CompetitionSummary, who: Viewer | None) -> None:
    with st.container(border=True, key=f"card-{summary.slug}", gap="xsmall"):
        own = who.gateway if who is not None else None
        tags = [element("span", text("draft"), class_="tag")] if not summary.published else []
        if summary.participation is not None:
            tags.append(element("span", text(_PART_WORDS[summary.participation]), class_="tag own"))
        with st.container(key=f"title-{summary.slug}"):
            link_to(PageName.COMPETITION, summary.title, competition=summary.slug)
        layout.inline(
            picture(summary, own),
            element("p", status_pill(summary), text(f" by {summary.organizer} "), *tags, class_="podium-by"),
            element("p", text(_shortened(summary.description)), class_="podium-description"),
            summary_facts(summary, times.now()),
        )
        with st.container(key=f"links-{summary.slug}", horizontal=True):
            link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=summary.slug)
            if summary.participation is ParticipantStatus.APPROVED and summary.phase is not None:
                link_to(PageName.SUBMIT, "Submit", icon=":material/upload:", competition=summary.slug)


def _shortened(description: str) -> str:
    words = " ".join(description.split())
    return words if len(words) <= _MOST_CHARACTERS else f"{words[:_MOST_CHARACTERS].rstrip()}…"
