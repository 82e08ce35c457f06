"""The two steps of an evaluation: what runs in them, and what is left.

What each program sees is in `views`, how the programs of a step are run in `program_steps`. What
leaves a writable folder leaves by `output_copies` and `output_zips` alone.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import yaml

from podium.platform.bundles.content import Protocol
from podium.platform.errors import PlatformFault
from podium.platform.jobs import EvaluationJob
from podium.platform.lifecycle import Verdict
from podium.tasks.attempt import AttemptInHand
from podium.tasks.detailed_results import LivePage, shown_live
from podium.tasks.metadata import HIDDEN, BadMetadata, command_words, read_metadata
from podium.tasks.output_copies import copy_tree
from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.program_steps import Outcome, Planned, run_step
from podium.tasks.programs import Image
from podium.tasks.tree_removal import remove_tree
from podium.tasks.verdicts import Fault, Ground, Step, limit_words
from podium.tasks.views import (
    StagedEvaluation,
    StepFolders,
    container_view,
    ingestion_beside_scoring_view,
    ingestion_view,
    scoring_view,
    submission_view,
)

PRIVATE = "private"
RESULT_METADATA = "metadata"
"""The file that Codabench's worker leaves beside the prediction's output; scoring programs read times from it."""


def output_limits(attempt: AttemptInHand) -> OutputLimits:
    """What may leave a step."""
    limits = attempt.job.limits
    return OutputLimits(bytes=limits.output_bytes, files=limits.output_files)


def predict(attempt: AttemptInHand, job: EvaluationJob, staged: StagedEvaluation, image: Image) -> Outcome:
    """The prediction step: the submission's program and the ingestion program, or a plain copy of a result submission.

    Raises:
        BadMetadata: The submission's own metadata is wrong.
        ExecutorFault: The host could not run a program.
    """
    outcome = Outcome()
    metadata = staged.metadata
    ingestion = staged.prediction_ingestion(job)
    if staged.runs_submission and attempt.job.only_result_submissions:
        raise BadMetadata("This phase takes results only; the submission has a command to run.")
    if not staged.runs_submission and ingestion is None:
        # A copy: the other tasks of the phase read the submission at the same time.
        outcome.predictions = shutil.copytree(staged.submission, staged.folder / "predictions")
        _write_result_metadata(outcome, job.protocol)
        return outcome
    output = _writable(attempt, staged.folder / "prediction")
    if metadata is None and staged.container is None:
        shutil.copytree(staged.submission, output, dirs_exist_ok=True, copy_function=_copy_for_programs)
        _open_folders(output)
    planned = []
    folders = _step_folders(attempt, job, staged, "prediction", output)
    # Several tasks of a phase are shown the submission at the same time.
    alone = len(attempt.job.evaluations) == 1
    if staged.container is not None:
        # No command: the image's own entry point.
        planned.append(Planned("submission", ((),), container_view(staged, folders), staged.container))
    elif metadata is not None and metadata.commands:
        commands = tuple(
            command_words(line, ingestion=False, scoring=False, protocol=job.protocol) for line in metadata.commands
        )
        planned.append(Planned("submission", commands, submission_view(job, staged, folders, alone=alone)))
    if ingestion is not None:
        commands = _commands_of(ingestion, job, ingestion=True, scoring=False)
        hidden = any(HIDDEN in word for command in commands for word in command)
        view = ingestion_view(job, staged, folders, alone=alone, asks_for_hidden=hidden)
        planned.append(Planned("ingestion", commands, view))
    run_step(attempt, job, "prediction", planned, image, outcome)
    began = time.monotonic()
    outcome.predictions = staged.folder / "predictions"
    try:
        copy_tree(output, outcome.predictions, output_limits(attempt))
    except OutputRefused as refused:
        outcome.fault = _output_fault(refused, Ground.of(attempt.job))
    else:
        _write_result_metadata(outcome, job.protocol)
    outcome.add_seconds("collect", time.monotonic() - began)
    return outcome


def score(attempt: AttemptInHand, job: EvaluationJob, staged: StagedEvaluation, image: Image, outcome: Outcome) -> None:
    """The scoring step: the scoring program, and beside it the ingestion program where the task says so.

    Raises:
        ExecutorFault: The host could not run a program.
    """
    assert outcome.predictions is not None
    output = _writable(attempt, staged.folder / "scoring")
    beside = job.ingestion_only_during_scoring and staged.ingestion_program is not None
    folders = _step_folders(attempt, job, staged, "scoring", output, shared=beside)
    commands = _commands_of(staged.scoring_program, job, ingestion=False, scoring=True)
    planned = [Planned("scoring", commands, scoring_view(job, staged, outcome.predictions, folders))]
    if beside and staged.ingestion_program is not None:
        commands = _commands_of(staged.ingestion_program, job, ingestion=True, scoring=True)
        view = ingestion_beside_scoring_view(job, staged, outcome.predictions, folders)
        planned.append(Planned("ingestion", commands, view))
    outcome.scoring_output = output
    with shown_live(_live_page(attempt, job, output, staged.folder)):
        run_step(attempt, job, "scoring", planned, image, outcome)
    if job.protocol is Protocol.V1_5:
        # What CodaLab keeps from participants: they may download all else of the output.
        remove_tree(output / PRIVATE)


def _live_page(attempt: AttemptInHand, job: EvaluationJob, output: Path, folder: Path) -> LivePage | None:
    """The detailed result that the scoring program writes, where there is somewhere to show it."""
    if job.live_results is None:
        return None
    return LivePage(output, job.live_results, folder / "live-results.upload", attempt.workplace.transfers)


def _step_folders(
    attempt: AttemptInHand,
    job: EvaluationJob,
    staged: StagedEvaluation,
    step: Step,
    output: Path,
    *,
    shared: bool = False,
) -> StepFolders:
    """The folders that a step's programs write to, besides its output; CodaLab's programs always have all of them."""
    is_old = job.protocol is Protocol.V1_5
    empty = staged.folder / "empty"
    if is_old:
        empty.mkdir(mode=0o755, exist_ok=True)
    return StepFolders(
        output=output,
        shared=_writable(attempt, staged.folder / f"{step}-shared") if shared or is_old else None,
        temporary=_writable(attempt, staged.folder / f"{step}-temporary") if is_old else None,
        empty=empty if is_old else None,
    )


def _commands_of(program: Path, job: EvaluationJob, *, ingestion: bool, scoring: bool) -> tuple[tuple[str, ...], ...]:
    """The commands of an organizer's program; that they can't be had is never the participant's doing."""
    kind = "ingestion" if ingestion else "scoring"
    try:
        metadata = read_metadata(program)
        if metadata is not None and metadata.commands:
            return tuple(
                command_words(line, ingestion=ingestion, scoring=scoring, protocol=job.protocol)
                for line in metadata.commands
            )
    except BadMetadata as bad:
        raise PlatformFault(f"The {kind} program of this competition can't be run: {bad}") from bad
    raise PlatformFault(f"The {kind} program of this competition has no metadata with a command.")


