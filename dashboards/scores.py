"""Scores, ranks and columns, as they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from podium.dashboards.times import clock
from podium.platform.bundles.content import FactSheetQuestion, FactSheetType, Ranking, Sorting
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow
from podium.platform.records.score_text import MISSING, score_text

__all__ = ["MISSING", "score_text"]


def full_score_text(value: float | None) -> str:
    """A score with all the digits it has."""
    return MISSING if value is None else repr(value)


def primary_position(columns: Sequence[ColumnRecord]) -> int | None:
    """Where the column stands that ranks first."""
    return next((position for position, column in enumerate(columns) if column.is_primary), 0 if columns else None)


def is_higher_better(column: ColumnRecord) -> bool:
    """Which way of a column is better."""
    return column.sorting is Sorting.DESC


def direction_words(column: ColumnRecord) -> str:
    """`higher is better` or `lower is better`."""
    return "higher is better" if is_higher_better(column) else "lower is better"


def direction_arrow(column: ColumnRecord) -> str:
    """An arrow that points to the better scores."""
    return "↑" if is_higher_better(column) else "↓"


def ordinal(rank: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`."""
    if rank % 100 in {11, 12, 13}:
        return f"{rank}th"
    return f"{rank}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th') }"


def tied_ranks(rows: Sequence[LeaderboardRow]) -> frozenset[int]:
    """Ranks that several rows share."""
    counts = Counter(row.rank for row in rows if row.rank is not None)
    return frozenset(rank for rank, count in counts.items() if count > 1)


def ranking_words(board: LeaderboardRecord) -> list[str]:
    """What is not plain about how a board ranks and what it shows, a sentence each."""
    said = []
    if board.ranking is not Ranking.LEXICOGRAPHIC:
        of = "mean" if board.ranking is Ranking.MEAN_RANK else "median"
        said.append(f"Ranked by the {of} of the ranks in each column.")
    if board.tasks:
        said.append(f"A score is the mean over the {len(board.tasks)} tasks.")
    if any(row.is_baseline for row in board.rows):
        said.append("Baselines are there to be compared with, and take no rank.")
    if board.anonymous:
        said.append("Names are hidden from other participants.")
    if board.frozen_since is not None:
        said.append(f"The board is frozen, and shows what stood at {clock(board.frozen_since)}.")
    return said


def unranked_reason(row: LeaderboardRow, columns: Sequence[ColumnRecord]) -> str:
    """Why a row has no rank."""
    missing = [column.title for column, score in zip(columns, row.scores, strict=False) if score is None]
    if not missing:
        return "Not ranked: a score that the ranking needs is missing."
    named = " and ".join(part for part in (", ".join(missing[:-1]), missing[-1]) if part)
    return f"Not ranked: no score for {named}."


def answer_text(question: FactSheetQuestion, answers: dict[str, str]) -> str:
    """A fact sheet's answer."""
    answer = answers.get(question.key, "")
    if question.type is FactSheetType.CHECKBOX and answer.lower() in {"true", "false"}:
        return "yes" if answer.lower() == "true" else "no"
    return answer or MISSING


def size_text(size: int) -> str:
    """A size in bytes, such as `3.4 MB`."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount = float(size)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"
