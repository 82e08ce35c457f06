"""`score-submission`: one attempt at a submission, by every task of its phase that is not done yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
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
from podium.tasks.attempt import BATCHED_STAGE_SECONDS, STAGE_SECONDS, AttemptInHand, claimed
from podium.tasks.gateway import GatewayRefused
from podium.tasks.scoring import StagedSubmission, evaluate, leave_result, post_result, stage, unusable
from podium.tasks.verdicts import Fault
from podium.tasks.workplace import current_workplace

PARALLEL_EVALUATIONS = 2
"""Tasks of one submission that are scored at the same time."""


# Prefect's own types do not agree with each other here: the runner's futures are not declared covariant.
TASK_RUNNER = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner[Any](max_workers=PARALLEL_EVALUATIONS))


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of an attempt: as tasks that Prefect shows one by one, or as plain functions."""

    stage: Callable[[AttemptInHand], StagedSubmission | Fault]
    evaluate_all: Callable[[AttemptInHand, StagedSubmission], list[EvaluationResult]]
    post_result: Callable[[AttemptInHand, Sequence[EvaluationResult]], None]
    stage_seconds: float = STAGE_SECONDS


@flow(name="score-submission", task_runner=TASK_RUNNER)
def score_submission(submission_id: UUID) -> State[None]:
    """Score a submission on this agent's host.

    Raises:
        PodiumError: The platform's own trouble; the submission is queued again.
    """
    try:
        summary = _score(submission_id, _flow_run_id(), SHOWN)
    except GatewayRefused as refused:
        return Completed(name="Skipped", message=str(refused))
    return Completed(message=summary)


@flow(name="score-batch")
def score_batch(batch_id: UUID) -> State[None]:
    """The record of a batch in Prefect's pages: the gateway announces its submissions one by one, and says how it does.

    Whoever starts it by hand changes nothing.
    """
    return Completed(name="Skipped", message=f"The submissions of batch {batch_id} are announced by the gateway.")


def score_in_batch(submission_id: UUID, flow_run_id: UUID) -> None:
    """Score a submission whose flow run stands for many: the same steps, which Prefect is not told of one by one.

    A flow run costs half a second of the host's time, which is more than many a scoring program does.

    Raises:
        PodiumError: The platform's own trouble; the submission is queued again.
    """
    with suppress(GatewayRefused):  # it was cancelled, or somebody else has it
        _score(submission_id, flow_run_id, PLAIN)


def _score(submission_id: UUID, flow_run_id: UUID, steps: Steps) -> str:
    """One attempt; what came of it, in words.

    Raises:
        GatewayRefused: The submission is not to be had, or not any more.
    """
    with claimed(current_workplace(), submission_id, flow_run_id, stage_seconds=steps.stage_seconds) as attempt:
        staged = steps.stage(attempt)
        results = unusable(attempt, staged) if isinstance(staged, Fault) else steps.evaluate_all(attempt, staged)
        if attempt.stop.is_set():
            _leave(attempt)
        steps.post_result(attempt, results)
    return _summary(results)


def _evaluate_shown(attempt: AttemptInHand, submission: StagedSubmission) -> list[EvaluationResult]:
    """Score by every task, several at the same time; a single one needs no thread of its own."""
    jobs = attempt.job.evaluations
    if len(jobs) == 1:
        return [evaluate(attempt, jobs[0], submission)]
    futures = [evaluate.submit(attempt, job, submission) for job in jobs]
    return [future.result() for future in futures]


def _evaluate_plainly(attempt: AttemptInHand, submission: StagedSubmission) -> list[EvaluationResult]:
    jobs = attempt.job.evaluations
    if len(jobs) == 1:
        return [evaluate.fn(attempt, jobs[0], submission)]
    with ThreadPoolExecutor(PARALLEL_EVALUATIONS, thread_name_prefix="evaluation") as threads:
        return list(threads.map(lambda job: evaluate.fn(attempt, job, submission), jobs))


SHOWN = Steps(stage, _evaluate_shown, post_result)
PLAIN = Steps(stage.fn, _evaluate_plainly, leave_result, BATCHED_STAGE_SECONDS)


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
