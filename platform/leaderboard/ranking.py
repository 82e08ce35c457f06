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

import math
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Generic, NamedTuple, TypeVar

from podium.platform.bundles.content import Ranking
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.ties import MISSING, comparable, grouped

T = TypeVar("T")


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
        combined_rank: Mean or median of its ranks in the columns, where the board ranks by that. A baseline that lies
            between two ranks of a column counts as halfway there.
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
    rules = [columns[at] for at in order]
    by_column = [comparable(columns[at], [entry.values[at] for entry in entries]) for at in order]
    needed = by_column[:1] if ranking is Ranking.LEXICOGRAPHIC else by_column
    lacking = {row for column in needed if MISSING in column for row, value in enumerate(column) if value == MISSING}
    placed, unplaced = (entries, []) if order else ([], entries)
    if lacking:
        rows = [row for row in range(len(entries)) if row not in lacking]
        placed, unplaced = [entries[row] for row in rows], [entries[row] for row in lacking]
        by_column = [[column[row] for row in rows] for column in by_column]
    counted = [not entry.is_baseline for entry in placed]
    if ranking is Ranking.LEXICOGRAPHIC:
        ranked = _in_order(placed, _grouped_columns(rules, by_column, counted))
    else:
        ranked = _in_order(placed, [_combined_ranks(rules, by_column, counted, ranking)], is_combined=True)
    ranked += [Ranked(None, entry, None, is_placed=False) for entry in sorted(unplaced, key=_time_key)]
    return ranked


def best_entry(entries: Sequence[Entry[T]], columns: Sequence[ColumnRule], primary_index: int) -> Entry[T]:
    """The one that `rank` puts first, lexicographically and without any tolerance; there must be one.

    Without one that has a value in the primary column it is the earliest.
    """
    order = ranking_order(columns, primary_index)
    by_column = [comparable(columns[at], [entry.values[at] for entry in entries]) for at in order]
    times = [entry.submitted for entry in entries]
    numbers = [entry.number for entry in entries]
    rows = zip(*by_column, times, numbers, range(len(entries)), strict=True)
    best = min((row for row in rows if order and row[0] != MISSING), default=None)
    return min(entries, key=_time_key) if best is None else entries[best[-1]]


def competition_ranks(values: Sequence[float], counted: Sequence[bool]) -> list[float]:
    """The rank of each value, the least first: one more than how many of those that count are less.

    Args:
        counted: Whether a row takes a rank. One that doesn't has the rank of those that have the same value; where
            there is none it stands half a rank before those behind it.
    """
    ranks = [0.0] * len(values)
    taken = {value for value, counts in zip(values, counted, strict=True) if counts}
    before, shared, previous = 0, 1, math.nan
    for row in sorted(range(len(values)), key=values.__getitem__):
        value = values[row]
        if value != previous:
            shared, previous = before + 1, value
        ranks[row] = shared if value in taken else shared - 0.5
        before += counted[row]
    return ranks


def _time_key(entry: Entry[T]) -> tuple[datetime, int]:
    return (entry.submitted, entry.number)


def _in_order(
    entries: Sequence[Entry[T]], columns: Sequence[Sequence[float]], *, is_combined: bool = False
) -> list[Ranked[T]]:
    """The entries by these values of theirs, the least first, with competition ranks; equal ones by time.

    Sorted are flat tuples, which Python compares several times as fast as what has to be looked up.
    """
    times = [entry.submitted for entry in entries]
    numbers = [entry.number for entry in entries]
    ranked: list[Ranked[T]] = []
    before, shared = 0, 1
    previous: tuple[float, ...] | None = None
    width = len(columns)
    for row in sorted(zip(*columns, times, numbers, range(len(entries)), strict=True)):
        values, entry = row[:width], entries[row[-1]]
        if values != previous:
            shared, previous = before + 1, values
        if entry.is_baseline:
            ranked.append(Ranked(None, entry, values[0] if is_combined else None))
        else:
            before += 1
            ranked.append(Ranked(shared, entry, values[0] if is_combined else None))
    return ranked


def _grouped_columns(
    rules: Sequence[ColumnRule], values: Sequence[Sequence[float]], counted: Sequence[bool]
) -> list[Sequence[float]]:
    """The values with ties made the same; a tolerance holds among rows that are the same in all columns before."""
    columns: list[Sequence[float]] = []
    for rule, column in zip(rules, values, strict=True):
        if rule.tie_tolerance > 0:
            before = list(zip(*columns, strict=True)) if columns else None
            columns.append(grouped(column, rule.tie_tolerance, counted, before))
        else:
            columns.append(column)
    return columns


def _combined_ranks(
    rules: Sequence[ColumnRule], values: Sequence[Sequence[float]], counted: Sequence[bool], ranking: Ranking
) -> list[float]:
    """The mean or median of each row's ranks in the columns.

    Of whole and half numbers, as many for each row: where two rows' sums are the same, so are their means.
    """
    by_column = [
        competition_ranks(grouped(column, rule.tie_tolerance, counted), counted)
        for rule, column in zip(rules, values, strict=True)
    ]
    if ranking is Ranking.MEAN_RANK:
        return [sum(ranks) / len(rules) for ranks in zip(*by_column, strict=True)]
    return [median(ranks) for ranks in zip(*by_column, strict=True)]
