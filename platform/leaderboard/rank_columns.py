"""Columns over ranks: pure. Their values depend on who else stands on the board, so they are made when it is read.

The rules are CodaLab v1.5's, which called the two computations `Avg` and `MRR`:

- A row's rank in a column counts the different values that are better, and one more: rows that share a value share a
  rank, and the next value has the next rank (1, 1, 2). Values within `TIE` of the best of their group are the same.
- A row without a value has the rank after the last one.
- With weights the ranks (or their reciprocals) are added, each times its weight; without, it is their mean.

A row without a value in any of the columns has no average either, and is not ranked by it: missing is never last
place, nor zero. A column in which no row has a value takes no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from podium.platform.bundles.content import RANK_COMPUTATIONS, Computation, Sorting
from podium.platform.leaderboard.columns import ColumnRule, computed_value

TIE = 1e-12
"""Values that are no further apart than this are the same."""

Values = Sequence[float | None]


def dense_ranks(values: Values, sorting: Sorting) -> list[int]:
    """The rank of each value, from 1 for the best; a missing one has the rank after the last."""
    sign = 1.0 if sorting is Sorting.ASC else -1.0
    present = sorted((sign * value, row) for row, value in enumerate(values) if value is not None)
    ranks: dict[int, int] = {}
    rank, best_of_group = 0, 0.0
    for value, row in present:
        if rank == 0 or value - best_of_group > TIE:
            rank, best_of_group = rank + 1, value
        ranks[row] = rank
    return [ranks.get(row, rank + 1) for row in range(len(values))]


def columns_over_ranks(columns: Sequence[ColumnRule]) -> frozenset[int]:
    """Indexes of the columns whose values depend on the whole board: those over ranks, and those made from them."""
    found = {column.index for column in columns if column.computation in RANK_COMPUTATIONS}
    while found:
        more = {column.index for column in columns if column.computation and found & set(column.computation_indexes)}
        if more <= found:
            break
        found |= more
    return frozenset(found)


def with_rank_values(columns: Sequence[ColumnRule], rows: Sequence[Values]) -> list[list[float | None]]:
    """The rows of a whole board, with the columns that depend on ranks filled in.

    Args:
        columns: The board's columns.
        rows: A value per column, in the order of `columns`; what stands in columns over ranks is not looked at.
    """
    filled = [list(row) for row in rows]
    over_ranks = columns_over_ranks(columns)
    if over_ranks:
        board = _Board(columns, over_ranks, rows)
        for at, column in enumerate(columns):
            if column.index in over_ranks:
                for row, value in zip(filled, board.values_of(column.index), strict=True):
                    row[at] = value
    return filled


class _Board:
    """Works out columns from each other, each once."""

    def __init__(self, columns: Sequence[ColumnRule], over_ranks: frozenset[int], rows: Sequence[Values]) -> None:
        self._columns = {column.index: column for column in columns}
        self._missing: list[float | None] = [None] * len(rows)
        self._values: dict[int, list[float | None]] = {
            column.index: [row[at] for row in rows]
            for at, column in enumerate(columns)
            if column.index not in over_ranks
        }

    def values_of(self, index: int, path: tuple[int, ...] = ()) -> list[float | None]:
        """A column's value in each row."""
        if index in self._values:
            return self._values[index]
        column = self._columns.get(index)
        if column is None or index in path:
            return self._missing  # the bundle reader refuses both; a board must not fail on them
        sources = [self.values_of(other, (*path, index)) for other in column.computation_indexes]
        if column.computation in RANK_COMPUTATIONS:
            values = self._over_ranks(column, sources)
        else:
            values = [computed_value(column.computation, parts) for parts in zip(*sources, strict=True)]
        self._values[index] = values or self._missing
        return self._values[index]

    def _over_ranks(self, column: ColumnRule, sources: Sequence[Values]) -> list[float | None]:
        counted = [at for at, source in enumerate(sources) if any(value is not None for value in source)]
        weights = column.computation_weights or (1.0 / max(1, len(counted)),) * len(sources)
        ranked = [
            (weights[at], dense_ranks(sources[at], self._sorting(column.computation_indexes[at]))) for at in counted
        ]
        is_reciprocal = column.computation is Computation.MEAN_RECIPROCAL_RANK
        return [
            fsum(weight * (1.0 / ranks[row] if is_reciprocal else ranks[row]) for weight, ranks in ranked)
            if any(source[row] is not None for source in sources)
            else None
            for row in range(len(self._missing))
        ]

    def _sorting(self, index: int) -> Sorting:
        column = self._columns.get(index)
        return column.sorting if column else Sorting.DESC
