"""Attempts: kept alive by heartbeats, given back, lost or stopped. They begin in `claiming` and end in `results`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import Conflict
from podium.platform.events import pool_topic, record_event
from podium.platform.jobs import DOES_NOT_FIT, Handback, Heartbeat, HeartbeatAnswer
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    AttemptStatus,
    EvaluationStatus,
    Stage,
    SubmissionStatus,
)
from podium.platform.models import Agent, Attempt, Evaluation, Submission, Token, now
from podium.platform.settings import ServerSettings
from podium.platform.submissions.retries import FAILED_ATTEMPTS, MAX_ATTEMPTS, retry_delay
from podium.platform.submissions.transitions import move_submission

LAST_WORDS = timedelta(minutes=10)
"""How long an attempt's token is good after its end."""
STOPS_REMEMBERED = timedelta(minutes=2)
"""How long agents are told of an attempt that was ended from outside; later its heartbeat tells them."""


class Superseded(Conflict):
    """The attempt is over: it was lost, given back or cancelled, and what it says changes nothing any more."""

    type = "superseded"
    title = "This attempt is over"


class DoesNotFit(Conflict):
    """The submission needs what the agent does not have; it stays queued for another one."""

    type = DOES_NOT_FIT
    title = "This agent can't run the submission"


def active_in_rerun(session: Session, rerun_id: UUID) -> int:
    """How many submissions of a rerun agents hold now."""
    query = select(func.count()).where(
        Submission.rerun_id == rerun_id, Submission.status.in_(ACTIVE_SUBMISSION_STATUSES)
    )
    return session.scalar(query) or 0


def require_active(session: Session, attempt_id: UUID) -> tuple[Attempt, Submission]:
    """The attempt and its submission, both locked, if the attempt is still the one that counts.

    Raises:
        Superseded: It is over.
    """
    found = lock_attempts(session, [attempt_id]).get(attempt_id)
    if found is None or found[0].status is not AttemptStatus.ACTIVE:
        raise superseded(found[0] if found else None)
    return found


def lock_attempts(session: Session, attempt_ids: Iterable[UUID]) -> dict[UUID, tuple[Attempt, Submission]]:
    """Attempts that there are, with their submissions, all locked and as they are now."""
    # The submissions first, in the order of their ids, and of each then the attempt: everyone locks in this order,
    # which is that of the names after OF.
    found = session.execute(
        select(Submission, Attempt)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(Attempt.id.in_(attempt_ids))
        .order_by(Submission.id)
        .with_for_update(of=(Submission, Attempt))
        .execution_options(populate_existing=True)
    )
    return {attempt.id: (attempt, submission) for submission, attempt in found}


def superseded(attempt: Attempt | None) -> Superseded:
    """What one hears who reports of an attempt that is over."""
    state = attempt.status if attempt else "gone"
    return Superseded(f"This attempt is {state}; what it reports is not taken.", remedy="Stop working on it.")


_STATUS_OF_STAGE = {
    Stage.PREPARING: SubmissionStatus.PREPARING,
    Stage.RUNNING: SubmissionStatus.RUNNING,
    Stage.SCORING: SubmissionStatus.SCORING,
}


def heartbeat(session: Session, attempt_id: UUID, beat: Heartbeat, *, settings: ServerSettings) -> HeartbeatAnswer:
    """Renew an attempt's lease, and let the submission's status follow its stage; tell it to stop if it is over."""
    moment = now()
    expires = moment + timedelta(seconds=settings.lease_seconds)
    try:
        attempt, submission = require_active(session, attempt_id)
    except Superseded:
        return HeartbeatAnswer(lease_expires=moment, stop=True)
    attempt.lease_expires = expires
    attempt.stage = beat.stage
    after = _STATUS_OF_STAGE[beat.stage]
    if submission.status is not after and after is not SubmissionStatus.PREPARING:
        move_submission(session, submission, after, actor=f"attempt:{attempt.number}")
    return HeartbeatAnswer(lease_expires=expires)


def end_attempt(session: Session, attempt: Attempt, status: AttemptStatus, message: str) -> None:
    """Close an attempt. Its token lives a little longer, so that a late call hears that the attempt is over."""
    end_attempts(session, [attempt], status, message)


def end_attempts(session: Session, attempts: Sequence[Attempt], status: AttemptStatus, message: str) -> None:
    """Close several attempts in the same way."""
    moment = now()
    for attempt in attempts:
        attempt.status = status
        attempt.message = message
        attempt.ended = moment
    ids = [attempt.id for attempt in attempts]
    session.execute(update(Token).where(Token.attempt_id.in_(ids)).values(expires=moment + LAST_WORDS))


