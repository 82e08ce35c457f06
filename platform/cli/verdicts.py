"""A submission in words: where it is, how it ended, and what that means for the exit status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.moments import expected_text
from podium.platform.cli.terminal import printable
from podium.platform.errors import NotAllowed, NotFound
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, EvaluationStatus, SubmissionStatus
from podium.platform.limits import key_of
from podium.platform.records.leaderboards import LeaderboardRow
from podium.platform.records.submissions import (
    EvaluationRecord,
    ProgramRecord,
    ScoreRecord,
    SubmissionRecord,
    excluded_words,
)

if TYPE_CHECKING:
    from podium.platform.client import Client


def status_text(submission: SubmissionRecord, *, with_expected: bool = True) -> str:
    """Where a submission is, in a line.

    Args:
        with_expected: Say when it is expected to be scored, too, where that is known.
    """
    text = submission.status.value
    if submission.ahead:
        text += f", {submission.ahead} before it"
    if with_expected and submission.expected and submission.status not in TERMINAL_SUBMISSION_STATUSES:
        when = expected_text(submission.expected)
        text += f", scored {when}" if when else ""
    return f"{text}: {printable(submission.status_message)}" if submission.status_message else text


def scores_text(scores: tuple[ScoreRecord, ...]) -> str:
    """Scores in a line."""
    return ", ".join(map(str, scores))


def exit_code_for(submission: SubmissionRecord) -> ExitCode:
    """How a command that waited for a submission ends."""
    if submission.status is SubmissionStatus.FINISHED:
        return ExitCode.OK
    if submission.status is SubmissionStatus.FAILED and not any(one.verdict for one in submission.evaluations):
        # Without a verdict it was not judged: the platform gave up.
        return ExitCode.FAULT
    return ExitCode.JUDGED_BAD


def place_of(client: Client, submission: SubmissionRecord) -> LeaderboardRow | None:
    """The participant's row on the leaderboard of the submission's phase; `None` where there is none to see."""
    if submission.status is not SubmissionStatus.FINISHED:
        return None
    try:
        return client.standing(submission.competition, submission.participant, submission.phase)
    except (NotAllowed, NotFound):
        return None


def place_text(submission: SubmissionRecord, row: LeaderboardRow | None) -> str:
    """The place on the leaderboard, in a sentence; empty where there is none to tell."""
    if row is None:
        return ""
    rank = f"rank {row.rank}" if row.rank is not None else "not ranked, since a score is missing"
    if row.is_baseline:
        rank = "a baseline, which has no rank"
    if row.submission_id == submission.id:
        return f"On the leaderboard: {rank}."
    return f"On the leaderboard is submission {row.submission_number}: {rank}."


def outcome_lines(client: Client, submission: SubmissionRecord) -> Iterator[str]:
    """A submission in lines, with its place on the leaderboard, or why it has none there."""
    yield from described(submission)
    if submission.excluded:
        yield printable(excluded_words(_contact(client, submission.competition)))
    if said := place_text(submission, place_of(client, submission)):
        yield said


def _contact(client: Client, slug: str) -> str | None:
    try:
        return client.competition(slug).contact_email
    except (NotAllowed, NotFound):
        return None


def described(submission: SubmissionRecord) -> Iterator[str]:
    """A submission, in lines."""
    yield printable(
        f"Submission {submission.number} of {submission.competition} by {submission.participant},"
        f" phase {submission.phase}"
    )
    yield f"  id       {submission.id}"
    yield printable(f"  file     {submission.filename} ({submission.size:,} bytes)")
    if submission.message:
        yield printable(f"  message  {submission.message}")
    yield f"  status   {status_text(submission)}"
    if submission.migrated_from is not None:
        yield f"  origin   migrated from #{submission.migrated_from}, of the phase before"
    if submission.rescored:
        yield printable(f"  rescored {submission.rescored}")
    yield from (f"  score    {printable(score.key)} = {score.value!r}" for score in submission.scores)
    for evaluation in submission.evaluations:
        yield from _evaluation_lines(evaluation, is_only=len(submission.evaluations) == 1)


def program_text(program: ProgramRecord) -> str:
    """What was measured of a program, in a line."""
    measured = [f"{program.wall_seconds:.1f} s"]
    if program.cpu_seconds is not None:
        measured.append(f"{program.cpu_seconds:.1f} s of CPU")
    if program.peak_memory_bytes is not None:
        measured.append(f"{program.peak_memory_bytes / 1e6:.0f} MB")
    if program.peak_processes is not None:
        measured.append(f"{program.peak_processes} processes")
    limit = f"; over the limit `{key_of(program.limit)}`" if program.limit else ""
    status = "none" if program.exit_status is None else program.exit_status
    return f"{program.program} ({program.step}): exit status {status}, {', '.join(measured)}{limit}"


def image_text(program: ProgramRecord) -> str:
    """The image that a program ran in: its name, and what it was to the byte."""
    _, _, digest = program.image_digest.rpartition("@")
    return printable(f"{program.image} ({digest})")


def _origin_text(evaluation: EvaluationRecord) -> str:
    """By which version of its task and by which attempt it is, where that is not the first one."""
    numbers = (("version", evaluation.task_version), ("attempt", evaluation.attempt or 1))
    return ", ".join(f"{what} {number}" for what, number in numbers if number > 1)


def _evaluation_lines(evaluation: EvaluationRecord, *, is_only: bool) -> Iterator[str]:
    origin = _origin_text(evaluation)
    if not is_only:
        scores = scores_text(evaluation.scores)
        parts = [evaluation.status.value, *([scores] if scores else []), *([origin] if origin else [])]
        yield printable(f"  task     {evaluation.task}: {', '.join(parts)}")
    elif origin:
        yield printable(f"  task     {evaluation.task}: {origin}")
    if evaluation.verdict is not None:
        yield f"  verdict  {evaluation.verdict.value}"
    if evaluation.message and evaluation.status is EvaluationStatus.SUCCEEDED:
        yield f"  note     {printable(evaluation.message)}"
    if evaluation.message and evaluation.status is EvaluationStatus.FAILED:
        yield from (f"           {line}" for line in printable(evaluation.message).splitlines())
    for program in evaluation.programs:
        yield printable(f"  program  {program_text(program)}")
        if program.note:
            yield printable(f"           {program.note}")
    yield from (f"  image    {line}" for line in dict.fromkeys(map(image_text, evaluation.programs)))
    if evaluation.outputs:
        yield f"  outputs  {', '.join(output.kind for output in evaluation.outputs)}"
