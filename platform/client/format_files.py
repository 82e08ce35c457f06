"""Whether a file is what a phase takes: read once, from a disk or out of a zip; a table is never held whole.

NumPy's files are looked at by their headers, for which no NumPy is needed.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from podium.platform.bundles.submission_formats import FormatKind, SubmissionFormat
from podium.platform.client.format_checks import (
    ObjectsCheck,
    TableCheck,
    array_problems,
    json_problems,
    names_problems,
)
from podium.platform.client.packing import is_archive

Reader: TypeAlias = Callable[[SubmissionFormat, BinaryIO], Iterable[str]]

_MAGIC = b"\x93NUMPY"
_LARGEST_HEADER = 1 << 20
_LARGEST_CELL = 1 << 24


def file_problems(expected: SubmissionFormat, file: BinaryIO) -> list[str]:
    """What is wrong with the file that a phase wants; nothing where it is right."""
    try:
        return list(_READERS[expected.kind](expected, file))
    except UnicodeDecodeError as error:
        return [f"It is not UTF-8 text: byte {error.start} can't be read."]
    except (ValueError, SyntaxError, EOFError, RecursionError, zipfile.BadZipFile, csv.Error) as error:
        return [f"It can't be read as {expected.kind.value}: {error}."]


def path_problems(expected: SubmissionFormat, path: Path, *, file_is_required: bool) -> list[str]:
    """What is wrong with a file, a folder or a zip that is to be submitted, as far as it has what the phase wants.

    Args:
        path: A single file is taken for the wanted one, whatever it is called.
        file_is_required: Whether a folder or zip without the wanted file is wrong; it may be code otherwise.
    """
    if expected.kind is FormatKind.ZIP:
        names = _names_in(path)
        return [f"'{name}' is missing." for name in expected.files if name not in names and file_is_required]
    if path.is_dir():
        inside = path / expected.file
        if inside.is_file():
            with inside.open("rb") as file:
                return file_problems(expected, file)
    elif is_archive(path):
        with zipfile.ZipFile(path) as archive:
            if expected.file in archive.namelist():
                with archive.open(expected.file) as member:
                    return file_problems(expected, io.BufferedReader(member))  # type: ignore[type-var]  # reads bytes
    else:
        with path.open("rb") as file:
            return file_problems(expected, file)
    return [_missing(expected, _names_in(path))] if file_is_required else []


def _missing(expected: SubmissionFormat, names: frozenset[str]) -> str:
    deeper = next((name for name in sorted(names) if name.endswith(f"/{expected.file}")), None)
    where = f": it is there as '{deeper}'. Pack what is in the folder, and not the folder" if deeper else ""
    return f"There is no '{expected.file}' at the top{where}."


def _names_in(path: Path) -> frozenset[str]:
    if path.is_dir():
        return frozenset(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    return frozenset({path.name})


def _csv_problems(expected: SubmissionFormat, file: BinaryIO) -> list[str]:
    before = csv.field_size_limit(_LARGEST_CELL)
    try:
        rows = csv.reader(_text(file, newline=""), strict=True)
        header = next(rows, None)
        if header is None:
            return ["It is empty."]
        check = TableCheck(expected, [name.strip() for name in header])
        for row in rows:
            if row:
                check.look(row)
        return check.problems()
    finally:
        csv.field_size_limit(before)


def _json_problems(expected: SubmissionFormat, file: BinaryIO) -> Iterator[str]:
    yield from json_problems(expected, json.load(_text(file)))


def _jsonl_problems(expected: SubmissionFormat, file: BinaryIO) -> list[str]:
    check = ObjectsCheck(expected)
    for number, line in enumerate(_text(file), start=1):
        if not line.strip():
            continue
        try:
            check.look(json.loads(line))
        except ValueError as error:
            return [*check.problems(), f"Line {number} is no JSON: {error}."]
    return check.problems()


def _txt_problems(expected: SubmissionFormat, file: BinaryIO) -> Iterator[str]:
    count, empty = 0, list[int]()
    for count, line in enumerate(_text(file), start=1):
        if not line.strip() and len(empty) < 5:
            empty.append(count)
    if expected.rows is not None and count != expected.rows:
        yield f"It has {count:,} lines, and {expected.rows:,} are wanted."
    if empty:
        yield f"Lines are empty, such as {', '.join(map(str, empty))}."


def _npy_problems(expected: SubmissionFormat, file: BinaryIO) -> Iterator[str]:
    shape, kind = _npy_header(file)
    yield from array_problems(expected, shape, kind)


def _npz_problems(expected: SubmissionFormat, file: BinaryIO) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        yield from names_problems(expected, names)
        for name in archive.namelist():
            with archive.open(name) as member:
                shape, kind = _npy_header(member)
            yield from array_problems(expected, shape, kind, name=name.removesuffix(".npy"))


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], str]:
    """Shape and kind of dtype, as NumPy's format description has them: versions 1 to 3."""
    head = file.read(8)
    if head[:6] != _MAGIC or len(head) < 8:
        raise ValueError("it does not begin as NumPy's files do")
    length = int.from_bytes(file.read(2 if head[6] == 1 else 4), "little")
    if length > _LARGEST_HEADER:
        raise ValueError("its header is too long")
    header = ast.literal_eval(file.read(length).decode("latin-1"))
    if not isinstance(header, dict) or not isinstance(header.get("shape"), tuple):
        raise ValueError("its header is none")  # noqa: TRY004  # of a file
    described = header.get("descr")
    # Structured arrays have a list there.
    return tuple(int(axis) for axis in header["shape"]), described[1:2] if isinstance(described, str) else "V"


def _text(file: BinaryIO, newline: str | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline=newline)


_READERS: Mapping[FormatKind, Reader] = {
    FormatKind.CSV: _csv_problems,
    FormatKind.JSON: _json_problems,
    FormatKind.JSONL: _jsonl_problems,
    FormatKind.TXT: _txt_problems,
    FormatKind.NPY: _npy_problems,
    FormatKind.NPZ: _npz_problems,
}
