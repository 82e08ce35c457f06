"""A result: checked against what the attempt was asked, stored whole in one transaction, only then finished."""

from __future__ import annotations

import hashlib
import math
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import InvalidInput
from podium.platform.jobs import EvaluationResult, OutputKind, ScoringResult
from podium.platform.leaderboard.entries import place_on_leaderboard
from podium.platform.lifecycle import (
    AttemptOutcome,
    AttemptStatus,
    EvaluationStatus,
    SubmissionStatus,
    Verdict,
    attempt_outcome,
)
from podium.platform.models import Attempt, Evaluation, Output, Score, Submission
from podium.platform.storage import Storage, StoredContent
from podium.platform.stored import accept, keep
from podium.platform.submissions.attempts import Superseded, end_attempt, require_active, retry_or_give_up
from podium.platform.submissions.manifest import live_results_key, output_key
from podium.platform.submissions.transitions import move_submission

KEY_CHARACTERS = 100
_STORED = {
    AttemptOutcome.SUCCEEDED: EvaluationStatus.SUCCEEDED,
    AttemptOutcome.USER_ERROR: EvaluationStatus.FAILED,
}
"""Outcomes that settle an evaluation; the others leave it to the next attempt."""


def accept_outputs(session: Session, result: ScoringResult, storage: Storage) -> dict[str, StoredContent]:
    """Give the outputs their final places; what is not referred to in the end is swept later.

    Raises:
        NotFound, InvalidInput: An output was not uploaded, or is not what the result says.
    """
    accepted: dict[str, StoredContent] = {}
    for evaluation in result.evaluations:
        for output in evaluation.outputs:
            key = output_key(result.attempt_id, evaluation.evaluation_id, output.kind)
            if output.content is None:
                accepted[key] = accept(session, storage, key, sha256=output.sha256, size=output.size)
            else:
                accepted[key] = keep(session, storage, output.content, sha256=output.sha256, size=output.size)
    return accepted


def discard_uploads(result: ScoringResult, storage: Storage) -> None:
    """Forget the uploads of a result that is stored."""
    for evaluation in result.evaluations:
        in_messages = {output.kind for output in evaluation.outputs if output.content is not None}
        storage.discard(live_results_key(result.attempt_id, evaluation.evaluation_id))
        for kind in set(OutputKind) - in_messages:
            storage.discard(output_key(result.attempt_id, evaluation.evaluation_id, kind))


def store_result(session: Session, result: ScoringResult, storage: Storage) -> bool:
    """Store the end of an attempt; tell whether the submission is queued again.

    Scores, output records, timings, the submission's end and the leaderboard change together or not at all. The same
    result again, from an agent that did not hear the answer, changes nothing.

    Raises:
        Superseded: The attempt is over; nothing changes.
        InvalidInput: The result does not fit the job; nothing changes.
    """
    digest = hashlib.sha256(result.model_dump_json().encode()).hexdigest()
    try:
        attempt, submission = require_active(session, result.attempt_id)
    except Superseded:
        # Only now that it is locked: the same result may have been stored a moment ago.
        if session.scalar(select(Attempt.result_sha256).where(Attempt.id == result.attempt_id)) == digest:
            return False
        raise
    waiting = {
        evaluation.id: evaluation
        for evaluation in submission.evaluations
        if evaluation.status is EvaluationStatus.WAITING
    }
    _check(result, set(waiting))
    accepted = accept_outputs(session, result, storage)
    for reported in result.evaluations:
        if reported.outcome in _STORED:
            owner_id = submission.competition.organizer_id
            _store_evaluation(session, waiting[reported.evaluation_id], reported, attempt, accepted, owner_id)
    attempt.timings = result.timings
    attempt.result_sha256 = digest
    outcome = attempt_outcome(reported.outcome for reported in result.evaluations)
    return _end(session, attempt, submission, result, outcome)


