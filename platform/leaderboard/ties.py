"""Which values are the same when rows are ranked: pure.

A column's values are made comparable first: less is better, and a missing value is worse than any. With
`ranking_precision` they are rounded to so many digits after the point; what is rounded to the same is the same. With
`tie_tolerance` values are walked from the best one down: those within the tolerance of the best of their group are the
same, and the first beyond it begins the next group. So whoever is worse never changes who is tied among the better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from podium.platform.bundles.content import Sorting
from podium.platform.leaderboard.columns import ColumnRule

MISSING = math.inf
"""What stands for a missing value: worse than any that there may be."""

_SLACK = 1e-9  # of a tolerance: 0.895 and 0.885 are 0.01 apart, though not to the last bit


def comparable(column: ColumnRule, values: Sequence[float | None]) -> list[float]:
    """A column's values, rounded where it says so, such that less is better; `MISSING` for none, `nan` and infinity."""
    sign, digits = (1.0 if column.sorting is Sorting.ASC else -1.0), column.ranking_precision
    present = [MISSING if value is None or not math.isfinite(value) else sign * value for value in values]
    return present if digits is None else [round(value, digits) if value != MISSING else value for value in present]


def grouped(
    values: Sequence[float], tolerance: float, counted: Sequence[bool], within: Sequence[object] | None = None
) -> list[float]:
    """The comparable values, each replaced by the best one of its group.

    Args:
        tolerance: How far a value may be from the best of its group; at least 0.
        counted: Whether a row may be the best of a group; a baseline may not, since it must not move anybody.
        within: Where there is one, groups are made among the rows that have the same here.
    """
    if tolerance <= 0:
        return list(values)
    parts: dict[object, list[int]] = {}
    for row in range(len(values)):
        parts.setdefault(within[row] if within else None, []).append(row)
    reach = tolerance * (1 + _SLACK)
    best_of = list(values)
    for rows in parts.values():
        best = math.nan
        for row in sorted(rows, key=values.__getitem__):
            if values[row] - best <= reach:
                best_of[row] = best
            elif counted[row]:
                best = values[row]
    return best_of
