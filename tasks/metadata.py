"""What a program's folder says about how to run it, by its protocol: pure but for reading one small file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import yaml

from podium.platform.bundles.content import Protocol
from podium.platform.errors import InvalidInput

NAMES = ("metadata.yaml", "metadata")
MAX_BYTES = 64 * 1024
MAX_WORDS = 4096
MAX_COMMAND_BYTES = 96 * 1024
"""Of a command with its variables replaced; the kernel takes no argument above 128 KiB."""
UNREADABLE = (yaml.YAMLError, ValueError, RecursionError, KeyError, AttributeError)
"""What PyYAML raises for text that it can't make values of (`!!bool perhaps`, `2030-99-99`, a thousand brackets)."""

MOST_BRACKETS = 1000
"""PyYAML takes a millisecond for each bracket that is left open, and who submits may have many."""

APP = "/app"
INPUT = "/app/input"
INPUT_DATA = "/app/input_data"
OUTPUT = "/app/output"
PROGRAM = "/app/program"
INGESTED_PROGRAM = "/app/ingested_program"
INGESTION_PROGRAM = "/app/ingestion_program"
SHARED = "/app/shared"
TEMPORARY = "/app/temp"
HIDDEN = "/app/hidden"
REFERENCE = "/app/input/ref"
PREDICTIONS = "/app/input/res"


class BadMetadata(InvalidInput):
    """A program's metadata can't be read, or has no command where one is needed."""

    type = "bad-metadata"
    title = "The program's metadata is not right"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A program's metadata.

    Attributes:
        file: The file it stood in.
        commands: Each as one line, to be run one after the other; empty when there is none.
    """

    file: str
    commands: tuple[str, ...]


def read_metadata(folder: Path) -> Metadata | None:
    """The metadata in a program's folder; `None` when it has none, which makes it a result submission.

    The folder is the host's own copy: no program has written to it.

    Raises:
        BadMetadata: It is no YAML mapping, or its command is neither text nor a list of texts.
    """
    for name in NAMES:
        path = folder / name
        if path.is_file() and not path.is_symlink():
            return _parse(name, path)
    return None


def _parse(name: str, path: Path) -> Metadata:
    if path.stat().st_size > MAX_BYTES:
        raise BadMetadata(f"{name} is larger than {MAX_BYTES} bytes.")
    try:
        text = path.read_text("utf-8-sig")
        check_brackets(text)
        content = yaml.safe_load(text)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:300]
        raise BadMetadata(f"{name} is no readable YAML: {reason}") from None
    if content is None:
        return Metadata(name, ())
    if not isinstance(content, dict):
        raise BadMetadata(f"{name} is not a mapping such as 'command: python3 run.py'.")
    command = content.get("command")
    commands = command if isinstance(command, list) else [] if command is None else [command]
    if not all(isinstance(line, str) and line.strip() for line in commands):
        raise BadMetadata(f"The command in {name} is not a line of text.")
    return Metadata(name, tuple(commands))


def check_brackets(text: str) -> None:
    """Refuse YAML that would take seconds to read, for it could only be meant to.

    Raises:
        YAMLError: It opens more brackets than anybody needs.
    """
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise yaml.YAMLError(f"it has more than {MOST_BRACKETS} brackets")


def command_words(command: str, *, ingestion: bool, scoring: bool, protocol: Protocol = Protocol.V2) -> tuple[str, ...]:
    """A command with its variables replaced, as arguments.

    Raises:
        BadMetadata: A quote is not closed, or no program could be started with them.
    """
    split = _old_words if protocol is Protocol.V1_5 else _words
    return _checked(split(command, ingestion=ingestion, scoring=scoring), command)


def _checked(words: tuple[str, ...], command: str) -> tuple[str, ...]:
    """Refuse what the kernel or a sandbox would: that a host can't start it must not look like the host's trouble."""
    try:
        length = sum(len(word.encode()) + 1 for word in words)
    except UnicodeEncodeError:
        raise BadMetadata("A command has half a character in it.") from None
    if any("\0" in word for word in words):
        raise BadMetadata("A command has a zero byte in it.")
    if len(words) > MAX_WORDS or length > MAX_COMMAND_BYTES:
        raise BadMetadata(
            f"The command '{command[:80]}...' is too long: it may have {MAX_WORDS} words and {MAX_COMMAND_BYTES} bytes."
        )
    return words


def _words(command: str, *, ingestion: bool, scoring: bool) -> tuple[str, ...]:
    """Codabench's way: split into words as a shell would, though no shell runs it.

    Replacing is by plain text in this order, as in Codabench's worker; but for `$program` when ingestion runs during
    scoring, where Codabench names a folder that does not exist.
    """
    for variable, value in (
        ("$input", INPUT_DATA if ingestion else INPUT),
        ("$output", OUTPUT),
        ("$program", PROGRAM),
        ("$ingestion_program", PROGRAM),
        ("$hidden", REFERENCE),
        ("$shared", SHARED),
        ("$submission_program", INGESTED_PROGRAM),
        ("$tmp", OUTPUT),
        ("$predictions", PREDICTIONS if scoring else OUTPUT),
    ):
        command = command.replace(variable, value)
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise BadMetadata(f"The command '{command[:200]}' can't be split into words: {error}.") from None


def _old_words(command: str, *, ingestion: bool, scoring: bool) -> tuple[str, ...]:
    r"""CodaLab's way: split at spaces, and `\` is `/`, for commands that were written on Windows.

    CodaLab knew no quotes; where some are, they are taken as Codabench takes them, if they fit together. What a
    variable stands for depends on whose command it is, and one that is not for it stays as it is written.
    """
    variables = {
        "$program": INGESTION_PROGRAM if ingestion else PROGRAM,
        "$predictions": PREDICTIONS if scoring else OUTPUT,
        "$input": INPUT,
        "$output": OUTPUT,
        "$tmp": TEMPORARY,
        "$shared": SHARED,
    }
    if ingestion:
        variables |= {
            "$ingestion_program": INGESTION_PROGRAM,
            "$submission_program": INGESTED_PROGRAM if scoring else PROGRAM,
            "$hidden": REFERENCE if scoring else HIDDEN,
        }
    for variable, value in variables.items():
        command = command.replace(variable, value)
    command = command.replace("\\", "/")
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())
