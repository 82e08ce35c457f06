"""The two steps of an evaluation: what runs in them, and what is left. What each program sees is in `views`.

What leaves a writable folder leaves by `output_copies` and `output_zips` alone.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from podium.platform.bundles.content import Protocol
from podium.platform.errors import PlatformFault
from podium.platform.jobs import EvaluationJob, LogStream, ProgramReport
from podium.platform.lifecycle import Verdict
from podium.tasks.attempt import AttemptInHand
from podium.tasks.detailed_results import LivePage, shown_live
from podium.tasks.metadata import HIDDEN, BadMetadata, command_words, read_metadata
from podium.tasks.output_copies import copy_tree
from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.programs import Image, Program, ProgramEnd, Stream, left_of, together
from podium.tasks.tree_removal import remove_tree
from podium.tasks.verdicts import Fault, Ground, Ran, Role, Step, limit_of, limit_words, note_of
from podium.tasks.views import (
    StagedEvaluation,
    StepFolders,
    View,
    container_view,
    ingestion_beside_scoring_view,
    ingestion_view,
    scoring_view,
    submission_view,
)

PRIVATE = "private"
RESULT_METADATA = "metadata"
"""The file that Codabench's worker leaves beside the prediction's output; scoring programs read times from it."""


@dataclass(slots=True)
class Outcome:
    """What has happened in an evaluation so far.

    Attributes:
        predictions: The checked copy of the prediction's output; no program can write to it.
        scoring_output: The folder that the scoring step wrote to; not to be trusted.
    """

    ran: list[Ran] = field(default_factory=list)
    reports: list[ProgramReport] = field(default_factory=list)
    fault: Fault | None = None
    predictions: Path | None = None
    scoring_output: Path | None = None
    timings: dict[str, float] = field(default_factory=dict)

    def add_seconds(self, step: str, seconds: float) -> None:
        """Count time for a step."""
        self.timings[step] = self.timings.get(step, 0.0) + seconds


@dataclass(frozen=True, slots=True)
class _Planned:
    """A program of a step with its commands, which are run one after the other."""

    role: Role
    commands: tuple[tuple[str, ...], ...]
    view: View
    image: Image | None = None  # its own, in place of the competition's


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
        planned.append(_Planned("submission", ((),), container_view(staged, folders), staged.container))
    elif metadata is not None and metadata.commands:
        commands = tuple(
            command_words(line, ingestion=False, scoring=False, protocol=job.protocol) for line in metadata.commands
        )
        planned.append(_Planned("submission", commands, submission_view(job, staged, folders, alone=alone)))
    if ingestion is not None:
        commands = _commands_of(ingestion, job, ingestion=True, scoring=False)
        hidden = any(HIDDEN in word for command in commands for word in command)
        view = ingestion_view(job, staged, folders, alone=alone, asks_for_hidden=hidden)
        planned.append(_Planned("ingestion", commands, view))
    _run_step(attempt, job, "prediction", planned, image, outcome)
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
    planned = [_Planned("scoring", commands, scoring_view(job, staged, outcome.predictions, folders))]
    if beside and staged.ingestion_program is not None:
        commands = _commands_of(staged.ingestion_program, job, ingestion=True, scoring=True)
        view = ingestion_beside_scoring_view(job, staged, outcome.predictions, folders)
        planned.append(_Planned("ingestion", commands, view))
    outcome.scoring_output = output
    with shown_live(_live_page(attempt, job, output, staged.folder)):
        _run_step(attempt, job, "scoring", planned, image, outcome)
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


def _run_step(
    attempt: AttemptInHand,
    job: EvaluationJob,
    step: Step,
    planned: Sequence[_Planned],
    image: Image,
    outcome: Outcome,
) -> None:
    """Run the programs of a step at the same time, under one wall clock."""
    deadline = time.monotonic() + attempt.job.limits.wall_seconds
    if len(planned) == 1:
        ends = [_run_program(attempt, job, step, planned[0], image, deadline, alone=True)]
    else:
        with ThreadPoolExecutor(len(planned)) as threads:
            futures = [
                threads.submit(copy_context().run, _run_program, attempt, job, step, program, image, deadline)
                for program in planned
            ]
            ends = [future.result() for future in futures]
    for program, end in zip(planned, ends, strict=True):
        ran = Ran(step, program.role, end)
        outcome.ran.append(ran)
        outcome.reports.append(_report(ran, program.image or image, Ground.of(attempt.job)))
        for name, seconds in end.timings.items():
            outcome.add_seconds(name, seconds)


def _run_program(
    attempt: AttemptInHand,
    job: EvaluationJob,
    step: Step,
    planned: _Planned,
    image: Image,
    deadline: float,
    *,
    alone: bool = False,
) -> ProgramEnd:
    """Run a program's commands in order; the first that fails is the end of it."""
    stdout, stderr = _streams(step, planned.role)
    written = threading.Event()

    def on_output(stream: Stream, data: bytes) -> None:
        written.set()
        attempt.logs.write(job.evaluation_id, stdout if stream == "stdout" else stderr, data)

    end, limits = ProgramEnd(exit_status=0), attempt.job.limits
    for number, command in enumerate(planned.commands):
        program = Program(
            name=f"podium-{str(job.evaluation_id)[-12:]}-{attempt.job.attempt_number}-{step}-{planned.role}-{number}",
            image=planned.image or image,
            command=command,
            mounts=planned.view.mounts,
            working_folder=planned.view.working_folder,
            environment=dict(planned.view.environment),
            limits=left_of(limits, end),
            labels={"attempt": str(attempt.job.attempt_id), "evaluation": str(job.evaluation_id), "step": step},
            trusted=planned.role != "submission",
            relaxations=attempt.job.relaxations,
            runtime=attempt.job.runtime,
            preparable=alone and len(planned.commands) == 1 and not attempt.job.container_submission,
        )
        last = attempt.workplace.executor.run(program, deadline=deadline, stop=attempt.stop, on_output=on_output)
        for words in last.notes:
            attempt.logs.note(job.evaluation_id, stderr, f"\n[podium: {words}]")
        end = together(end, last)
        if end.exit_status != 0 or limit_of(end) is not None:
            break
    if note := note_of(end, Ground.of(attempt.job)):
        attempt.logs.note(job.evaluation_id, stderr, f"\n[podium: {note}]")
    return end


def _streams(step: Step, role: Role) -> tuple[LogStream, LogStream]:
    middle = f"{step}_ingestion" if role == "ingestion" else step
    return LogStream(f"{middle}_stdout"), LogStream(f"{middle}_stderr")


def _report(ran: Ran, image: Image, ground: Ground) -> ProgramReport:
    end = ran.end
    return ProgramReport(
        program=ran.role,
        step=ran.step,
        image=image.name,
        image_digest=image.digest,
        exit_status=end.exit_status,
        limit=limit_of(end),
        wall_seconds=end.wall_seconds,
        cpu_seconds=end.cpu_seconds,
        peak_memory_bytes=end.peak_memory_bytes,
        peak_processes=end.peak_processes,
        note=note_of(end, ground),
    )


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
