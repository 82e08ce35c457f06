"""What a program's folder says about how to run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.tasks.metadata import MAX_BYTES, BadMetadata, Metadata, command_words, read_metadata

# Codabench's table: what each variable becomes, by the step. The last one differs in `$program` alone, for which
# Codabench's worker has a folder that does not exist.
PREDICTION = {
    "$input": "/app/input",
    "$output": "/app/output",
    "$program": "/app/program",
    "$ingestion_program": "/app/program",
    "$hidden": "/app/input/ref",
    "$shared": "/app/shared",
    "$submission_program": "/app/ingested_program",
    "$tmp": "/app/output",
    "$predictions": "/app/output",
}
STEPS = [
    ((False, False), PREDICTION),
    ((True, False), PREDICTION | {"$input": "/app/input_data"}),
    ((False, True), PREDICTION | {"$predictions": "/app/input/res"}),
    ((True, True), PREDICTION | {"$input": "/app/input_data", "$predictions": "/app/input/res"}),
]


@pytest.mark.parametrize(("step", "values"), STEPS)
@pytest.mark.parametrize("variable", PREDICTION)
def test_every_variable_in_every_step(step: tuple[bool, bool], values: dict[str, str], variable: str) -> None:
    ingestion, scoring = step
    words = command_words(f"python3 {variable}/run.py x={variable}", ingestion=ingestion, scoring=scoring)
    assert ("python3", f"{values[variable]}/run.py", f"x={values[variable]}") == words


def test_replacing_is_of_plain_text_in_order() -> None:
    assert command_words("$input_data $programs", ingestion=True, scoring=False) == (
        "/app/input_data_data",
        "/app/programs",
    )


def test_words_are_split_as_by_a_shell_that_runs_nothing() -> None:
    words = command_words("sh -c 'echo \"$HOME\" | cat; ls' a\\ b # no comment", ingestion=False, scoring=False)
    assert words == ("sh", "-c", 'echo "$HOME" | cat; ls', "a b", "#", "no", "comment")


def test_a_quote_that_is_not_closed() -> None:
    with pytest.raises(BadMetadata, match="can't be split into words"):
        command_words("echo 'a", ingestion=False, scoring=False)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("command: python3 run.py", ("python3 run.py",)),
        ("command: [make, python3 run.py]", ("make", "python3 run.py")),
        ("command:\n- a\n- b\n", ("a", "b")),
        ("\ufeffcommand: a", ("a",)),
        ("description: only words", ()),
        ("command:", ()),
        ("command: []", ()),
        ("", ()),
        ("# nothing", ()),
    ],
)
def test_commands(tmp_path: Path, text: str, commands: tuple[str, ...]) -> None:
    (tmp_path / "metadata").write_text(text)
    assert Metadata("metadata", commands) == read_metadata(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command: 5", "is not a line of text"),
        ("command: {a: b}", "is not a line of text"),
        ("command: [a, [b]]", "is not a line of text"),
        ("command: ['a', '  ']", "is not a line of text"),
        ("command: ''", "is not a line of text"),
        ("- a", "is not a mapping"),
        ("python3 run.py", "is not a mapping"),
        ("command: [", "is no readable YAML"),
        ("command: !!python/object/apply:os.system ['true']", "is no readable YAML"),
        ("a: 1\n---\nb: 2", "is no readable YAML"),
        ("command: " + "[" * 2000, "is no readable YAML"),
        ("started: 2030-99-99", "is no readable YAML"),
        ("started: !!timestamp soon", "is no readable YAML"),
        ("started: !!bool perhaps", "is no readable YAML"),
        ("started: !!int many", "is no readable YAML"),
    ],
)
def test_metadata_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "metadata").write_text(text)
    with pytest.raises(BadMetadata, match=message):
        read_metadata(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_bytes(b"command: \xff\xfe")
    with pytest.raises(BadMetadata, match="no readable YAML"):
        read_metadata(tmp_path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(BadMetadata, match="larger than"):
        read_metadata(tmp_path)


def test_the_file_with_the_ending_comes_first(tmp_path: Path) -> None:
    (tmp_path / "metadata").write_text("command: old")
    (tmp_path / "metadata.yaml").write_text("command: new")
    assert Metadata("metadata.yaml", ("new",)) == read_metadata(tmp_path)


def test_without_metadata_it_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("1")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata.yaml").symlink_to(tmp_path / "predictions.csv")
    assert read_metadata(tmp_path) is None


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("python3 a\0b", "zero byte"),
        ("python3 \ud800", "half a character"),
        ("x " * 5000, "4096 words"),
        ("$submission_program" * 5000, "98304 bytes"),
    ],
)
def test_a_command_that_no_host_can_start(command: str, says: str) -> None:
    with pytest.raises(BadMetadata, match=says):
        command_words(command, ingestion=False, scoring=False)
