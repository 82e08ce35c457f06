"""What a phase expects, written from whatever a participant has: checked while it is written, before any of it is sent.

Where the competition does not say what it takes, a table becomes `predictions.csv`, an array `predictions.npy`, arrays
by name `predictions.npz`, single values `predictions.txt` and anything else `predictions.json`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path, PurePosixPath
from typing import Any

from podium.client.tables import as_array, is_listing, is_table
from podium.client.writers import WRITERS
from podium.platform.bundles.submission_formats import FormatKind, SubmissionFormat
from podium.platform.client.expected_files import (
    IS_NO_PATH,
    Prepared,
    is_inside,
    refuse,
    renamed,
    require_expected,
    require_inside,
)
from podium.platform.client.format_files import path_problems
from podium.platform.errors import InvalidInput
from podium.platform.records.competitions import PhaseRecord


@contextmanager
def prepared(value: object, phase: PhaseRecord) -> Iterator[Prepared]:
    """A value as a file or folder that the phase takes; what was written is gone when the context ends.

    Args:
        value: A path, an open file, bytes, a data frame, an array, a dict, a list, or what JSON can hold.
        phase: The phase.

    Raises:
        FormatMismatch: It is not what the phase takes; with all problems.
        InvalidInput: Nothing that could be submitted can be made of it.
    """
    require_inside(phase)
    with tempfile.TemporaryDirectory(prefix="podium-") as name:
        folder = Path(name, "submission")
        folder.mkdir()
        yield _prepared(value, phase, folder)


def _prepared(value: object, phase: PhaseRecord, folder: Path) -> Prepared:
    if isinstance(value, (bytes, bytearray, memoryview)):
        path = folder.parent / _file_name(phase, None)
        path.write_bytes(value)
        return _of_path(path, phase, folder)
    if isinstance(value, (str, PathLike)):
        return _of_path(Path(fspath(value)).expanduser(), phase, folder)
    if callable(read := getattr(value, "read", None)) and not is_table(value):
        return _of_path(_copied(read, folder.parent / _file_name(phase, getattr(value, "name", None))), phase, folder)
    if phase.container_submissions:
        raise InvalidInput(
            f"The phase '{phase.name}' takes images of containers, not a {type(value).__name__}.",
            remedy="Give the path of what `docker save` wrote.",
        )
    return _of_value(value, phase, folder)


def _file_name(phase: PhaseRecord, named: object) -> str:
    """What to call content that comes without a path."""
    if isinstance(named, str) and not named.startswith("<") and (last := PurePosixPath(named.replace("\\", "/")).name):
        return last
    if phase.submission_format and phase.submission_format.file:
        return PurePosixPath(phase.submission_format.file).name
    raise InvalidInput(
        f"The phase '{phase.name}' does not say what its file is called.", remedy="Give the path of a file."
    )


def _copied(read: Callable[..., bytes | str], target: Path) -> Path:
    with target.open("wb") as copy:
        while piece := read(1 << 20):
            copy.write(piece.encode() if isinstance(piece, str) else piece)
    if not target.stat().st_size:
        raise InvalidInput(
            "There is nothing to read in this file from where it stands.", remedy="Go to its beginning: file.seek(0)"
        )
    return target


def _of_path(path: Path, phase: PhaseRecord, folder: Path) -> Prepared:
    if not path.exists():
        raise InvalidInput(
            f"There is no file or folder {path}.",
            remedy="A text is taken for a path: give data as a list, a dict, a data frame or an array.",
        )
    require_expected(path, phase)
    return renamed(path, phase, folder)


def _of_value(value: object, phase: PhaseRecord, folder: Path) -> Prepared:
    expected = phase.submission_format or _guessed(value)
    if expected.kind is FormatKind.ZIP:
        return _of_files(value, phase, folder)
    path = folder / expected.file
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        problems = WRITERS[expected.kind](value, expected, path)
    except InvalidInput as error:
        problems = [f"{error.detail} {error.remedy}".rstrip()]
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        problems = [f"It can't be written as {expected.kind.value}: {error}."]
    if phase.submission_format is None and problems:
        raise InvalidInput(" ".join(problems), remedy="The competition does not say what it takes: give a path, too.")
    refuse(phase, problems)
    size = path.stat().st_size
    guess = "" if phase.submission_format else "; the competition does not say what it takes"
    said = f"{expected.file} ({size:,} bytes) made of a {type(value).__name__}{guess}"
    return Prepared(path if "/" not in expected.file else folder, said)


def _guessed(value: object) -> SubmissionFormat:
    """What to write where nothing is declared."""
    if is_table(value) or (is_listing(value) and value and isinstance(value[0], Mapping)):
        kind = FormatKind.CSV
    elif isinstance(value, Mapping):
        kind = _guessed_of_dict(value)
    elif as_array(value) is not None:
        kind = FormatKind.NPY
    elif is_listing(value) and all(isinstance(item, (str, int, float)) for item in value):
        kind = FormatKind.TXT
    else:
        kind = FormatKind.JSON
    return SubmissionFormat(f"predictions.{kind.value}", kind)


def _guessed_of_dict(value: Mapping[Any, object]) -> FormatKind:
    shapes = [array.shape if (array := as_array(item)) is not None else None for item in value.values()]
    lengths = {len(item) for item in value.values() if is_listing(item)} | {shape[0] for shape in shapes if shape}
    are_columns = all(is_listing(item) or shape for item, shape in zip(value.values(), shapes, strict=True))
    if value and are_columns and len(lengths) == 1 and all(shape is None or len(shape) == 1 for shape in shapes):
        return FormatKind.CSV
    return FormatKind.NPZ if value and all(shape is not None for shape in shapes) else FormatKind.JSON


def _of_files(value: object, phase: PhaseRecord, folder: Path) -> Prepared:
    """Files by their names, for a phase that takes several."""
    if not isinstance(value, Mapping):
        refuse(phase, [f"A {type(value).__name__} is no files: give a folder, a zip, or a dict of contents by name."])
    assert isinstance(value, Mapping)
    problems = []
    for name, content in value.items():
        if not is_inside(str(name)):
            problems.append(f"'{name}' {IS_NO_PATH}.")
            continue
        target = folder / str(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, PathLike):
            shutil.copyfile(content, target)
        elif isinstance(content, (bytes, str)):
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            problems.append(f"'{name}' is a {type(content).__name__}: give a text, bytes, or a `pathlib.Path`.")
    assert phase.submission_format is not None
    problems += path_problems(phase.submission_format, folder, file_is_required=True)
    refuse(phase, problems)
    return Prepared(folder, f"{len(value)} files")
