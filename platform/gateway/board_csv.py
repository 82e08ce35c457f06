"""A leaderboard as CSV."""

from __future__ import annotations

import csv
import io

from podium.platform.csv_cells import safe_cell
from podium.platform.records.leaderboards import LeaderboardRecord


def board_csv(board: LeaderboardRecord) -> str:
    """The rows of a board, scores in whole precision."""
    text = io.StringIO()
    writer = csv.writer(text)
    questions = [question.key for question in board.questions]
    keys = [safe_cell(key) for key in (*(column.key for column in board.columns), *questions)]
    writer.writerow(["rank", "participant", *keys, "entries", "submitted", "submission", "baseline", "combined_rank"])
    for row in board.rows:
        cells = [
            row.rank,
            row.participant,
            *row.scores,
            *(row.fact_sheet.get(key, "") for key in questions),
            row.entries,
            row.submitted.isoformat(),
            row.submission_id,
            "true" if row.is_baseline else "false",
            row.combined_rank,
        ]
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()
