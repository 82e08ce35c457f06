"""What `podium competition show` says of the files that phases take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from podium.platform.bundles.submission_formats import FormatColumn, FormatKind, SubmissionFormat
from podium.platform.cli.competition_text import formats_in_words
from podium.platform.records.competitions import PhaseRecord

TABLE = SubmissionFormat("p.csv", FormatKind.CSV, (FormatColumn("y"),), rows=3)
FIRST = PhaseRecord(
    number=1,
    name="First",
    description="",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=None,
    status="open",
    max_submissions_per_day=None,
    max_submissions=None,
    execution_time_limit=60,
    only_result_submissions=True,
    tasks=(),
    submission_format=TABLE,
)


def test_what_all_phases_take_is_said_once():
    assert formats_in_words([FIRST, replace(FIRST, name="Final")]) == ["Results are p.csv: columns y; 3 rows."]


def test_what_differs_is_said_with_the_names_of_the_phases():
    other = SubmissionFormat("p.npy", FormatKind.NPY)
    phases = [FIRST, replace(FIRST, name="Last"), replace(FIRST, name="Final", submission_format=other)]
    assert formats_in_words(phases) == [
        "Results of First, Last are p.csv: columns y; 3 rows.",
        "Results of Final are p.npy.",
    ]
    assert formats_in_words([replace(FIRST, submission_format=None), FIRST]) == [
        "Results of First are p.csv: columns y; 3 rows."
    ]
    assert formats_in_words([replace(FIRST, submission_format=None)]) == []