def _end(
    session: Session, attempt: Attempt, submission: Submission, result: ScoringResult, outcome: AttemptOutcome
) -> bool:
    actor = f"attempt:{attempt.number}"
    messages = [reported.message for reported in result.evaluations if reported.outcome is outcome]
    message = next((text for text in messages if text), "")
    match outcome:
        case AttemptOutcome.PLATFORM_ERROR:
            return retry_or_give_up(session, attempt, submission, AttemptStatus.PLATFORM_ERROR, message)
        case AttemptOutcome.CANCELLED:
            # The agent was stopped by somebody on its host: no fault of the submission.
            return retry_or_give_up(session, attempt, submission, AttemptStatus.CANCELLED, "The agent was stopped.")
        case AttemptOutcome.USER_ERROR:
            end_attempt(session, attempt, AttemptStatus.USER_ERROR, message)
            _fail(session, submission, actor)
        case AttemptOutcome.SUCCEEDED:
            end_attempt(session, attempt, AttemptStatus.SUCCEEDED, "")
            if _failed(submission):  # a task that an earlier attempt has settled
                _fail(session, submission, actor)
            else:
                move_submission(session, submission, SubmissionStatus.FINISHED, actor=actor)
    # What is scored again stands apart until its rerun is adopted.
    if submission.status is SubmissionStatus.FINISHED and submission.rerun_id is None:
        board = submission.competition.leaderboards[0]
        place_on_leaderboard(session, submission, board)
    return False


def _fail(session: Session, submission: Submission, actor: str) -> None:
    # That an image can't be had is no participant's doing, whichever attempt has found it.
    counts = {evaluation.verdict for evaluation in _failed(submission)} != {Verdict.IMAGE_UNAVAILABLE}
    reason = _failure(submission)
    move_submission(session, submission, SubmissionStatus.FAILED, actor=actor, reason=reason, counts=counts)


def _failed(submission: Submission) -> list[Evaluation]:
    return [evaluation for evaluation in submission.evaluations if evaluation.status is EvaluationStatus.FAILED]


def _failure(submission: Submission) -> str:
    """Why the submission failed: what its failed tasks say, once where they all say the same, else by name."""
    failed = _failed(submission)
    if len(failed) == len(submission.evaluations) and len({evaluation.message for evaluation in failed}) == 1:
        return failed[0].message
    return " ".join(f"Task '{evaluation.task.name}': {evaluation.message}" for evaluation in failed)


def _check(result: ScoringResult, expected: set[object]) -> None:
    reported = [evaluation.evaluation_id for evaluation in result.evaluations]
    if len(set(reported)) != len(reported) or set(reported) != expected:
        raise InvalidInput("The result does not name each evaluation of the attempt exactly once.")
    for evaluation in result.evaluations:
        if any(len(key) > KEY_CHARACTERS for key in evaluation.scores):
            raise InvalidInput(f"The key of a score is longer than {KEY_CHARACTERS} characters.")
        if any(not math.isfinite(value) for value in evaluation.scores.values()):
            raise InvalidInput("A score is not a finite number.")
        if (evaluation.verdict is not None) != (evaluation.outcome is AttemptOutcome.USER_ERROR):
            raise InvalidInput("A verdict belongs to a user error, and a user error has one.")
        if len({output.kind for output in evaluation.outputs}) != len(evaluation.outputs):
            raise InvalidInput("An output is reported twice.")


def _store_evaluation(
    session: Session,
    evaluation: Evaluation,
    reported: EvaluationResult,
    attempt: Attempt,
    accepted: dict[str, StoredContent],
    owner_id: UUID,
) -> None:
    evaluation.status = _STORED[reported.outcome]
    evaluation.verdict = reported.verdict
    evaluation.message = reported.message
    evaluation.attempt_id = attempt.id
    evaluation.programs = [program.model_dump(mode="json") for program in reported.programs]
    evaluation.timings = reported.timings
    if reported.outcome is AttemptOutcome.SUCCEEDED:
        # As rows of their own: what an evaluation that waits has had is nothing, and need not be read.
        session.add_all(
            Score(evaluation_id=evaluation.id, key=key, value=value) for key, value in sorted(reported.scores.items())
        )
    for output in reported.outputs:
        stored = accepted[output_key(attempt.id, evaluation.id, output.kind)]
        session.add(
            Output(
                evaluation_id=evaluation.id,
                kind=output.kind,
                owner_id=owner_id,
                content=stored.key,
                sha256=stored.sha256,
                size=stored.size,
            )
        )
