"""Whether a file is what a phase takes: read once, from a disk or out of a zip; a table is never held whole.

NumPy's files are looked at by their headers, for which no NumPy is needed.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
from podium.platform.client.packing import is_archive_file

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
    if path.is_dir():
        return _folder_problems(expected, path, file_is_required=file_is_required)
    with path.open("rb") as file:
        return content_problems(expected, path.name, file, file_is_required=file_is_required) or []


def content_problems(
    expected: SubmissionFormat, name: str, file: BinaryIO, *, file_is_required: bool, most_bytes: int | None = None
) -> list[str] | None:
    """What is wrong with the content of a file or a zip of that name, as `path_problems` tells it.

    Args:
        most_bytes: Of what is read, unpacked; what says that it is more is not looked at, and told by `None`.
    """
    if expected.kind is FormatKind.ZIP:
        return _required(expected, _names_in(name, file)) if file_is_required else []
    if is_archive_file(name, file):
        try:
            with zipfile.ZipFile(file) as archive:
                return _archive_problems(expected, archive, file_is_required=file_is_required, most_bytes=most_bytes)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            return [f"It can't be unpacked: {error}."]
    if most_bytes is not None and file.seek(0, io.SEEK_END) > most_bytes:
        return None
    file.seek(0)
    return file_problems(expected, file)


def _archive_problems(
    expected: SubmissionFormat, archive: zipfile.ZipFile, *, file_is_required: bool, most_bytes: int | None
) -> list[str] | None:
    names = frozenset(archive.namelist())
    if expected.file not in names:
        return [_missing(expected, names)] if file_is_required else []
    # No member gives more than it says it is.
    if most_bytes is not None and archive.getinfo(expected.file).file_size > most_bytes:
        return None
    with archive.open(expected.file) as member:
        return file_problems(expected, io.BufferedReader(member))  # type: ignore[type-var]  # reads bytes


def _folder_problems(expected: SubmissionFormat, path: Path, *, file_is_required: bool) -> list[str]:
    names = frozenset(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    if expected.kind is FormatKind.ZIP:
        return _required(expected, names) if file_is_required else []
    inside = path / expected.file
    if inside.is_file():
        with inside.open("rb") as file:
            return file_problems(expected, file)
    return [_missing(expected, names)] if file_is_required else []


def _required(expected: SubmissionFormat, names: Collection[str]) -> list[str]:
    return [f"'{name}' is missing." for name in expected.files if name not in names]


def _missing(expected: SubmissionFormat, names: Collection[str]) -> str:
    deeper = next((name for name in sorted(names) if name.endswith(f"/{expected.file}")), None)
    where = f": it is there as '{deeper}'. Pack what is in the folder, and not the folder" if deeper else ""
    return f"There is no '{expected.file}' at the top{where}."


def _names_in(name: str, file: BinaryIO) -> frozenset[str]:
    if not zipfile.is_zipfile(file):
        return frozenset({name})
    with zipfile.ZipFile(file) as archive:
        return frozenset(archive.namelist())


def _csv_problems(expected: SubmissionFormat, file: BinaryIO) -> list[str]:
    before = csv.field_size_limit(_LARGEST_CELL)
    try:
        rows = csv.reader(_text(file, newline=""), strict=True)
        header = next(rows, None)
        if header is None:
            return ["It is empty."]
        check = TableCheck(expected, [name.strip() for name in header], place="line")
        for row in rows:
            if row:
                check.look(row, rows.line_num)
        return check.problems()
    finally:
        csv.field_size_limit(before)


def _json_problems(expected: SubmissionFormat, file: BinaryIO) -> Iterator[str]:
    yield from json_problems(expected, json.load(_text(file)))


def _jsonl_problems(expected: SubmissionFormat, file: BinaryIO) -> list[str]:
    check = ObjectsCheck(expected, place="line")
    for number, line in enumerate(_text(file), start=1):
        if not line.strip():
            continue
        try:
            check.look(json.loads(line), number)
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
