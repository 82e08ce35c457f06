"""The programs of a step: run at the same time under one wall clock, their output sent on and their ends kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

from podium.platform.jobs import EvaluationJob, LogStream, ProgramReport
from podium.tasks.attempt import AttemptInHand
from podium.tasks.programs import Image, Program, ProgramEnd, Stream, left_of, together
from podium.tasks.verdicts import Fault, Ground, Ran, Role, Step, limit_of, note_of
from podium.tasks.views import View


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
class Planned:
    """A program of a step with its commands, which are run one after the other."""

    role: Role
    commands: tuple[tuple[str, ...], ...]
    view: View
    image: Image | None = None  # its own, in place of the competition's


def run_step(
    attempt: AttemptInHand,
    job: EvaluationJob,
    step: Step,
    planned: Sequence[Planned],
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
    planned: Planned,
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
