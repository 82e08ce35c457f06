"""The logs of a submission, followed while they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import streamlit as st

from podium.dashboards import source
from podium.dashboards.session import Viewer
from podium.platform.records import LogPiece, SubmissionRecord

_KEY = "podium-logs"
_MOST_CHARACTERS = 100_000
_PAGES_AT_ONCE = 20


@dataclass(slots=True)
class _Followed:
    """The pieces of one submission's logs that were fetched so far."""

    submission: UUID
    cursor: int = 0
    ended: bool = False
    pieces: list[LogPiece] = field(default_factory=list)


def show_logs(submission: SubmissionRecord, who: Viewer) -> None:
    """Show the logs, a tab for each stream. Only what is new is fetched."""
    if not st.toggle("Logs", key="podium-logs-wanted", value=True):
        return
    followed = _followed(submission.id)
    for _ in range(_PAGES_AT_ONCE):
        if followed.ended:
            break
        page = source.ask(lambda: who.gateway.logs(submission.id, after=followed.cursor)).value
        if page is None:
            st.caption("The logs can't be had at the moment.")
            break
        followed.pieces.extend(page.pieces)
        followed.cursor, followed.ended = page.cursor, page.ended
        if not page.pieces:
            break
    texts = stream_texts(followed.pieces)
    if not texts:
        st.caption("Nothing was logged." if followed.ended else "Nothing was logged yet.")
        return
    for tab, words in zip(st.tabs(list(texts)), texts.values(), strict=True):
        with tab:
            st.code(words, language=None, wrap_lines=True, height=360)


def _followed(submission: UUID) -> _Followed:
    followed = st.session_state.get(_KEY)
    if not isinstance(followed, _Followed) or followed.submission != submission:
        followed = _Followed(submission)
        st.session_state[_KEY] = followed
    return followed


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
    return {label: _end_of("".join(parts)) for label, parts in joined.items()}


def _end_of(words: str) -> str:
    if len(words) <= _MOST_CHARACTERS:
        return words
    return f"(The beginning is left out here; `podium logs` has all of it.)\n{words[-_MOST_CHARACTERS:]}"
