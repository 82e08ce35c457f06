"""The values of a leaderboard's columns for one submission: pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from podium.platform.bundles.content import Computation, Sorting


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """How a column gets its value, which way is better, and what counts as the same.

    Attributes:
        index: The column's own number, which `computation_indexes` of others name.
        key: The score that fills it, unless it is computed.
        computation_weights: Of the columns in `computation_indexes`, where it is computed from their ranks; empty for
            equal ones.
        ranking_precision: Digits after the point that count in ranking; `None` for all.
        tie_tolerance: Values no further apart than this are the same in ranking.
        exclude_from_ranking: It is shown and does not rank.
    """

    index: int
    key: str
    sorting: Sorting
    computation: Computation | None = None
    computation_indexes: tuple[int, ...] = ()
    hidden: bool = False
    computation_weights: tuple[float, ...] = ()
    ranking_precision: int | None = None
    tie_tolerance: float = 0.0
    exclude_from_ranking: bool = False


def finite(value: float | None) -> float | None:
    """The value, unless it is `nan` or infinite: these are refused when they come, and rank nobody if one is there."""
    return value if value is not None and math.isfinite(value) else None


def dependency_order(columns: Sequence[ColumnRule]) -> list[ColumnRule]:
    """The columns, each after those that it is computed from.

    Left out are columns that are computed from each other in a circle, or from one that is, or from one that does not
    exist: bundles with these are refused, and a board must not fail on them.
    """
    by_index = {column.index: column for column in columns}
    sources = {column.index: set(column.computation_indexes) if column.computation else set() for column in columns}
    # By hand, since `graphlib` raises for a circle where all that is outside of it is wanted.
    ordered: list[ColumnRule] = []
    waiting = {index: len(of) for index, of in sources.items()}
    dependents: dict[int, list[int]] = {}
    for index, of in sources.items():
        for other in of:
            dependents.setdefault(other, []).append(index)
    ready = [index for index, count in waiting.items() if count == 0]
    while ready:
        index = ready.pop()
        ordered.append(by_index[index])
        for other in dependents.get(index, ()):
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    return ordered


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
    values: dict[int, float | None] = {}
    for column in dependency_order(columns):
        if column.computation is None:
            values[column.index] = _mean_over_tasks(column.key, scores_by_task)
        else:
            parts = [values[other] for other in column.computation_indexes]
            values[column.index] = computed_value(column.computation, parts)
    return [values.get(column.index) for column in columns]


def _mean_over_tasks(key: str, scores_by_task: Sequence[Mapping[str, float]]) -> float | None:
    found = [finite(scores.get(key)) for scores in scores_by_task]
    present = [score for score in found if score is not None]
    if not present or len(present) != len(found):
        return None
    return present[0] if len(present) == 1 else _mean(present)
