"""A phase's leaderboard in the database: brought up to date in the transaction that stores a result."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from podium.platform.bundles.content import FactSheetQuestion, FactSheetType
from podium.platform.database import notify
from podium.platform.leaderboard.columns import column_values
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.rules import column_rules
from podium.platform.leaderboard.selection import select_entries
from podium.platform.models import (
    Column,
    Competition,
    Leaderboard,
    LeaderboardEntry,
    Participant,
    Submission,
)
from podium.platform.records.competitions import ColumnRecord


def leaderboard_topic(phase_id: UUID) -> str:
    """The topic under which watchers of a phase's leaderboard are told."""
    return f"leaderboard:{phase_id}"


def submission_values(board: Leaderboard, submission: Submission) -> list[float | None]:
    """The value of each column for a submission; the evaluations that count and their scores are read."""
    evaluations = submission.results.evaluations
    by_task = [{score.key: score.value for score in evaluation.scores} for evaluation in evaluations]
    return column_values(column_rules(board), by_task)


def place_on_leaderboard(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Bring the participant's rows of the phase's leaderboard up to date with a submission that was just scored.

    Only what stands there already is looked at: how many others the participant has made costs nothing.
    """
    phase_id, person_id = submission.phase_id, submission.person_id
    lock_participant(session, submission)
    standing = {
        row.id: Entry(row.id, row.scores, row.created, row.number, row.is_baseline)
        for row in session.execute(
            select(
                Submission.id, LeaderboardEntry.scores, Submission.created, Submission.number, Submission.is_baseline
            )
            .join(Submission, Submission.id == LeaderboardEntry.submission_id)
            .where(LeaderboardEntry.phase_id == phase_id, LeaderboardEntry.person_id == person_id)
        )
    }
    values = submission_values(board, submission)
    placed = Entry(submission.id, values, submission.created, submission.number, submission.is_baseline)
    chosen = select_entries(
        board.submission_rule,
        [*standing.values(), placed],
        standing=frozenset(standing),
        columns=column_rules(board),
        primary_index=board.primary_index,
    )
    if gone := set(standing) - chosen:
        session.execute(
            delete(LeaderboardEntry).where(
                LeaderboardEntry.phase_id == phase_id, LeaderboardEntry.submission_id.in_(gone)
            )
        )
        session.execute(update(Submission).where(Submission.id.in_(gone)).values(on_leaderboard=False))
    if submission.id in chosen:
        row = LeaderboardEntry(
            phase_id=phase_id, submission_id=submission.id, person_id=person_id, scores=list(placed.values)
        )
        session.add(row)
        submission.on_leaderboard = True
    session.flush()
    notify(session, leaderboard_topic(phase_id))


def lock_participant(session: Session, submission: Submission) -> None:
    """Wait for who else changes a participant's rows, and see what they did: results and choices come one by one."""
    session.execute(
        select(Participant.person_id)
        .where(Participant.competition_id == submission.competition_id, Participant.person_id == submission.person_id)
        .with_for_update()
    )


def column_record(column: Column, board: Leaderboard) -> ColumnRecord:
    """A column, as people may see it."""
    return ColumnRecord(
        key=column.key,
        title=column.title,
        sorting=column.sorting,
        precision=column.precision,
        is_primary=column.index == board.primary_index,
        computation=column.computation,
    )


def visible_columns(board: Leaderboard, *, for_organizer: bool) -> list[Column]:
    """The columns that a reader may see."""
    return [column for column in board.columns if for_organizer or not column.hidden]


def questions_of(competition: Competition, *, on_leaderboard_only: bool = False) -> tuple[FactSheetQuestion, ...]:
    """The questions of a competition's fact sheet."""
    return tuple(
        FactSheetQuestion(
            **{**question, "type": FactSheetType(question["type"]), "selection": tuple(question["selection"])}
        )
        for question in competition.fact_sheet
        if question["is_on_leaderboard"] or not on_leaderboard_only
    )
