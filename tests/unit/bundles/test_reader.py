"""A bundle is opened, found in its folder, and read by its version."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.platform.archives import ArchiveLimits
from podium.platform.bundles.findings import MAX_PROBLEMS
from podium.platform.bundles.problems import BundleRefused, Severity
from podium.platform.bundles.reader import BundleReading, read_bundle


def test_a_folder_and_its_zip_say_the_same(make_bundle: Callable[..., Path], zipped: Callable[..., Path]):
    folder = make_bundle()
    with read_bundle(folder) as left, read_bundle(zipped(folder)) as right:
        assert left.problems == right.problems == ()
        assert left.accepted() == right.accepted()
        assert right.files
        assert right.files.read("terms.md", max_bytes=9) == b"Be fair."


def test_a_parent_folder_is_entered_with_a_warning(
    make_bundle: Callable[..., Path], zipped: Callable[..., Path], tmp_path: Path
):
    archive = zipped(make_bundle(), "iris/")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("__MACOSX/iris/._competition.yaml", b"junk")
        opened.writestr("README.md", b"read me")
    with read_bundle(archive) as reading:
        assert reading.accepted().image == "logo.png"
        assert len(reading.problems) == 1
        assert str(reading.problems[0]) == (
            "The bundle is inside the folder 'iris', which is taken as its root. "
            "Zip what is in the folder, and not the folder: Codabench refuses this."
        )
        assert reading.files
        assert reading.files.copy_file("terms.md", tmp_path / "copy") == 8


@pytest.mark.parametrize(
    ("files", "message", "suggestion"),
    [
        ({}, "where there is logo.png, pages/", "Zip the folder's content together with that file."),
        ({"Competition.yaml": "x"}, "where there is Competition.yaml, logo.png", "Rename `Competition.yaml`"),
        ({"a/b/competition.yaml": "x"}, "where there is a/,", "There is a `a/b/competition.yaml`"),
        ({"a/competition.yaml": "x", "b/competition.yml": "x"}, "a/, b/", "There is a `a/competition.yaml`"),
    ],
)
def test_a_missing_competition_file_is_searched(
    files: dict[str, str], message: str, suggestion: str, read: Callable[..., BundleReading]
):
    reading = read(files={"competition.yaml": None, **files})
    assert reading.content is None
    assert len(reading.problems) == 1
    assert message in reading.problems[0].message
    assert suggestion in reading.problems[0].suggestion


def test_the_other_ending_is_read_with_a_warning(read: Callable[..., BundleReading], competition_yaml: str):
    reading = read(files={"competition.yaml": None, "competition.yml": competition_yaml})
    assert not reading.refused
    assert reading.problems[0].suggestion == "Rename it to `competition.yaml`."
    both = read(files={"competition.yml": "x"})
    assert [problem.message for problem in both.problems] == [
        "`competition.yml` is ignored: there is a `competition.yaml` too."
    ]


@pytest.mark.parametrize("written", ["2", '"2"', "2.0", "'2.0'", "!!str 2"])
def test_version_2_is_understood(written: str, read: Callable[..., BundleReading]):
    assert read(("version: 2", f"version: {written}")).problems == ()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("3", "Expected the version 2 (Codabench), or 1, 1.5 or 1.8 (CodaLab), got the number 3."),
        ("new", "Expected the version 2 (Codabench), or 1, 1.5 or 1.8 (CodaLab), got the text 'new'."),
        ("[2]", "Expected the version 2 (Codabench), or 1, 1.5 or 1.8 (CodaLab), got a list."),
    ],
)
def test_another_version_is_the_one_error(written: str, message: str, read: Callable[..., BundleReading]):
    reading = read(("version: 2", f"version: {written}"), ("title: Iris", "titel: Iris"))
    assert [(problem.line, problem.field, problem.message) for problem in reading.problems] == [(1, "version", message)]
    assert reading.problems[0].suggestion


def test_a_missing_version_is_guessed(read: Callable[..., BundleReading]):
    reading = read(("version: 2\n", ""))
    assert not reading.refused
    assert [(problem.severity, problem.field) for problem in reading.problems] == [(Severity.WARNING, "version")]
    old = "title: Old\nhtml:\n  overview: a.html\nphases:\n  1:\n    label: x\nleaderboard: {}\n"
    assert "`terms` is missing." in [problem.message for problem in read(files={"competition.yaml": old}).problems]
    assert "`version` is missing, and" in read(files={"competition.yaml": "title: x\n"}).problems[0].message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "The file is empty."),
        ("- a\n", 1, "Expected the fields of a competition, got a list."),
        ("just words", 1, "Expected the fields of a competition, got the text 'just words'."),
        ("version: 2\n\ttitle: x\n", 2, "The file is not valid YAML: found character tab"),
        (
            "x: !!python/object/apply:os.system [id]\n",
            1,
            "The tag `!python/object/apply:os.system` is not allowed here.",
        ),
        ("a: " + "x" * (10 << 20), None, "The file is larger than 1024 KiB."),
        (b"title: \xff", 1, "The file is not UTF-8."),
    ],
)
def test_a_file_that_is_no_competition(
    text: str | bytes, line: int | None, message: str, read: Callable[..., BundleReading]
):
    problem = read(files={"competition.yaml": text}).problems[0]
    assert (problem.severity, problem.file, problem.line) == (Severity.ERROR, "competition.yaml", line)
    assert message in problem.message


def test_a_key_twice_does_not_hide_the_rest(read: Callable[..., BundleReading]):
    reading = read(("title: Iris\n", "title: Iris\ntitle: Other\n"), ("image: logo.png", "image: x.png"))
    assert [(problem.line, problem.message) for problem in reading.problems] == [
        (3, "`title` stands here and on line 2 already."),
        (4, "'x.png' is not in the bundle."),
    ]


def test_what_can_not_be_opened_is_a_problem_too(tmp_path: Path, make_bundle: Callable[..., Path]):
    (tmp_path / "no.zip").write_bytes(b"no zip")
    for path, message in ((tmp_path / "no.zip", "not a zip file"), (tmp_path / "gone", "No such file")):
        with read_bundle(path) as reading:
            assert reading.refused
            assert reading.files is None
            assert message in reading.problems[0].message
    with read_bundle(make_bundle(), limits=ArchiveLimits(total_bytes=10)) as reading:
        assert "more than 10 bytes" in reading.problems[0].message


def test_every_fault_of_an_archive_is_a_problem(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for number in range(MAX_PROBLEMS + 50):
            archive.writestr(f"../{number}", b"")
    with read_bundle(tmp_path / "bad.zip") as reading:
        assert len(reading.problems) == MAX_PROBLEMS + 1
        assert "more than 200 problems" in reading.problems[0].message + reading.problems[-1].message


def test_a_damaged_member_is_a_problem_of_its_field(make_bundle: Callable[..., Path], zipped: Callable[..., Path]):
    archive = zipped(make_bundle())
    data = bytearray(archive.read_bytes())
    data[data.index(b"Be fair.")] ^= 1
    archive.write_bytes(data)
    with read_bundle(archive) as reading:
        assert [problem.field for problem in reading.problems] == ["terms"]
        assert "damaged" in reading.problems[0].message


def test_a_damaged_competition_file_is_a_problem(make_bundle: Callable[..., Path], zipped: Callable[..., Path]):
    archive = zipped(make_bundle())
    data = bytearray(archive.read_bytes())
    data[data.index(b"title: Iris")] ^= 1
    archive.write_bytes(data)
    with read_bundle(archive) as reading:
        assert [problem.file for problem in reading.problems] == ["competition.yaml"]


def test_a_refused_bundle_raises_all_its_problems(read: Callable[..., BundleReading]):
    reading = read(("title: Iris\n", ""), ("image: logo.png", "image: x"))
    assert reading.refused
    with pytest.raises(BundleRefused) as caught:
        reading.accepted()
    assert caught.value.problems == reading.problems
    assert caught.value.detail == "The bundle has 2 problems."


def test_thousands_of_problems_are_cut_short(read: Callable[..., BundleReading]):
    pages = "".join(f"  - page{number}: x\n" for number in range(5000))
    reading = read(("pages:\n", "pages:\n" + pages))
    assert reading.refused
    assert len(reading.problems) == MAX_PROBLEMS + 1


def test_nothing_of_a_bundle_moves_a_cursor(read: Callable[..., BundleReading]):
    evil = "\\e[2J"
    reading = read(
        ("title: Iris", f'"{evil}": x\n"{evil}": y\ntitle: ["{evil}"]\nreward: {{"{evil}": "{evil}"}}'),
        ("tasks: [0]", f'tasks: "{evil}"'),
        ("name: First", f'name: "{evil}"\n    max_submissions: !!int "{evil}"'),
        ("end: 2026-06-30", f'end: "{evil}"'),
    )
    assert reading.refused
    for problem in reading.problems:
        assert str(problem).isprintable()


@pytest.mark.timeout(30)
def test_a_bundle_of_wrong_names_is_refused_in_time(read: Callable[..., BundleReading]):
    paths = "".join(f"  - {{title: x, file: {'ab/' * 30}{number}}}\n" for number in range(500))
    keys = "".join(f"{'registration_auto_' * 4}{number}: x\n" for number in range(100))
    files = {f"{'ba/' * 30}{number}": "" for number in range(500)}
    reading = read(("pages:\n", keys + "pages:\n" + paths), files=files)
    assert len(reading.problems) == MAX_PROBLEMS + 1
