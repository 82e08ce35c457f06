"""How an evaluation ended, and why: one pure function over what was measured, with a fixed order.

The order: an attempt that was stopped; what the host did; the time limits; what kept the scores from being read; then
what went wrong before. A failed prediction alone is no verdict, since scoring goes on after it (Codabench's contract);
it is the reason when scoring then fails too.

For one program the order is: wall clock, CPU time, disk, and, if it failed, that it could not be started, memory, the
size of a file, the number of processes, and its exit status. A limit that a child met counts only if the program then
failed: one that went on and ended well has dealt with it.

**Killed, and by whom?** The status 137 says that a process was killed with SIGKILL. Where the host is known to have
done it, the evaluation is tried again, and never judged. Where nothing is known, it may have been root on the host with
a signal, or the program itself: inside of a sandbox nobody can kill its first process, but the program is not that
one, and no kernel says who sent a signal. So the first time counts as the host's, and is tried again; a program that
ends so in a later attempt is taken to do it itself.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from podium.platform.jobs import Limits, ScoringJob
from podium.platform.lifecycle import AttemptOutcome, Verdict
from podium.platform.limits import LIMITS, TABLE
from podium.tasks.last_words import hint, last_line
from podium.tasks.programs import ProgramEnd

Step = Literal["prediction", "scoring"]
Role = Literal["submission", "ingestion", "scoring"]

_NAMES: Mapping[Role, str] = {
    "submission": "Your program",
    "ingestion": "The ingestion program",
    "scoring": "The scoring program",
}
_TIME_LIMITS = frozenset(limit.name for limit in TABLE if limit.verdict is Verdict.TIME_LIMIT)
_SIGNALS: Mapping[int, str] = {
    signal.SIGSEGV: "it used memory that is not its own",
    signal.SIGABRT: "it gave up by itself, as failed assertions do",
    signal.SIGFPE: "it computed something that has no result, such as a division by zero",
    signal.SIGBUS: "it used memory that is not there, as a full /dev/shm does",
    signal.SIGILL: "it came to an instruction that this processor does not have",
    signal.SIGSYS: "it made a system call that is not allowed here",
    signal.SIGKILL: "it was killed, and not by this host as far as is known",
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


@dataclass(frozen=True, slots=True)
class Ground:
    """What judgements go by besides what was measured.

    Attributes:
        asked: What the competition asks of a limit, where the operator allows less by now.
        may_quote: Steps of which the participant may see the logs.
        in_doubt: A kill that nobody knows the reason of is taken for the host's.
    """

    limits: Limits
    asked: Mapping[str, float] = field(default_factory=dict)
    may_quote: frozenset[Step] = frozenset()
    in_doubt: bool = False

    @classmethod
    def of(cls, job: ScoringJob) -> Ground:
        """What a job says about it."""
        return cls(job.limits, job.asked_limits, frozenset(job.may_quote), in_doubt=job.attempt_number == 1)


def judge(ran: Sequence[Ran], fault: Fault | None, ground: Ground) -> Judgement:
    """Judge an evaluation by how its programs ended, and by what was wrong with the scores or the output."""
    if any(item.end.stopped for item in ran):
        return Judgement(AttemptOutcome.CANCELLED, None, "The attempt was stopped.")
    for item in ran:
        if why := host_fault(item.end, ground):
            message = f"{_NAMES[item.role]} could not run to its end ({item.step} step): {why}."
            return Judgement(AttemptOutcome.PLATFORM_ERROR, None, message)
    failures = [(item, found) for item in ran if (found := program_fault(item, ground))]
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


def is_over(ran: Sequence[Ran], ground: Ground) -> bool:
    """Whether nothing that comes after these programs can change how the evaluation ends."""
    return any(item.end.stopped or host_fault(item.end, ground) or limit_of(item.end) in _TIME_LIMITS for item in ran)


def host_fault(end: ProgramEnd, ground: Ground) -> str:
    """What of the host's doing kept a program from ending as it would have; empty where that is not the case."""
    if end.exit_status == 0 or end.start_error:
        return ""
    if end.host_fault:
        return end.host_fault
    if limit_of(end) is not None:
        return ""
    if end.exit_status is None:
        return "it was never started"
    if end.exit_status == 128 + signal.SIGKILL and ground.in_doubt:
        return "it was killed, and it is not known by whom"
    return ""


def limit_of(end: ProgramEnd) -> str | None:
    """The limit that a program exceeded, by its name in `Limits`: the first in the order."""
    always = (
        (end.timed_out, "wall_seconds"),
        (end.cpu_exceeded, "cpu_seconds"),
        (end.disk_exceeded, "disk_bytes"),
    )
    on_failure = (
        (end.oom_killed, "memory_bytes"),
        (end.file_full, "file_bytes"),
        (end.forks_refused, "processes"),
    )
    flags = always if end.exit_status == 0 or end.start_error else (*always, *on_failure)
    return next((name for held, name in flags if held), None)


def program_fault(ran: Ran, ground: Ground) -> Fault | None:
    """What went wrong with a program by its own doing, if anything: the first that holds, in the order."""
    end, name = ran.end, _NAMES[ran.role]
    limit = limit_of(end)
    if limit is not None:
        verdict = LIMITS[limit].verdict
        assert verdict is not None
        return Fault(verdict, f"{name} {limit_words(limit, ground)} ({ran.step} step).")
    if end.exit_status == 0:
        return None
    if end.start_error:
        return Fault(Verdict.EXIT_STATUS, f"{name} could not be started: {end.start_error}")
    quote = _quote(ran, ground) or " Its log says more."
    return Fault(Verdict.EXIT_STATUS, f"{name} {_exit_words(end.exit_status)} ({ran.step} step).{quote}")


def limit_words(name: str, ground: Ground) -> str:
    """What a program did that exceeded a limit, with the limit's value, and whose value that is."""
    limit = LIMITS[name]
    words = limit.message(getattr(ground.limits, name))
    if name in ground.asked:
        words += f", the operator's maximum (the competition asks for {limit.shown(ground.asked[name])})"
    return words


def note_of(end: ProgramEnd, ground: Ground) -> str:
    """What a participant should know about a program that ended well; empty for nothing."""
    if end.exit_status == 0 and end.oom_killed and limit_of(end) is None:
        limit = LIMITS["memory_bytes"].shown(ground.limits.memory_bytes)
        return f"A process of this program was killed at the memory limit of {limit}; the program itself went on."
    return ""


def _failed(fault: Fault) -> Judgement:
    return Judgement(AttemptOutcome.USER_ERROR, fault.verdict, fault.message)


def _exit_words(status: int | None) -> str:
    if status is None:
        return "did not run to its end"
    try:
        by = signal.Signals(status - 128)
    except ValueError:
        return f"ended with exit status {status}"
    why = _SIGNALS.get(by)
    return f"was ended by the signal {by.name}{f': {why}' if why else ''}, exit status {status}"


def _quote(ran: Ran, ground: Ground) -> str:
    line = last_line(ran.end.stderr_tail) if ran.step in ground.may_quote else ""
    return f' Its last line on stderr: "{line}".{hint(line, ground.limits)}' if line else ""
