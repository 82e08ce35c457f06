"""The steps of `score-submission`, as Prefect tasks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from podium.platform.archives import ArchiveRefused
from podium.platform.bundles.content import Protocol
from podium.platform.image_layouts import ImageRefused
from podium.platform.jobs import (
    INLINE_BYTES,
    INLINE_FILES,
    EvaluationJob,
    EvaluationResult,
    LogStream,
    OutputKind,
    OutputRecord,
    ScoringResult,
    SignedRequest,
    Source,
)
from podium.platform.lifecycle import AttemptOutcome, Stage, Verdict
from podium.tasks.arrangement import arrange
from podium.tasks.attempt import LAST_WORDS, AttemptInHand
from podium.tasks.containers import output_limits, predict, score
from podium.tasks.detailed_results import first_html
from podium.tasks.metadata import BadMetadata, Metadata, read_metadata
from podium.tasks.output_copies import read_file, zip_tree
from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.program_steps import Outcome
from podium.tasks.programs import Image, ImageUnavailable
from podium.tasks.scores import JSON_NAME, MAX_BYTES, TEXT_NAME, BadScores, parse_scores
from podium.tasks.staging import fetch_image, stage_dataset, stage_submission
from podium.tasks.verdicts import Fault, Ground, Judgement, is_over, judge
from podium.tasks.views import StagedEvaluation

_LOG_OF = {
    OutputKind.PREDICTION_OUTPUT: LogStream.PREDICTION_STDERR,
    OutputKind.SCORING_OUTPUT: LogStream.SCORING_STDERR,
    OutputKind.DETAILED_RESULTS: LogStream.SCORING_STDERR,
}


@dataclass(frozen=True, slots=True)
class StagedSubmission:
    """A submission that can be scored: its folder, what it says about itself, and the image to run it in.

    Attributes:
        container: What was submitted, where that is an image; the folder is empty then.
    """

    folder: Path
    metadata: Metadata | None
    image: Image
    container: Image | None = None


@task(cache_policy=NO_CACHE)
def stage(attempt: AttemptInHand) -> StagedSubmission | Fault:
    """Fetch and unpack the submission, and find the image; or say why the submission can't be scored at all.

    Raises:
        PlatformFault: Something could not be fetched.
    """
    began = time.monotonic()
    workplace, job = attempt.workplace, attempt.job
    metadata, container = None, None
    try:
        if job.container_submission:
            archive = fetch_image(job.submission, attempt.folder, workplace.transfers, stop=attempt.stop)
            container = workplace.executor.load_image(archive, attempt.holder)
            archive.unlink()
            submission = attempt.folder / "submission"
            submission.mkdir(mode=0o755)
        else:
            submission = stage_submission(job.submission, attempt.folder, workplace.transfers, stop=attempt.stop)
            _arrange(attempt, submission)
            metadata = read_metadata(submission)
        image = workplace.executor.find_image(job.image, attempt.holder)
    except (ArchiveRefused, BadMetadata, ImageRefused) as refused:
        return Fault(Verdict.BAD_SUBMISSION, str(refused))
    except ImageUnavailable as missing:
        return Fault(Verdict.IMAGE_UNAVAILABLE, str(missing))
    attempt.timings["stage"] = time.monotonic() - began
    return StagedSubmission(submission, metadata, image, container)


@task(task_run_name="evaluate {job.task}", cache_policy=NO_CACHE)
def evaluate(attempt: AttemptInHand, job: EvaluationJob, submission: StagedSubmission) -> EvaluationResult:
    """Score the submission by one task: prediction, scoring, scores, outputs.

    Raises:
        PlatformFault, ExecutorFault: The platform's trouble; the attempt is handed back.
    """
    began = time.monotonic()
    staged = _stage_evaluation(attempt, job, submission)
    outcome, ground = Outcome(), Ground.of(attempt.job)
    outcome.add_seconds("download", time.monotonic() - began)
    try:
        has_something_to_run = staged.runs_submission or staged.prediction_ingestion(job) is not None
        attempt.enter(Stage.RUNNING if has_something_to_run else Stage.SCORING)
        predicted = predict(attempt, job, staged, submission.image)
        predicted.timings |= outcome.timings
        outcome = predicted
        if not is_over(outcome.ran, ground) and outcome.fault is None:
            attempt.enter(Stage.SCORING)
            score(attempt, job, staged, submission.image, outcome)
    except BadMetadata as refused:
        outcome.fault = Fault(Verdict.BAD_SUBMISSION, str(refused))
    scores = _read_scores(attempt, outcome)
    judgement = judge(outcome.ran, outcome.fault, ground)
    if judgement.outcome in {AttemptOutcome.CANCELLED, AttemptOutcome.PLATFORM_ERROR}:
        return _result(job, judgement, outcome, {}, ())
    began = time.monotonic()
    outputs, refusals = _upload(attempt, job, staged.folder, outcome)
    outcome.add_seconds("upload", time.monotonic() - began)
    return _result(job, judgement, outcome, scores, outputs, refusals)


@task(cache_policy=NO_CACHE)
def post_result(attempt: AttemptInHand, evaluations: Sequence[EvaluationResult]) -> None:
    """Send the last log lines, then the one result that ends the attempt."""
    attempt.gateway.post_result(_final_result(attempt, evaluations), patience=LAST_WORDS)


def leave_result(attempt: AttemptInHand, evaluations: Sequence[EvaluationResult]) -> None:
    """Send the last log lines, and leave the result to be sent with others: nobody waits for it here."""
    attempt.workplace.results.put(attempt.job, _final_result(attempt, evaluations))


def _final_result(attempt: AttemptInHand, evaluations: Sequence[EvaluationResult]) -> ScoringResult:
    attempt.has_ended()
    attempt.logs.close()
    return ScoringResult(
        attempt_id=attempt.job.attempt_id, evaluations=tuple(evaluations), timings=dict(attempt.timings)
    )


def unusable(attempt: AttemptInHand, fault: Fault) -> list[EvaluationResult]:
    """The results of a submission that failed before anything ran."""
    return [
        EvaluationResult(
            evaluation_id=job.evaluation_id,
            outcome=AttemptOutcome.USER_ERROR,
            verdict=fault.verdict,
            message=fault.message[:4000],
        )
        for job in attempt.job.evaluations
    ]


def _arrange(attempt: AttemptInHand, submission: Path) -> None:
    """Bring the submission into its protocol's shape, and tell the participant what was done."""
    evaluations = attempt.job.evaluations
    is_old = all(job.protocol is Protocol.V1_5 for job in evaluations)
    for note in arrange(submission, Protocol.V1_5 if is_old else Protocol.V2):
        for job in evaluations:
            attempt.logs.note(job.evaluation_id, LogStream.PREDICTION_STDERR, f"[podium: {note}]")


