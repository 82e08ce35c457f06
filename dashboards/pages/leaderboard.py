"""The leaderboard: it keeps itself up to date, and says when it can't.

The page is drawn as a whole when something on it changes. In between, a small fragment looks every two seconds whether
anything has, and moves the clock. The table is no part of that fragment: Streamlit sends large elements of a fragment
by reference, and when runs follow each other closely, a reference without its container can reach the browser, which
fails on it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import streamlit as st

from podium.dashboards import insights, layout, session, source, times
from podium.dashboards.board import board_table, changed_participants, own_place, status_line, view_of
from podium.dashboards.choice import choose_competition, choose_phase, listed_competitions
from podium.dashboards.drawn import drawn_once
from podium.dashboards.figures import sparkline
from podium.dashboards.markup import Html, element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.scores import direction_words, primary_position, ranking_words
from podium.dashboards.sight import Sight, Wanted, look
from podium.dashboards.source import PAGE_ROWS
from podium.dashboards.submitting import first_commands, submit_command
from podium.platform.errors import NotAllowed
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow

_EVERY = "every 2 seconds"
_SORTING = (Path(__file__).parents[1] / "sorting.js").read_text(encoding="utf-8")


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
        _keep_up(look("", None, Wanted(), who))
        return
    found = source.competition(choice.slug, who.gateway if who else None)
    phases = choose_phase(found.value.phases, slug=choice.slug) if found.value and found.value.phases else None
    number = phases.phase.number if phases is not None else None
    sight = look(choice.slug, number, _wanted(choice.slug, number), who)
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
    now = look(drawn.slug, drawn.number, drawn.wanted, session.viewer())
    if now.face != drawn.face:
        st.rerun()
    if now.phase is not None and now.board is not None and now.board.value is not None:
        st.html(status_line(now.board.value, now.phase, times.now(), is_live=_is_live(now)))
    elif now.phase is not None and now.phase_state == "upcoming":
        layout.inline(layout.notice(f"{now.phase.name} opens in {times.span(now.phase.start - times.now())}."))


def _is_live(sight: Sight) -> bool:
    board = sight.board
    is_now = board is not None and board.value is not None and board.value.frozen_since is None
    return is_now and board is not None and not board.is_stale and sight.wanted.as_of is None


def _wanted(slug: str, number: int | None) -> Wanted:
    """What the widgets of the board say, which stand below what depends on them."""
    search = str(st.session_state.get(f"search-{slug}-{number}") or "").strip()[:60]
    day = st.session_state.get(f"as-of-{slug}-{number}")
    as_of = _end_of(day) if isinstance(day, date) else None
    return Wanted(int(st.session_state.get(_pager_key(slug, number, search), 1)), search, as_of)


def _end_of(day: date) -> datetime | None:
    """The last moment of a day in UTC; `None` for one that is not over, whose board is that of now."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return end if end <= times.now() else None


