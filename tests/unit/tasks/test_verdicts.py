"""How an evaluation ended, and why."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from podium.platform.jobs import Limits
from podium.platform.lifecycle import AttemptOutcome, Verdict
from podium.tasks.programs import ProgramEnd
from podium.tasks.verdicts import Fault, Judgement, Ran, Role, Step, judge, program_fault

LIMITS = Limits(wall_seconds=90, memory_bytes=512 * 2**20, file_bytes=64 * 2**20)
NO_SCORES = Fault(Verdict.NO_SCORES, "No scores.")

ENDS = {
    "well": ProgramEnd(exit_status=0),
    "failed": ProgramEnd(exit_status=3),
    "memory": ProgramEnd(exit_status=137, oom_killed=True),
    "file": ProgramEnd(exit_status=153),
    "missing": ProgramEnd(exit_status=None, start_error="no such file"),
    "late": ProgramEnd(exit_status=137, timed_out=True),
    "stopped": ProgramEnd(exit_status=137, stopped=True),
}
VERDICTS = {
    "failed": Verdict.EXIT_STATUS,
    "memory": Verdict.MEMORY_LIMIT,
    "file": Verdict.OUTPUT_LIMIT,
    "missing": Verdict.EXIT_STATUS,
    "late": Verdict.TIME_LIMIT,
}


def ran(step: Step, role: Role, how: str) -> Ran:
    return Ran(step, role, ENDS[how])


def expected(prediction: str, scoring: str | None, fault: Fault | None) -> tuple[AttemptOutcome, Verdict | None]:
    """The order, written down once more: stopped, time, what scoring says, the reason before it."""
    if "stopped" in (prediction, scoring):
        return AttemptOutcome.CANCELLED, None
    if "late" in (prediction, scoring):
        return AttemptOutcome.USER_ERROR, Verdict.TIME_LIMIT
    if scoring in (None, "well") and fault is None:
        return AttemptOutcome.SUCCEEDED, None
    if prediction != "well":
        return AttemptOutcome.USER_ERROR, VERDICTS[prediction]
    if scoring not in (None, "well"):
        return AttemptOutcome.USER_ERROR, VERDICTS[scoring]
    assert fault is not None
    return AttemptOutcome.USER_ERROR, fault.verdict


@pytest.mark.parametrize(
    ("prediction", "scoring", "fault"), list(itertools.product(ENDS, [None, *ENDS], [None, NO_SCORES]))
)
def test_every_combination(prediction: str, scoring: str | None, fault: Fault | None) -> None:
    programs = [ran("prediction", "submission", prediction)]
    if scoring is not None:
        programs.append(ran("scoring", "scoring", scoring))
    found = judge(programs, fault, LIMITS)
    assert expected(prediction, scoring, fault) == (found.outcome, found.verdict)
    assert bool(found.message) == (found.outcome is not AttemptOutcome.SUCCEEDED)


def test_a_result_submission_runs_nothing_before_scoring() -> None:
    assert Judgement(AttemptOutcome.SUCCEEDED) == judge([ran("scoring", "scoring", "well")], None, LIMITS)
    assert Verdict.NO_SCORES is judge([ran("scoring", "scoring", "well")], NO_SCORES, LIMITS).verdict
    assert Verdict.BAD_SUBMISSION is judge([], Fault(Verdict.BAD_SUBMISSION, "Not an archive."), LIMITS).verdict


def test_a_failed_prediction_is_forgiven_when_scoring_goes_well() -> None:
    programs = [ran("prediction", "submission", "failed"), ran("scoring", "scoring", "well")]
    assert AttemptOutcome.SUCCEEDED is judge(programs, None, LIMITS).outcome


def test_a_failed_prediction_is_the_reason_when_scoring_fails_too() -> None:
    programs = [ran("prediction", "submission", "memory"), ran("scoring", "scoring", "failed")]
    found = judge(programs, NO_SCORES, LIMITS)
    assert Verdict.MEMORY_LIMIT is found.verdict
    assert found.message == (
        "Your program needed more than the memory limit of 512 MiB. "
        "Scoring then failed: The scoring program ended with exit status 3 in the scoring step; its log says more."
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("failed", "Your program ended with exit status 3 in the prediction step; its log says more."),
        ("memory", "Your program needed more than the memory limit of 512 MiB."),
        ("file", "Your program wrote a file larger than the limit of 64 MiB."),
        ("missing", "Your program could not be started: no such file"),
        ("late", "Your program was stopped after 90 seconds, the time limit of the phase (prediction step)."),
    ],
)
def test_a_fault_names_the_limit_and_its_value(how: str, message: str) -> None:
    assert Fault(VERDICTS[how], message) == program_fault(ran("prediction", "submission", how), LIMITS)


def test_the_wall_clock_comes_before_everything_else_about_a_program() -> None:
    end = replace(ENDS["memory"], timed_out=True, start_error="x")
    found = program_fault(Ran("scoring", "ingestion", end), LIMITS)
    assert found is not None
    assert Verdict.TIME_LIMIT is found.verdict
    assert found.message.startswith("The ingestion program was stopped")


def test_a_program_that_ended_well_has_no_fault_whatever_a_child_of_it_met() -> None:
    assert program_fault(Ran("scoring", "scoring", ProgramEnd(exit_status=0, oom_killed=True)), LIMITS) is None
