"""The logs of a submission, followed while they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import streamlit as st

from podium.dashboards import source
from podium.dashboards.session import Viewer
from podium.platform.client.log_text import readable
from podium.platform.records.submissions import LogPiece

_KEY = "podium-logs"
_MOST_CHARACTERS = 100_000
_PAGES_AT_ONCE = 20


@dataclass(slots=True)
class FollowedLogs:
    """The pieces of one submission's logs that were fetched so far."""

    submission: UUID
    cursor: int = 0
    ended: bool = False
    is_silent: bool = False
    pieces: list[LogPiece] = field(default_factory=list)

    def fetch_more(self, who: Viewer) -> bool:
        """Fetch what is new; whether there was anything."""
        known = (self.cursor, self.ended, self.is_silent)
        for _ in range(_PAGES_AT_ONCE):
            page = source.ask(lambda: who.gateway.logs(self.submission, after=self.cursor)).value
            self.is_silent = page is None
            if page is None:
                break
            self.pieces.extend(page.pieces)
            self.cursor, self.ended = page.cursor, page.ended
            if self.ended or not page.pieces:
                break
        return known != (self.cursor, self.ended, self.is_silent)


def followed_logs(submission: UUID) -> FollowedLogs:
    """The logs of a submission as the session has them; those of another one are forgotten."""
    followed = st.session_state.get(_KEY)
    if not isinstance(followed, FollowedLogs) or followed.submission != submission:
        followed = FollowedLogs(submission)
        st.session_state[_KEY] = followed
    return followed


def show_logs(followed: FollowedLogs) -> None:
    """Show the logs, a tab for each stream."""
    texts = stream_texts(followed.pieces)
    if followed.is_silent:
        st.caption("The logs can't be had at the moment.")
    if not texts:
        st.caption("Nothing was logged." if followed.ended else "Nothing was logged yet.")
        return
    for tab, words in zip(st.tabs(list(texts)), texts.values(), strict=True):
        with tab:
            st.code(words, language=None, wrap_lines=True, height=360)


def stream_texts(pieces: Sequence[LogPiece]) -> dict[str, str]:
    """The text of each stream, in the order in which the streams began; of a long one, the end."""
    joined: dict[str, list[str]] = {}
    several_attempts = len({piece.attempt for piece in pieces}) > 1
    several_tasks = len({piece.task for piece in pieces}) > 1
    for piece in sorted(pieces, key=lambda piece: piece.sequence):
        label = " · ".join(
            part
            for part in (
                f"attempt {piece.attempt}" if several_attempts else "",
                piece.task if several_tasks else "",
                piece.stream,
            )
            if part
        )
        joined.setdefault(label, []).append(piece.text)
    return {label: _end_of(readable("".join(parts))) for label, parts in joined.items()}


def _end_of(words: str) -> str:
    if len(words) <= _MOST_CHARACTERS:
        return words
    return f"(The beginning is left out here; `podium logs` has all of it.)\n{words[-_MOST_CHARACTERS:]}"
