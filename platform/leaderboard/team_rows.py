"""What becomes of a participant's rows when they join a team: the team's, as far as the rule lets them stand."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.leaderboard.changes import Change, NewRow, change_board
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.rules import column_rules
from podium.platform.leaderboard.selection import select_entries
from podium.platform.models import Leaderboard, LeaderboardEntry


def take_over_rows(session: Session, phase_id: UUID, board: Leaderboard, *, person_id: UUID, team_id: UUID) -> None:
    """Let what stands of a participant on a phase's board stand there for a team. The caller holds both."""
    row = LeaderboardEntry
    # What they took off stays off, also for the team; nothing else of what was is changed.
    session.execute(
        update(row)
        .where(row.phase_id == phase_id, row.entrant_id == person_id, row.is_withdrawn)
        .values(entrant_id=team_id)
        .execution_options(synchronize_session=False)
    )
    live = select(row).where(row.phase_id == phase_id, row.entrant_id.in_((person_id, team_id)), row.until.is_(None))
    standing = {one.submission_id: one for one in session.scalars(live.execution_options(populate_existing=True))}
    theirs = {one.submission_id for one in standing.values() if one.entrant_id == person_id}
    if not theirs:
        return
    chosen = select_entries(
        board.submission_rule,
        [Entry(one.submission_id, one.scores, one.submitted, one.number, one.is_baseline) for one in standing.values()],
        standing=frozenset(standing),
        columns=column_rules(board),
        primary_index=board.primary_index,
    )
    placed = [_of_team(standing[submission_id], team_id) for submission_id in theirs & chosen]
    change_board(session, phase_id, board, Change(set(standing) - chosen, placed))


def tell_boards(session: Session, boards: Leaderboard, team_id: UUID) -> None:
    """Give the boards on which a team stands their next version: its name, or who is in it, is another."""
    row = LeaderboardEntry
    standing = select(row.phase_id).where(row.entrant_id == team_id, row.until.is_(None)).distinct()
    for phase_id in sorted(session.scalars(standing)):
        change_board(session, phase_id, boards, Change())


def _of_team(row: LeaderboardEntry, team_id: UUID) -> NewRow:
    return NewRow(row.submission_id, row.person_id, team_id, row.scores, row.submitted, row.number, row.is_baseline)
