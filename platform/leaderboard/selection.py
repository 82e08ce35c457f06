"""Which submissions of a participant stand on a leaderboard: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from podium.platform.bundles.content import SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.rank_columns import columns_over_ranks
from podium.platform.leaderboard.ranking import Entry, rank

T = TypeVar("T")

MULTIPLE = frozenset({SubmissionRule.ADD_AND_DELETE_MULTIPLE, SubmissionRule.FORCE_LATEST_MULTIPLE})
"""Rules under which a participant may have several rows."""
CHOSEN = frozenset({SubmissionRule.ADD, SubmissionRule.ADD_AND_DELETE, SubmissionRule.ADD_AND_DELETE_MULTIPLE})
"""Rules under which the participant chooses."""


def select_entries(
    rule: SubmissionRule,
    entries: Sequence[Entry[T]],
    *,
    standing: frozenset[T],
    columns: Sequence[ColumnRule],
    primary_index: int,
) -> frozenset[T]:
    """The items of one participant that stand on the board, out of all of theirs that were scored.

    Under the rules where the participant chooses, the first scored submission is put there for them, so that nobody
    is missing for not having known; from then on what stands is theirs to choose.

    Args:
        standing: Items that stand there now.
    """
    if not entries:
        return frozenset()
    by_time = sorted(entries, key=lambda entry: entry.submitted)
    match rule:
        case SubmissionRule.FORCE_LATEST_MULTIPLE:
            return frozenset(entry.item for entry in entries)
        case SubmissionRule.FORCE_LAST:
            return frozenset({by_time[-1].item})
        case SubmissionRule.FORCE_BEST:
            return frozenset({_best(entries, columns, primary_index)})
        case _:
            return standing or frozenset({by_time[0].item})


def _best(entries: Sequence[Entry[T]], columns: Sequence[ColumnRule], primary_index: int) -> T:
    """The best of a participant's own submissions, by the columns that don't depend on anybody else's.

    A primary column over ranks stands back for the first column that it is made from: what is best must not change
    because others submit.
    """
    over_ranks = columns_over_ranks(columns)
    kept = [at for at, column in enumerate(columns) if column.index not in over_ranks]
    comparable = [Entry(entry.item, [entry.values[at] for at in kept], entry.submitted) for entry in entries]
    primary = _first_score(columns, primary_index, over_ranks)
    return rank(comparable, [columns[at] for at in kept], primary)[0].entry.item


def _first_score(columns: Sequence[ColumnRule], index: int, over_ranks: frozenset[int]) -> int:
    """The column itself, or the first that it is made from and that does not depend on ranks."""
    by_index = {column.index: column for column in columns}
    waiting, seen = [index], set[int]()
    while waiting:
        index = waiting.pop()
        if index not in over_ranks:
            return index
        if index not in seen and (column := by_index.get(index)):
            seen.add(index)
            waiting += reversed(column.computation_indexes)
    return index