def retry_or_give_up(
    session: Session, attempt: Attempt, submission: Submission, status: AttemptStatus, why: str
) -> bool:
    """End an attempt that failed through no fault of the submission; queue the next, or give up after the last.

    Returns:
        Whether the submission is queued again.
    """
    end_attempt(session, attempt, status, why)
    actor = f"attempt:{attempt.number}"
    session.flush()
    failed = session.scalar(
        select(func.count()).where(Attempt.submission_id == submission.id, Attempt.status.in_(FAILED_ATTEMPTS))
    )
    if (failed or 0) < MAX_ATTEMPTS:
        delay = retry_delay(status, failed or 0)
        move_submission(
            session,
            submission,
            SubmissionStatus.QUEUED,
            actor=actor,
            reason=f"Queued again, for the platform's own trouble in attempt {attempt.number}: {why}",
            flow_run_id=None,
            batch_id=None,
            not_before=now() + delay if delay else None,
        )
        return True
    reason = (
        f"The platform could not score this in {MAX_ATTEMPTS} attempts; it does not count against your quota. {why}"
    )
    move_submission(session, submission, SubmissionStatus.FAILED, actor=actor, reason=reason, counts=False)
    _cancel_evaluations(session, submission.id)
    return False


def hand_back(session: Session, attempt_id: UUID, handback: Handback) -> UUID:
    """An agent gives up an attempt, in good order (it is stopping) or for trouble of its own.

    Raises:
        Superseded: The attempt was over already.
    """
    attempt, submission = require_active(session, attempt_id)
    status = AttemptStatus.CANCELLED if handback.stopping else AttemptStatus.PLATFORM_ERROR
    retry_or_give_up(session, attempt, submission, status, handback.reason)
    return submission.id


def lose_expired(session: Session) -> list[UUID]:
    """End all attempts whose lease has run out; return the submissions that were queued again."""
    expired = session.scalars(
        select(Attempt.id)
        .where(Attempt.status == AttemptStatus.ACTIVE, Attempt.lease_expires < now())
        .order_by(Attempt.submission_id)  # two gateways that do this at the same time lock in the same order
    ).all()
    queued: list[UUID] = []
    for attempt_id in expired:
        try:
            attempt, submission = require_active(session, attempt_id)
        except Superseded:
            continue
        if attempt.lease_expires >= now():
            continue
        if retry_or_give_up(session, attempt, submission, AttemptStatus.LOST, "Its agent was not heard of any more."):
            queued.append(submission.id)
    return queued


def cancel_submission(session: Session, submission_id: UUID, *, actor: str, reason: str) -> None:
    """Cancel a submission; the agent that holds it is told at its next heartbeat. One that never ran costs no quota.

    Raises:
        IllegalTransition: It has ended already.
    """
    submission = session.scalar(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update(of=Submission)
        .execution_options(populate_existing=True)
    )
    assert submission is not None
    ran = submission.status in ACTIVE_SUBMISSION_STATUSES
    move_submission(session, submission, SubmissionStatus.CANCELLED, actor=actor, reason=reason, counts=ran)
    attempt = session.scalar(
        select(Attempt)
        .where(Attempt.submission_id == submission_id, Attempt.status == AttemptStatus.ACTIVE)
        .with_for_update()
    )
    if attempt is not None:
        end_attempt(session, attempt, AttemptStatus.CANCELLED, reason)
    _cancel_evaluations(session, submission_id)
    if attempt is not None:
        record_event(session, subject="attempt", subject_id=attempt.id, before="active", after="cancelled", actor=actor)
        # Its agent's waiting call ends, and is told which of its attempts are over.
        notify(session, pool_topic(submission.competition.pool.name))


def stopped_attempts(session: Session, agent: Agent) -> tuple[UUID, ...]:
    """Attempts of an agent that were ended from outside a moment ago: it is to stop what still runs of them."""
    return tuple(
        session.scalars(
            select(Attempt.id).where(
                Attempt.agent_id == agent.id,
                Attempt.status.in_((AttemptStatus.CANCELLED, AttemptStatus.LOST)),
                Attempt.ended > now() - STOPS_REMEMBERED,
            )
        )
    )


def cancel_overdue_uploads(session: Session, *, seconds: float) -> list[UUID]:
    """Cancel submissions whose file was not completed in time, which gives the quota back; return them."""
    # One that is locked is being completed or cancelled at this moment.
    overdue = session.scalars(
        select(Submission.id)
        .where(Submission.status == SubmissionStatus.SUBMITTED, Submission.created < now() - timedelta(seconds=seconds))
        .order_by(Submission.id)
        .with_for_update(skip_locked=True)
    ).all()
    for submission_id in overdue:
        reason = "Its upload was not completed in time; it does not count against your quota."
        cancel_submission(session, submission_id, actor="platform", reason=reason)
    return list(overdue)


def _cancel_evaluations(session: Session, submission_id: UUID) -> None:
    """Those that wait will not be done any more."""
    session.execute(
        update(Evaluation)
        .where(Evaluation.submission_id == submission_id, Evaluation.status == EvaluationStatus.WAITING)
        .values(status=EvaluationStatus.CANCELLED)
    )