def _pager_key(slug: str, number: int | None, search: str) -> str:
    return f"page-{slug}-{number}-{search}"


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
    elif sight.board.value.total == 0 and sight.wanted == Wanted():
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
        st.html(own_place(own, board, _own_history(sight, board, own)))
    _show_tools(sight, phase, board)
    if said := _notices(sight, board):
        layout.inline(*(layout.notice(words) for words in said))
    if board.rows:
        _show_table(sight, board, own)
    elif sight.wanted.search:
        layout.nothing_here("Nobody by that name", f"No participant's name contains “{sight.wanted.search}”.")
    else:
        layout.nothing_here("Nobody was on the board yet", "Choose a later day to see how it came about.")
    if board.total > PAGE_ROWS:
        st.pagination(-(-board.total // PAGE_ROWS), key=_pager_key(sight.slug, sight.number, sight.wanted.search))
    layout.inline(_legend(board))
    if board.rows:
        insights.show(sight, board, own)
    with st.container(key="links-board", horizontal=True):
        link_to(PageName.COMPETITION, "Rules, data and terms", icon=":material/description:", competition=sight.slug)
    if sight.phase_state == "open":
        with st.expander("How to submit", icon=":material/terminal:"):
            layout.commands(submit_command(sight.slug, phase))


def _notices(sight: Sight, board: LeaderboardRecord) -> list[str]:
    said = []
    if board.frozen_since is not None:
        said.append(f"The board is frozen: it shows what stood at {times.clock(board.frozen_since)}.")
    if sight.wanted.as_of is not None:
        said.append(f"This is how the board stood at {times.clock(sight.wanted.as_of)}.")
    if board.anonymous:
        said.append("Names are hidden from other participants on this board.")
    return said


def _own_row(sight: Sight, board: LeaderboardRecord) -> LeaderboardRow | None:
    if sight.who is None or sight.piece is None:
        return None
    mine = board.own or next((row for row in board.rows if row.is_of(sight.viewer)), None)
    if mine is not None:
        return mine
    # Asked once for each version of the board: all viewers share what everybody sees, and this is nobody else's.
    asked = (sight.slug, sight.number, sight.wanted.as_of, board.version, board.updated)
    known = st.session_state.get("board-own")
    if known is None or known[0] != asked:
        known = (asked, source.own_row(sight.piece, sight.who.gateway))
        st.session_state["board-own"] = known
    found: LeaderboardRow | None = known[1]
    return found


def _own_history(sight: Sight, board: LeaderboardRecord, own: LeaderboardRow) -> Html:
    position = primary_position(board.columns)
    if position is None or sight.piece is None or sight.who is None:
        return Html("")
    asked = (sight.slug, sight.number, own.submission_id, own.rank)
    known = st.session_state.get("board-own-history")
    if known is None or known[0] != asked:
        answer = source.history(sight.slug, sight.piece.phase, own.participant, board.version, sight.who.gateway)
        known = (asked, sparkline(answer.value or (), board.columns[position], position))
        st.session_state["board-own-history"] = known
    return Html(known[1])


def _by_task_key(sight: Sight) -> str:
    return f"by-task-{sight.slug}-{sight.number}"


def _show_tools(sight: Sight, phase: PhaseRecord, board: LeaderboardRecord) -> None:
    with st.container(key="board-tools", horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search participants",
            placeholder="Search participants",
            key=f"search-{sight.slug}-{sight.number}",
            label_visibility="collapsed",
            icon=":material/search:",
            # Arrives before the next click: sent together with one, it would undo the way to another page.
            live="150ms",
            width="stretch",
        )
        st.date_input(
            "As of the end of (UTC)",
            value=None,
            min_value=phase.start.astimezone(UTC).date(),
            max_value=max(times.now().date(), phase.start.astimezone(UTC).date()),
            key=f"as-of-{sight.slug}-{sight.number}",
            format="YYYY-MM-DD",
            width=170,
        )
        if board.tasks:
            st.toggle("Scores by task", key=_by_task_key(sight))
        st.download_button(
            "CSV",
            lambda: _csv(sight),
            file_name=f"{sight.slug}-phase-{sight.number}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="The whole board, with every digit",
        )


def _csv(sight: Sight) -> str:
    return source.board_csv(sight.slug, str(sight.number), sight.gateway, sight.wanted.as_of)


def _show_table(sight: Sight, board: LeaderboardRecord, own: LeaderboardRow | None) -> None:
    shown = (sight.slug, sight.number, sight.wanted)
    before = st.session_state.get("board-seen")
    if before is None or before[0] != shown:
        changed: frozenset[str] = frozenset()
    elif before[1] == board.rows:
        # The marks stay until the next change: taking them off would draw the board anew for nothing.
        changed = before[2]
    else:
        changed = changed_participants(before[1], board.rows)
    st.session_state["board-seen"] = (shown, board.rows, changed)
    by_task = bool(board.tasks) and bool(st.session_state.get(_by_task_key(sight)))
    view = view_of(board.rows, sight.viewer, changed, own, by_task=by_task)
    with st.container(key="board-scroll"):
        # Where nobody's own row is in it, all viewers are shown the same text.
        key = ("table", by_task, changed, (sight.viewer, own.rank, own.submission_id) if own is not None else None)
        st.html(drawn_once(board, key, lambda: board_table(board, board.rows, view)))
    st.html(f"<script>{_SORTING}</script>", unsafe_allow_javascript=True)


def _legend(board: LeaderboardRecord) -> Html:
    directions = ", ".join(f"{column.title}: {direction_words(column)}" for column in board.columns)
    sentences = [f"{directions}.", *ranking_words(board), "Times are UTC.", "Equal scores share a rank."]
    return element("p", text(" ".join(sentences)), class_="podium-legend")