def _writable(attempt: AttemptInHand, folder: Path) -> Path:
    attempt.workplace.executor.writable_folder(folder, root=attempt.job.relaxations.root)
    return folder


def _copy_for_programs(source: str, target: str) -> None:
    """Copy a file so that programs, which run as another user, may change it as Codabench lets them."""
    shutil.copyfile(source, target, follow_symlinks=False)
    Path(target).chmod(0o777 if Path(source).stat().st_mode & 0o100 else 0o666)


def _open_folders(folder: Path) -> None:
    """Let programs write into the folders that were copied; no program has run in them yet."""
    for inner in folder.rglob("*"):
        if inner.is_dir():
            inner.chmod(0o777)


def _write_result_metadata(outcome: Outcome, protocol: Protocol) -> None:
    """Leave the worker's `metadata` in the predictions: exit statuses and seconds.

    For CodaLab a program that was not run has ended well.
    """
    assert outcome.predictions is not None
    unrun = 0 if protocol is Protocol.V1_5 else None
    ends = {ran.role: ran.end for ran in outcome.ran}
    submission, ingestion = ends.get("submission"), ends.get("ingestion")
    content = {
        "exitCode": submission.exit_status if submission else unrun,
        "elapsedTime": submission.wall_seconds if submission else 0.0,
        "ingestionExitCode": ingestion.exit_status if ingestion else unrun,
        "ingestionElapsedTime": ingestion.wall_seconds if ingestion else None,
    }
    if submission is None and ingestion is not None:
        content["elapsedTime"] = ingestion.wall_seconds
    path = outcome.predictions / RESULT_METADATA
    if not path.exists() and not path.is_symlink():
        path.write_text(yaml.safe_dump(content))
        path.chmod(0o644)


def _output_fault(refused: OutputRefused, ground: Ground) -> Fault:
    if refused.limit:
        return Fault(Verdict.OUTPUT_LIMIT, f"The prediction step {limit_words(refused.limit, ground)}. {refused}")
    return Fault(Verdict.BAD_SUBMISSION, str(refused))
