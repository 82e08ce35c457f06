"""`score-submission`: one attempt at a submission, by every task of its phase that is not done yet."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from podium.platform.errors import PlatformFault
from podium.platform.jobs import EvaluationResult
from podium.platform.lifecycle import AttemptOutcome
from podium.tasks.attempt import AttemptInHand, claimed
from podium.tasks.gateway import GatewayRefused
from podium.tasks.scoring import StagedSubmission, evaluate, post_result, stage, unusable
from podium.tasks.verdicts import Fault
from podium.tasks.workplace import current_workplace

PARALLEL_EVALUATIONS = 2
"""Tasks of one submission that are scored at the same time."""


# Prefect's own types do not agree with each other here: the runner's futures are not declared covariant.
TASK_RUNNER = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner[Any](max_workers=PARALLEL_EVALUATIONS))


@flow(name="score-submission", task_runner=TASK_RUNNER)
def score_submission(submission_id: UUID) -> State[None]:
    """Score a submission on this agent's host.

    Raises:
        PodiumError: The platform's own trouble; the submission is queued again.
    """
    workplace = current_workplace()
    try:
        with claimed(workplace, submission_id, _flow_run_id()) as attempt:
            staged = stage(attempt)
            results = unusable(attempt, staged) if isinstance(staged, Fault) else _evaluate_all(attempt, staged)
            if attempt.stop.is_set():
                _leave(attempt)
            post_result(attempt, results)
    except GatewayRefused as refused:
        return Completed(name="Skipped", message=str(refused))
    return Completed(message=_summary(results))


def _evaluate_all(attempt: AttemptInHand, submission: StagedSubmission) -> list[EvaluationResult]:
    """Score by every task, several at the same time; a single one needs no thread of its own."""
    jobs = attempt.job.evaluations
    if len(jobs) == 1:
        return [evaluate(attempt, jobs[0], submission)]
    futures = [evaluate.submit(attempt, job, submission) for job in jobs]
    return [future.result() for future in futures]


def _leave(attempt: AttemptInHand) -> None:
    """The attempt was stopped: by a cancellation, which the gateway knows, or because this agent must end."""
    if attempt.workplace.stopping.is_set():
        raise PlatformFault("The agent was stopped.")
    raise GatewayRefused("The submission was cancelled, or its lease was lost.")


def _flow_run_id() -> UUID:
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    return context.flow_run.id


def _summary(results: list[EvaluationResult]) -> str:
    done = sum(result.outcome is AttemptOutcome.SUCCEEDED for result in results)
    failed = [f"{result.verdict}: {result.message}" for result in results if result.verdict]
    return "; ".join([f"{done} of {len(results)} tasks scored", *failed])