def _stage_evaluation(attempt: AttemptInHand, job: EvaluationJob, submission: StagedSubmission) -> StagedEvaluation:
    folder = attempt.folder / str(job.evaluation_id)
    folder.mkdir(mode=0o711)

    def dataset(source: Source | None) -> Path | None:
        if source is None:
            return None
        workplace = attempt.workplace
        return stage_dataset(
            source,
            workplace.cache,
            workplace.transfers,
            stop=attempt.stop,
            protocol=job.protocol,
            holder=attempt.holder.key,
        )

    scoring_program = dataset(job.scoring_program)
    assert scoring_program is not None
    return StagedEvaluation(
        folder=folder,
        submission=submission.folder,
        metadata=submission.metadata,
        scoring_program=scoring_program,
        ingestion_program=dataset(job.ingestion_program),
        input_data=dataset(job.input_data),
        reference_data=dataset(job.reference_data),
        container=submission.container,
    )


def _read_scores(attempt: AttemptInHand, outcome: Outcome) -> dict[str, float]:
    """The scores; what is wrong with them becomes the outcome's fault, unless it has one."""
    if outcome.fault is not None or outcome.scoring_output is None:
        return {}
    try:
        for name in (JSON_NAME, TEXT_NAME):
            content = read_file(outcome.scoring_output, name, MAX_BYTES[name])
            if content is not None:
                return parse_scores(name, content, attempt.job.score_keys)
    except (BadScores, OutputRefused) as bad:
        outcome.fault = Fault(Verdict.BAD_SCORES, str(bad))
        return {}
    outcome.fault = Fault(
        Verdict.NO_SCORES, f"The scoring program ended without writing {JSON_NAME} or {TEXT_NAME} in its output folder."
    )
    return {}


