"""Ranks: pure. What stands on a board, in order, by one of three rules.

- `lexicographic`: rows are compared by the primary column, then by the other columns that rank in the order of their
  index, each in its own direction (Codabench's rule). A row without a value in the primary column is not ranked; in a
  later one a missing value is worse than any.
- `mean_rank` and `median_rank`: in each column that rows are ranked by, they have a rank of their own (1, 2, 2, 4); a
  row's place is told by the mean or median of these (grand-challenge's rules). A row without a value in any of those
  columns is not ranked, and counts in no column.

A column ranks unless it is hidden or excluded from the ranking; the primary one always does. What counts as the same
value is told by `ties`. Rows that are the same share a rank and the next ones are skipped (1, 2, 2, 4); the earlier one
stands first. A baseline stands where it belongs, and neither has a rank nor takes one from anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from podium.platform.bundles.content import Ranking
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ties import MISSING, comparable, grouped

T = TypeVar("T")
Key = tuple[float, ...]


class Entry(NamedTuple, Generic[T]):
    """A row to rank.

    Attributes:
        values: One per column; `None` for none.
        submitted: Aware UTC.
        number: Of the submission in its competition: tells rows of the same moment apart, the lower one first.
        is_baseline: It is shown for comparison, and has no rank.
    """

    item: T
    values: Sequence[float | None]
    submitted: datetime
    number: int = 0
    is_baseline: bool = False


class Ranked(NamedTuple, Generic[T]):
    """A row of a board that was put in order.

    Attributes:
        rank: `None` for a baseline, and for a row that lacks a value that the ranking needs.
        entry: What was ranked.
        combined_rank: Mean or median of its ranks in the columns, where the board ranks by that.
        is_placed: Whether it stands in the order; rows that lack a value stand behind all others.
    """

    rank: int | None
    entry: Entry[T]
    combined_rank: float | None = None
    is_placed: bool = True


def ranking_order(columns: Sequence[ColumnRule], primary_index: int) -> list[int]:
    """Positions of the columns that rank, the primary one first; others only if neither hidden nor excluded."""
    primary = next((at for at, column in enumerate(columns) if column.index == primary_index), 0)
    others = sorted(
        (
            at
            for at, column in enumerate(columns)
            if at != primary and not column.hidden and not column.exclude_from_ranking
        ),
        key=lambda at: columns[at].index,
    )
    return [primary, *others] if columns else []


def rank(
    entries: Sequence[Entry[T]],
    columns: Sequence[ColumnRule],
    primary_index: int,
    ranking: Ranking = Ranking.LEXICOGRAPHIC,
) -> list[Ranked[T]]:
    """Put the entries in order, with their ranks; those that can't be ranked stand at the end, the earliest first.

    Takes O(n log n) for n entries. Two entries of the same moment and number stand in the order in which they came.
    """
    order = ranking_order(columns, primary_index)
    by_column = [comparable(columns[at], [entry.values[at] for entry in entries]) for at in order]
    needed = by_column[:1] if ranking is Ranking.LEXICOGRAPHIC else by_column
    lacking = {row for column in needed for row, value in enumerate(column) if value == MISSING}
    if not order:
        lacking = set(range(len(entries)))
    placed = [row for row in range(len(entries)) if row not in lacking]
    values = [[column[row] for row in placed] for column in by_column]
    counted = [not entries[row].is_baseline for row in placed]
    rules = [columns[at] for at in order]
    combined: list[float] | None = None
    if ranking is Ranking.LEXICOGRAPHIC:
        keys = _lexicographic_keys(rules, values, counted)
    else:
        keys = _keys_of_ranks(rules, values, counted, ranking)
        combined = [key[0] / (2 if ranking is Ranking.MEDIAN_RANK else len(rules)) for key in keys]
    ranks = competition_ranks(keys, counted)
    in_order = sorted(range(len(placed)), key=lambda at: (keys[at], *_time_key(entries[placed[at]])))
    rows = [
        Ranked(ranks[at] if counted[at] else None, entries[placed[at]], combined[at] if combined else None)
        for at in in_order
    ]
    unplaced = sorted((entries[row] for row in lacking), key=_time_key)
    rows.extend(Ranked(None, entry, None, is_placed=False) for entry in unplaced)
    return rows


def competition_ranks(keys: Sequence[Key], counted: Sequence[bool]) -> list[int]:
    """The rank of each key: one more than how many of those that count are less.

    Args:
        counted: Whether a key takes a rank; one that doesn't has the rank that it would have.
    """
    ranks = [0] * len(keys)
    before, shared = 0, 1
    previous: Key | None = None
    for row in sorted(range(len(keys)), key=keys.__getitem__):
        if keys[row] != previous:
            shared, previous = before + 1, keys[row]
        ranks[row] = shared
        before += counted[row]
    return ranks


def _time_key(entry: Entry[T]) -> tuple[datetime, int]:
    return (entry.submitted, entry.number)


def _lexicographic_keys(
    rules: Sequence[ColumnRule], values: Sequence[Sequence[float]], counted: Sequence[bool]
) -> list[Key]:
    """The values of each row; a tolerance holds among the rows that are the same in all columns before."""
    columns: list[Sequence[float]] = []
    for rule, column in zip(rules, values, strict=True):
        if rule.tie_tolerance > 0:
            before = list(zip(*columns, strict=True)) if columns else None
            columns.append(grouped(column, rule.tie_tolerance, counted, before))
        else:
            columns.append(column)
    return list(zip(*columns, strict=True))


def _keys_of_ranks(
    rules: Sequence[ColumnRule], values: Sequence[Sequence[float]], counted: Sequence[bool], ranking: Ranking
) -> list[Key]:
    """The sum of each row's ranks, or twice their median: whole numbers, so that what is the same is found to be."""
    by_column = [
        competition_ranks([(value,) for value in grouped(column, rule.tie_tolerance, counted)], counted)
        for rule, column in zip(rules, values, strict=True)
    ]
    if ranking is Ranking.MEAN_RANK:
        return [(float(sum(ranks)),) for ranks in zip(*by_column, strict=True)]
    return [(float(_twice_the_median(ranks)),) for ranks in zip(*by_column, strict=True)]


def _twice_the_median(ranks: Sequence[int]) -> int:
    in_order = sorted(ranks)
    middle = len(in_order) // 2
    return 2 * in_order[middle] if len(in_order) % 2 else in_order[middle - 1] + in_order[middle]
