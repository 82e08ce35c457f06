"""Which submissions of a participant stand on a leaderboard: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from podium.platform.bundles.content import SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.rank_columns import columns_over_ranks
from podium.platform.leaderboard.ranking import Entry, best_entry

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
    is_withdrawn: bool = False,
) -> frozenset[T]:
    """The items of one participant, or one team, that stand on the board, out of all of theirs that were scored.

    Under the rules where the participant chooses, the first scored submission is put there for them, so that nobody
    is missing for not having known; from then on what stands is theirs to choose. Under those for one row, the best
    stands of several that did, as those of people do who have become a team.

    Every baseline stands: they are there to be compared with, and no rule picks one of them.

    Args:
        standing: Items that stand there now.
        is_withdrawn: Whether they have taken off what stood there, where they choose: then nothing is put there.
    """
    baselines = frozenset(entry.item for entry in entries if entry.is_baseline)
    own = [entry for entry in entries if not entry.is_baseline]
    if not own or (is_withdrawn and rule in CHOSEN and standing.isdisjoint(entry.item for entry in own)):
        return baselines
    return baselines | _by_rule(rule, own, standing, columns, primary_index)


def _by_rule(
    rule: SubmissionRule,
    entries: Sequence[Entry[T]],
    standing: frozenset[T],
    columns: Sequence[ColumnRule],
    primary_index: int,
) -> frozenset[T]:
    if rule is SubmissionRule.FORCE_LATEST_MULTIPLE:
        return frozenset(entry.item for entry in entries)
    if rule is SubmissionRule.FORCE_BEST:
        return frozenset({_best(entries, columns, primary_index)})
    by_time = sorted(entries, key=lambda entry: (entry.submitted, entry.number))
    if rule is SubmissionRule.FORCE_LAST:
        return frozenset({by_time[-1].item})
    chosen = [entry for entry in by_time if entry.item in standing] or by_time[:1]
    if rule is SubmissionRule.ADD_AND_DELETE_MULTIPLE:
        return frozenset(entry.item for entry in chosen)
    return frozenset({_best(chosen, columns, primary_index)})


def _best(entries: Sequence[Entry[T]], columns: Sequence[ColumnRule], primary_index: int) -> T:
    """The best of a participant's own submissions, by the columns that don't depend on anybody else's.

    A primary column over ranks stands back for the first column that it is made from, and a board that ranks by ranks
    is left for the order of its columns: what is best must not change because others submit. No tolerance holds, or
    the best would depend on the order in which results come.
    """
    if len(entries) == 1:
        return entries[0].item
    over_ranks = columns_over_ranks(columns)
    if not over_ranks:
        return best_entry(entries, columns, primary_index).item
    kept = [at for at, column in enumerate(columns) if column.index not in over_ranks]
    own = [entry._replace(values=[entry.values[at] for at in kept]) for entry in entries]
    return best_entry(own, [columns[at] for at in kept], _first_score(columns, primary_index, over_ranks)).item


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
