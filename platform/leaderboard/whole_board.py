"""A phase's leaderboard from scratch: out of all that was scored, with or without what a rerun would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from podium.platform.leaderboard.changes import Change, NewRow, change_board
from podium.platform.leaderboard.columns import column_values
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.rules import board_rules, column_rules
from podium.platform.leaderboard.sort_keys import sort_key
from podium.platform.leaderboard.standing import BoardRules, Candidate, ranks_of_entrants, standing_entries
from podium.platform.leaderboard.withdrawals import withdrawn_entrants
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Evaluation, Leaderboard, LeaderboardEntry, Phase, Score, Submission

Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Scored:
    """A submission that is finished: whose it is, when it was made, and a value for each column.

    `is_withdrawn` says that its participant has taken off the board all that stood there of theirs.
    """

    submission_id: UUID
    person_id: UUID
    created: datetime
    stands: bool
    values: Values
    number: int = 0
    is_baseline: bool = False
    ended: datetime | None = None
    is_withdrawn: bool = False
    team_id: UUID | None = None

    @property
    def entrant_id(self) -> UUID:
        """Who enters with it: its team, else its participant."""
        return self.team_id or self.person_id

    def entry(self) -> Entry[UUID]:
        """It as a row to rank."""
        return Entry(self.submission_id, self.values, self.created, self.number, self.is_baseline)


def scored_submissions(
    session: Session,
    phase: Phase,
    board: Leaderboard,
    replaced: Mapping[UUID, UUID | None],
    *,
    by: datetime | None = None,
    entrants: Collection[UUID] | None = None,
) -> dict[UUID, Scored]:
    """All finished submissions of a phase that nobody keeps off its board, with their values.

    Args:
        replaced: Submissions whose results are to be read from another one's evaluations; `None` for one that would
            not be finished.
        by: Only those that had ended by then, with the results that count now.
        entrants: Only those of these participants and teams.
    """
    ended = Submission.ended.is_not(None) if by is None else Submission.ended <= by
    whose = func.coalesce(Submission.team_id, Submission.person_id).in_(entrants) if entrants is not None else true()
    rows = session.execute(
        select(
            Submission.id,
            Submission.person_id,
            Submission.team_id,
            Submission.created,
            Submission.on_leaderboard,
            Submission.status,
            Submission.results_id,
            Submission.number,
            Submission.is_baseline,
            Submission.ended,
        ).where(Submission.phase_id == phase.id, Submission.rerun_id.is_(None), ~Submission.excluded, ended, whose)
    ).all()
    sources: dict[UUID, UUID] = {}
    for row in rows:
        source = replaced.get(row.id, row.results_id or row.id) if _counts(row.id, row.status, replaced) else None
        if source is not None:
            sources[row.id] = source
    values = values_of(session, board, set(sources.values()))
    empty = column_values(column_rules(board), [])
    withdrawn = withdrawn_entrants(session, phase.id, board, entrants)
    return {
        row.id: Scored(
            row.id,
            row.person_id,
            row.created,
            row.on_leaderboard,
            values.get(sources[row.id], empty),
            row.number,
            row.is_baseline,
            row.ended,
            (row.team_id or row.person_id) in withdrawn,
            row.team_id,
        )
        for row in rows
        if row.id in sources
    }


def _counts(submission_id: UUID, status: SubmissionStatus, replaced: Mapping[UUID, UUID | None]) -> bool:
    return submission_id in replaced or status is SubmissionStatus.FINISHED


def values_of(session: Session, board: Leaderboard, submissions: set[UUID]) -> dict[UUID, Values]:
    """A value for each column, for every one of these submissions' own evaluations."""
    rules = column_rules(board)
    return {one: column_values(rules, tasks) for one, tasks in scores_by_task(session, submissions).items()}


def scores_by_task(session: Session, submissions: Collection[UUID]) -> dict[UUID, list[dict[str, float]]]:
    """What each task gave these submissions' own evaluations, in the order of the tasks: score by key."""
    by_task: dict[UUID, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    wanted = sorted(submissions)
    for start in range(0, len(wanted), _AT_ONCE):
        for submission_id, position, key, value in session.execute(
            select(Evaluation.submission_id, Evaluation.position, Score.key, Score.value)
            .join(Score, Score.evaluation_id == Evaluation.id, isouter=True)
            .where(Evaluation.submission_id.in_(wanted[start : start + _AT_ONCE]))
        ):
            scores = by_task[submission_id][position]
            if key is not None:
                scores[key] = value
    return {submission_id: [tasks[position] for position in sorted(tasks)] for submission_id, tasks in by_task.items()}


_AT_ONCE = 5000


def board_of(board: Leaderboard, scored: Mapping[UUID, Scored]) -> dict[UUID, Scored]:
    """Those of the scored submissions that stand on the board, by the board's rule."""
    chosen = frozenset(one.submission_id for one in scored.values() if one.stands)
    withdrawn = frozenset(one.entrant_id for one in scored.values() if one.is_withdrawn)
    standing = standing_entries(board_rules(board), _candidates(scored), chosen, withdrawn)
    return {candidate.entry.item: scored[candidate.entry.item] for candidate in standing}


def ranks_of(board: Leaderboard, standing: Mapping[UUID, Scored]) -> dict[UUID, int | None]:
    """The best rank of each participant or team on a board."""
    return ranks_of_entrants(board_rules(board), _candidates(standing))


def _candidates(scored: Mapping[UUID, Scored]) -> list[Candidate[UUID, UUID]]:
    return [Candidate(one.entrant_id, one.entry()) for one in scored.values()]


def write_board(
    session: Session,
    phase: Phase,
    board: Leaderboard,
    standing: Mapping[UUID, Scored],
    *,
    entrants: Collection[UUID] | None = None,
) -> None:
    """Make a phase's rows of the leaderboard these, and change none that is so already. The caller holds the people.

    Args:
        entrants: Whose rows these are; `None` for everybody's.
    """
    query = select(LeaderboardEntry).where(LeaderboardEntry.phase_id == phase.id, LeaderboardEntry.until.is_(None))
    rows = session.scalars(query if entrants is None else query.where(LeaderboardEntry.entrant_id.in_(entrants)))
    rules = board_rules(board)
    present = {row.submission_id: stored_row(row) for row in rows}
    wanted = {one.submission_id: wanted_row(rules, one) for one in standing.values()}
    changed = [standing[submission_id] for submission_id, row in wanted.items() if present.get(submission_id) != row]
    placed = [
        NewRow(one.submission_id, one.person_id, one.entrant_id, one.values, one.created, one.number, one.is_baseline)
        for one in changed
    ]
    change_board(session, phase.id, board, Change(set(present) - set(standing), placed))


class BoardRow(NamedTuple):
    """All that is stored of a row that stands on a board."""

    entrant_id: UUID
    scores: tuple[float | None, ...]
    sort_key: tuple[float, ...] | None
    submitted: datetime
    number: int
    is_baseline: bool


def stored_row(row: LeaderboardEntry) -> BoardRow:
    """The row as it is in the database."""
    key = None if row.sort_key is None else tuple(row.sort_key)
    return BoardRow(row.entrant_id, tuple(row.scores), key, row.submitted, row.number, row.is_baseline)


def wanted_row(rules: BoardRules, one: Scored) -> BoardRow:
    """The row that a submission should have."""
    key = sort_key(one.values, rules.columns, rules.primary_index)
    return BoardRow(one.entrant_id, tuple(one.values), key, one.created, one.number, one.is_baseline)
