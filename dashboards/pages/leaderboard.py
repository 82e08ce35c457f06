"""The leaderboard: it keeps itself up to date, and says when it can't.

The page is drawn as a whole when something on it changes. In between, a small fragment looks every two seconds whether
anything has, and moves the clock. The table is no part of that fragment: Streamlit sends large elements of a fragment
by reference, and when runs follow each other closely, a reference without its container can reach the browser, which
fails on it.
"""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.board import board_table, changed_participants, matching_rows, own_place, status_line, view_of
from podium.dashboards.chart import leading_scores_chart
from podium.dashboards.choice import choose_competition, choose_phase, listed_competitions
from podium.dashboards.markup import Html, element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.scores import direction_words, ranking_words
from podium.dashboards.sight import Sight, look
from podium.dashboards.source import PAGE_ROWS
from podium.dashboards.submitting import first_commands, submit_command
from podium.platform.errors import NotAllowed
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow

_EVERY = "every 2 seconds"
_MOST_MATCHES = 200


def show() -> None:
    """Show the leaderboard that the address names."""
    who = session.viewer()
    listed = listed_competitions(who)
    choice = choose_competition(listed.value or (), key="board-competition")
    if choice is None:
        layout.page_head("Leaderboard")
        if listed.trouble is not None:
            layout.trouble(listed.trouble, what="competition", every=_EVERY)
        else:
            layout.nothing_here("No competition yet", "As soon as an organizer publishes one, its leaderboard is here.")
        _keep_up(look("", None, 1, who))
        return
    found = source.competition(choice.slug, who.gateway if who else None)
    phases = choose_phase(found.value.phases, slug=choice.slug) if found.value and found.value.phases else None
    number = phases.phase.number if phases is not None else None
    sight = look(choice.slug, number, _page(choice.slug, number), who)
    title = sight.competition.summary.title if sight.competition is not None else "Leaderboard"
    layout.page_head(title, above="Leaderboard", below=_window(sight.phase))
    with st.container(key="choices", horizontal=True, vertical_alignment="center"):
        choice.show_box()
        if phases is not None:
            phases.show_buttons()
    if sight.board is not None and sight.board.is_stale:
        layout.inline(layout.stale_notice(sight.board.at, _EVERY))
    _keep_up(sight)
    _show_phase(sight)


@st.fragment(run_every="2s")
def _keep_up(drawn: Sight) -> None:
    """Draw the page again when something on it has changed; else move the clock."""
    now = look(drawn.slug, drawn.number, drawn.page, session.viewer())
    if now.face != drawn.face:
        st.rerun()
    if now.phase is not None and now.board is not None and now.board.value is not None:
        st.html(status_line(now.board.value, now.phase, times.now(), is_live=not now.board.is_stale))
    elif now.phase is not None and now.phase_state == "upcoming":
        layout.inline(layout.notice(f"{now.phase.name} opens in {times.span(now.phase.start - times.now())}."))


def _page(slug: str, number: int | None) -> int:
    return int(st.session_state.get(_pager_key(slug, number), 1))


def _pager_key(slug: str, number: int | None) -> str:
    return f"page-{slug}-{number}"


def _window(phase: PhaseRecord | None) -> str:
    return "" if phase is None else f"{phase.name}: {times.phase_window(phase)}"


def _show_phase(sight: Sight) -> None:
    if sight.competition is None or sight.phase is None:
        _without_phase(sight)
    elif sight.is_hidden or (sight.board is not None and isinstance(sight.board.trouble, NotAllowed)):
        layout.nothing_here(
            "This leaderboard is hidden",
            "The organizer has not opened it to participants. Your own scores are under “My submissions”.",
        )
        link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:")
    elif sight.phase_state == "upcoming":
        layout.nothing_here(
            f"{sight.phase.name} has not begun",
            f"It opens on {times.clock(sight.phase.start)}. The leaderboard begins with the first scored submission.",
        )
    elif sight.board is None:
        return
    elif sight.board.value is None:
        if sight.board.trouble is not None:
            layout.trouble(sight.board.trouble, what="leaderboard", every=_EVERY)
    elif sight.board.value.total == 0:
        _show_empty(sight)
    else:
        _show_board(sight, sight.phase, sight.board.value)


def _without_phase(sight: Sight) -> None:
    if sight.found is not None and sight.found.trouble is not None:
        layout.trouble(sight.found.trouble, what="competition", every=_EVERY)
    else:
        layout.nothing_here("No phase yet", "This competition has no phase, so there is nothing to rank.")
    link_to(PageName.COMPETITIONS, "See all competitions", icon=":material/arrow_back:")


