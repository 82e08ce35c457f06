"""A phase's leaderboard in the database: brought up to date in the transaction that stores a result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from podium.platform.bundles.content import FactSheetQuestion, FactSheetType, SubmissionRule
from podium.platform.leaderboard.changes import Change, NewRow, change_board
from podium.platform.leaderboard.columns import column_values
from podium.platform.leaderboard.ranking import Entry
from podium.platform.leaderboard.rules import column_rules
from podium.platform.leaderboard.selection import MULTIPLE, select_entries
from podium.platform.leaderboard.withdrawals import withdrawn_entrants
from podium.platform.models import (
    Column,
    Competition,
    Leaderboard,
    LeaderboardEntry,
    Participant,
    Submission,
)
from podium.platform.records.competitions import ColumnRecord
from podium.platform.team_members import hold_teams


def submission_values(board: Leaderboard, submission: Submission) -> list[float | None]:
    """The value of each column for a submission; the evaluations that count and their scores are read."""
    evaluations = submission.results.evaluations
    by_task = [{score.key: score.value for score in evaluation.scores} for evaluation in evaluations]
    return column_values(column_rules(board), by_task)


def new_row(board: Leaderboard, submission: Submission) -> NewRow:
    """A submission that was scored, as a row of its leaderboard."""
    values = submission_values(board, submission)
    return NewRow(
        submission.id,
        submission.person_id,
        submission.entrant_id,
        values,
        submission.created,
        submission.number,
        submission.is_baseline,
    )


def place_on_leaderboards(session: Session, submissions: Sequence[Submission]) -> None:
    """Bring leaderboards up to date with submissions that were just scored.

    Only what stands there already is looked at: how many others a participant has made costs nothing.
    """
    hold_entrants(session, submissions)
    by_phase: dict[UUID, list[Submission]] = {}
    for submission in submissions:
        by_phase.setdefault(submission.phase_id, []).append(submission)
    # All boards that a transaction changes come after all of its participants, and each in the same order.
    for phase_id in sorted(by_phase):
        board = by_phase[phase_id][0].competition.leaderboards[0]
        change_board(session, phase_id, board, _change(session, phase_id, board, by_phase[phase_id]))


def put_by_choice(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Have a submission stand where people choose what stands; where only one may, in the place of the other.

    The caller holds the entrant.
    """
    gone = () if board.submission_rule in MULTIPLE else standing_beside(session, submission)
    change_board(session, submission.phase_id, board, Change(gone, [new_row(board, submission)]))


def standing_beside(session: Session, submission: Submission) -> frozenset[UUID]:
    """What stands in the submission's phase of whom it is, baselines left out; also itself, if it stands."""
    row = LeaderboardEntry
    return frozenset(
        session.scalars(
            select(row.submission_id).where(
                row.phase_id == submission.phase_id,
                row.entrant_id == submission.entrant_id,
                row.until.is_(None),
                ~row.is_baseline,
            )
        )
    )


def hold_participants(session: Session, keys: Collection[tuple[UUID, UUID]]) -> None:
    """Let others that change rows of these people wait: results and choices come one by one, and see the one before.

    Args:
        keys: Competitions and people in them.
    """
    session.execute(
        select(Participant.person_id)
        .where(tuple_(Participant.competition_id, Participant.person_id).in_(sorted(keys)))
        .order_by(Participant.competition_id, Participant.person_id)
        .with_for_update()
    )


def hold_all_participants(session: Session, competition_id: UUID) -> None:
    """Let every result and choice of this competition wait until the transaction is over."""
    session.execute(
        select(Participant.person_id)
        .where(Participant.competition_id == competition_id)
        .order_by(Participant.person_id)
        .with_for_update()
    )


def hold_entrants(session: Session, submissions: Collection[Submission]) -> None:
    """Let others wait that change what the participants of these have on boards, and the teams that they are for.

    Which teams these are is read again: until their participants are held, somebody may join one.
    """
    hold_participants(session, {(one.competition_id, one.person_id) for one in submissions})
    of_teams = {one.id: one for one in submissions if one.competition.max_team_members is not None}
    if of_teams:
        query = select(Submission.id, Submission.team_id).where(Submission.id.in_(of_teams))
        found = {row.id: row.team_id for row in session.execute(query)}
        for submission_id, team_id in found.items():
            set_committed_value(of_teams[submission_id], "team_id", team_id)
        hold_teams(session, {team_id for team_id in found.values() if team_id is not None})


def _change(session: Session, phase_id: UUID, board: Leaderboard, submissions: Sequence[Submission]) -> Change:
    """What becomes of the board by these results of any number of entrants."""
    new = {one.id: new_row(board, one) for one in submissions}
    standing = _standing(session, phase_id, board, new.values())
    missing = {row.entrant_id for row in new.values()} - set(standing)
    withdrawn = withdrawn_entrants(session, phase_id, board, missing) if missing else frozenset[UUID]()
    gone, placed = set[UUID](), list[NewRow]()
    for entrant_id in {row.entrant_id for row in new.values()}:
        own = [row for row in new.values() if row.entrant_id == entrant_id]
        before = standing.get(entrant_id, {})
        entries = {**before, **{row.submission_id: _entry(row) for row in own}}
        chosen = select_entries(
            board.submission_rule,
            sorted(entries.values(), key=lambda entry: (entry.submitted, entry.number)),
            standing=frozenset(before),
            columns=column_rules(board),
            primary_index=board.primary_index,
            is_withdrawn=entrant_id in withdrawn,
        )
        gone |= set(before) - chosen
        placed += [row for row in own if row.submission_id in chosen]
    return Change(gone, placed)


def _standing(
    session: Session, phase_id: UUID, board: Leaderboard, new: Collection[NewRow]
) -> dict[UUID, dict[UUID, Entry[UUID]]]:
    """What stands of these entrants, as far as it may stand back for the new or keep it from standing.

    Baselines do neither, nor does anything where all that was scored stands; where they have several rows of their
    own choice, one of them is enough.
    """
    entrants = {row.entrant_id for row in new if not row.is_baseline}
    if not entrants or board.submission_rule is SubmissionRule.FORCE_LATEST_MULTIPLE:
        return {}
    query = select(LeaderboardEntry).where(
        LeaderboardEntry.phase_id == phase_id,
        LeaderboardEntry.entrant_id.in_(entrants),
        LeaderboardEntry.until.is_(None),
        ~LeaderboardEntry.is_baseline,
    )
    if board.submission_rule in MULTIPLE:
        query = query.distinct(LeaderboardEntry.entrant_id)
    found: dict[UUID, dict[UUID, Entry[UUID]]] = {}
    for row in session.scalars(query):
        entry = Entry(row.submission_id, row.scores, row.submitted, row.number, row.is_baseline)
        found.setdefault(row.entrant_id, {})[row.submission_id] = entry
    return found


def _entry(row: NewRow) -> Entry[UUID]:
    return Entry(row.submission_id, row.scores, row.submitted, row.number, row.is_baseline)


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
