"""A stored leaderboard as the content of a bundle: for export, and for checking what is changed."""

from __future__ import annotations

from podium.platform.bundles.content import ColumnContent, LeaderboardContent
from podium.platform.models import Leaderboard


def leaderboard_content(board: Leaderboard) -> LeaderboardContent:
    """What a bundle says of a leaderboard and its columns."""
    return LeaderboardContent(
        title=board.title,
        key=board.key,
        submission_rule=board.submission_rule,
        hidden=board.hidden,
        primary_index=board.primary_index,
        columns=tuple(
            ColumnContent(
                index=column.index,
                title=column.title,
                key=column.key,
                sorting=column.sorting,
                computation=column.computation,
                computation_indexes=tuple(column.computation_indexes),
                precision=column.precision,
                hidden=column.hidden,
                computation_weights=tuple(column.computation_weights),
                ranking_precision=column.ranking_precision,
                tie_tolerance=column.tie_tolerance,
                exclude_from_ranking=column.exclude_from_ranking,
            )
            for column in board.columns
        ),
        ranking=board.ranking,
        anonymous=board.anonymous,
        freeze_hours=board.freeze_hours,
        rank_change_hours=board.rank_change_hours,
        organizers_are_baselines=board.organizers_are_baselines,
    )
