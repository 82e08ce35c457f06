"""Phases of a CodaLab bundle: their order, their ends, their tasks, and parallel ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from podium.platform.bundles.content import FileInBundle, SubmissionRule
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import BundleReading

Read = Callable[..., BundleReading]

PARALLEL = """\
phases:
  1:
    phasenumber: 1
    label: Both tracks
    start_date: 2026-01-01
    is_parallel_parent: true
    is_scoring_only: true
    execution_time_limit: 10
  2:
    phasenumber: 2
    parent_phasenumber: 1
    label: English
    start_date: 2026-01-01
    scoring_program: program.zip
    reference_data: reference.zip
  3:
    phasenumber: 3
    parent_phasenumber: 1
    label: French
    start_date: 2026-01-01
    execution_time_limit: 300
    scoring_program: program.zip
    reference_data: french.zip
  4:
    phasenumber: 4
    label: Final
    start_date: 2026-07-01
    auto_migration: true
    scoring_program: program.zip
    reference_data: reference.zip
"""


def errors(reading: BundleReading) -> list[str]:
    return [problem.message for problem in reading.problems if problem.severity is Severity.ERROR]


@pytest.fixture
def read_parallel(read_old: Read, old_yaml: str) -> Read:
    """Read the bundle with parallel phases, with texts replaced."""

    def read_it(*changes: tuple[str, str]) -> BundleReading:
        phases = PARALLEL
        for old, new in changes:
            assert old in phases
            phases = phases.replace(old, new, 1)
        before, _, after = old_yaml.partition("phases:\n")
        text = before + phases + "leaderboard:\n" + after.partition("leaderboard:\n")[2]
        french = read_old().files
        assert french
        files = {"competition.yaml": text, "french.zip": french.read("reference.zip", max_bytes=1 << 20)}
        return read_old(files=files)

    return read_it


def test_each_phase_ends_when_the_next_begins(read_old: Read):
    first, last = read_old().accepted().phases
    assert (first.name, first.start) == ("Development", datetime(2026, 1, 1, tzinfo=UTC))
    assert first.end == last.start == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert last.end is None
    changed = ("title: Iris", "title: Iris\nend_date: 2026-12-31")
    content = read_old(changed).accepted()
    assert content.phases[1].end == content.end == datetime(2026, 12, 31, tzinfo=UTC)
    assert read_old().accepted().end is None


def test_their_numbers_order_them(read_old: Read):
    reading = read_old(("phasenumber: 1", "phasenumber: 7"), ("2026-01-01", "2026-08-01"))
    assert [phase.name for phase in reading.accepted().phases] == ["Final", "Development"]
    # The one that is first now has nothing to take over.
    assert [problem.message for problem in reading.problems] == [
        "Phase 'Final' is the first one: there is no phase to migrate submissions from."
    ]
    assert not reading.accepted().phases[0].auto_migrate_to_this_phase


def test_defaults_are_those_of_codalab(read_old: Read):
    first, last = read_old().accepted().phases
    assert (first.max_submissions, first.max_submissions_per_day, first.execution_time_limit) == (50, 999, 300)
    assert (last.max_submissions, last.max_submissions_per_day) == (100, 1)
    assert (first.auto_migrate_to_this_phase, last.auto_migrate_to_this_phase) == (False, True)
    assert not first.accepts_only_result_submissions


def test_none_a_day_means_none(read_old: Read):
    reading = read_old(("max_submissions_per_day: 1", "max_submissions_per_day: 0"))
    assert reading.accepted().phases[1].max_submissions_per_day == 0
    assert "nobody can submit, as on CodaLab" in reading.problems[0].message


@pytest.mark.parametrize(
    ("field", "written", "limit"),
    [
        ("max_submissions_per_day", "", 999),
        ("max_submissions_per_day", "    max_submissions_per_day: null\n", 999),
        ("max_submissions_per_day", "    max_submissions_per_day: 0\n", 0),
        ("max_submissions_per_day", "    max_submissions_per_day: 2\n", 2),
        ("max_submissions", "", 100),
        ("max_submissions", "    max_submissions: null\n", 100),
        ("max_submissions", "    max_submissions: 0\n", 0),
        ("max_submissions", "    max_submissions: 7\n", 7),
    ],
)
def test_absent_null_and_nothing_are_what_codalab_makes_of_them(field: str, written: str, limit: int, read_old: Read):
    reading = read_old(("    max_submissions_per_day: 1\n", written))
    assert getattr(reading.accepted().phases[1], field) == limit
    assert len(reading.problems) == (limit == 0)


def test_results_only(read_old: Read):
    content = read_old(("label: Final", "label: Final\n    is_scoring_only: true")).accepted()
    assert [phase.accepts_only_result_submissions for phase in content.phases] == [False, True]


def test_a_task_for_each_set_of_programs_and_data(read_old: Read):
    content = read_old().accepted()
    assert [phase.tasks for phase in content.phases] == [("0",), ("0",)]
    other = ("    auto_migration: true\n", "    input_data: reference.zip\n")
    content = read_old(other).accepted()
    assert [phase.tasks for phase in content.phases] == [("0",), ("1",)]
    assert [task.name for task in content.tasks] == ["Development", "Final"]  # type: ignore[union-attr]


def test_all_files_of_a_phase(read_old: Read):
    more = "".join(
        f"    {name}: reference.zip\n" for name in ("ingestion_program", "input_data", "public_data", "starting_kit")
    )
    text = f"    label: Final\n    ingestion_program_only_during_scoring: true\n{more}"
    content = read_old(("    label: Final\n", text)).accepted()
    task, phase = content.tasks[1], content.phases[1]
    file = FileInBundle("reference.zip", is_folder=False)
    assert (task.ingestion_program, task.input_data, task.ingestion_only_during_scoring) == (file, file, True)  # type: ignore[union-attr]
    assert (phase.starting_kit, phase.public_data) == (file, file)


def test_a_stored_dataset(read_old: Read):
    key = "ed6a2a92-5335-4ccd-ac7f-6841a8dab217"
    content = read_old(("scoring_program: program.zip", f"scoring_program: {key}")).accepted()
    assert content.tasks[0].scoring_program.key == key  # type: ignore[union-attr]


def test_the_best_on_the_leaderboard(read_old: Read):
    flag = "\n    force_best_submission_to_leaderboard: true"
    reading = read_old(("label: Final", f"label: Final{flag}"))
    assert reading.accepted().leaderboards[0].submission_rule is SubmissionRule.FORCE_BEST
    assert "This holds for all phases" in reading.problems[0].message
    reading = read_old(("label: Final", f"label: Final{flag}"), ("label: Development", f"label: Development{flag}"))
    assert reading.problems == ()


def test_a_phase_that_hides_its_results(read_old: Read):
    reading = read_old(
        ("label: Final", "label: Final\n    leaderboard_management_mode: hide_results"),
        ("force_submission_to_leaderboard: true", "force_submission_to_leaderboard: false"),
    )
    content = reading.accepted()
    assert content.leaderboards[0].hidden
    assert content.leaderboards[0].submission_rule is SubmissionRule.FORCE_LAST
    assert [phase.hide_score_output for phase in content.phases] == [False, True]
    assert "hides the leaderboard in all phases" in reading.problems[0].message
    reading = read_old(("label: Final", "label: Final\n    leaderboard_management_mode: hide_result"))
    assert reading.problems[0].suggestion == "Did you mean `hide_results`?"
    assert not reading.accepted().leaderboards[0].hidden


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("phasenumber: 2", "phasenumber: 1"), "The number 1 is taken by the phase on line 13."),
        (("    phasenumber: 2\n", ""), "`phasenumber` is missing."),
        (("    label: Final\n", ""), "`label` is missing."),
        (("    start_date: 2026-01-01\n", ""), "`start_date` is missing."),
        (("2026-07-01 12:00:00", "2025-07-01"), "Phase 'Final' starts 2025-07-01 00:00 UTC, which is not after"),
        (("2026-07-01 12:00:00", "2026-01-01"), "which is not after Phase 'Development' starts"),
        (("2026-07-01 12:00:00", "whenever"), "'whenever' is not a date that can be understood."),
        (("    scoring_program: program.zip\n", ""), "`scoring_program` is missing."),
        (("reference.zip", "program.py"), "'program.py' is not in the bundle"),
        (("max_submissions: 50", "max_submissions: many"), "Expected a whole number, got the text 'many'."),
        (("phases:\n", "phases:\n  0: nothing\n"), "Expected the fields of a phase, got the text 'nothing'."),
    ],
)
def test_errors(change: tuple[str, str], message: str, read_old: Read):
    found = errors(read_old(change))
    assert len(found) == 1
    assert message in found[0]


def test_many_mistakes_are_told_at_once(read_old: Read):
    reading = read_old(
        ("phasenumber: 2", "phasenumber: 1"),
        ("    start_date: 2026-01-01\n", ""),
        ("max_submissions: 50", "max_submissions: -1"),
        ("reference_data: reference.zip", "reference_data: gone.zip"),
        ("numeric_format: 4", "numeric_format: 40"),
        ("sort: asc", "sort: up"),
        ("image: logo.png", "image: logo.gif"),
    )
    lines = [problem.line for problem in reading.problems if problem.severity is Severity.ERROR]
    assert len(lines) == 7
    assert lines == sorted(line for line in lines if line)


def test_a_phase_without_reference_data(read_old: Read):
    reading = read_old(("    reference_data: reference.zip\n", ""))
    assert not reading.refused
    assert "has no `reference_data`" in reading.problems[0].message


def test_parallel_phases_are_one_with_a_task_for_each(read_parallel: Read):
    reading = read_parallel()
    content = reading.accepted()
    assert [(phase.name, phase.tasks) for phase in content.phases] == [("Both tracks", ("0", "1")), ("Final", ("2",))]
    assert [task.name for task in content.tasks] == ["English", "French", "Final"]  # type: ignore[union-attr]
    both = content.phases[0]
    assert (both.start, both.end) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    assert both.execution_time_limit == 300
    assert not both.accepts_only_result_submissions
    assert [problem.message for problem in reading.problems] == [
        "Phase 'Both tracks' becomes one phase with 2 tasks: 'English', 'French'."
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("    parent_phasenumber: 1\n", "    parent_phasenumber: 9\n"), "There is no phase with the number 9."),
        (("    parent_phasenumber: 1\n", "    parent_phasenumber: 4\n"), "Phase 'Final' is no parallel parent."),
        (("is_parallel_parent: true", "is_parallel_parent: true\n    parent_phasenumber: 4"), "can't have a parent"),
    ],
)
def test_parents_that_do_not_fit(change: tuple[str, str], message: str, read_parallel: Read):
    assert any(message in error for error in errors(read_parallel(change)))


def test_a_parent_without_children(read_old: Read):
    found = errors(read_old(("label: Final", "label: Final\n    is_parallel_parent: true")))
    assert found == ["Phase 'Final' is a parallel parent, and no phase names it as its parent."]


def test_what_children_and_parents_can_not_have_of_their_own(read_parallel: Read):
    reading = read_parallel(
        ("    is_scoring_only: true\n", "    scoring_program: program.zip\n"),
        ("    label: French\n    start_date: 2026-01-01", "    label: French\n    start_date: 2026-02-01"),
        ("    label: English\n", "    label: English\n    execution_time_limit: 60\n"),
    )
    said = [problem.message for problem in reading.problems]
    assert "The `scoring_program` of a parallel parent is not used." in said
    assert any("Phase 'French' starts and ends with its parent" in message for message in said)
    assert any("different time limits; 300 seconds hold for each" in message for message in said)
