"""What a participant chooses to stand on the leaderboard, where its rule leaves that to them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from podium.platform.bundles.content import SubmissionRule
from podium.platform.errors import Conflict
from podium.platform.leaderboard.changes import Change, change_board
from podium.platform.leaderboard.entries import hold_entrants, put_by_choice, standing_beside
from podium.platform.leaderboard.selection import CHOSEN
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Leaderboard, Submission, now
from podium.platform.submissions.windows import phase_status


def put_on_leaderboard(session: Session, submission: Submission) -> None:
    """Have a scored submission stand on its phase's leaderboard; where only one may, in the place of the other.

    Raises:
        Conflict: The rule chooses by itself, the phase is over, or the submission has no scores.
    """
    board = _require_choice(session, submission)
    if submission.id not in standing_beside(session, submission):
        put_by_choice(session, submission, board)


def take_off_leaderboard(session: Session, submission: Submission) -> None:
    """Have a submission stand on the leaderboard no more; one that does not stand there is left alone.

    Raises:
        Conflict: The rule does not allow it, the phase is over, or the submission has no scores.
    """
    board = _require_choice(session, submission)
    if board.submission_rule is SubmissionRule.ADD:
        raise Conflict(
            "A submission can't be taken off this leaderboard.", remedy="Put another one there in its place."
        )
    if submission.id in standing_beside(session, submission):
        change_board(session, submission.phase_id, board, Change([submission.id], is_withdrawal=True))


def _require_choice(session: Session, submission: Submission) -> Leaderboard:
    """Go on only if there is something to choose, and alone with what the participant has there."""
    board = submission.competition.leaderboards[0]
    if board.submission_rule not in CHOSEN:
        raise Conflict(
            "On this leaderboard, the rule chooses what stands there.",
            remedy="The competition's rules say which submission counts.",
        )
    if phase_status(submission.phase, now()) == "over":
        raise Conflict(f"Phase '{submission.phase.name}' is over: what stands on its leaderboard is final.")
    if submission.is_baseline:
        raise Conflict("A baseline always stands on the leaderboard.")
    _require_scores(submission)
    # The participant before the submission, as those do who place many at once: else two could wait for each other.
    hold_entrants(session, [submission])
    session.refresh(submission, ["status", "results_id", "excluded"], with_for_update=True)
    session.expire(submission, ["adopted"])
    _require_scores(submission)
    if submission.excluded:
        raise Conflict(
            "An organizer keeps this submission off the leaderboard.",
            remedy="Ask them why: see the competition's contact.",
        )
    return board


def _require_scores(submission: Submission) -> None:
    if submission.status is not SubmissionStatus.FINISHED:
        raise Conflict("Only a submission that was scored can stand on the leaderboard.")
