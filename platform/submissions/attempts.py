"""Attempts: claimed by an agent, kept alive by heartbeats, given back or lost. Results are in `results`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, load_only, selectinload

from podium.platform.errors import Conflict, NotFound
from podium.platform.identity import issue_token
from podium.platform.jobs import (
    DOES_NOT_FIT,
    MIB,
    AnnouncedRun,
    EvaluationJob,
    Handback,
    Heartbeat,
    HeartbeatAnswer,
    Limits,
    OutputKind,
    ScoringJob,
    SignedRequest,
    Source,
)
from podium.platform.lifecycle import (
    ACTIVE_SUBMISSION_STATUSES,
    AttemptStatus,
    EvaluationStatus,
    Stage,
    SubmissionStatus,
)
from podium.platform.limits import beyond, effective
from podium.platform.models import (
    Agent,
    Attempt,
    Competition,
    Dataset,
    Evaluation,
    Phase,
    Pool,
    Submission,
    Task,
    Token,
    now,
)
from podium.platform.placement import Offer, fits, missing
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, incoming_key
from podium.platform.submissions.fitting import needs_of, offer_of_agent, relaxations_of
from podium.platform.submissions.transitions import move_submission, record_event

LAST_WORDS = timedelta(minutes=10)
"""How long an attempt's token is good after its end."""
MAX_ATTEMPTS = 3
"""Tries at a submission before the platform gives up on it."""
FAILED_ATTEMPTS = (AttemptStatus.PLATFORM_ERROR, AttemptStatus.LOST)
"""Ends of an attempt that use up a try; one that was stopped in good order does not."""
DETAILED_RESULTS_BYTES = 64 * MIB
"""Largest detailed result; the other outputs are limited by the phase."""
_BYTES_PER_ENTRY = 1024
LIVE_RESULTS_BYTES = 8 * MIB
"""Largest detailed result that is shown while it is written; a larger one is there at the end."""


_STEPS = 2
"""Steps of an evaluation, each of which may take as long as the phase allows."""


class Superseded(Conflict):
    """The attempt is over: it was lost, given back or cancelled, and what it says changes nothing any more."""

    type = "superseded"
    title = "This attempt is over"


class DoesNotFit(Conflict):
    """The submission needs what the agent does not have; it stays queued for another one."""

    type = DOES_NOT_FIT
    title = "This agent can't run the submission"


def claim_submission(
    session: Session,
    submission_id: UUID,
    *,
    flow_run_id: UUID,
    agent: Agent | None,
    pool: Pool,
    storage: Storage,
    settings: ServerSettings,
    gpus: int = 0,
) -> ScoringJob:
    """Begin an attempt at a queued submission and say what is to be done.

    Args:
        gpus: What the agent has set aside for it.

    Raises:
        NotFound: No such submission for this pool.
        DoesNotFit: The agent does not have what it needs.
        IllegalTransition: It is not queued any more: another agent has it, or it was cancelled.
    """
    submission = session.scalar(select(Submission).where(Submission.id == submission_id).with_for_update(of=Submission))
    if submission is None or submission.competition.pool_id != pool.id:
        raise NotFound("This pool has no submission of that id.")
    offer = replace(offer_of_agent(agent), gpus=gpus)
    if lacks := missing(needs_of(submission.competition, submission.phase, pool, settings.limit_maxima), offer):
        raise DoesNotFit(f"It is for an agent that {' and '.join(lacks)}.")
    actor = f"agent:{agent.name if agent else pool.name}"
    number = 1 + (session.scalar(select(func.max(Attempt.number)).where(Attempt.submission_id == submission.id)) or 0)
    moment = now()
    move_submission(session, submission, SubmissionStatus.PREPARING, actor=actor, started=submission.started or moment)
    attempt = Attempt(
        submission_id=submission.id,
        number=number,
        agent_id=agent.id if agent else None,
        flow_run_id=flow_run_id,
        lease_expires=moment + timedelta(seconds=settings.lease_seconds),
    )
    session.add(attempt)
    session.flush()
    secret, _ = issue_token(session, attempt, name=f"attempt {number}", days=30)
    return _job(session, submission, attempt, secret, storage, settings)


