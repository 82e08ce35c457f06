"""Submissions as the API answers them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import LoaderOption

from podium.platform.leaderboard.entries import submission_values, visible_columns
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.models import Attempt, Competition, Evaluation, Leaderboard, Submission
from podium.platform.placement import why_unplaced
from podium.platform.records import (
    AttemptRecord,
    EvaluationRecord,
    OutputFileRecord,
    ProgramRecord,
    ScoreRecord,
    SubmissionRecord,
)
from podium.platform.submissions.fitting import live_agents, needs_of, offer_of_agent


def submission_options() -> Sequence[LoaderOption]:
    """What to load with submissions that are to be shown, in a fixed number of queries."""
    return (
        joinedload(Submission.person),
        joinedload(Submission.phase),
        joinedload(Submission.competition).options(
            selectinload(Competition.leaderboards).selectinload(Leaderboard.columns)
        ),
        selectinload(Submission.evaluations).options(
            selectinload(Evaluation.scores), selectinload(Evaluation.outputs), joinedload(Evaluation.task)
        ),
        selectinload(Submission.attempts).joinedload(Attempt.agent),
    )


def ahead_of(session: Session, submission: Submission) -> int | None:
    """Submissions that are before this one in its pool's queue; `None` unless it is queued."""
    if submission.status is not SubmissionStatus.QUEUED:
        return None
    return session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Competition.pool_id == submission.competition.pool_id,
            Submission.queued < submission.queued,
        )
    )


def why_waiting(session: Session, submission: Submission) -> str:
    """Why a queued submission is not taken, where that is for want of an agent; else an empty string."""
    if submission.status is not SubmissionStatus.QUEUED:
        return ""
    competition = submission.competition
    pool = competition.pool
    agents = live_agents(session, pool.id)
    if not agents:
        return f"No agent of pool '{pool.name}' is running; it is scored as soon as there is one."
    fit = [offer_of_agent(agent) for agent in agents if not agent.trouble]
    if not fit:
        return f"The agents of pool '{pool.name}' have trouble of their own; it is scored as soon as that is mended."
    return why_unplaced(pool.name, needs_of(competition, submission.phase, pool), fit)


def submission_record(
    session: Session, submission: Submission, *, for_organizer: bool, whole: bool = True
) -> SubmissionRecord:
    """A submission as its owner or an organizer may see it.

    Args:
        whole: With its evaluations and attempts.
    """
    phase, board = submission.phase, submission.competition.leaderboards[0]
    hide_scores = (board.hidden or phase.hide_output or phase.hide_score_output) and not for_organizer
    columns = [] if hide_scores else visible_columns(board, for_organizer=for_organizer)
    values = submission_values(board, submission) if submission.status is SubmissionStatus.FINISHED else []
    by_column = dict(zip(board.columns, values, strict=False))
    scores = [ScoreRecord(column.key, value) for column in columns if (value := by_column.get(column)) is not None]
    visible_keys = None if for_organizer else {column.key for column in columns}
    return SubmissionRecord(
        id=submission.id,
        number=submission.number,
        competition=submission.competition.slug,
        phase=phase.name,
        participant=submission.person.username,
        filename=submission.filename,
        size=submission.size,
        message=submission.message,
        status=submission.status,
        status_message=why_waiting(session, submission) or submission.status_message,
        ahead=ahead_of(session, submission),
        version=submission.version,
        created=submission.created,
        queued=submission.queued,
        started=submission.started,
        ended=submission.ended,
        on_leaderboard=submission.on_leaderboard,
        scores=tuple(scores),
        fact_sheet=submission.fact_sheet,
        evaluations=tuple(
            _evaluation_record(evaluation, submission, visible_keys) for evaluation in submission.evaluations
        )
        if whole
        else (),
        attempts=tuple(_attempt_record(attempt) for attempt in submission.attempts) if whole else (),
    )


def hidden_outputs(submission: Submission) -> frozenset[str]:
    """Kinds of output that the phase hides from participants."""
    phase = submission.phase
    hidden = set()
    if phase.hide_output or phase.hide_prediction_output:
        hidden.add("prediction_output")
    if phase.hide_output or phase.hide_score_output:
        hidden |= {"scoring_output", "detailed_results"}
    if not submission.competition.show_detailed_results_in_submission_panel:
        hidden.add("detailed_results")
    return frozenset(hidden)


def _evaluation_record(
    evaluation: Evaluation, submission: Submission, visible_keys: set[str] | None
) -> EvaluationRecord:
    hidden = frozenset[str]() if visible_keys is None else hidden_outputs(submission)
    succeeded = evaluation.status is EvaluationStatus.SUCCEEDED
    return EvaluationRecord(
        id=evaluation.id,
        task=evaluation.task.name,
        status=evaluation.status,
        verdict=evaluation.verdict,
        # What a scoring that went well has to say is about its files.
        message="" if succeeded and "scoring_output" in hidden else evaluation.message,
        scores=tuple(
            ScoreRecord(score.key, score.value)
            for score in evaluation.scores
            if visible_keys is None or score.key in visible_keys
        ),
        outputs=tuple(
            OutputFileRecord(kind=output.kind, size=output.size, sha256=output.sha256)
            for output in evaluation.outputs
            if output.kind not in hidden
        ),
        programs=tuple(ProgramRecord(**program) for program in evaluation.programs),
        timings=evaluation.timings,
    )


def _attempt_record(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        number=attempt.number,
        status=attempt.status,
        agent=attempt.agent.name if attempt.agent else "",
        message=attempt.message,
        started=attempt.started,
        ended=attempt.ended,
        timings=attempt.timings,
    )
