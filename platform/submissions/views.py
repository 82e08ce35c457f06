"""Submissions as the API answers them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import LoaderOption
from sqlalchemy.orm.strategy_options import _AbstractLoad

from podium.platform.leaderboard.entries import submission_values, visible_columns
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus
from podium.platform.models import Attempt, Column, Competition, Evaluation, Leaderboard, Rerun, Submission
from podium.platform.records.submissions import (
    AttemptRecord,
    EvaluationRecord,
    OutputFileRecord,
    ProgramRecord,
    ScoreRecord,
    SubmissionRecord,
)
from podium.platform.submissions.waiting import ahead_of, expected_end, why_waiting


def submission_options() -> Sequence[LoaderOption]:
    """What to load with submissions that are to be shown, in a fixed number of queries."""
    return (
        joinedload(Submission.person),
        joinedload(Submission.team),
        joinedload(Submission.phase),
        joinedload(Submission.competition).options(
            selectinload(Competition.leaderboards).selectinload(Leaderboard.columns)
        ),
        *_results_options(),
        joinedload(Submission.adopted).options(*_results_options()),
        joinedload(Submission.origin).load_only(Submission.number),
    )


def _results_options() -> tuple[_AbstractLoad, ...]:
    return (
        selectinload(Submission.evaluations).options(
            selectinload(Evaluation.scores), selectinload(Evaluation.outputs), joinedload(Evaluation.task)
        ),
        selectinload(Submission.attempts).joinedload(Attempt.agent),
    )


def submission_record(
    session: Session, submission: Submission, *, for_organizer: bool, whole: bool = True
) -> SubmissionRecord:
    """A submission as its owner or an organizer may see it.

    Args:
        whole: With its evaluations and attempts.
    """
    phase, results = submission.phase, submission.results
    columns = shown_columns(submission, for_organizer=for_organizer)
    scores = [ScoreRecord(column.key, value) for column, value in scores_in(submission, columns)]
    visible_keys = None if for_organizer else {column.key for column in columns}
    return SubmissionRecord(
        id=submission.id,
        number=submission.number,
        competition=submission.competition.slug,
        phase=phase.name,
        participant=submission.person.username,
        team=submission.team.name if submission.team is not None else "",
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
            _evaluation_record(evaluation, submission, visible_keys) for evaluation in results.evaluations
        )
        if whole
        else (),
        attempts=tuple(_attempt_record(attempt) for attempt in results.attempts) if whole else (),
        expected=expected_end(session, submission) if whole else None,
        rescored=_rescored(session, submission),
        migrated_from=submission.origin.number if submission.origin and submission.rerun_id is None else None,
        shared=submission.shared is not None,
        excluded=submission.excluded,
    )


def shown_columns(submission: Submission, *, for_organizer: bool) -> list[Column]:
    """The columns whose scores its owner, or an organizer, sees with a submission."""
    phase, board = submission.phase, submission.competition.leaderboards[0]
    if (board.hidden or phase.hide_output or phase.hide_score_output) and not for_organizer:
        return []
    return visible_columns(board, for_organizer=for_organizer)


def scores_in(submission: Submission, columns: Sequence[Column]) -> list[tuple[Column, float]]:
    """The scores of a submission in some columns, where it has any; none unless it is finished."""
    if submission.status is not SubmissionStatus.FINISHED:
        return []
    board = submission.competition.leaderboards[0]
    by_column = dict(zip(board.columns, submission_values(board, submission), strict=False))
    return [(column, value) for column in columns if (value := by_column.get(column)) is not None]


def _rescored(session: Session, submission: Submission) -> str:
    """Why the results that count are not the first ones; empty where they are."""
    if submission.adopted is None or submission.adopted.rerun_id is None:
        return ""
    rerun = session.get_one(Rerun, submission.adopted.rerun_id)
    return f"Scored again by rerun {rerun.number}: {rerun.reason}"


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
        task_version=evaluation.task_version,
        attempt=next((one.number for one in submission.results.attempts if one.id == evaluation.attempt_id), None),
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
