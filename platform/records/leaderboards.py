"""What the API answers of leaderboards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.bundles.content import FactSheetQuestion, Ranking
from podium.platform.records.competitions import ColumnRecord


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """A row of a leaderboard.

    Attributes:
        rank: From 1; ties share one and the next is skipped (1, 2, 2, 4). `None` for a baseline, and for a row that
            is not ranked because a score that the ranking needs is missing.
        participant: Their username; on an anonymous board a pseudonym, but for one's own and baselines.
        scores: One per column, in the columns' order; `None` where there is none.
        entries: Submissions of this participant that were scored in this phase.
        is_baseline: An organizer's for comparison: it stands where it belongs, and neither has a rank nor takes one.
        combined_rank: Mean or median of its ranks in the columns, where the board ranks by that.
        place: Where it stands in the order of the board, from 1, baselines counted; `None` for a row that lacks a score
            that the ranking needs.
        previous_rank: What it was at the beginning of the time over which the board tells changes; `None` where it had
            none then. By the participant, where each has one row, else by the submission.
        rank_change: By how many ranks it has risen since, negative for a fall.
        task_scores: For each of the board's tasks, the scores that it alone gave, in the columns' order, `None` where
            there is none and in columns over ranks. Empty where there is one task, and where the results are others now
            than those that stand here.
        has_detailed_results: Whether there are detailed results of it that a reader of the board may see.
        team: Usernames of who is in the team now that stands here, and whose name `participant` is; `None` for a
            participant alone, and where no name is shown.
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
    is_baseline: bool = False
    combined_rank: float | None = None
    place: int | None = None
    previous_rank: int | None = None
    rank_change: int | None = None
    team: tuple[str, ...] | None = None
    task_scores: tuple[tuple[float | None, ...], ...] = ()

    def is_of(self, username: str | None) -> bool:
        """Whether it is this person's, or their team's."""
        if username is None:
            return False
        return username in self.team if self.team is not None else username == self.participant

    @property
    def is_placed(self) -> bool:
        """Whether it stands in the order of the board, with or without a rank of its own."""
        return self.rank is not None or self.place is not None


@dataclass(frozen=True, slots=True)
class LeaderboardRecord:
    """A leaderboard of a phase.

    Attributes:
        total: Counts all its rows, or all that were searched for.
        updated: When an entry last changed.
        ranking: How ranks are made of the columns.
        anonymous: Everyone but organizers sees pseudonyms.
        frozen_since: When it froze, where it is frozen for who looks; organizers are always shown it live.
        version: Changes whenever what the board shows does; nothing else may be read out of it.
        as_of: The moment as of which it is shown, where one was asked for.
        own: The best row of who looks, wherever it stands.
        tasks: The names of the phase's tasks, in their order, where there are several.
    """

    competition: str
    competition_title: str
    title: str
    phase: str
    columns: tuple[ColumnRecord, ...]
    questions: tuple[FactSheetQuestion, ...]
    rows: tuple[LeaderboardRow, ...]
    total: int
    updated: datetime | None
    ranking: Ranking = Ranking.LEXICOGRAPHIC
    anonymous: bool = False
    frozen_since: datetime | None = None
    version: str = ""
    as_of: datetime | None = None
    own: LeaderboardRow | None = None
    tasks: tuple[str, ...] = ()

    @property
    def task_columns(self) -> tuple[tuple[int, int], ...]:
        """Where the scores of each task stand in a row's `task_scores`: task and column, for columns of scores."""
        given = [at for at, column in enumerate(self.columns) if column.computation is None]
        return tuple((task, at) for task in range(len(self.tasks)) for at in given)

    def task_score(self, row: LeaderboardRow, task: int, column: int) -> float | None:
        """What a task gave a row in a column; `None` where it gave nothing, or it is not known."""
        return row.task_scores[task][column] if task < len(row.task_scores) else None

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.competition_title}, phase {self.phase}, {len(self.rows)} of {self.total} rows"]
        for row in self.rows:
            scores = (score for score in zip(self.columns, row.scores, strict=True) if score[1] is not None)
            shown = ", ".join(f"{column.key}={score:.{column.precision}f}" for column, score in scores)
            rank = "-" if row.rank is None else f"{row.rank}."
            if row.is_baseline:
                rank = "baseline"
            lines.append(f"{rank} {row.participant}: {shown or 'no scores'}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class RankPoint:
    """A step in the history of a participant, or of the best of a board.

    Attributes:
        moment: When it was so from.
        rank: That it came to; `None` where the row was not ranked, or where the rules leave no rank to tell.
        scores: As in `LeaderboardRow`, in the order of the board's columns.
    """

    moment: datetime
    rank: int | None
    scores: tuple[float | None, ...]
    submission_number: int


@dataclass(frozen=True, slots=True)
class BoardDifference:
    """Where a phase's stored leaderboard is not what its scored submissions make of it."""

    phase: str
    submission_number: int | None
    message: str
