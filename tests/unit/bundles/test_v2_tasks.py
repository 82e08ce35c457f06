"""Tasks, solutions, and the files that they name."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable

import pytest

from podium.platform.bundles.content import (
    CompetitionContent,
    FileInBundle,
    SolutionContent,
    StoredDataset,
    StoredTask,
    TaskContent,
)
from podium.platform.bundles.reader import BundleReading

KEY = "0e4f3c1a-1111-4222-8333-123456789abc"
REFERENCE = "    reference_data: reference_data/\n"
SOLUTIONS = """\
solutions:
  - index: 0
    tasks: [0]
    path: reference_data
"""


def zip_of(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_yaml", ".yaml"), text)
    return buffer.getvalue()


def test_a_task_is_read(accepted: Callable[..., CompetitionContent]):
    more = "    description: All of it\n    input_data: data.zip\n    ingestion_program: scoring_program\n"
    more += "    ingestion_only_during_scoring: yes\n    is_public: false\n"
    content = accepted((REFERENCE, REFERENCE + more), files={"data.zip": zip_of(a="1")})
    assert content.tasks == (
        TaskContent(
            index="0",
            name="Classify",
            description="All of it",
            scoring_program=FileInBundle("scoring_program", is_folder=True),
            ingestion_program=FileInBundle("scoring_program", is_folder=True),
            input_data=FileInBundle("data.zip", is_folder=False),
            reference_data=FileInBundle("reference_data", is_folder=True),
            ingestion_only_during_scoring=True,
        ),
    )


def test_indexes_are_numbers_or_names(accepted: Callable[..., CompetitionContent]):
    assert accepted(("index: 0", 'index: "0"')).tasks[0].index == "0"
    content = accepted(("index: 0", "index: main"), ("tasks: [0]", "tasks: [main]"), ("tasks: [0]", 'tasks: ["main"]'))
    assert [phase.tasks for phase in content.phases] == [("main",), ("main",)]


@pytest.mark.parametrize("written", [KEY, KEY.upper(), KEY.replace("-", "")])
def test_stored_things_are_named_by_key(written: str, accepted: Callable[..., CompetitionContent]):
    content = accepted((REFERENCE, f"    reference_data: {written}\n"))
    assert isinstance(content.tasks[0], TaskContent)
    assert content.tasks[0].reference_data == StoredDataset(KEY)
    stored = "tasks:\n  - index: 1\n    key: " + written + "\n"
    content = accepted(("tasks:\n", stored), ("tasks: [0]", "tasks: [0, 1]"))
    assert content.tasks[0] == StoredTask("1", KEY)


def test_a_file_of_the_bundle_goes_before_a_key(accepted: Callable[..., CompetitionContent]):
    content = accepted((REFERENCE, f"    reference_data: {KEY}\n"), files={f"{KEY}/truth.csv": "1"})
    assert isinstance(content.tasks[0], TaskContent)
    assert content.tasks[0].reference_data == FileInBundle(KEY, is_folder=True)


def test_solutions_are_read(accepted: Callable[..., CompetitionContent]):
    content = accepted(("phases:", SOLUTIONS + "phases:"))
    folder = FileInBundle("reference_data", is_folder=True)
    assert content.solutions == (SolutionContent("0", "Solution 0", "", ("0",), folder),)
    named = SOLUTIONS.replace("path: reference_data", f"key: {KEY}\n    name: Best\n    description: Ours")
    content = accepted(("phases:", named + "phases:"))
    assert content.solutions == (SolutionContent("0", "Best", "Ours", ("0",), StoredDataset(KEY)),)


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("  - index: 0\n    name", "  - name"), 9, "tasks[0].index", "`index` is missing."),
        (("index: 0", "index: [0]"), 9, "tasks[0].index", "Expected a number or a name, got a list."),
        (("    name: Classify\n", ""), 9, "tasks[0].name", "`name` is missing."),
        (("name: Classify", f"name: {'x' * 257}"), 10, "tasks[0].name", "up to 256"),
        (("    scoring_program: scoring_program/\n", ""), 9, "tasks[0].scoring_program", "is missing"),
        (("index: 0", "index: 0\n    key: mine"), 10, "tasks[0].key", "'mine' is not the key of a task"),
        ((REFERENCE, "    reference_data: truth.zip\n"), 12, "tasks[0].reference_data", "is not in the bundle"),
        ((REFERENCE, "    reference_data:\n      a: b\n"), 12, "tasks[0].reference_data", "Expected a text"),
        ((REFERENCE, "    reference_data: terms.md\n"), 12, "tasks[0].reference_data", "'terms.md' is not a zip."),
        ((REFERENCE, REFERENCE + "  - index: '0'\n    name: B\n    scoring_program: scoring_program\n"), 13,
         "tasks[1].index", "The index '0' is taken by the task on line 9."),
        (("phases:", SOLUTIONS.replace("index: 0", "index:") + "phases:"), 14, "solutions[0].index", "is empty"),
        (("phases:", SOLUTIONS.replace("[0]", "[3]") + "phases:"), 15, "solutions[0].tasks[0]", "There is no task"),
        (("phases:", SOLUTIONS.replace("[0]", "[]") + "phases:"), 15, "solutions[0].tasks", "`tasks` is empty."),
        (("phases:", SOLUTIONS.replace("    tasks: [0]\n", "") + "phases:"), 14, "solutions[0].tasks", "is missing"),
        (("phases:", SOLUTIONS.replace("    path: reference_data\n", "") + "phases:"), 14, "solutions[0].path", "miss"),
        (("phases:", SOLUTIONS.replace("reference_data", "refdata") + "phases:"), 16, "solutions[0].path", "not in"),
        (("phases:", SOLUTIONS + SOLUTIONS.split("\n", 1)[1] + "phases:"), 17, "solutions[1].index", "is taken"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_line(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    reading = read(change)
    assert reading.refused
    found = [problem for problem in reading.problems if problem.field == field]
    assert [(problem.file, problem.line) for problem in found] == [("competition.yaml", line)]
    assert message in found[0].message


def test_a_missing_dataset_is_neither_file_nor_key(read: Callable[..., BundleReading]):
    problem = read((REFERENCE, "    reference_data: reference-data\n")).problems[0]
    assert str(problem) == (
        "competition.yaml:12: tasks[0].reference_data: 'reference-data' is not in the bundle, "
        "and is not the key of a stored dataset (a UUID) either. Did you mean `reference_data`?"
    )


def test_wrong_tasks_are_not_told_again_at_every_phase(read: Callable[..., BundleReading]):
    reading = read(("  - index: 0\n    name", "  - name"))
    assert [problem.field for problem in reading.problems] == ["tasks[0].index"]


@pytest.mark.parametrize(
    ("files", "file", "line", "message"),
    [
        ({"metadata.yaml": None}, "competition.yaml", 11, "has no metadata.yaml"),
        ({"metadata.yaml": ""}, "scoring_program/metadata.yaml", None, "There is no `command`"),
        ({"metadata.yaml": "description: x"}, "scoring_program/metadata.yaml", None, "There is no `command`"),
        ({"metadata.yaml": "a: b\ncommand:"}, "scoring_program/metadata.yaml", 2, "There is no `command`"),
        ({"metadata.yaml": "command: {a: b}"}, "scoring_program/metadata.yaml", 1, "There is no `command`"),
        ({"metadata.yaml": "\ncommand: a: b"}, "scoring_program/metadata.yaml", 2, "not valid YAML"),
        ({"metadata.yaml": None, "metadata": "x: y"}, "scoring_program/metadata", None, "There is no `command`"),
    ],
)
def test_a_program_that_does_not_say_how_to_run_it_gets_a_warning(
    files: dict[str, str | None], file: str, line: int | None, message: str, read: Callable[..., BundleReading]
):
    reading = read(files={f"scoring_program/{name}": text for name, text in files.items()})
    assert not reading.refused
    assert [(problem.file, problem.line) for problem in reading.problems] == [(file, line)]
    assert message in reading.problems[0].message


def test_metadata_without_an_ending_is_found(accepted: Callable[..., CompetitionContent]):
    accepted(files={"scoring_program/metadata.yaml": None, "scoring_program/metadata": "command: [a, b]"})


def test_programs_are_looked_for_inside_zips(read: Callable[..., BundleReading]):
    change = ("scoring_program/\n", "score.zip\n")
    assert read(change, files={"score.zip": zip_of(metadata_yaml="command: a")}).problems == ()
    nested = read(change, files={"score.zip": zip_of(score__metadata_yaml="command: a")}).problems
    assert (
        nested[0].suggestion
        == "It has `score/metadata.yaml`: move everything up, so that the metadata is not in a folder."
    )
    assert "no metadata.yaml" in nested[0].message
    without = read(change, files={"score.zip": zip_of(metadata_yaml="x: y")}).problems
    assert without[0].file == "score.zip/metadata.yaml"


def test_a_program_of_several_tasks_is_told_of_once(read: Callable[..., BundleReading]):
    second = REFERENCE + "  - index: 1\n    name: B\n    scoring_program: scoring_program\n"
    reading = read((REFERENCE, second), ("tasks: [0]", "tasks: [0, 1]"), files={"scoring_program/metadata.yaml": None})
    assert [problem.field for problem in reading.problems] == ["tasks[0].scoring_program"]


def test_a_zip_that_agents_would_refuse_is_refused_now(read: Callable[..., BundleReading]):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    for data, message in (
        (buffer.getvalue(), "'link' is a symbolic link."),
        (zip_of(a="1")[:-30], "not a zip file"),
        (zip_of(**{"..__a": "1"}), "leads out"),
    ):
        reading = read((REFERENCE, "    reference_data: truth.zip\n"), files={"truth.zip": data})
        assert [problem.field for problem in reading.problems] == ["tasks[0].reference_data"]
        assert message in reading.problems[0].message


def test_warnings_of_tasks(read: Callable[..., BundleReading]):
    alone = read((REFERENCE, REFERENCE + "    ingestion_only_during_scoring: true\n"))
    assert [(problem.line, problem.field) for problem in alone.problems] == [
        (13, "tasks[0].ingestion_only_during_scoring")
    ]
    unused = read((REFERENCE, REFERENCE + "  - index: 1\n    name: B\n    scoring_program: scoring_program\n"))
    assert [problem.message for problem in unused.problems] == ["No phase uses task '1'."]
    twice = read(("tasks: [0]", "tasks: [0, '0']"))
    assert twice.accepted().phases[0].tasks == ("0",)
    assert [problem.field for problem in twice.problems] == ["phases[0].tasks[1]"]


def test_an_empty_folder_gets_a_warning(make_bundle: Callable[..., object], read: Callable[..., BundleReading]):
    reading = read((REFERENCE, "    reference_data: data\n"), files={"data/._junk": ""})
    assert [problem.message for problem in reading.problems] == ["The folder 'data' is empty."]
