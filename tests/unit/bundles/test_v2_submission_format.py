"""`submission_format` of a phase: what its results look like."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.reader import BundleReading
from podium.platform.bundles.submission_formats import (
    CellType,
    FormatColumn,
    FormatKind,
    SubmissionFormat,
    format_from_json,
)

SECOND = "  - name: Second\n    start: 2026-07-01\n"


def line(text: str) -> tuple[str, str]:
    return SECOND, f"{SECOND}    {text}\n"


@pytest.fixture
def read_format(accepted: Callable[..., CompetitionContent]) -> Callable[[str], SubmissionFormat | None]:
    """Read a bundle whose second phase has this format."""
    return lambda text: accepted(line(f"submission_format: {text}")).phases[1].submission_format


def test_nothing_is_declared_unless_it_is(accepted: Callable[..., CompetitionContent]) -> None:
    assert [phase.submission_format for phase in accepted().phases] == [None, None]
    assert accepted(line("submission_format:")).phases[1].submission_format is None


def test_a_table_with_everything(read_format: Callable[[str], SubmissionFormat | None]) -> None:
    columns = "[id, {name: species, values: [a, 1]}, {name: sure, type: number, may_be_empty: yes}]"
    found = read_format(f"{{file: out/predictions.csv, columns: {columns}, rows: 120}}")
    assert found == SubmissionFormat(
        file="out/predictions.csv",
        kind=FormatKind.CSV,
        columns=(
            FormatColumn("id"),
            FormatColumn("species", values=("a", "1")),
            FormatColumn("sure", CellType.NUMBER, may_be_empty=True),
        ),
        rows=120,
    )
    assert found.in_words() == (
        "out/predictions.csv: columns id, species (one of a, 1), sure (number; may be empty); 120 rows"
    )


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("{file: p.json}", FormatKind.JSON, "p.json"),
        ("{file: p.ndjson, columns: [a, b]}", FormatKind.JSONL, "p.ndjson: fields a, b"),
        ("{file: p.npy, shape: [0, 3]}", FormatKind.NPY, "p.npy: shape (any, 3)"),
        ("{file: p.npz, columns: [mean, std], rows: 7}", FormatKind.NPZ, "p.npz: arrays mean, std; 7 rows"),
        ("{file: answers, kind: txt, rows: 1200}", FormatKind.TXT, "answers: 1,200 lines"),
        ("{kind: zip, files: [a.txt, b/c.txt]}", FormatKind.ZIP, "files: a.txt, b/c.txt"),
        ("{kind: zip}", FormatKind.ZIP, "any files"),
    ],
)
def test_the_kind_is_that_of_the_name_or_is_said(
    text: str, kind: FormatKind, words: str, read_format: Callable[[str], SubmissionFormat | None]
) -> None:
    found = read_format(text)
    assert found is not None
    assert (found.kind, found.in_words()) == (kind, words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("predictions.csv", "Expected the fields of a submission format"),
        ("{file: p.csv, colums: [a]}", "Did you mean `columns`?"),
        ("{file: p.csv, header: no}", "'header' is not a field of a submission format"),
        ("{file: p.dat}", "`kind` is missing"),
        ("{kind: csv}", "`file` is missing"),
        ("{file: p.csv, kind: npy}", "is called a csv, and the kind is npy"),
        ("{file: p.csv, kind: parquet}", "Expected one of csv"),
        ("{file: ../p.csv}", "is not the path of a file"),
        ("{file: /p.csv}", "is not the path of a file"),
        ("{file: 'a\\b.csv'}", "is not the path of a file"),
        ("{file: p.csv, columns: [a, {name: a}]}", "'a' is listed twice"),
        ("{file: p.csv, columns: [{nam: a}]}", "Did you mean `name`?"),
        ("{file: p.csv, columns: ['']}", "A column needs a name"),
        ("{file: p.csv, columns: [{name: a, type: float}]}", "Expected one of any, text, number, integer"),
        ("{file: p.csv, rows: many}", "Expected a whole number"),
        ("{file: p.csv, rows: -1}", "out of range"),
        ("{file: p.csv, shape: [1]}", "A csv has no `shape`"),
        ("{file: p.npy, rows: 3}", "A npy has no `rows`"),
        ("{file: p.txt, columns: [a]}", "A txt has no `columns`"),
        ("{file: p.zip, kind: zip}", "A zip has no `file`"),
        ("{file: p.csv, files: [a]}", "A csv has no `files`"),
    ],
)
def test_what_is_wrong_is_an_error(text: str, message: str, read: Callable[..., BundleReading]) -> None:
    reading = read(line(f"submission_format: {text}"))
    assert [problem for problem in reading.problems if message in str(problem)], [str(one) for one in reading.problems]
    assert any(problem.field.startswith("phases[1].submission_format") for problem in reading.problems)
    assert reading.content is None


def test_all_that_is_wrong_is_told_at_once(read: Callable[..., BundleReading]) -> None:
    text = "{file: a/../b.csv, rows: x, columns: [a, a], shpe: [1]}"
    assert len(read(line(f"submission_format: {text}")).problems) == 4


def test_a_phase_of_containers_has_none(read: Callable[..., BundleReading]) -> None:
    both = "accepts_container_submissions: true\n    submission_format: {file: p.csv}"
    assert "takes containers, which are no files" in "".join(map(str, read(line(both)).problems))


def test_what_is_stored_is_read_again() -> None:
    written = SubmissionFormat("p.csv", FormatKind.CSV, (FormatColumn("a", CellType.NUMBER, ("1", "2")),), 3)
    assert format_from_json(json.loads(json.dumps(asdict(written)))) == written
    assert format_from_json({}) is None
