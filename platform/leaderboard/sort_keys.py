"""What the rows of a board are sorted by where they are stored: pure.

A board that compares its rows column by column has an order that no row's neighbours change: each row's key says where
it stands, and a database can keep an index of keys. Where a tolerance, ranks in columns or columns over ranks come in,
only the whole board tells the order.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.platform.bundles.content import Ranking
from podium.platform.leaderboard.columns import ColumnRule, dependency_order
from podium.platform.leaderboard.rank_columns import columns_over_ranks
from podium.platform.leaderboard.ranking import ranking_order
from podium.platform.leaderboard.standing import BoardRules
from podium.platform.leaderboard.ties import MISSING, comparable


def sort_key(
    values: Sequence[float | None], columns: Sequence[ColumnRule], primary_index: int
) -> tuple[float, ...] | None:
    """The values that rank, in the order in which they do, such that less is better and infinity stands for missing.

    `None` for a row without a value in the primary column, which stands in no order.
    """
    key = tuple(comparable(columns[at], [values[at]])[0] for at in ranking_order(columns, primary_index))
    return key if key and key[0] != MISSING else None


def keys_tell_the_order(rules: BoardRules) -> bool:
    """Whether the rows' keys alone say the board's order, and which of them are tied."""
    columns = rules.columns
    order = ranking_order(columns, rules.primary_index)
    return (
        rules.ranking is Ranking.LEXICOGRAPHIC
        and not any(columns[at].tie_tolerance > 0 for at in order)
        and not columns_over_ranks(columns)
        and len(dependency_order(columns)) == len(columns)
    )
