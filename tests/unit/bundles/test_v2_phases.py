"""Phases follow one another, and their limits are what Codabench makes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from podium.platform.bundles.content import CompetitionContent, FileInBundle, StoredDataset
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import BundleReading

SECOND = "  - name: Second\n    start: 2026-07-01\n"
KEY = "0e4f3c1a-1111-4222-8333-123456789abc"


def test_defaults_are_those_of_codabench(accepted: Callable[..., CompetitionContent]):
    first, second = accepted().phases
    assert (first.name, first.description, first.tasks) == ("First", "", ("0",))
    assert (first.start, first.end) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC))
    assert second.end is None
    assert (first.max_submissions_per_day, first.max_submissions, first.execution_time_limit) == (5, 100, 600)
    assert (first.starting_kit, first.public_data) == (None, None)
    flags = ("auto_migrate_to_this_phase", "hide_output", "hide_prediction_output", "hide_score_output")
    flags += ("accepts_only_result_submissions", "accepts_container_submissions")
    assert not any(getattr(first, flag) for flag in flags)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("description", "Tune", "Tune"),
        ("max_submissions_per_day", "3", 3),
        ("max_submissions_per_day", "0", None),
        ("max_submissions_per_day", "null", None),
        ("max_submissions", "'7'", 7),
        ("max_submissions", "0", None),
        ("max_submissions", "", None),
        ("execution_time_limit", "0", 600),
        ("execution_time_limit", "", 600),
        ("execution_time_limit", "30.0", 30),
        ("auto_migrate_to_this_phase", "true", True),
        ("hide_output", "yes", True),
        ("hide_prediction_output", "True", True),
        ("hide_score_output", "1", True),
        ("accepts_only_result_submissions", "true", True),
        ("accepts_container_submissions", "true", True),
        ("starting_kit", "reference_data", FileInBundle("reference_data", is_folder=True)),
        ("public_data", KEY, StoredDataset(KEY)),
        ("end", "2026-12-31T23:59:59-05:00", datetime(2027, 1, 1, 4, 59, 59, tzinfo=UTC)),
        ("end", "'12-31-2026 10:00'", datetime(2026, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_fields_are_read(field: str, text: str, value: object, accepted: Callable[..., CompetitionContent]):
    content = accepted((SECOND, f"{SECOND}    {field}: {text}\n"))
    assert getattr(content.phases[1], field) == value


def test_unquoted_times_and_offsets_count(accepted: Callable[..., CompetitionContent]):
    content = accepted(("start: 2026-01-01", "start: 2026-01-01 14:00:00 +02:00"))
    assert content.phases[0].start == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_phases_of_one_day_may_follow_each_other(accepted: Callable[..., CompetitionContent]):
    content = accepted(("end: 2026-06-30", "end: 2026-07-01 11:59:59"), ("2026-07-01\n", "2026-07-01 12:00:00\n"))
    assert content.phases[1].start.hour == 12


def test_indexes_order_the_phases(accepted: Callable[..., CompetitionContent]):
    content = accepted(
        (
            "  - name: First\n    start: 2026-01-01\n    end: 2026-06-30",
            "  - name: Late\n    index: 2\n    start: 2027-01-01",
        ),
        ("start: 2026-07-01", "index: 1\n    start: 2026-07-01\n    end: 2026-08-01"),
    )
    assert [phase.name for phase in content.phases] == ["Second", "Late"]


def test_containers_are_neither_results_nor_ingested(read: Callable[..., BundleReading]):
    both = "    accepts_container_submissions: true\n    accepts_only_result_submissions: true\n"
    problems = read((SECOND, f"{SECOND}{both}")).problems
    assert any("takes containers, and takes results only" in problem.message for problem in problems)
    program = "    scoring_program: scoring_program/\n"
    reading = read(
        (SECOND, f"{SECOND}    accepts_container_submissions: true\n"),
        (program, f"{program}    ingestion_program: scoring_program/\n"),
    )
    (problem,) = [one for one in reading.problems if "ingestion program" in one.message]
    assert "Phase 'Second' takes containers, which run by themselves, but its task '0' has" in problem.message


def test_bundles_may_list_solutions_in_phases(accepted: Callable[..., CompetitionContent]):
    accepted((SECOND, f"{SECOND}    solutions: []\n"))


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("  - name: First\n    start", "  - start"), 14, "phases[0].name", "`name` is missing."),
        (("    start: 2026-01-01\n", ""), 14, "phases[0].start", "`start` is missing."),
        (("    start: 2026-01-01\n", "    start:\n"), 15, "phases[0].start", "`start` is empty."),
        (("start: 2026-01-01", "start: 30-1-2026"), 15, "phases[0].start", "the month comes first"),
        (("start: 2026-01-01", "start: [1]"), 15, "phases[0].start", "Expected a text, got a list."),
        (("    end: 2026-06-30\n", ""), 14, "phases[0].end",
         "Phase 'First' has no end, but Phase 'Second' follows it."),
        (("end: 2026-06-30", "end: 2026-07-02"), 19, "phases[1].start",
         "starts 2026-07-01 00:00 UTC, which is before the end of Phase 'First' (2026-07-02 00:00 UTC, line 16)."),
        (("end: 2026-06-30", "end: 2025-06-30"), 16, "phases[0].end",
         "Phase 'First' ends 2025-06-30 00:00 UTC, which is not after it starts (2026-01-01 00:00 UTC, line 15)."),
        (("    tasks: [0]\n  - ", "  - "), 14, "phases[0].tasks", "`tasks` is missing."),
        (("tasks: [0]", "tasks: []"), 17, "phases[0].tasks", "`tasks` is empty."),
        (("tasks: [0]", "tasks: [0, 7]"), 17, "phases[0].tasks[1]", "There is no task '7'."),
        (("start: 2026-01-01", "start: 2026-01-01\n    max_submissions: ten"), 16, "phases[0].max_submissions",
         "Expected a whole number, got the text 'ten'."),
        (("start: 2026-01-01", "start: 2026-01-01\n    max_submissions: -1"), 16, "phases[0].max_submissions", "range"),
        (("start: 2026-01-01", "start: 2026-01-01\n    max_submissions: 1.5"), 16, "phases[0].max_submissions", "1.5"),
        (("start: 2026-01-01", "start: 2026-01-01\n    max_submissions: 99999999999"), 16, "phases[0].max_submissions",
         "out of range"),
        (("start: 2026-01-01", "start: 2026-01-01\n    execution_time_limit: 1h"), 16,
         "phases[0].execution_time_limit", "whole number"),
        (("start: 2026-01-01", "start: 2026-01-01\n    index: a"), 16, "phases[0].index", "whole number"),
        (("start: 2026-01-01", "start: 2026-01-01\n    auto_migrate_to_this_phase: true"), 16,
         "phases[0].auto_migrate_to_this_phase", "Phase 'First' is the first one"),
        (("start: 2026-01-01", "start: 2026-01-01\n    public_data: nowhere"), 16, "phases[0].public_data", "not in"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_line(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    reading = read(change)
    assert reading.refused
    assert [(problem.line, problem.field) for problem in reading.problems] == [(line, field)]
    assert message in reading.problems[0].message


def test_a_phase_may_begin_when_the_one_before_ends(read: Callable[..., BundleReading]):
    reading = read(("end: 2026-06-30", "end: 2026-07-01"))
    (problem,) = reading.problems
    assert (problem.severity, problem.line) == (Severity.WARNING, 19)
    assert "Codabench refuses this" in problem.message
    assert "2026-07-01 00:00:01 UTC" in problem.suggestion
    first, second = reading.accepted().phases
    assert first.end == second.start


def test_a_limit_can_be_none_at_all(accepted: Callable[..., CompetitionContent]):
    first = accepted(("    tasks: [0]", "    max_submissions: closed\n    tasks: [0]")).phases[0]
    assert first.max_submissions == 0


def test_what_to_change_about_an_overlap_is_said(read: Callable[..., BundleReading]):
    problem = read(("end: 2026-06-30", "end: 2026-07-02")).problems[0]
    assert problem.suggestion == "Start it at 2026-07-02 00:00 UTC or later, or end the other one earlier."
