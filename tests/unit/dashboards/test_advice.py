from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from stand_in import make_submission

from podium.dashboards import advice
from podium.platform.lifecycle import AttemptStatus, EvaluationStatus, SubmissionStatus, Verdict
from podium.platform.records.submissions import AttemptRecord, EvaluationRecord


def _evaluation(verdict: Verdict | None) -> EvaluationRecord:
    return EvaluationRecord(uuid4(), "0", EvaluationStatus.FAILED, verdict, "", (), (), (), {})


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_says_what_happened_and_what_to_do(verdict: Verdict):
    words = advice.VERDICTS[verdict]
    assert words.happened.endswith(".")
    assert words.remedy.endswith(".")


@pytest.mark.parametrize("status", SubmissionStatus)
def test_every_status_has_words(status: SubmissionStatus):
    assert advice.STATUS_WORDS[status].endswith(".")


@pytest.mark.parametrize(
    ("ahead", "why", "words"),
    [
        (None, "", "Waits for an agent."),
        (0, "", "Next in the queue."),
        (1, "", "1 submission before it in the queue."),
        (7, "No agent of pool gpu is alive.", "7 submissions before it in the queue. No agent of pool gpu is alive."),
    ],
)
def test_the_place_in_the_queue(ahead: int | None, why: str, words: str):
    submission = make_submission(SubmissionStatus.QUEUED, ahead=ahead, status_message=why)
    assert advice.status_sentence(submission) == words


def test_the_gateways_own_words_come_first():
    submission = make_submission(SubmissionStatus.FAILED, status_message="Memory limit of 4 GB.")
    assert advice.status_sentence(submission) == "Memory limit of 4 GB."
    assert advice.status_sentence(make_submission(SubmissionStatus.RUNNING)) == "Your code runs."


def test_each_verdict_is_said_once():
    evaluations = tuple(
        _evaluation(verdict) for verdict in (Verdict.NO_SCORES, None, Verdict.NO_SCORES, Verdict.TIME_LIMIT)
    )
    submission = make_submission(SubmissionStatus.FAILED, evaluations=evaluations)
    assert advice.submission_verdicts(submission) == (Verdict.NO_SCORES, Verdict.TIME_LIMIT)


def test_a_failure_without_a_verdict_is_the_platforms():
    attempt = AttemptRecord(
        3, AttemptStatus.LOST, "agent-1", "", make_submission(SubmissionStatus.FAILED).created, None, {}
    )
    failed = make_submission(SubmissionStatus.FAILED, attempts=(attempt,))
    assert advice.is_platforms_fault(failed)
    assert not advice.is_platforms_fault(replace(failed, evaluations=(_evaluation(Verdict.TIME_LIMIT),)))
    assert not advice.is_platforms_fault(replace(failed, status=SubmissionStatus.CANCELLED))
