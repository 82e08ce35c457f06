"""Figures below a board: how its best score came about, where everybody stands, how one participant got there.

They are asked for and drawn when a viewer opens them, and are no part of the page's first paint.
"""

from __future__ import annotations

import streamlit as st

from podium.dashboards import source
from podium.dashboards.figures import score_distribution, score_over_time
from podium.dashboards.markup import Html, element, plain_markdown, text
from podium.dashboards.scores import primary_position
from podium.dashboards.sight import Sight
from podium.dashboards.source import Answer
from podium.platform.client.api import Client
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow, RankPoint

_BEST, _SPREAD, _ONE = "Best over time", "Distribution", "A participant"


def show(sight: Sight, board: LeaderboardRecord, own: LeaderboardRow | None) -> None:
    """Offer the figures of a board, and draw the one that was chosen."""
    position = primary_position(board.columns)
    if position is None or sight.piece is None:
        return
    key = f"figure-{sight.slug}-{sight.number}"
    with st.container(key="board-figures", horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            "Figures", [_BEST, _SPREAD, _ONE], key=key, label_visibility="collapsed", default=None
        )
        columns = dict(enumerate(board.columns))
        if chosen is not None and len(columns) > 1:
            position = st.selectbox(
                "Column",
                list(columns),
                index=position,
                format_func=lambda at: columns[at].title,
                key=f"{key}-column",
                label_visibility="collapsed",
                width=220,
            )
    access = sight.gateway if board.anonymous or board.frozen_since is not None else None
    if chosen == _BEST:
        _show_history(source.history(sight.slug, sight.piece.phase, None, board.version, access), board, position)
    elif chosen == _SPREAD:
        _show_distribution(sight, sight.piece.phase, board, position, own, access)
    elif chosen == _ONE:
        _show_one(sight, sight.piece.phase, board, position, own, access)


def _show_history(answer: Answer[tuple[RankPoint, ...]], board: LeaderboardRecord, position: int) -> None:
    if answer.value is None:
        _say(answer.trouble.detail if answer.trouble is not None else "There is nothing to draw.")
        return
    st.html(score_over_time(answer.value, board.columns[position], position) or _nothing())


def _show_distribution(
    sight: Sight,
    phase: str,
    board: LeaderboardRecord,
    position: int,
    own: LeaderboardRow | None,
    access: Client | None,
) -> None:
    answer = source.snapshot(sight.slug, phase, board.version, access)
    if answer.value is None:
        _say(answer.trouble.detail if answer.trouble is not None else "There is nothing to draw.")
        return
    scores = [row.scores[position] for row in answer.value.rows]
    mine = own.scores[position] if own is not None else None
    drawing = score_distribution([score for score in scores if score is not None], board.columns[position], mine)
    st.html(drawing or _nothing())
    if len(answer.value.rows) < answer.value.total:
        _say(f"Of the first {len(answer.value.rows):,} of {answer.value.total:,} rows.")


def _show_one(
    sight: Sight,
    phase: str,
    board: LeaderboardRecord,
    position: int,
    own: LeaderboardRow | None,
    access: Client | None,
) -> None:
    rows = [*([own] if own is not None else []), *board.rows]
    if board.anonymous:
        # No username has a space; what has one stands for somebody, whose history is told to nobody else.
        rows = [row for row in rows if row.team is not None or " " not in row.participant]
    names = list(dict.fromkeys(row.participant for row in rows))
    if board.anonymous and not names:
        _say("Names are hidden on this board, and with them who came when.")
        return
    name = st.selectbox(
        "Participant",
        names,
        format_func=plain_markdown,
        key=f"figure-{sight.slug}-{sight.number}-participant",
        width=320,
    )
    if name is not None:
        _show_history(source.history(sight.slug, phase, name, board.version, access), board, position)


def _nothing() -> Html:
    return element("p", text("There is nothing to compare in this column yet."), class_="podium-legend")


def _say(words: str) -> None:
    st.html(element("p", text(words), class_="podium-legend"))
