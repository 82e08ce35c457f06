"""What a status or a verdict means for the person whose submission it is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from podium.platform.lifecycle import AttemptStatus, SubmissionStatus, Verdict
from podium.platform.records.submissions import SubmissionRecord


@dataclass(frozen=True, slots=True)
class Advice:
    """A verdict in words: what happened, and what to do."""

    happened: str
    remedy: str


VERDICTS: Mapping[Verdict, Advice] = MappingProxyType(
    {
        Verdict.EXIT_STATUS: Advice(
            "The program ended with an error.",
            "Read the last lines of its log below, mend the error and submit again.",
        ),
        Verdict.TIME_LIMIT: Advice(
            "The program ran longer than the phase allows and was stopped.",
            "Make it faster: the limit stands in the competition's rules, and the log may show where the time goes.",
        ),
        Verdict.MEMORY_LIMIT: Advice(
            "The program needed more memory than it may have and was stopped.",
            "Work in smaller batches, or load less at once.",
        ),
        Verdict.OUTPUT_LIMIT: Advice(
            "The program wrote more than it may, in size or in number of files.",
            "Write only what the scoring needs, and leave out checkpoints and temporary files.",
        ),
        Verdict.DISK_LIMIT: Advice(
            "The program filled the disk space that it may have.",
            "Write less to temporary folders, and delete what you no longer need while it runs.",
        ),
        Verdict.PROCESS_LIMIT: Advice(
            "The program started more processes or threads than it may.",
            "Lower the number of workers, for example OMP_NUM_THREADS or the data loader's workers.",
        ),
        Verdict.NO_SCORES: Advice(
            "The scoring program ended without writing any scores.",
            "Check that your files have the names and the format that the competition asks for. "
            "If they do, tell the organizer: the scoring program should say what it misses.",
        ),
        Verdict.BAD_SCORES: Advice(
            "What the scoring program wrote can't be used as scores.",
            "Check your predictions for missing values or infinities. If there are none, tell the organizer.",
        ),
        Verdict.BAD_SUBMISSION: Advice(
            "The file is not a submission that this phase can use.",
            "Submit a zip file with what the competition asks for at its top level, not inside a folder.",
        ),
        Verdict.IMAGE_UNAVAILABLE: Advice(
            "The container image of this competition could not be had.",
            "There is nothing to mend in your submission: tell the organizer.",
        ),
    }
)

STATUS_WORDS: Mapping[SubmissionStatus, str] = MappingProxyType(
    {
        SubmissionStatus.SUBMITTED: "The file is on its way.",
        SubmissionStatus.QUEUED: "Waits for an agent.",
        SubmissionStatus.PREPARING: "An agent has it and fetches what it needs.",
        SubmissionStatus.RUNNING: "Your code runs.",
        SubmissionStatus.SCORING: "The scoring program runs.",
        SubmissionStatus.FINISHED: "Scored.",
        SubmissionStatus.FAILED: "Ended without scores.",
        SubmissionStatus.CANCELLED: "Cancelled.",
    }
)

STEPS = (
    SubmissionStatus.SUBMITTED,
    SubmissionStatus.QUEUED,
    SubmissionStatus.PREPARING,
    SubmissionStatus.RUNNING,
    SubmissionStatus.SCORING,
)
"""The way of a submission, before its end."""


def status_sentence(submission: SubmissionRecord) -> str:
    """Where a submission is, in a sentence: what the gateway says, else what the status means."""
    if submission.status is SubmissionStatus.QUEUED:
        return queue_sentence(submission)
    if submission.status is SubmissionStatus.FAILED and submission_verdicts(submission):
        # What exactly happened stands in the advice.
        return STATUS_WORDS[submission.status]
    return submission.status_message or STATUS_WORDS[submission.status]


def queue_sentence(submission: SubmissionRecord) -> str:
    """A submission's place in the queue, and what it waits for."""
    if submission.ahead is None:
        place = STATUS_WORDS[SubmissionStatus.QUEUED]
    elif submission.ahead == 0:
        place = "Next in the queue."
    else:
        place = f"{submission.ahead} submission{'' if submission.ahead == 1 else 's'} before it in the queue."
    return f"{place} {submission.status_message}".strip()


def submission_verdicts(submission: SubmissionRecord) -> tuple[Verdict, ...]:
    """The verdicts of a submission's evaluations, each once, in the order of its tasks."""
    return tuple(
        dict.fromkeys(evaluation.verdict for evaluation in submission.evaluations if evaluation.verdict is not None)
    )


def is_platforms_fault(submission: SubmissionRecord) -> bool:
    """Whether a failed submission failed by no doing of its own."""
    if submission.status is not SubmissionStatus.FAILED or submission_verdicts(submission):
        return False
    ends = {AttemptStatus.PLATFORM_ERROR, AttemptStatus.LOST}
    return not submission.attempts or submission.attempts[-1].status in ends
