"""What organizers put on a leaderboard and take off it by hand."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.leaderboard.entries import leaderboard_topic, lock_participant, submission_values
from podium.platform.leaderboard.selection import CHOSEN, MULTIPLE
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Leaderboard, LeaderboardEntry, Submission


def hold_rows(session: Session, submission: Submission) -> None:
    """Let nobody else change this participant's rows before the transaction ends."""
    lock_participant(session, submission)
    session.refresh(submission, ["status", "on_leaderboard"])


def why_not_put_on(submission: Submission, board: Leaderboard) -> str:
    """Why a submission can't be put on the leaderboard; empty where it can."""
    if submission.on_leaderboard:
        return "it stands there already"
    if submission.status is not SubmissionStatus.FINISHED:
        return f"it is {submission.status}: only what is finished has scores"
    if board.submission_rule not in CHOSEN:
        return f"the rule {board.submission_rule} chooses by itself, and would undo it"
    return ""


def replaced_by(session: Session, submission: Submission, board: Leaderboard) -> list[int]:
    """Numbers of the participant's submissions that would make room for this one."""
    if board.submission_rule in MULTIPLE:
        return []
    return sorted(
        session.scalars(
            select(Submission.number)
            .join(LeaderboardEntry, LeaderboardEntry.submission_id == Submission.id)
            .where(
                LeaderboardEntry.phase_id == submission.phase_id,
                LeaderboardEntry.person_id == submission.person_id,
                Submission.id != submission.id,
            )
        )
    )


def put_on(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Put a finished submission there, in the place of the participant's other row where the rule has one alone."""
    if board.submission_rule not in MULTIPLE:
        gone = session.scalars(
            select(LeaderboardEntry.submission_id).where(
                LeaderboardEntry.phase_id == submission.phase_id, LeaderboardEntry.person_id == submission.person_id
            )
        ).all()
        session.execute(
            delete(LeaderboardEntry).where(
                LeaderboardEntry.phase_id == submission.phase_id, LeaderboardEntry.submission_id.in_(gone)
            )
        )
        session.execute(update(Submission).where(Submission.id.in_(gone)).values(on_leaderboard=False))
    session.add(
        LeaderboardEntry(
            phase_id=submission.phase_id,
            submission_id=submission.id,
            person_id=submission.person_id,
            scores=submission_values(board, submission),
        )
    )
    _moved(session, submission, on_leaderboard=True)


def take_off(session: Session, submission: Submission) -> None:
    """Take a submission off. It is still scored, and may come back when it is scored again."""
    session.execute(
        delete(LeaderboardEntry).where(
            LeaderboardEntry.phase_id == submission.phase_id, LeaderboardEntry.submission_id == submission.id
        )
    )
    _moved(session, submission, on_leaderboard=False)


def _moved(session: Session, submission: Submission, *, on_leaderboard: bool) -> None:
    submission.on_leaderboard = on_leaderboard
    submission.version += 1
    session.flush()
    notify(session, leaderboard_topic(submission.phase_id))
