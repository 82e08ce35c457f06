"""What programs may use and did use, on the pages and in the records."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from stand_in import make_competition, make_phase, make_submission

from podium.dashboards.cards import rules
from podium.dashboards.history import details
from podium.platform.lifecycle import EvaluationStatus, SubmissionStatus, Verdict
from podium.platform.records.submissions import EvaluationRecord, ProgramRecord

SMALL = {"wall_seconds": 600.0, "cpus": 2.0, "memory_bytes": 4.0 * 2**30, "gpus": 0.0}
LARGE = {**SMALL, "memory_bytes": 8.0 * 2**30, "gpus": 1.0}


def test_phases_with_the_same_limits_are_told_together() -> None:
    first, second, third = make_phase(1, "First"), make_phase(2, "Second"), make_phase(3, "Third")
    phases = (replace(first, limits=SMALL), replace(second, limits=SMALL), replace(third, limits=LARGE))
    competition = make_competition("iris", "Iris", *phases)
    assert competition.limits_in_words() == [
        "Programs may use in First and Second: wall 10 min, cpus 2 cores, memory 4 GiB.",
        "Programs may use in Third: wall 10 min, cpus 2 cores, memory 8 GiB, gpus 1.",
    ]
    assert "Programs may use in Third: wall 10 min" in rules(competition)


def test_one_kind_of_limits_needs_no_names() -> None:
    competition = make_competition("iris", "Iris", replace(make_phase(), limits=SMALL))
    assert competition.limits_in_words() == ["Programs may use: wall 10 min, cpus 2 cores, memory 4 GiB."]


def test_a_gateway_that_does_not_say_is_no_trouble() -> None:
    assert make_competition().limits_in_words() == []


def test_what_was_measured_is_on_the_page() -> None:
    program = ProgramRecord(
        "submission", "prediction", "x", "y", 137, "memory_bytes", 2.0, 1.5, 2**30, 17, "A process was <killed>."
    )
    evaluation = EvaluationRecord(
        UUID(int=1), "Classify", EvaluationStatus.FAILED, Verdict.MEMORY_LIMIT, "Too much.", (), (), (program,), {}
    )
    page = details(replace(make_submission(SubmissionStatus.FAILED), evaluations=(evaluation,)), ())
    for cell in ("137", "2.00 s", "1.50 s", "17", "memory", "A process was &lt;killed&gt;."):
        assert f"<td>{cell}</td>" in page


def test_what_exactly_ran_is_on_the_page() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    program = ProgramRecord("scoring", "scoring", "python:3.12", digest, 0, None, 2.0, None, None)
    evaluation = EvaluationRecord(
        UUID(int=1), "Classify", EvaluationStatus.SUCCEEDED, None, "", (), (), (program,), {}, 3, 2
    )
    page = details(replace(make_submission(SubmissionStatus.FINISHED), evaluations=(evaluation,)), ())
    assert "<td>3</td><td>2</td>" in page
    assert f'python:3.12<small><code title="{digest}">sha256:0123456789ab…</code>' in page
