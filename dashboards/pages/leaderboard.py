"""The leaderboard: it keeps itself up to date, and says when it can't."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from podium.dashboards import layout, session, source, times
from podium.dashboards.board import board_table, changed_participants, matching_rows, view_of
from podium.dashboards.chart import leading_scores_chart
from podium.dashboards.choice import choose_competition, choose_phase, listed_competitions
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.scores import direction_words, ordinal, score_text
from podium.dashboards.session import Viewer
from podium.dashboards.source import PAGE_ROWS, Answer
from podium.dashboards.submitting import first_commands, submit_command
from podium.platform.client.api import Client
from podium.platform.errors import NotAllowed, PodiumError
from podium.platform.records import CompetitionRecord, LeaderboardRecord, LeaderboardRow, PhaseRecord

_EVERY = "every 2 seconds"
_MOST_MATCHES = 200


@dataclass(frozen=True, slots=True)
class _Place:
    """A phase of a competition, and who looks at it."""

    competition: CompetitionRecord
    phase: PhaseRecord
    who: Viewer | None

    @property
    def slug(self) -> str:
        return self.competition.summary.slug

    @property
    def viewer(self) -> str | None:
        return self.who.username if self.who is not None else None


@st.fragment(run_every="2s")
def show() -> None:
    """Show the leaderboard that the address names, and again every two seconds."""
    who = session.viewer()
    head = st.container()
    with st.container(key="choices", horizontal=True, vertical_alignment="center"):
        listed = listed_competitions(who)
        slug = choose_competition(listed.value or (), key="board-competition")
        if slug is None:
            _without_competition(head, listed.trouble)
            return
        found = source.competition(slug, who.gateway if who else None)
        phases = found.value.phases if found.value is not None else ()
        phase = choose_phase(phases, slug=slug) if phases else None
    if found.value is None or phase is None:
        _without_record(head, found)
        return
    place = _Place(found.value, phase, who)
    _show_head(head, place)
    _show_phase(place)


def _without_competition(head: DeltaGenerator, trouble: PodiumError | None) -> None:
    with head:
        layout.page_head("Leaderboard")
        if trouble is not None:
            layout.trouble(trouble, what="competition", every=_EVERY)
        else:
            layout.nothing_here("No competition yet", "As soon as an organizer publishes one, its leaderboard is here.")


def _without_record(head: DeltaGenerator, found: Answer[CompetitionRecord]) -> None:
    with head:
        layout.page_head("Leaderboard")
    if found.trouble is not None:
        layout.trouble(found.trouble, what="competition", every=_EVERY)
    else:
        layout.nothing_here("No phase yet", "This competition has no phase, so there is nothing to rank.")
    link_to(PageName.COMPETITIONS, "See all competitions", icon=":material/arrow_back:")


def _show_head(head: DeltaGenerator, place: _Place) -> None:
    at = times.now()
    with head:
        layout.page_head(
            place.competition.summary.title,
            above="Leaderboard",
            below=f"{place.phase.name}: {times.phase_words(place.phase, at)}",
        )


def _show_phase(place: _Place) -> None:
    at = times.now()
    if place.competition.leaderboard_hidden and not place.competition.may_organize:
        _hidden()
        return
    if place.phase.start > at:
        layout.nothing_here(
            f"{place.phase.name} has not begun",
            f"It opens in {times.span(place.phase.start - at)}, on {times.clock(place.phase.start)}. "
            "The leaderboard begins with the first scored submission.",
        )
        return
    page = int(st.session_state.get(_pager_key(place), 1))
    answer = source.board(place.slug, str(place.phase.number), (page - 1) * PAGE_ROWS, _own_gateway(place))
    if answer.value is None:
        _without_board(answer)
    elif answer.value.total == 0:
        _empty(place, answer)
    else:
        _show_board(place, answer.value, answer)


def _own_gateway(place: _Place) -> Client | None:
    return place.who.gateway if place.who is not None else None


def _hidden() -> None:
    layout.nothing_here(
        "This leaderboard is hidden",
        "The organizer has not opened it to participants. Your own scores are under “My submissions”.",
    )
    link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:")


def _without_board(answer: Answer[LeaderboardRecord]) -> None:
    if isinstance(answer.trouble, NotAllowed):
        _hidden()
    elif answer.trouble is not None:
        layout.trouble(answer.trouble, what="leaderboard", every=_EVERY)


def _empty(place: _Place, answer: Answer[LeaderboardRecord]) -> None:
    if answer.is_stale:
        layout.inline(layout.stale_notice(answer.at, _EVERY))
    if place.phase.end is not None and place.phase.end <= times.now():
        layout.nothing_here("No scored submission", f"{place.phase.name} is over, and nobody was ranked in it.")
        return
    layout.nothing_here(
        "No scored submission yet",
        "Be the first: this is all it takes. The board shows your score as soon as it is there.",
    )
    layout.commands(first_commands(place.slug))


def _show_board(place: _Place, board: LeaderboardRecord, answer: Answer[LeaderboardRecord]) -> None:
    if answer.is_stale:
        layout.inline(layout.stale_notice(answer.at, _EVERY))
    st.html(_status_line(board, is_live=not answer.is_stale))
    own = _own_row(place, board)
    if own is not None:
        st.html(_own_place(own, board))
    sought, wants_chart = _tools(place)
    if wants_chart:
        _show_chart(place, board)
    rows = _rows_to_show(place, board, sought)
    if not rows and sought:
        layout.nothing_here("Nobody by that name", f"No participant's name contains “{sought.strip()}”.")
    else:
        _show_table(place, board, rows, sought)
    if not sought and board.total > PAGE_ROWS:
        st.pagination(-(-board.total // PAGE_ROWS), key=_pager_key(place))
    layout.inline(_legend(board))
    with st.container(key="links-board", horizontal=True):
        link_to(PageName.COMPETITION, "Rules, data and terms", icon=":material/description:", competition=place.slug)
    if place.phase.end is None or place.phase.end > times.now():
        with st.expander("How to submit", icon=":material/terminal:"):
            layout.commands(submit_command(place.slug, place.phase))


def _status_line(board: LeaderboardRecord, *, is_live: bool) -> Html:
    words = "1 row" if board.total == 1 else f"{board.total} rows"
    changed = (
        join(
            text(f"last change {times.ago(board.updated, times.now())} "),
            element("time", text(f"({times.clock(board.updated)})"), datetime=board.updated.isoformat()),
        )
        if board.updated is not None
        else text("no change yet")
    )
    live = element("span", text("Live" if is_live else "Not live"), class_="live" if is_live else "live off")
    return element("p", live, element("span", text(words)), element("span", changed), class_="podium-status")


def _own_row(place: _Place, board: LeaderboardRecord) -> LeaderboardRow | None:
    if place.viewer is None:
        return None
    mine = [row for row in board.rows if row.participant == place.viewer]
    if not mine and board.total > len(board.rows):
        everything = source.all_rows(place.slug, str(place.phase.number), _own_gateway(place)).value or ()
        mine = [row for row in everything if row.participant == place.viewer]
    return mine[0] if mine else None


def _own_place(row: LeaderboardRow, board: LeaderboardRecord) -> Html:
    rank = f"{ordinal(row.rank)} of {board.total}" if row.rank is not None else "not ranked"
    scores = [
        (column.title, score_text(score, column.precision))
        for column, score in zip(board.columns, row.scores, strict=False)
        if score is not None
    ]
    entries = f"{row.entries} {'entry' if row.entries == 1 else 'entries'}"
    return element(
        "section",
        element("p", text("Your place"), class_="word"),
        element("p", text(rank), class_="rank"),
        layout.facts([*scores[:4], ("Entries", entries)]),
        class_="podium-own",
        aria_label="Your place",
    )


def _tools(place: _Place) -> tuple[str, bool]:
    with st.container(key="board-tools", horizontal=True, vertical_alignment="center"):
        sought = st.text_input(
            "Search participants",
            placeholder="Search participants",
            key=f"search-{place.slug}-{place.phase.number}",
            label_visibility="collapsed",
            icon=":material/search:",
            live="300ms",
            width="stretch",
        )
        wants_chart = st.toggle("Chart", key="board-chart")
        st.download_button(
            "CSV",
            lambda: _csv(place),
            file_name=f"{place.slug}-phase-{place.phase.number}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="The whole board, with every digit",
        )
    return sought or "", wants_chart


def _csv(place: _Place) -> str:
    return source.board_csv(place.slug, str(place.phase.number), _own_gateway(place))


def _show_chart(place: _Place, board: LeaderboardRecord) -> None:
    chart = leading_scores_chart(board.columns, board.rows, place.viewer)
    if chart is not None:
        st.altair_chart(chart, width="stretch", key="board-chart-drawing")
    else:
        st.caption("There is nothing to compare yet.")


def _rows_to_show(place: _Place, board: LeaderboardRecord, sought: str) -> tuple[LeaderboardRow, ...]:
    if not sought.strip():
        return board.rows
    everything = board.rows
    if board.total > len(board.rows):
        everything = source.all_rows(place.slug, str(place.phase.number), _own_gateway(place)).value or board.rows
    return matching_rows(everything, sought)[:_MOST_MATCHES]


def _show_table(place: _Place, board: LeaderboardRecord, rows: tuple[LeaderboardRow, ...], sought: str) -> None:
    page = st.session_state.get(_pager_key(place), 1)
    shown = (place.slug, place.phase.number, page, sought)
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
        st.html(board_table(board, rows, view_of(board.rows if not sought else rows, place.viewer, changed)))


def _legend(board: LeaderboardRecord) -> Html:
    directions = ", ".join(f"{column.title}: {direction_words(column)}" for column in board.columns)
    return element("p", text(f"{directions}. Times are UTC. Equal scores share a rank."), class_="podium-legend")


def _pager_key(place: _Place) -> str:
    return f"page-{place.slug}-{place.phase.number}"
