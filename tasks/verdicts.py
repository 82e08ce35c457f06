"""How an evaluation ended, and why: one pure function over what was measured, with a fixed order.

The order: the wall clock of the prediction, what kept the scores from being read, then what went wrong before. A
failed prediction alone is no verdict, since scoring goes on after it (Codabench's contract); it is the reason when
scoring then fails too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from podium.platform.jobs import Limits
from podium.platform.lifecycle import AttemptOutcome, Verdict
from podium.tasks.programs import ProgramEnd

Step = Literal["prediction", "scoring"]
Role = Literal["submission", "ingestion", "scoring"]
FILE_SIZE_STATUS = 128 + 25  # SIGXFSZ

_NAMES: Mapping[Role, str] = {
    "submission": "Your program",
    "ingestion": "The ingestion program",
    "scoring": "The scoring program",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that was run, and how it ended."""

    step: Step
    role: Role
    end: ProgramEnd


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps an evaluation from succeeding, found outside of the programs' own end."""

    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an evaluation ended; `message` is for the participant."""

    outcome: AttemptOutcome
    verdict: Verdict | None = None
    message: str = ""


def judge(ran: Sequence[Ran], fault: Fault | None, limits: Limits) -> Judgement:
    """Judge an evaluation by how its programs ended, and by what was wrong with the scores or the output."""
    if any(item.end.stopped for item in ran):
        return Judgement(AttemptOutcome.CANCELLED, None, "The attempt was stopped.")
    failures = [(item, found) for item in ran if (found := program_fault(item, limits))]
    for _, found in failures:
        if found.verdict is Verdict.TIME_LIMIT:
            return _failed(found)
    scoring = [found for item, found in failures if item.role == "scoring"]
    before = [found for item, found in failures if item.role != "scoring"]
    if not scoring and fault is None:
        return Judgement(AttemptOutcome.SUCCEEDED)
    after = scoring[0] if scoring else fault
    assert after is not None
    if before:
        return Judgement(
            AttemptOutcome.USER_ERROR, before[0].verdict, f"{before[0].message} Scoring then failed: {after.message}"
        )
    return _failed(after)


def _failed(fault: Fault) -> Judgement:
    return Judgement(AttemptOutcome.USER_ERROR, fault.verdict, fault.message)


def program_fault(ran: Ran, limits: Limits) -> Fault | None:
    """What went wrong with a program, if anything: the first that holds, in this order."""
    end, name = ran.end, _NAMES[ran.role]
    if end.timed_out:
        return Fault(
            Verdict.TIME_LIMIT,
            f"{name} was stopped after {limits.wall_seconds:g} seconds, the time limit of the phase ({ran.step} step).",
        )
    if end.exit_status == 0:
        return None
    if end.start_error:
        return Fault(Verdict.EXIT_STATUS, f"{name} could not be started: {end.start_error}")
    if end.oom_killed:
        mebibytes = limits.memory_bytes / 2**20
        return Fault(Verdict.MEMORY_LIMIT, f"{name} needed more than the memory limit of {mebibytes:.0f} MiB.")
    if end.exit_status == FILE_SIZE_STATUS:
        mebibytes = limits.file_bytes / 2**20
        return Fault(Verdict.OUTPUT_LIMIT, f"{name} wrote a file larger than the limit of {mebibytes:.0f} MiB.")
    return Fault(
        Verdict.EXIT_STATUS,
        f"{name} ended with exit status {end.exit_status} in the {ran.step} step; its log says more.",
    )
