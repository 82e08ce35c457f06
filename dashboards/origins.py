"""Where a submission, or the results of it that count, come from, if not simply from its first scoring."""

from __future__ import annotations

from podium.dashboards.markup import sentence
from podium.platform.lifecycle import ACTIVE_SUBMISSION_STATUSES
from podium.platform.records.submissions import SubmissionRecord


def origin_sentences(submission: SubmissionRecord) -> tuple[str, ...]:
    """What there is to say about it, in sentences."""
    sentences = []
    if submission.migrated_from is not None:
        sentences.append(f"Taken over from submission #{submission.migrated_from} of the phase before.")
    if submission.rescored:
        sentences.append(sentence(submission.rescored))
    return tuple(sentences)


def origin_marks(submission: SubmissionRecord) -> str:
    """The same in a few words, for a table."""
    marks = []
    if submission.migrated_from is not None:
        marks.append(f"taken over from #{submission.migrated_from}")
    if submission.rescored:
        marks.append("scored again")
    return ", ".join(marks)


def cancelling_words(submission: SubmissionRecord) -> str:
    """What becomes of a submission that is cancelled."""
    if submission.status not in ACTIVE_SUBMISSION_STATUSES:
        return "It will not be scored. It has not begun, so that it does not count against your limits."
    return "It is stopped where it is and will not be scored. It has begun, so that it counts against your limits."
