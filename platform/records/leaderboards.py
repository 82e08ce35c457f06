"""What the API answers of leaderboards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.bundles.content import FactSheetQuestion
from podium.platform.records.competitions import ColumnRecord


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """A row of a leaderboard.

    Attributes:
        rank: From 1; ties share one and the next is skipped (1, 2, 2, 4). `None` for a row that is not ranked,
            because a score that the ranking needs is missing.
        scores: One per column, in the columns' order; `None` where there is none.
        entries: Submissions of this participant that were scored in this phase.
        has_detailed_results: Whether there are detailed results of it that a reader of the board may see.
    """

    rank: int | None
    participant: str
    submission_id: UUID
    submission_number: int
    submitted: datetime
    scores: tuple[float | None, ...]
    fact_sheet: dict[str, str]
    entries: int
    has_detailed_results: bool = False


@dataclass(frozen=True, slots=True)
class LeaderboardRecord:
    """A leaderboard of a phase. `total` counts all its rows; `updated` is when an entry last changed."""

    competition: str
    competition_title: str
    title: str
    phase: str
    columns: tuple[ColumnRecord, ...]
    questions: tuple[FactSheetQuestion, ...]
    rows: tuple[LeaderboardRow, ...]
    total: int
    updated: datetime | None

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.competition_title}, phase {self.phase}, {len(self.rows)} of {self.total} rows"]
        for row in self.rows:
            scores = (score for score in zip(self.columns, row.scores, strict=True) if score[1] is not None)
            shown = ", ".join(f"{column.key}={score:.{column.precision}f}" for column, score in scores)
            rank = "-" if row.rank is None else f"{row.rank}."
            lines.append(f"{rank} {row.participant}: {shown or 'no scores'}")
        return "\n".join(lines)