def _show_empty(sight: Sight) -> None:
    if sight.phase_state == "over":
        layout.nothing_here("No scored submission", "This phase is over, and nobody was ranked in it.")
        return
    layout.nothing_here(
        "No scored submission yet",
        "Be the first: this is all it takes. The board shows your score as soon as it is there.",
    )
    layout.commands(first_commands(sight.slug))


def _show_board(sight: Sight, phase: PhaseRecord, board: LeaderboardRecord) -> None:
    own = _own_row(sight, board)
    if own is not None:
        st.html(own_place(own, board))
    sought, wants_chart = _show_tools(sight)
    if wants_chart:
        _show_chart(sight, board)
    rows = _rows_to_show(sight, board, sought)
    if not rows and sought.strip():
        layout.nothing_here("Nobody by that name", f"No participant's name contains “{sought.strip()}”.")
    else:
        _show_table(sight, board, rows, sought)
    if not sought.strip() and board.total > PAGE_ROWS:
        st.pagination(-(-board.total // PAGE_ROWS), key=_pager_key(sight.slug, sight.number))
    layout.inline(_legend(board))
    with st.container(key="links-board", horizontal=True):
        link_to(PageName.COMPETITION, "Rules, data and terms", icon=":material/description:", competition=sight.slug)
    if sight.phase_state == "open":
        with st.expander("How to submit", icon=":material/terminal:"):
            layout.commands(submit_command(sight.slug, phase))


def _own_row(sight: Sight, board: LeaderboardRecord) -> LeaderboardRow | None:
    if sight.viewer is None:
        return None
    mine = [row for row in board.rows if row.participant == sight.viewer]
    if not mine and board.total > len(board.rows):
        everything = source.all_rows(sight.slug, str(sight.number), sight.gateway).value or ()
        mine = [row for row in everything if row.participant == sight.viewer]
    return mine[0] if mine else None


def _show_tools(sight: Sight) -> tuple[str, bool]:
    with st.container(key="board-tools", horizontal=True, vertical_alignment="center"):
        sought = st.text_input(
            "Search participants",
            placeholder="Search participants",
            key=f"search-{sight.slug}-{sight.number}",
            label_visibility="collapsed",
            icon=":material/search:",
            # Arrives before the next click: sent together with one, it would undo the way to another page.
            live="150ms",
            width="stretch",
        )
        wants_chart = st.toggle("Chart", key="board-chart")
        st.download_button(
            "CSV",
            lambda: _csv(sight),
            file_name=f"{sight.slug}-phase-{sight.number}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="The whole board, with every digit",
        )
    return sought or "", wants_chart


def _csv(sight: Sight) -> str:
    return source.board_csv(sight.slug, str(sight.number), sight.gateway)


def _show_chart(sight: Sight, board: LeaderboardRecord) -> None:
    chart = leading_scores_chart(board.columns, board.rows, sight.viewer)
    if chart is not None:
        st.altair_chart(chart, width="stretch", key="board-chart-drawing")
    else:
        st.caption("There is nothing to compare yet.")


def _rows_to_show(sight: Sight, board: LeaderboardRecord, sought: str) -> tuple[LeaderboardRow, ...]:
    if not sought.strip():
        return board.rows
    everything = board.rows
    if board.total > len(board.rows):
        everything = source.all_rows(sight.slug, str(sight.number), sight.gateway).value or board.rows
    return matching_rows(everything, sought)[:_MOST_MATCHES]


def _show_table(sight: Sight, board: LeaderboardRecord, rows: tuple[LeaderboardRow, ...], sought: str) -> None:
    page = st.session_state.get(_pager_key(sight.slug, sight.number), 1)
    shown = (sight.slug, sight.number, page, sought)
    before = st.session_state.get("board-seen")
    if before is None or before[0] != shown:
        changed: frozenset[str] = frozenset()
    elif before[1] == rows:
        # The marks stay until the next change: taking them off would draw the board anew for nothing.
        changed = before[2]
    else:
        changed = changed_participants(before[1], rows)
    st.session_state["board-seen"] = (shown, rows, changed)
    with st.container(key="board-scroll"):
        st.html(board_table(board, rows, view_of(board.rows if not sought else rows, sight.viewer, changed)))


def _legend(board: LeaderboardRecord) -> Html:
    directions = ", ".join(f"{column.title}: {direction_words(column)}" for column in board.columns)
    sentences = [f"{directions}.", *ranking_words(board), "Times are UTC.", "Equal scores share a rank."]
    return element("p", text(" ".join(sentences)), class_="podium-legend")
