"""A result: checked against what the attempt was asked, stored whole in one transaction, only then finished."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from podium.platform.errors import InvalidInput, PodiumError
from podium.platform.jobs import EvaluationResult, OutputKind, ScoringResult
from podium.platform.leaderboard.entries import place_on_leaderboards
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
from podium.platform.submissions.attempts import (
    Superseded,
    end_attempt,
    end_attempts,
    lock_attempts,
    retry_or_give_up,
    superseded,
)
from podium.platform.submissions.manifest import live_results_key, output_key
from podium.platform.submissions.transitions import move_submission, move_submissions

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
    answer = store_results(session, [result], storage)[result.attempt_id]
    if isinstance(answer, PodiumError):
        raise answer
    return answer.queued_again


@dataclass(frozen=True, slots=True)
class Stored:
    """A result that is stored, now or before."""

    submission_id: UUID
    queued_again: bool = False


def store_results(
    session: Session, results: Sequence[ScoringResult], storage: Storage
) -> dict[UUID, Stored | PodiumError]:
    """Store the ends of several attempts, each as `store_result` does, in not many more statements than for one.

    A result that is refused changes nothing, and nothing about the others.

    Returns:
        By attempt, what became of its result; the first, where it has several.
    """
    first = {result.attempt_id: result for result in reversed(results)}
    held = lock_attempts(session, first)
    _load_evaluations(session, [submission for _, submission in held.values()])
    answers: dict[UUID, Stored | PodiumError] = {}
    ends: list[_End] = []
    for attempt_id, result in first.items():
        attempt, submission = held.get(attempt_id, (None, None))
        if attempt is None or submission is None or attempt.status is not AttemptStatus.ACTIVE:
            answers[attempt_id] = _heard_again(attempt, result)
            continue
        try:
            ends.append(_take(session, attempt, submission, result, storage))
        except PodiumError as refused:
            answers[attempt_id] = refused
    plain = {end.attempt.id: end for end in ends if end.is_plain}
    _finish(session, list(plain.values()))
    for end in ends:
        again = end.attempt.id not in plain and _end(session, end)
        answers[end.attempt.id] = Stored(end.submission.id, queued_again=again)
    _place(session, [end.submission for end in ends])
    return answers


@dataclass(frozen=True, slots=True)
class _End:
    """An attempt whose result is in the database, and which is to be ended."""

    attempt: Attempt
    submission: Submission
    outcome: AttemptOutcome
    message: str

    @property
    def actor(self) -> str:
        return f"attempt:{self.attempt.number}"

    @property
    def is_plain(self) -> bool:
        """Whether the submission has finished by it: not where a task failed, this time or in an earlier attempt."""
        return self.outcome is AttemptOutcome.SUCCEEDED and not _failed(self.submission)


def _load_evaluations(session: Session, submissions: Sequence[Submission]) -> None:
    """Have the evaluations of several submissions read in one statement, now that they are locked."""
    ids = [submission.id for submission in submissions]
    found = session.scalars(
        select(Evaluation)
        .where(Evaluation.submission_id.in_(ids))
        .order_by(Evaluation.position)
        .execution_options(populate_existing=True)
    ).all()
    for submission in submissions:
        of_it = [evaluation for evaluation in found if evaluation.submission_id == submission.id]
        set_committed_value(submission, "evaluations", of_it)


def _heard_again(attempt: Attempt | None, result: ScoringResult) -> Stored | Superseded:
    """The answer to a result of an attempt that is over: the very same may have been stored a moment ago."""
    if attempt is not None and attempt.result_sha256 == _digest(result):
        return Stored(attempt.submission_id)
    return superseded(attempt)


def _take(session: Session, attempt: Attempt, submission: Submission, result: ScoringResult, storage: Storage) -> _End:
    """Store what a result says of evaluations and attempt; what is refused is refused before anything changes."""
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
    attempt.result_sha256 = _digest(result)
    outcome = attempt_outcome(reported.outcome for reported in result.evaluations)
    messages = [reported.message for reported in result.evaluations if reported.outcome is outcome]
    return _End(attempt, submission, outcome, next((text for text in messages if text), ""))


def _digest(result: ScoringResult) -> str:
    return hashlib.sha256(result.model_dump_json().encode()).hexdigest()


def _finish(session: Session, ends: Sequence[_End]) -> None:
    """End attempts by which their submissions have finished, all of them at once."""
    if not ends:
        return
    end_attempts(session, [end.attempt for end in ends], AttemptStatus.SUCCEEDED, "")
    move_submissions(session, [(end.submission, end.actor) for end in ends], SubmissionStatus.FINISHED)


def _end(session: Session, end: _End) -> bool:
    """End an attempt by which its submission has not finished; tell whether that is queued again."""
    attempt, submission = end.attempt, end.submission
    match end.outcome:
        case AttemptOutcome.PLATFORM_ERROR:
            return retry_or_give_up(session, attempt, submission, AttemptStatus.PLATFORM_ERROR, end.message)
        case AttemptOutcome.CANCELLED:
            # The agent was stopped by somebody on its host: no fault of the submission.
            return retry_or_give_up(session, attempt, submission, AttemptStatus.CANCELLED, "The agent was stopped.")
        case AttemptOutcome.USER_ERROR:
            end_attempt(session, attempt, AttemptStatus.USER_ERROR, end.message)
        case AttemptOutcome.SUCCEEDED:  # but for a task that an earlier attempt has settled
            end_attempt(session, attempt, AttemptStatus.SUCCEEDED, "")
    _fail(session, submission, end.actor)
    return False


def _place(session: Session, submissions: Sequence[Submission]) -> None:
    """Bring the leaderboard up to date with those that have finished."""
    # What is scored again stands apart until its rerun is adopted.
    finished = [one for one in submissions if one.status is SubmissionStatus.FINISHED and one.rerun_id is None]
    if finished:
        place_on_leaderboards(session, finished)


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