def _job(
    session: Session, submission: Submission, attempt: Attempt, secret: str, storage: Storage, settings: ServerSettings
) -> ScoringJob:
    competition, phase, maxima = submission.competition, submission.phase, settings.limit_maxima
    limits = Limits.model_validate(effective(phase.asked_limits, maxima))
    waiting = session.scalars(
        select(Evaluation)
        .where(Evaluation.submission_id == submission.id, Evaluation.status == EvaluationStatus.WAITING)
        .order_by(Evaluation.position)
        .options(
            selectinload(Evaluation.task).options(
                selectinload(Task.scoring_program),
                selectinload(Task.ingestion_program),
                selectinload(Task.input_data),
                selectinload(Task.reference_data),
            )
        )
    ).all()
    assert submission.content is not None
    board = competition.leaderboards[0]
    # The last task begins and the last output leaves when all has been done: two steps of each task, one after another.
    work_seconds = _STEPS * limits.wall_seconds * len(waiting)
    return ScoringJob(
        attempt_id=attempt.id,
        attempt_number=attempt.number,
        attempt_token=secret,
        submission_id=submission.id,
        competition=competition.slug,
        phase=phase.name,
        submission=Source(
            request=storage.sign_get(submission.content, filename=submission.filename),
            sha256=submission.sha256,
            size=submission.size,
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
        score_keys=tuple(column.key for column in board.columns if column.computation is None),
        evaluations=tuple(
            _evaluation_job(evaluation, attempt, storage, limits, work_seconds=work_seconds) for evaluation in waiting
        ),
        heartbeat_seconds=settings.heartbeat_seconds,
        lease_seconds=settings.lease_seconds,
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
    evaluation: Evaluation, attempt: Attempt, storage: Storage, limits: Limits, *, work_seconds: float
) -> EvaluationJob:
    task = evaluation.task

    def source(dataset: Dataset | None) -> Source | None:
        return _source(dataset, storage, work_seconds=work_seconds) if dataset is not None else None

    def upload(key: str, max_bytes: int) -> SignedRequest:
        return storage.sign_put(key, max_bytes=max_bytes, work_seconds=work_seconds)

    is_live = evaluation.submission.competition.enable_detailed_results
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
            kind: upload(output_key(attempt.id, evaluation.id, kind), _largest_upload(kind, limits))
            for kind in OutputKind
        },
        live_results=upload(live_results_key(attempt.id, evaluation.id), LIVE_RESULTS_BYTES) if is_live else None,
    )


def announced_runs(
    session: Session, pool: Pool, offer: Offer, *, maxima: Mapping[str, float], limit: int = 16
) -> tuple[AnnouncedRun, ...]:
    """The head of a pool's queue as an agent sees it: what it can run, the first in line first.

    What it can't run is passed over, so that it does not keep the agent from what stands behind.
    """
    unfit: set[UUID] = set()
    while True:
        rows = session.execute(_queue(pool.id, unfit).limit(limit)).all()
        needs = {phase.id: needs_of(competition, phase, pool, maxima) for _, _, _, competition, phase in rows}
        found = {phase_id for phase_id, one in needs.items() if not fits(one, offer)}
        if not found:
            break
        unfit |= found
    return tuple(
        AnnouncedRun(
            submission_id=submission_id,
            flow_run_id=flow_run_id,
            name=f"{competition.slug} #{number}",
            gpus=needs[phase.id].gpus,
        )
        for submission_id, flow_run_id, number, competition, phase in rows
    )


def _queue(pool_id: UUID, without_phases: set[UUID]) -> Select[UUID, UUID, int, Competition, Phase]:
    """What waits for an agent in a pool, in its order. What is read of competition and phase is little."""
    flow_run_id = cast("InstrumentedAttribute[UUID]", Submission.flow_run_id)
    query = (
        select(Submission.id, flow_run_id, Submission.number, Competition, Phase)
        .join(Competition, Competition.id == Submission.competition_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.flow_run_id.is_not(None),
            Competition.pool_id == pool_id,
        )
        .order_by(Submission.queued)
        .options(
            load_only(Competition.slug, Competition.relaxations),
            load_only(Phase.limits, Phase.accepts_container_submissions),
        )
    )
    return query.where(Submission.phase_id.not_in(without_phases)) if without_phases else query


def output_key(attempt_id: UUID, evaluation_id: UUID, kind: OutputKind) -> str:
    """Where an attempt uploads an output to."""
    return incoming_key(attempt_id, f"{evaluation_id}-{kind}")


def live_results_key(attempt_id: UUID, evaluation_id: UUID) -> str:
    """Where an attempt puts a detailed result that is not finished."""
    return incoming_key(attempt_id, f"{evaluation_id}-live_results")


def _source(dataset: Dataset, storage: Storage, *, work_seconds: float) -> Source:
    request = storage.sign_get(dataset.content, filename=dataset.name, work_seconds=work_seconds)
    return Source(request=request, sha256=dataset.sha256, size=dataset.size)


def require_active(session: Session, attempt_id: UUID) -> tuple[Attempt, Submission]:
    """The attempt and its submission, both locked, if the attempt is still the one that counts.

    Raises:
        Superseded: It is over.
    """
    # The submission first, then the attempt: everyone locks in this order. What was loaded before is as it is now.
    submission = session.scalar(
        select(Submission)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(Attempt.id == attempt_id)
        .with_for_update(of=Submission)
        .execution_options(populate_existing=True)
    )
    attempt = session.scalar(
        select(Attempt).where(Attempt.id == attempt_id).with_for_update().execution_options(populate_existing=True)
    )
    if submission is None or attempt is None or attempt.status is not AttemptStatus.ACTIVE:
        state = attempt.status if attempt else "gone"
        raise Superseded(f"This attempt is {state}; what it reports is not taken.", remedy="Stop working on it.")
    return attempt, submission


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
    attempt.status = status
    attempt.message = message
    attempt.ended = now()
    session.execute(update(Token).where(Token.attempt_id == attempt.id).values(expires=now() + LAST_WORDS))


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
        move_submission(
            session,
            submission,
            SubmissionStatus.QUEUED,
            actor=actor,
            reason=f"Queued again, for the platform's own trouble in attempt {attempt.number}: {why}",
            flow_run_id=None,
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
