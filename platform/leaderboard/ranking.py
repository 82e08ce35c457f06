"""Ranks: pure. Lexicographic over the columns, the primary one first.

- Rows are compared by the primary column, then by the other visible columns in the order of their index, each in its
  own direction (Codabench's rule).
- A row without a value in the primary column is not ranked. In a later column a missing value is worse than any.
- Rows that are equal in all of them share a rank and the next is skipped (1, 2, 2, 4); the earlier one stands first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from podium.platform.bundles.content import Sorting
from podium.platform.leaderboard.columns import ColumnRule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A row to rank: a value per column, and when it was submitted (aware UTC)."""

    item: T
    values: Sequence[float | None]
    submitted: datetime


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T]):
    """A ranked row; `rank` is `None` for one without a value in the primary column."""

    rank: int | None
    entry: Entry[T]


def ranking_order(columns: Sequence[ColumnRule], primary_index: int) -> list[int]:
    """Positions of the columns that rank, the primary one first, hidden ones left out unless primary."""
    primary = next((at for at, column in enumerate(columns) if column.index == primary_index), 0)
    others = sorted(
        (at for at, column in enumerate(columns) if at != primary and not column.hidden),
        key=lambda at: columns[at].index,
    )
    return [primary, *others] if columns else []


def rank(entries: Sequence[Entry[T]], columns: Sequence[ColumnRule], primary_index: int) -> list[Ranked[T]]:
    """Rank the entries; those that can't be ranked stand at the end, the earliest first."""
    order = ranking_order(columns, primary_index)
    ranked_entries: list[Entry[T]] = []
    unranked: list[Entry[T]] = []
    for entry in entries:
        has_primary = bool(order) and entry.values[order[0]] is not None
        (ranked_entries if has_primary else unranked).append(entry)

    def key(entry: Entry[T]) -> tuple[tuple[bool, float], ...]:
        return tuple(_sort_key(entry.values[at], columns[at].sorting) for at in order)

    rows: list[Ranked[T]] = []
    previous: tuple[tuple[bool, float], ...] | None = None
    shared = 0
    for position, entry in enumerate(sorted(ranked_entries, key=lambda e: (key(e), e.submitted)), start=1):
        present = key(entry)
        if present != previous:
            shared, previous = position, present
        rows.append(Ranked(shared, entry))
    rows.extend(Ranked(None, entry) for entry in sorted(unranked, key=lambda e: e.submitted))
    return rows


def _sort_key(value: float | None, sorting: Sorting) -> tuple[bool, float]:
    if value is None:
        return (True, 0.0)
    return (False, value if sorting is Sorting.ASC else -value)
