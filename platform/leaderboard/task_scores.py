"""What each task of a phase gave the rows of its board, where there are several tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform.leaderboard.board_views import Place
from podium.platform.leaderboard.columns import column_values
from podium.platform.leaderboard.rank_columns import columns_over_ranks
from podium.platform.leaderboard.standing import BoardRules
from podium.platform.leaderboard.whole_board import scores_by_task
from podium.platform.models import Phase, Submission

TaskScores: TypeAlias = tuple[tuple[float | None, ...], ...]
"""For each task, a value for each column that is shown."""


def task_names(phase: Phase) -> tuple[str, ...]:
    """The names of a phase's tasks; none where there is one alone, which says nothing that the board does not."""
    return tuple(entry.task.name for entry in phase.tasks) if len(phase.tasks) > 1 else ()


def task_scores(
    session: Session,
    rules: BoardRules,
    places: Sequence[Place],
    submissions: Mapping[UUID, Submission],
    positions: Sequence[int],
) -> dict[UUID, TaskScores]:
    """The values of the columns by each task alone, for the submissions at these places.

    Left out are those whose results are others now than when they came to stand there: a board of the past, or one that
    is frozen, tells nothing newer.

    Args:
        submissions: Those at these places.
        positions: The columns that are shown.
    """
    sources = {one.entry.item: submissions[one.entry.item].results_id or one.entry.item for one in places}
    found = scores_by_task(session, set(sources.values()))
    over_ranks = columns_over_ranks(rules.columns)
    own = [at for at, column in enumerate(rules.columns) if column.index not in over_ranks]
    scores: dict[UUID, TaskScores] = {}
    for place in places:
        by_task = found.get(sources[place.entry.item], [])
        whole = column_values(rules.columns, by_task)
        if all(whole[at] == place.entry.values[at] for at in own):
            each = [column_values(rules.columns, [task]) for task in by_task]
            scores[place.entry.item] = tuple(tuple(values[at] for at in positions) for values in each)
    return scores
