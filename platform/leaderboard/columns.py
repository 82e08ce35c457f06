"""The values of a leaderboard's columns for one submission: pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from podium.platform.bundles.content import Computation, Sorting


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """How a column gets its value and which way is better.

    Attributes:
        index: The column's own number, which `computation_indexes` of others name.
        key: The score that fills it, unless it is computed.
        computation_weights: Of the columns in `computation_indexes`, where it is computed from their ranks; empty for
            equal ones.
    """

    index: int
    key: str
    sorting: Sorting
    computation: Computation | None = None
    computation_indexes: tuple[int, ...] = ()
    hidden: bool = False
    computation_weights: tuple[float, ...] = ()


def _sum(values: Sequence[float]) -> float | None:
    try:
        return math.fsum(values)
    except OverflowError:
        return None  # larger than any number: no value, as infinity is none


def _mean(values: Sequence[float]) -> float:
    total = _sum(values)
    return math.fsum(value / len(values) for value in values) if total is None else total / len(values)


_COMPUTE: dict[Computation, Callable[[Sequence[float]], float | None]] = {
    Computation.AVG: _mean,
    Computation.SUM: _sum,
    Computation.MIN: min,
    Computation.MAX: max,
}


def computed_value(computation: Computation | None, parts: Sequence[float | None]) -> float | None:
    """The value of a column that is computed from other columns' values; `None` unless all of them are there."""
    compute = _COMPUTE.get(computation) if computation else None
    present = [part for part in parts if part is not None]
    return compute(present) if compute and present and len(present) == len(parts) else None


def column_values(columns: Sequence[ColumnRule], scores_by_task: Sequence[Mapping[str, float]]) -> list[float | None]:
    """The value of each column, in the order of `columns`.

    With several tasks a score column is the mean over the tasks; a column for which a task gave no score is empty.
    A computed column is made of columns that all have a value, else it is empty too: missing is never zero. So is a sum
    that is larger than any number, and a column over ranks: that is the whole board's matter (`rank_columns`).

    Args:
        scores_by_task: Key to score, one mapping per task of the phase.
    """
    by_index = {column.index: column for column in columns}
    values: dict[int, float | None] = {}

    def value_of(index: int, path: tuple[int, ...]) -> float | None:
        if index in values:
            return values[index]
        column = by_index.get(index)
        if column is None or index in path:
            return None  # the bundle reader refuses both; a board must not fail on them
        if column.computation is None:
            values[index] = _mean_over_tasks(column.key, scores_by_task)
        else:
            parts = [value_of(other, (*path, index)) for other in column.computation_indexes]
            values[index] = computed_value(column.computation, parts)
        return values[index]

    return [value_of(column.index, ()) for column in columns]


def _mean_over_tasks(key: str, scores_by_task: Sequence[Mapping[str, float]]) -> float | None:
    found = [scores[key] for scores in scores_by_task if key in scores]
    if not found or len(found) != len(scores_by_task):
        return None
    return found[0] if len(found) == 1 else _mean(found)
