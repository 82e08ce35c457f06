"""What organizers put on a leaderboard and keep off it by hand.

What is kept off is marked so, for otherwise the next result, or a board made from scratch, would bring it back.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.leaderboard.entries import put_by_choice, standing_beside
from podium.platform.leaderboard.selection import CHOSEN, MULTIPLE
from podium.platform.leaderboard.whole_board import board_of, scored_submissions, write_board
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Leaderboard, Submission


def why_not_put_on(submission: Submission, board: Leaderboard) -> str:
    """Why a submission can't be put on the leaderboard; empty where it can."""
    if submission.on_leaderboard:
        return "it stands there already"
    if why := _why_without_scores(submission):
        return why
    if board.submission_rule not in CHOSEN and not submission.excluded:
        return f"the rule {board.submission_rule} chooses by itself, and would undo it"
    return ""


def why_not_kept_off(submission: Submission) -> str:
    """Why a submission can't be kept off the leaderboard; empty where it can."""
    return "it is kept off already" if submission.excluded else _why_without_scores(submission)


def _why_without_scores(submission: Submission) -> str:
    if submission.status is SubmissionStatus.FINISHED:
        return ""
    return f"it is {submission.status}: only what is finished has scores"


def replaced_by(session: Session, submission: Submission, board: Leaderboard) -> list[int]:
    """Numbers of the submissions of its participant or team that would make room for this one."""
    if board.submission_rule not in CHOSEN or board.submission_rule in MULTIPLE:
        return []
    standing = standing_beside(session, submission)
    return sorted(session.scalars(select(Submission.number).where(Submission.id.in_(standing - {submission.id}))))


def put_on(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Put a finished submission there, in the place of another where the rule has one alone; or let the rule choose.

    The caller holds the rows.
    """
    if submission.excluded:
        submission.excluded = False
        submission.version += 1
        session.flush()
    if board.submission_rule in CHOSEN:
        put_by_choice(session, submission, board)
    else:
        _choose_again(session, submission, board)


def keep_off(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Let a submission stand on no leaderboard until it is put there again; the rule chooses among the others.

    The caller holds the rows.
    """
    submission.excluded = True
    submission.version += 1
    session.flush()
    _choose_again(session, submission, board)


def _choose_again(session: Session, submission: Submission, board: Leaderboard) -> None:
    """Make the rows of this participant or team what the rule makes of all of theirs."""
    entrants = frozenset({submission.entrant_id})
    scored = scored_submissions(session, submission.phase, board, {}, entrants=entrants)
    write_board(session, submission.phase, board, board_of(board, scored), entrants=entrants)
