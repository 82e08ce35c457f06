"""The rules of a stored leaderboard, as the pure part of ranking takes them."""

from __future__ import annotations

from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.standing import BoardRules
from podium.platform.models import Leaderboard


def column_rules(board: Leaderboard) -> list[ColumnRule]:
    """The board's columns, as the rules need them."""
    return [
        ColumnRule(
            index=column.index,
            key=column.key,
            sorting=column.sorting,
            computation=column.computation,
            computation_indexes=tuple(column.computation_indexes),
            hidden=column.hidden,
            computation_weights=tuple(column.computation_weights),
            ranking_precision=column.ranking_precision,
            tie_tolerance=column.tie_tolerance,
            exclude_from_ranking=column.exclude_from_ranking,
        )
        for column in board.columns
    ]


def board_rules(board: Leaderboard) -> BoardRules:
    """All that says how the board comes about."""
    return BoardRules(column_rules(board), board.primary_index, board.submission_rule, board.ranking)
