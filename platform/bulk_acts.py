"""What organizers do with several submissions at once: looked at before, and answered for each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.database import notify
from podium.platform.events import record_event, submission_topic
from podium.platform.leaderboard import by_hand
from podium.platform.leaderboard.entries import hold_entrants
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Submission
from podium.platform.records.organizing import BulkAct, BulkRecord, Outcome
from podium.platform.submission_listing import named
from podium.platform.submissions.attempts import cancel_submission

_WORDS = {
    BulkAct.CANCEL: "cancelled",
    BulkAct.PUT_ON_LEADERBOARD: "put on the leaderboard",
    BulkAct.TAKE_OFF_LEADERBOARD: "kept off the leaderboard",
}


def preview(session: Session, competition: Competition, act: BulkAct, numbers: Sequence[int]) -> BulkRecord:
    """What an act would do to each; nothing is done.

    Raises:
        NotFound: There is no submission of some number.
    """
    outcomes = [_judged(session, competition, act, one) for one in named(session, competition, numbers)]
    return BulkRecord(act, is_preview=True, outcomes=_in_order(outcomes))


def carry_out(
    session: Session, competition: Competition, act: BulkAct, numbers: Sequence[int], *, reason: str, actor: str
) -> tuple[BulkRecord, list[UUID]]:
    """Do it to each that it can be done to, all in one transaction.

    Returns:
        What came of each, and the flow runs that nobody needs any more.

    Raises:
        NotFound: There is no submission of some number; nothing is done.
    """
    outcomes, done, flow_runs = [], [], []
    for one in _held(session, competition, act, numbers):
        outcome = _judged(session, competition, act, one)
        if outcome.done:
            _do(session, competition, act, one, reason=reason, actor=actor)
            done.append(one.number)
            if act is BulkAct.CANCEL and one.flow_run_id and one.batch_id is None:
                flow_runs.append(one.flow_run_id)
        outcomes.append(outcome)
    if done:
        numbers_said = ", ".join(f"#{number}" for number in sorted(done))
        audit.note(session, "submissions", after=f"{_WORDS[act]}: {numbers_said}", reason=reason)
    return BulkRecord(act, is_preview=False, outcomes=_in_order(outcomes)), flow_runs


def _held(session: Session, competition: Competition, act: BulkAct, numbers: Sequence[int]) -> list[Submission]:
    """The submissions; those that the act may change are held until the transaction is over, and as they are now.

    What is cancelled can neither begin nor end meanwhile. On boards there is only what is finished, which stays so:
    its participant is held before it, as by those who choose. A result is stored the other way round, so that what
    may still get one is not held here.
    """
    if act is BulkAct.CANCEL:
        return named(session, competition, numbers, lock=True)
    found = named(session, competition, numbers)
    finished = [one for one in found if one.status is SubmissionStatus.FINISHED]
    hold_entrants(session, finished)
    named(session, competition, [one.number for one in finished], lock=True)
    return found


def _in_order(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(sorted(outcomes, key=lambda one: int(one.name[1:])))


def _judged(session: Session, competition: Competition, act: BulkAct, submission: Submission) -> Outcome:
    board, name = competition.leaderboards[0], f"#{submission.number}"
    match act:
        case BulkAct.CANCEL:
            if submission.ended is not None:
                return Outcome(name, done=False, message=f"it is {submission.status} already")
            return Outcome(name, done=True, message=f"{submission.status}, of {submission.person.username}: cancelled")
        case BulkAct.PUT_ON_LEADERBOARD:
            if why := by_hand.why_not_put_on(submission, board):
                return Outcome(name, done=False, message=why)
            gone = ", ".join(f"#{number}" for number in by_hand.replaced_by(session, submission, board))
            instead = f", in the place of {gone}" if gone else ""
            return Outcome(name, done=True, message=f"of {submission.person.username}: put there{instead}")
        case BulkAct.TAKE_OFF_LEADERBOARD:
            if why := by_hand.why_not_kept_off(submission):
                return Outcome(name, done=False, message=why)
            return Outcome(
                name,
                done=True,
                message=f"of {submission.person.username}: kept off until an organizer puts it there again",
            )


def _do(
    session: Session, competition: Competition, act: BulkAct, submission: Submission, *, reason: str, actor: str
) -> None:
    if act is BulkAct.CANCEL:
        words = f"Cancelled by an organizer: {reason}" if reason else "Cancelled by an organizer."
        cancel_submission(session, submission.id, actor=actor, reason=words)
        return
    if act is BulkAct.PUT_ON_LEADERBOARD:
        by_hand.put_on(session, submission, competition.leaderboards[0])
    else:
        by_hand.keep_off(session, submission, competition.leaderboards[0])
    record_event(
        session,
        subject="leaderboard",
        subject_id=submission.id,
        before=None,
        after="put on" if act is BulkAct.PUT_ON_LEADERBOARD else "kept off",
        actor=actor,
        reason=reason,
    )
    notify(session, submission_topic(submission.id))
