"""A phase's leaderboard as somebody may see it: ranked, with names or without, live or as it stood when it froze."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from podium.platform.leaderboard.entries import column_record, questions_of, visible_columns
from podium.platform.leaderboard.linked_results import board_shows_detailed_results, submissions_with_results
from podium.platform.leaderboard.names import pseudonym
from podium.platform.leaderboard.ranking import Entry, Ranked
from podium.platform.leaderboard.rules import board_rules
from podium.platform.leaderboard.standing import frozen_since, ranked_entries
from podium.platform.leaderboard.whole_board import board_of, scored_submissions
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Leaderboard, LeaderboardEntry, Person, Phase, Submission, now
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow


def read_leaderboard(
    session: Session,
    competition: Competition,
    phase: Phase,
    *,
    for_organizer: bool,
    viewer_id: UUID | None,
    limit: int,
    offset: int,
) -> LeaderboardRecord:
    """A phase's leaderboard, ranked; `limit` and `offset` cut the rows after ranking.

    Args:
        for_organizer: Whether hidden columns, names and what a frozen board keeps back are shown.
        viewer_id: Who looks, and sees their own name; `None` for a visitor.
    """
    board = competition.leaderboards[0]
    frozen = None if for_organizer else frozen_since(phase.ends, board.freeze_hours, now(), board.unfrozen)
    entries, updated = _live(session, phase) if frozen is None else _as_of(session, phase, board, frozen)
    ranked = ranked_entries(board_rules(board), entries)
    page = ranked[offset : offset + limit]
    columns = visible_columns(board, for_organizer=for_organizer)
    questions = questions_of(competition, on_leaderboard_only=True)
    return LeaderboardRecord(
        competition=competition.slug,
        competition_title=competition.title,
        title=board.title,
        phase=phase.name,
        columns=tuple(column_record(column, board) for column in columns),
        questions=questions,
        rows=_rows(
            session,
            competition,
            phase,
            page,
            first=offset + 1,
            positions=[board.columns.index(column) for column in columns],
            answers=frozenset(question.key for question in questions),
            by=frozen,
            is_anonymous=board.anonymous and not for_organizer,
            viewer_id=viewer_id,
        ),
        total=len(ranked),
        updated=updated,
        ranking=board.ranking,
        anonymous=board.anonymous,
        frozen_since=frozen,
    )


def _live(session: Session, phase: Phase) -> tuple[list[Entry[UUID]], datetime | None]:
    """What stands on the board now, and when it changed last."""
    rows = session.execute(
        select(
            Submission.id,
            LeaderboardEntry.scores,
            Submission.created,
            Submission.number,
            Submission.is_baseline,
            LeaderboardEntry.updated,
        )
        .join(LeaderboardEntry, LeaderboardEntry.submission_id == Submission.id)
        .where(LeaderboardEntry.phase_id == phase.id)
    ).all()
    entries = [Entry(row.id, row.scores, row.created, row.number, row.is_baseline) for row in rows]
    return entries, max((row.updated for row in rows), default=None)


def _as_of(
    session: Session, phase: Phase, board: Leaderboard, moment: datetime
) -> tuple[list[Entry[UUID]], datetime | None]:
    """What stood there at a moment: out of all that was scored by then."""
    scored = scored_submissions(session, phase, board, {}, by=moment)
    standing = board_of(board, scored).values()
    return [one.entry() for one in standing], max((one.ended for one in standing if one.ended), default=None)


def _rows(
    session: Session,
    competition: Competition,
    phase: Phase,
    page: Sequence[Ranked[UUID]],
    *,
    first: int,
    positions: Sequence[int],
    answers: frozenset[str],
    by: datetime | None,
    is_anonymous: bool,
    viewer_id: UUID | None,
) -> tuple[LeaderboardRow, ...]:
    shown = [row.entry.item for row in page]
    query = select(Submission).where(Submission.id.in_(shown)).options(selectinload(Submission.person))
    submissions = {submission.id: submission for submission in session.scalars(query)}
    counts = _entry_counts(session, phase, {one.person_id for one in submissions.values()}, by)
    with_results = frozenset[UUID]()
    if board_shows_detailed_results(competition, phase):
        with_results = submissions_with_results(session, shown)
    found: list[LeaderboardRow] = []
    for place, row in enumerate(page, start=first):
        submission = submissions[row.entry.item]
        is_named = not is_anonymous or row.entry.is_baseline or submission.person_id == viewer_id
        found.append(
            LeaderboardRow(
                rank=row.rank,
                participant=_name(competition, submission.person, is_named=is_named),
                submission_id=submission.id,
                submission_number=submission.number,
                submitted=submission.created,
                scores=tuple(row.entry.values[at] for at in positions),
                fact_sheet={key: text for key, text in submission.fact_sheet.items() if key in answers},
                entries=counts.get(submission.person_id, 0),
                has_detailed_results=submission.id in with_results,
                is_baseline=row.entry.is_baseline,
                combined_rank=row.combined_rank,
                place=place if row.is_placed else None,
            )
        )
    return tuple(found)


def _name(competition: Competition, person: Person, *, is_named: bool) -> str:
    return person.username if is_named else pseudonym(competition.leaderboards[0].pseudonym_key, person.id)


def shown_name(submission: Submission, *, for_organizer: bool, viewer_id: UUID | None) -> str:
    """What the participant of a submission is called to somebody whom the leaderboard led to it."""
    is_anonymous = submission.competition.leaderboards[0].anonymous and not for_organizer
    is_named = not is_anonymous or submission.is_baseline or submission.person_id == viewer_id
    return _name(submission.competition, submission.person, is_named=is_named)


def _entry_counts(session: Session, phase: Phase, people: set[UUID], by: datetime | None) -> dict[UUID, int]:
    """How many of each person's submissions were scored, up to a moment if there is one."""
    query = (
        select(Submission.person_id, func.count())
        .where(
            Submission.phase_id == phase.id,
            Submission.person_id.in_(people),
            Submission.status == SubmissionStatus.FINISHED,
            Submission.rerun_id.is_(None),
        )
        .group_by(Submission.person_id)
    )
    if by is not None:
        query = query.where(Submission.ended <= by)
    return {row[0]: row[1] for row in session.execute(query).all()}
