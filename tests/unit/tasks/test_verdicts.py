"""How an evaluation ended, and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from podium.platform.jobs import Limits
from podium.platform.lifecycle import AttemptOutcome, Verdict
from podium.platform.limits import LIMITS
from podium.tasks.programs import ProgramEnd, left_of, together
from podium.tasks.verdicts import (
    Fault,
    Ground,
    Judgement,
    Ran,
    Role,
    Step,
    host_fault,
    is_over,
    judge,
    limit_of,
    limit_words,
    note_of,
    program_fault,
)

GROUND = Ground(Limits(wall_seconds=90, cpu_seconds=30, memory_bytes=512 * 2**20, file_bytes=64 * 2**20))
NO_SCORES = Fault(Verdict.NO_SCORES, "No scores.")

ENDS = {
    "well": ProgramEnd(exit_status=0),
    "failed": ProgramEnd(exit_status=3),
    "memory": ProgramEnd(exit_status=137, oom_killed=True),
    "file": ProgramEnd(exit_status=153, file_full=True),
    "processes": ProgramEnd(exit_status=1, forks_refused=True),
    "disk": ProgramEnd(exit_status=137, disk_exceeded=True),
    "missing": ProgramEnd(exit_status=127, start_error="no such file"),
    "late": ProgramEnd(exit_status=137, timed_out=True),
    "busy": ProgramEnd(exit_status=137, cpu_exceeded=True),
    "host": ProgramEnd(exit_status=137, host_fault="the host's disk is full"),
    "stopped": ProgramEnd(exit_status=137, stopped=True),
}
VERDICTS = {
    "failed": Verdict.EXIT_STATUS,
    "memory": Verdict.MEMORY_LIMIT,
    "file": Verdict.OUTPUT_LIMIT,
    "processes": Verdict.PROCESS_LIMIT,
    "disk": Verdict.DISK_LIMIT,
    "missing": Verdict.EXIT_STATUS,
    "late": Verdict.TIME_LIMIT,
    "busy": Verdict.TIME_LIMIT,
}


def ran(step: Step, role: Role, how: str) -> Ran:
    return Ran(step, role, ENDS[how])


def expected(prediction: str, scoring: str | None, fault: Fault | None) -> tuple[AttemptOutcome, Verdict | None]:
    """The order, written down once more: stopped, the host, time, what scoring says, the reason before it."""
    both = {prediction, scoring}
    if "stopped" in both:
        return AttemptOutcome.CANCELLED, None
    if "host" in both:
        return AttemptOutcome.PLATFORM_ERROR, None
    if scoring in (None, "well") and fault is None and not both & {"late", "busy"}:
        return AttemptOutcome.SUCCEEDED, None
    reasons = (
        (bool(both & {"late", "busy"}), Verdict.TIME_LIMIT),
        (prediction != "well", VERDICTS.get(prediction)),
        (scoring not in (None, "well"), VERDICTS.get(scoring or "")),
        (fault is not None, fault.verdict if fault else None),
    )
    return AttemptOutcome.USER_ERROR, next(verdict for holds, verdict in reasons if holds)


@pytest.mark.parametrize(
    ("prediction", "scoring", "fault"), list(itertools.product(ENDS, [None, *ENDS], [None, NO_SCORES]))
)
def test_every_combination_of_programs(prediction: str, scoring: str | None, fault: Fault | None) -> None:
    programs = [ran("prediction", "submission", prediction)]
    if scoring is not None:
        programs.append(ran("scoring", "scoring", scoring))
    found = judge(programs, fault, GROUND)
    assert expected(prediction, scoring, fault) == (found.outcome, found.verdict)
    assert bool(found.message) == (found.outcome is not AttemptOutcome.SUCCEEDED)


FLAGS = ("stopped", "timed_out", "cpu_exceeded", "disk_exceeded", "oom_killed", "file_full", "forks_refused")
STATUSES = (None, 0, 1, 126, 137, 139, 153)
BY_FLAG = {
    "timed_out": "wall_seconds",
    "cpu_exceeded": "cpu_seconds",
    "disk_exceeded": "disk_bytes",
    "oom_killed": "memory_bytes",
    "file_full": "file_bytes",
    "forks_refused": "processes",
}
NEED_FAILURE = {"oom_killed", "file_full", "forks_refused"}


def every_end() -> Iterator[ProgramEnd]:
    """Every combination of all that is measured of how a program ended: 7 flags, status, start error, the host."""
    for values in itertools.product((False, True), repeat=len(FLAGS)):
        for status, start_error, host in itertools.product(STATUSES, ("", "no such file"), ("", "the disk is full")):
            flags = dict(zip(FLAGS, values, strict=True))
            yield ProgramEnd(exit_status=status, start_error=start_error, host_fault=host, **flags)


def first_limit(end: ProgramEnd) -> str | None:
    """The fixed order of the limits, written down once more."""
    for flag, limit in BY_FLAG.items():
        if getattr(end, flag) and (flag not in NEED_FAILURE or (end.exit_status != 0 and not end.start_error)):
            return limit
    return None


def test_the_combinations_leave_out_nothing_that_is_measured_of_an_end() -> None:
    flags = {field.name for field in fields(ProgramEnd) if field.type == "bool"}
    assert flags == set(FLAGS)


@pytest.mark.parametrize("in_doubt", [False, True])
def test_every_combination_of_what_is_measured(*, in_doubt: bool) -> None:
    ground = replace(GROUND, in_doubt=in_doubt)
    for end in every_end():
        found = judge([Ran("scoring", "scoring", end)], None, ground)
        limit = first_limit(end)
        by_nobody = end.exit_status == 137 and in_doubt
        went_well_or_not_begun = end.exit_status == 0 or bool(end.start_error)
        if end.stopped:
            assert found.outcome is AttemptOutcome.CANCELLED, end
        elif not went_well_or_not_begun and (
            end.host_fault or (limit is None and (end.exit_status is None or by_nobody))
        ):
            assert found.outcome is AttemptOutcome.PLATFORM_ERROR, end
        elif limit:
            assert found.outcome is AttemptOutcome.USER_ERROR, end
            assert found.verdict is LIMITS[limit].verdict, end
            assert LIMITS[limit].shown(getattr(ground.limits, limit)) in found.message, end
        elif end.exit_status == 0:
            assert found == Judgement(AttemptOutcome.SUCCEEDED), end
        else:
            assert (found.outcome, found.verdict) == (AttemptOutcome.USER_ERROR, Verdict.EXIT_STATUS), end


def test_the_host_never_makes_a_verdict() -> None:
    """Whatever else is measured, and whatever becomes of the scores."""
    for end in every_end():
        if not host_fault(end, GROUND) or end.stopped:
            continue
        for fault, other in itertools.product((None, NO_SCORES), ENDS.values()):
            for programs in (
                [Ran("prediction", "submission", end), Ran("scoring", "scoring", other)],
                [Ran("prediction", "submission", other), Ran("scoring", "scoring", end)],
            ):
                found = judge(programs, fault, GROUND)
                assert found.verdict is None
                assert found.outcome in {AttemptOutcome.PLATFORM_ERROR, AttemptOutcome.CANCELLED}


def test_a_kill_that_nobody_knows_of_is_judged_only_when_it_comes_back() -> None:
    killed = [Ran("prediction", "submission", ProgramEnd(exit_status=137)), ran("scoring", "scoring", "well")]
    first = judge(killed, NO_SCORES, replace(GROUND, in_doubt=True))
    assert (first.outcome, first.verdict) == (AttemptOutcome.PLATFORM_ERROR, None)
    later = judge(killed, NO_SCORES, GROUND)
    assert later.verdict is Verdict.EXIT_STATUS
    assert "ended by the signal SIGKILL: it was killed, and not by this host as far as is known" in later.message


@pytest.mark.parametrize(
    ("how", "is_the_end"), [(how, how in {"late", "busy", "host", "stopped"}) for how in sorted(ENDS)]
)
def test_scoring_goes_on_after_a_failed_prediction_but_not_after_time_or_the_host(
    how: str, *, is_the_end: bool
) -> None:
    assert is_over([ran("prediction", "submission", how)], GROUND) is is_the_end


def test_a_result_submission_runs_nothing_before_scoring() -> None:
    assert Judgement(AttemptOutcome.SUCCEEDED) == judge([ran("scoring", "scoring", "well")], None, GROUND)
    assert Verdict.NO_SCORES is judge([ran("scoring", "scoring", "well")], NO_SCORES, GROUND).verdict
    assert Verdict.BAD_SUBMISSION is judge([], Fault(Verdict.BAD_SUBMISSION, "Not an archive."), GROUND).verdict


def test_a_failed_prediction_is_forgiven_when_scoring_goes_well() -> None:
    programs = [ran("prediction", "submission", "failed"), ran("scoring", "scoring", "well")]
    assert AttemptOutcome.SUCCEEDED is judge(programs, None, GROUND).outcome


def test_a_failed_prediction_is_the_reason_when_scoring_fails_too() -> None:
    programs = [ran("prediction", "submission", "memory"), ran("scoring", "scoring", "failed")]
    found = judge(programs, NO_SCORES, GROUND)
    assert Verdict.MEMORY_LIMIT is found.verdict
    assert found.message == (
        "Your program needed more memory than its limit of 512 MiB (prediction step). "
        "Scoring then failed: The scoring program ended with exit status 3 (scoring step). Its log says more."
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("failed", "Your program ended with exit status 3 (prediction step). Its log says more."),
        ("memory", "Your program needed more memory than its limit of 512 MiB (prediction step)."),
        (
            "file",
            "Your program wrote a file up to its size limit of 64 MiB, and could not go on (prediction step).",
        ),
        (
            "processes",
            "Your program wanted more processes and threads at once than its limit of 256 (prediction step).",
        ),
        (
            "disk",
            (
                "Your program was stopped as the files of its step took more disk than the limit of 4 GiB, "
                "or were more than 250,000 (prediction step)."
            ),
        ),
        ("missing", "Your program could not be started: no such file"),
        ("late", "Your program was stopped after 90 s, the time limit (prediction step)."),
        ("busy", "Your program used more CPU time than its limit of 30 s (prediction step)."),
    ],
)
def test_a_fault_names_the_limit_and_its_value(how: str, message: str) -> None:
    assert Fault(VERDICTS[how], message) == program_fault(ran("prediction", "submission", how), GROUND)


def test_what_is_found_after_the_end_names_limit_and_value_too() -> None:
    assert limit_words("output_bytes", GROUND) == "left more output than its limit of 2 GiB"
    assert limit_words("output_files", GROUND) == "left more files in its output than the limit of 10,000"


def test_a_limit_that_the_operator_lowered_says_so() -> None:
    ground = replace(GROUND, asked={"memory_bytes": 2.0 * 2**30})
    found = program_fault(ran("scoring", "scoring", "memory"), ground)
    assert found is not None
    assert found.message == (
        "The scoring program needed more memory than its limit of 512 MiB, the operator's maximum "
        "(the competition asks for 2 GiB) (scoring step)."
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (1, "ended with exit status 1 "),
        (139, "was ended by the signal SIGSEGV: it used memory that is not its own, exit status 139"),
        (134, "was ended by the signal SIGABRT: it gave up by itself"),
        (136, "was ended by the signal SIGFPE: it computed something"),
        (141, "was ended by the signal SIGPIPE, exit status 141"),
        (255, "ended with exit status 255 "),
    ],
)
def test_signals_are_named(status: int, words: str) -> None:
    found = program_fault(Ran("prediction", "submission", ProgramEnd(exit_status=status)), GROUND)
    assert found is not None
    assert words in found.message


TRACEBACK = b"Traceback (most recent call last):\n  File 'x'\nOSError: [Errno 24] Too many open files: 'a'\n\n"


def test_the_last_words_are_quoted_where_the_participant_may_see_the_log() -> None:
    end = ProgramEnd(exit_status=1, stderr_tail=TRACEBACK)
    seen = program_fault(Ran("scoring", "scoring", end), replace(GROUND, may_quote=frozenset({"scoring"})))
    assert seen is not None
    assert seen.message == (
        "The scoring program ended with exit status 1 (scoring step). Its last line on stderr: "
        "\"OSError: [Errno 24] Too many open files: 'a'\". The limit of `open_files` is 4,096."
    )


def test_the_last_words_are_kept_where_the_log_is_hidden() -> None:
    secret = b"the answers are 1, 2 and 3"
    for end in every_end():
        programs = [Ran("scoring", "scoring", replace(end, stderr_tail=secret))]
        for ground in (GROUND, replace(GROUND, may_quote=frozenset({"prediction"}))):
            assert "answers" not in judge(programs, NO_SCORES, ground).message


def test_the_wall_clock_comes_before_everything_else_about_a_program() -> None:
    end = replace(ENDS["memory"], timed_out=True, start_error="x")
    found = program_fault(Ran("scoring", "ingestion", end), GROUND)
    assert found is not None
    assert Verdict.TIME_LIMIT is found.verdict
    assert found.message.startswith("The ingestion program was stopped")


def test_a_program_that_went_on_without_a_child_has_no_fault_but_a_note() -> None:
    end = ProgramEnd(exit_status=0, oom_killed=True)
    assert program_fault(Ran("scoring", "scoring", end), GROUND) is None
    assert note_of(end, GROUND) == (
        "A process of this program was killed at the memory limit of 512 MiB; the program itself went on."
    )
    assert [how for how, one in ENDS.items() if note_of(one, GROUND)] == []


def test_commands_of_a_program_count_together() -> None:
    first = ProgramEnd(0, wall_seconds=1, cpu_seconds=2, peak_memory_bytes=30, peak_processes=4, timings={"run": 1.0})
    second = ProgramEnd(3, wall_seconds=5, cpu_seconds=6, peak_memory_bytes=7, timings={"run": 2.0, "start": 1.0})
    both = together(first, second)
    assert (both.exit_status, both.wall_seconds, both.cpu_seconds) == (3, 6, 8)
    assert (both.peak_memory_bytes, both.peak_processes) == (30, 4)
    assert both.timings == {"run": 3.0, "start": 1.0}
    assert left_of(GROUND.limits, both).cpu_seconds == 22
    assert together(ProgramEnd(0), ProgramEnd(0)).cpu_seconds is None


def test_out_of_memory_of_an_earlier_command_is_no_reason_for_a_later_one_to_fail() -> None:
    first = ProgramEnd(0, oom_killed=True)
    assert limit_of(together(first, ProgramEnd(1))) is None
    assert note_of(together(first, ProgramEnd(0)), GROUND)
