"""What an attempt is told: programs, data, limits, and signed requests that are fresh now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from podium.platform.jobs import (
    INLINE_BYTES,
    MIB,
    EvaluationJob,
    Limits,
    OutputKind,
    ScoringJob,
    SignedRequest,
    Source,
)
from podium.platform.lifecycle import EvaluationStatus
from podium.platform.limits import beyond, effective
from podium.platform.models import (
    Column,
    Competition,
    Dataset,
    Evaluation,
    Leaderboard,
    Phase,
    Submission,
    Task,
)
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, incoming_key
from podium.platform.submissions.fitting import relaxations_of

DETAILED_RESULTS_BYTES = 64 * MIB
"""Largest detailed result; the other outputs are limited by the phase."""
_BYTES_PER_ENTRY = 1024
LIVE_RESULTS_BYTES = 8 * MIB
"""Largest detailed result that is shown while it is written; a larger one is there at the end."""

COMPETITION_OF_JOB = (
    Competition.slug,
    Competition.pool_id,
    Competition.docker_image,
    Competition.relaxations,
    Competition.enable_detailed_results,
)
"""What of a competition goes into a job, or says who may have it."""
PHASE_OF_JOB = (
    Phase.name,
    Phase.limits,
    Phase.execution_time_limit,
    Phase.accepts_only_result_submissions,
    Phase.accepts_container_submissions,
    Phase.hide_output,
    Phase.hide_prediction_output,
    Phase.hide_score_output,
)
"""The same of a phase."""

_STEPS = 2
"""Steps of an evaluation, each of which may take as long as the phase allows."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that begins now.

    Attributes:
        token: Good for this attempt alone.
    """

    submission: Submission
    competition: Competition
    phase: Phase
    attempt_id: UUID
    number: int
    token: str


def scoring_jobs(
    session: Session, begun: Sequence[Begun], storage: Storage, settings: ServerSettings
) -> list[ScoringJob]:
    """The jobs of attempts, in their order. The versions of their tasks are the present ones, and remembered."""
    waiting = _waiting_evaluations(session, [one.submission.id for one in begun])
    score_keys = {
        competition_id: _score_keys(session, competition_id) for competition_id in {one.competition.id for one in begun}
    }
    return [
        _scoring_job(one, waiting[one.submission.id], score_keys[one.competition.id], storage, settings)
        for one in begun
    ]


def _waiting_evaluations(session: Session, submission_ids: Sequence[UUID]) -> dict[UUID, list[Evaluation]]:
    """What is to be done of each submission, in order; with the versions of the tasks that it is done by."""
    found = session.scalars(
        select(Evaluation)
        .where(Evaluation.submission_id.in_(submission_ids), Evaluation.status == EvaluationStatus.WAITING)
        .order_by(Evaluation.position)
        .options(
            joinedload(Evaluation.task, innerjoin=True).options(
                joinedload(Task.scoring_program, innerjoin=True),
                joinedload(Task.ingestion_program),
                joinedload(Task.input_data),
                joinedload(Task.reference_data),
            )
        )
    ).all()
    waiting: dict[UUID, list[Evaluation]] = {submission_id: [] for submission_id in submission_ids}
    for evaluation in found:
        evaluation.task_version = evaluation.task.version
        waiting[evaluation.submission_id].append(evaluation)
    return waiting


def _scoring_job(
    begun: Begun,
    waiting: Sequence[Evaluation],
    score_keys: tuple[str, ...],
    storage: Storage,
    settings: ServerSettings,
) -> ScoringJob:
    submission, competition, phase, maxima = begun.submission, begun.competition, begun.phase, settings.limit_maxima
    limits = Limits.model_validate(effective(phase.asked_limits, maxima))
    assert submission.content is not None
    # The last task begins and the last output leaves when all has been done: two steps of each task, one after another.
    work_seconds = _STEPS * limits.wall_seconds * len(waiting)
    return ScoringJob(
        attempt_id=begun.attempt_id,
        attempt_number=begun.number,
        attempt_token=begun.token,
        submission_id=submission.id,
        competition=competition.slug,
        phase=phase.name,
        submission=Source(
            request=storage.sign_get(submission.content, filename=submission.filename),
            sha256=submission.sha256,
            size=submission.size,
            content=storage.read_small(submission.content, size=submission.size, max_bytes=INLINE_BYTES),
        ),
        image=competition.docker_image,
        limits=limits,
        asked_limits={one.name: phase.asked_limits[one.name] for one in beyond(phase.asked_limits, maxima)},
        may_quote=_steps_to_be_seen(phase),
        only_result_submissions=phase.accepts_only_result_submissions,
        container_submission=phase.accepts_container_submissions,
        relaxations=relaxations_of(competition),
        runtime=competition.pool.runtime,
        detailed_results=competition.enable_detailed_results,
        score_keys=score_keys,
        evaluations=tuple(
            _evaluation_job(
                evaluation,
                begun.attempt_id,
                storage,
                limits,
                work_seconds=work_seconds,
                is_live=competition.enable_detailed_results,
            )
            for evaluation in waiting
        ),
        heartbeat_seconds=settings.heartbeat_seconds,
        lease_seconds=settings.lease_seconds,
    )


def _score_keys(session: Session, competition_id: UUID) -> tuple[str, ...]:
    """Keys of the scores that the leaderboard takes."""
    first = (
        select(Leaderboard.id)
        .where(Leaderboard.competition_id == competition_id)
        .order_by(Leaderboard.position)
        .limit(1)
        .scalar_subquery()
    )
    return tuple(
        session.scalars(
            select(Column.key)
            .where(Column.leaderboard_id == first, Column.computation.is_(None))
            .order_by(Column.index)
        )
    )


def _steps_to_be_seen(phase: Phase) -> tuple[Literal["prediction", "scoring"], ...]:
    """The steps of which participants may see what programs write; a phase that hides outputs hides them there too."""
    seen: list[Literal["prediction", "scoring"]] = []
    if not (phase.hide_output or phase.hide_prediction_output):
        seen.append("prediction")
    if not (phase.hide_output or phase.hide_score_output):
        seen.append("scoring")
    return tuple(seen)


def _largest_upload(kind: OutputKind, limits: Limits) -> int:
    if kind is OutputKind.DETAILED_RESULTS:
        return DETAILED_RESULTS_BYTES
    # A zip of what can't be compressed is a little larger than what is in it.
    return limits.output_bytes + limits.output_bytes // 100 + limits.output_files * _BYTES_PER_ENTRY


def _evaluation_job(
    evaluation: Evaluation, attempt_id: UUID, storage: Storage, limits: Limits, *, work_seconds: float, is_live: bool
) -> EvaluationJob:
    task = evaluation.task

    def source(dataset: Dataset | None) -> Source | None:
        return _source(dataset, storage, work_seconds=work_seconds) if dataset is not None else None

    def upload(key: str, max_bytes: int) -> SignedRequest:
        return storage.sign_put(key, max_bytes=max_bytes, work_seconds=work_seconds)

    return EvaluationJob(
        evaluation_id=evaluation.id,
        task=task.name,
        scoring_program=_source(task.scoring_program, storage, work_seconds=work_seconds),
        ingestion_program=source(task.ingestion_program),
        input_data=source(task.input_data),
        reference_data=source(task.reference_data),
        ingestion_only_during_scoring=task.ingestion_only_during_scoring,
        protocol=task.protocol,
        outputs={
            kind: upload(output_key(attempt_id, evaluation.id, kind), _largest_upload(kind, limits))
            for kind in OutputKind
        },
        live_results=upload(live_results_key(attempt_id, evaluation.id), LIVE_RESULTS_BYTES) if is_live else None,
    )


def output_key(attempt_id: UUID, evaluation_id: UUID, kind: OutputKind) -> str:
    """Where an attempt uploads an output to."""
    return incoming_key(attempt_id, f"{evaluation_id}-{kind}")


def live_results_key(attempt_id: UUID, evaluation_id: UUID) -> str:
    """Where an attempt puts a detailed result that is not finished."""
    return incoming_key(attempt_id, f"{evaluation_id}-live_results")


def _source(dataset: Dataset, storage: Storage, *, work_seconds: float) -> Source:
    request = storage.sign_get(dataset.content, filename=dataset.name, work_seconds=work_seconds)
    return Source(request=request, sha256=dataset.sha256, size=dataset.size)