def _upload(
    attempt: AttemptInHand, job: EvaluationJob, folder: Path, outcome: Outcome
) -> tuple[tuple[OutputRecord, ...], tuple[OutputRefused, ...]]:
    """Put what is left of the evaluation into storage, each kind at the same time; answer also what was refused.

    The scores were read by then: that other files can't leave is told, and costs the participant nothing.
    """
    limits = output_limits(attempt)
    wanted: list[tuple[OutputKind, Path]] = []
    if outcome.predictions is not None and outcome.predictions.is_dir():
        wanted.append((OutputKind.PREDICTION_OUTPUT, outcome.predictions))
    if outcome.scoring_output is not None:
        wanted.append((OutputKind.SCORING_OUTPUT, outcome.scoring_output))
        if attempt.job.detailed_results:
            wanted.append((OutputKind.DETAILED_RESULTS, outcome.scoring_output))
    with ThreadPoolExecutor(3) as threads:
        futures = [
            threads.submit(_upload_one, attempt, job, kind, source, folder / f"{kind}.upload", limits)
            for kind, source in wanted
        ]
        ends = [future.result() for future in futures]
    return (
        tuple(end for end in ends if isinstance(end, OutputRecord)),
        tuple(end for end in ends if isinstance(end, OutputRefused)),
    )


def _upload_one(
    attempt: AttemptInHand, job: EvaluationJob, kind: OutputKind, source: Path, file: Path, limits: OutputLimits
) -> OutputRecord | OutputRefused | None:
    try:
        if kind is OutputKind.DETAILED_RESULTS:
            name = first_html(source)
            content = read_file(source, name, job.outputs[kind].max_bytes or 0) if name else None
            if content is None:
                return None
            file.write_bytes(content)
            size, sha256 = len(content), hashlib.sha256(content).hexdigest()
        else:
            size, sha256 = zip_tree(source, file, limits)
            _require_room(size, job.outputs[kind])
    except OutputRefused as refused:
        attempt.logs.note(job.evaluation_id, _LOG_OF[kind], f"[podium: {refused}]")
        return refused
    if size <= INLINE_BYTES and len(attempt.job.evaluations) * len(OutputKind) <= INLINE_FILES:
        return OutputRecord(kind=kind, sha256=sha256, size=size, content=file.read_bytes())
    attempt.workplace.transfers.put(job.outputs[kind], file)
    return OutputRecord(kind=kind, sha256=sha256, size=size)


def _require_room(size: int, request: SignedRequest) -> None:
    """Go on only with an archive that the store takes: what does not compress becomes larger by being zipped."""
    if request.max_bytes is not None and size > request.max_bytes:
        raise OutputRefused(".", f"as an archive, it has more than {request.max_bytes} bytes", limit="output_bytes")


def _result(
    job: EvaluationJob,
    judgement: Judgement,
    outcome: Outcome,
    scores: dict[str, float],
    outputs: tuple[OutputRecord, ...],
    refusals: Sequence[OutputRefused] = (),
) -> EvaluationResult:
    message = judgement.message or _kept_back(refusals)
    return EvaluationResult(
        evaluation_id=job.evaluation_id,
        outcome=judgement.outcome,
        verdict=judgement.verdict,
        message=message[:4000],
        scores=scores if judgement.outcome is AttemptOutcome.SUCCEEDED else {},
        outputs=outputs,
        programs=tuple(outcome.reports),
        timings=outcome.timings,
    )


def _kept_back(refusals: Sequence[OutputRefused]) -> str:
    """What is said with scores that count where not all files could be kept."""
    reasons = dict.fromkeys(refusal.detail for refusal in refusals)
    return f"The scores count, but not all files of the scoring could be kept. {' '.join(reasons)}" if reasons else ""
