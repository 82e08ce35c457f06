"""A phase's leaderboard in the database: brought up to date in the transaction that stores a result, and read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from podium.platform.bundles.content import FactSheetQuestion, FactSheetType
from podium.platform.database import notify
from podium.platform.leaderboard.columns import ColumnRule, column_values
from podium.platform.leaderboard.linked_results import board_shows_detailed_results, submissions_with_results
from podium.platform.leaderboard.rank_columns import with_rank_values
from podium.platform.leaderboard.ranking import Entry, rank
from podium.platform.leaderboard.selection import select_entries
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import (
    Column,
    Competition,
    Leaderboard,
    LeaderboardEntry,
    Participant,
    Phase,
    Submission,
)
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow


def leaderboard_topic(phase_id: UUID) -> str:
    """The topic under which watchers of a phase's leaderboard are told."""
    return f"leaderboard:{phase_id}"


def column_rules(board: Leaderboard) -> list[ColumnRule]:
    """The board's columns, as the rules need them."""
    return [
        ColumnRule(
            index=column.index,
            key=column.key,
            sorting=column.sorting,
            computation=column.computation,
            computation_indexes=tuple(column.computation_indexes),
            hidden=column.hidden,
            computation_weights=tuple(column.computation_weights),
        )
        for column in board.columns
    ]


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
    # Two results of one participant at the same time: the second waits here and sees the first.
    session.execute(
        select(Participant.person_id)
        .where(Participant.competition_id == submission.competition_id, Participant.person_id == person_id)
        .with_for_update()
    )
    standing = {
        row[0]: Entry(row[0], row[1], row[2])
        for row in session.execute(
            select(LeaderboardEntry.submission_id, LeaderboardEntry.scores, Submission.created)
            .join(Submission, Submission.id == LeaderboardEntry.submission_id)
            .where(LeaderboardEntry.phase_id == phase_id, LeaderboardEntry.person_id == person_id)
        )
    }
    placed = Entry(submission.id, submission_values(board, submission), submission.created)
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


def read_leaderboard(
    session: Session,
    competition: Competition,
    phase: Phase,
    *,
    for_organizer: bool,
    limit: int,
    offset: int,
) -> LeaderboardRecord:
    """A phase's leaderboard, ranked; `limit` and `offset` cut the rows after ranking."""
    board = competition.leaderboards[0]
    rows = session.scalars(
        select(LeaderboardEntry)
        .where(LeaderboardEntry.phase_id == phase.id)
        .options(selectinload(LeaderboardEntry.submission), selectinload(LeaderboardEntry.person))
    ).all()
    rules = column_rules(board)
    filled = with_rank_values(rules, [row.scores for row in rows])
    entries = [Entry(row, values, row.submission.created) for row, values in zip(rows, filled, strict=True)]
    ranked = rank(entries, rules, board.primary_index)
    page = ranked[offset : offset + limit]
    counts = _entry_counts(session, phase, [item.entry.item.person_id for item in page])
    with_results = frozenset[UUID]()
    if board_shows_detailed_results(competition, phase):
        with_results = submissions_with_results(session, [item.entry.item.submission_id for item in page])
    columns = visible_columns(board, for_organizer=for_organizer)
    positions = [board.columns.index(column) for column in columns]
    questions = questions_of(competition, on_leaderboard_only=True)
    shown = {question.key for question in questions}
    return LeaderboardRecord(
        competition=competition.slug,
        competition_title=competition.title,
        title=board.title,
        phase=phase.name,
        columns=tuple(column_record(column, board) for column in columns),
        questions=questions,
        rows=tuple(
            LeaderboardRow(
                rank=item.rank,
                participant=item.entry.item.person.username,
                submission_id=item.entry.item.submission_id,
                submission_number=item.entry.item.submission.number,
                submitted=item.entry.submitted,
                scores=tuple(item.entry.values[at] for at in positions),
                fact_sheet={key: text for key, text in item.entry.item.submission.fact_sheet.items() if key in shown},
                entries=counts.get(item.entry.item.person_id, 0),
                has_detailed_results=item.entry.item.submission_id in with_results,
            )
            for item in page
        ),
        total=len(ranked),
        updated=max((row.updated for row in rows), default=None),
    )


def _entry_counts(session: Session, phase: Phase, people: Sequence[UUID]) -> dict[UUID, int]:
    found = session.execute(
        select(Submission.person_id, func.count())
        .where(
            Submission.phase_id == phase.id,
            Submission.person_id.in_(people),
            Submission.status == SubmissionStatus.FINISHED,
            Submission.rerun_id.is_(None),
        )
        .group_by(Submission.person_id)
    ).all()
    return {row[0]: row[1] for row in found}
