"""Which submissions of a participant stand on a leaderboard: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from podium.platform.bundles.content import SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
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
            return frozenset({rank(entries, columns, primary_index)[0].entry.item})
        case _:
            return standing or frozenset({by_time[0].item})
