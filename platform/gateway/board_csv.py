"""A leaderboard as CSV."""

from __future__ import annotations

import csv
import io

from podium.platform.csv_cells import safe_cell
from podium.platform.records.leaderboards import LeaderboardRecord


def board_csv(board: LeaderboardRecord) -> str:
    """The rows of a board, scores in whole precision; at the end those by each task, and who is in a team, where so."""
    text = io.StringIO()
    writer = csv.writer(text)
    questions = [question.key for question in board.questions]
    keys = [safe_cell(key) for key in (*(column.key for column in board.columns), *questions)]
    of_tasks = [safe_cell(f"{board.columns[at].key} ({board.tasks[task]})") for task, at in board.task_columns]
    fixed = ["entries", "submitted", "submission", "baseline", "combined_rank"]
    has_teams = any(row.team is not None for row in board.rows)
    writer.writerow(["rank", "participant", *keys, *fixed, *of_tasks, *(["team"] if has_teams else [])])
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
            *(board.task_score(row, task, at) for task, at in board.task_columns),
            *([" ".join(row.team or ())] if has_teams else []),
        ]
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()
