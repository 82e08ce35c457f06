"""What a participant chooses to stand on the leaderboard, where its rule leaves that to them."""

from __future__ import annotations

from sqlalchemy import delete, not_, update
from sqlalchemy.orm import Session

from podium.platform.bundles.content import SubmissionRule
from podium.platform.database import notify
from podium.platform.errors import Conflict
from podium.platform.leaderboard.entries import leaderboard_topic, lock_participant, submission_values
from podium.platform.leaderboard.selection import CHOSEN, MULTIPLE
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import LeaderboardEntry, Submission, now
from podium.platform.submissions.windows import phase_status


def put_on_leaderboard(session: Session, submission: Submission) -> None:
    """Have a scored submission stand on its phase's leaderboard; where only one may, in the place of the other.

    Raises:
        Conflict: The rule chooses by itself, the phase is over, or the submission has no scores.
    """
    _require_choice(submission)
    if submission.status is not SubmissionStatus.FINISHED:
        raise Conflict("Only a submission that was scored can stand on the leaderboard.")
    lock_participant(session, submission)
    board = submission.competition.leaderboards[0]
    if board.submission_rule not in MULTIPLE:
        _take_off(session, submission, others=True)
    if not _stands(session, submission):
        values = submission_values(board, submission)
        row = LeaderboardEntry(
            phase_id=submission.phase_id,
            submission_id=submission.id,
            person_id=submission.person_id,
            scores=list(values),
        )
        session.add(row)
    _mark(session, submission, stands=True)


def take_off_leaderboard(session: Session, submission: Submission) -> None:
    """Have a submission stand on the leaderboard no more; one that does not stand there is left alone.

    Raises:
        Conflict: The rule does not allow it, or the phase is over.
    """
    _require_choice(submission)
    if submission.competition.leaderboards[0].submission_rule is SubmissionRule.ADD:
        raise Conflict(
            "A submission can't be taken off this leaderboard.", remedy="Put another one there in its place."
        )
    lock_participant(session, submission)
    _take_off(session, submission, others=False)
    _mark(session, submission, stands=False)


def _require_choice(submission: Submission) -> None:
    if submission.competition.leaderboards[0].submission_rule not in CHOSEN:
        raise Conflict(
            "On this leaderboard, the rule chooses what stands there.",
            remedy="The competition's rules say which submission counts.",
        )
    if phase_status(submission.phase, now()) == "over":
        raise Conflict(f"Phase '{submission.phase.name}' is over: what stands on its leaderboard is final.")


def _stands(session: Session, submission: Submission) -> bool:
    return session.get(LeaderboardEntry, (submission.phase_id, submission.id)) is not None


def _take_off(session: Session, submission: Submission, *, others: bool) -> None:
    """Remove the submission's row, or those of the participant's others in the phase."""
    is_this = LeaderboardEntry.submission_id == submission.id
    gone = session.scalars(
        delete(LeaderboardEntry)
        .where(
            LeaderboardEntry.phase_id == submission.phase_id,
            LeaderboardEntry.person_id == submission.person_id,
            not_(is_this) if others else is_this,
        )
        .returning(LeaderboardEntry.submission_id)
    ).all()
    if gone:
        session.execute(
            update(Submission)
            .where(Submission.id.in_(gone), Submission.id != submission.id)
            .values(on_leaderboard=False, version=Submission.version + 1)
        )


def _mark(session: Session, submission: Submission, *, stands: bool) -> None:
    if submission.on_leaderboard is not stands:
        submission.on_leaderboard = stands
        submission.version += 1
    session.flush()
    notify(session, leaderboard_topic(submission.phase_id))
