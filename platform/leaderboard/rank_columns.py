"""Columns over ranks: pure. Their values depend on who else stands on the board, so they are made when it is read.

The rules are CodaLab v1.5's, which called the two computations `Avg` and `MRR`:

- A row's rank in a column counts the different values that are better, and one more: rows that share a value share a
  rank, and the next value has the next rank (1, 1, 2). Values within `TIE` of the best of their group are the same, and
  so are those that the column's own rules for ties call the same (`ties`).
- A row without a value has the rank after the last one.
- With weights the ranks (or their reciprocals) are added, each times its weight; without, it is their mean.

A row without a value in any of the columns has no average either, and is not ranked by it: missing is never last
place, nor zero. A column in which no row has a value takes no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from podium.platform.bundles.content import RANK_COMPUTATIONS, Computation
from podium.platform.leaderboard.columns import ColumnRule, computed_value, dependency_order
from podium.platform.leaderboard.ties import comparable, grouped

TIE = 1e-12
"""Values that are no further apart than this are the same."""

Values = Sequence[float | None]


def dense_ranks(column: ColumnRule, values: Values, counted: Sequence[bool] | None = None) -> list[int]:
    """The rank of each value, from 1 for the best; a missing one has the rank after the last.

    Args:
        counted: Whether a row takes a rank; without it each does. One that doesn't has the rank that it would have.
    """
    takes_rank = counted if counted is not None else [True] * len(values)
    groups = grouped(comparable(column, values), max(TIE, column.tie_tolerance), takes_rank)
    taken = {best for best, takes in zip(groups, takes_rank, strict=True) if takes}
    ranks: dict[float, int] = {}
    rank = 1
    for best in sorted(set(groups)):
        ranks[best] = rank
        rank += best in taken
    return [ranks[best] for best in groups]


def columns_over_ranks(columns: Sequence[ColumnRule]) -> frozenset[int]:
    """Indexes of the columns whose values depend on the whole board: those over ranks, and those made from them."""
    found: set[int] = set()
    if not any(column.computation in RANK_COMPUTATIONS for column in columns):
        return frozenset()
    for column in dependency_order(columns):
        if column.computation in RANK_COMPUTATIONS or found.intersection(column.computation_indexes):
            found.add(column.index)
    return frozenset(found)


def with_rank_values(
    columns: Sequence[ColumnRule], rows: Sequence[Values], counted: Sequence[bool] | None = None
) -> list[list[float | None]]:
    """The rows of a whole board, with the columns that depend on ranks filled in.

    Args:
        columns: The board's columns.
        rows: A value per column, in the order of `columns`; what stands in columns over ranks is not looked at.
        counted: Whether a row takes a rank, which baselines don't; without it each does.
    """
    over_ranks = columns_over_ranks(columns)
    ordered = dependency_order(columns)
    can_not_be_made = {column.index for column in columns} - {column.index for column in ordered}
    if not over_ranks and not can_not_be_made:
        return [list(row) for row in rows]
    by_index = {column.index: column for column in columns}
    values: dict[int, list[float | None]] = {
        column.index: [None if column.index in can_not_be_made else row[at] for row in rows]
        for at, column in enumerate(columns)
    }
    for column in ordered:
        if column.index not in over_ranks:
            continue
        sources = [values[other] for other in column.computation_indexes]
        if column.computation in RANK_COMPUTATIONS:
            ranked = [by_index[other] for other in column.computation_indexes]
            values[column.index] = _over_ranks(column, ranked, sources, counted or [True] * len(rows))
        else:
            values[column.index] = [computed_value(column.computation, parts) for parts in zip(*sources, strict=True)]
    return [list(row) for row in zip(*(values[column.index] for column in columns), strict=True)]


def _over_ranks(
    column: ColumnRule, ranked: Sequence[ColumnRule], sources: Sequence[Values], takes_rank: Sequence[bool]
) -> list[float | None]:
    used = [at for at, source in enumerate(sources) if any(value is not None for value in source)]
    weights = column.computation_weights or (1.0 / max(1, len(used)),) * len(sources)
    ranks = [(weights[at], dense_ranks(ranked[at], sources[at], takes_rank)) for at in used]
    is_reciprocal = column.computation is Computation.MEAN_RECIPROCAL_RANK
    return [
        fsum(weight * (1.0 / of[row] if is_reciprocal else of[row]) for weight, of in ranks)
        if any(source[row] is not None for source in sources)
        else None
        for row in range(len(takes_rank))
    ]
