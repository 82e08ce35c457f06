"""One writer for each kind of file that a phase may want: what it writes is checked on the way."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from podium.client.tables import Array, Table, as_array, is_listing, is_table, table_of
from podium.platform.bundles.submission_formats import FormatColumn, FormatKind, SubmissionFormat
from podium.platform.client.format_checks import (
    TableCheck,
    array_problems,
    is_missing,
    json_problems,
    names_problems,
    shown,
)
from podium.platform.errors import InvalidInput

Writer: TypeAlias = Callable[[object, SubmissionFormat, Path], list[str]]
"""Writes a value to a path and gives what is wrong with it."""


def _write_csv(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    table, names, problems = _named(value, expected)
    if problems:
        return problems
    order = _order(expected, names)
    check = TableCheck(expected, names)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([names[at] for at in order])
        for cells in table.rows:
            check.look(cells)
            if len(cells) == len(names):
                writer.writerow(["" if is_missing(cells[at]) else cells[at] for at in order])
    return check.problems()


def _write_jsonl(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    table, names, problems = _named(value, expected)
    if problems:
        return problems
    check = TableCheck(expected, names)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for cells in table.rows:
            check.look(cells)
            kept = dict(zip(names, (None if is_missing(cell) else cell for cell in cells), strict=False))
            file.write(_json_text(kept) + "\n")
    return check.problems()


def _named(value: object, expected: SubmissionFormat) -> tuple[Table, tuple[str, ...], list[str]]:
    """A table with names for its columns, or what is wrong with them."""
    wanted = [column.name for column in expected.columns]
    table = table_of(value, wanted)
    if table.names is not None:
        return table, table.names, []
    if not wanted:
        return table, (), ["The columns have no names: give a data frame, or a dict of columns."]
    is_empty = is_listing(value) and not value
    if table.width != len(wanted) and not is_empty:
        has = f"{table.width} column{'' if table.width == 1 else 's'}"
        return table, (), [f"It has {has} without names, and {len(wanted)} are wanted: {', '.join(wanted)}."]
    return table, tuple(wanted), []


def _order(expected: SubmissionFormat, names: Sequence[str]) -> list[int]:
    """The positions of the columns in the order that the phase names them in."""
    wanted = [column.name for column in expected.columns if column.name in names]
    rest = [at for at, name in enumerate(names) if name not in wanted]
    return [names.index(name) for name in wanted] + rest


def _write_txt(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    table = table_of(value, ["value"])
    if table.width != 1:
        return [f"It has {table.width} columns, and one value for each line is wanted."]
    line = FormatColumn("value")
    check = TableCheck(SubmissionFormat(expected.file, expected.kind, (line,), expected.rows), ["value"])
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for cells in table.rows:
            check.look(cells)
            if isinstance(cells[0], str) and len(cells[0].splitlines()) > 1:
                check.note("value", "has several lines", shown(cells[0]))
            file.write(f"{cells[0]}\n")
    return check.problems()


def _write_json(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    plain = _json_value(value, expected)
    problems = list(json_problems(expected, plain))
    if not problems:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            json.dump(plain, file, ensure_ascii=False, allow_nan=False)
    return problems


def _json_value(value: object, expected: SubmissionFormat) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A value as Python's own lists, dicts and scalars: a table is a list of objects, or of values where it is one."""
    if is_table(value):
        table = table_of(value, [column.name for column in expected.columns])
        if table.names is None:
            return [cells[0] for cells in table.rows]
        return [
            dict(zip(table.names, (None if is_missing(cell) else cell for cell in cells), strict=True))
            for cells in table.rows
        ]
    return json.loads(_json_text(value))


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _json_default(value: object) -> object:
    if (array := as_array(value)) is not None:
        return array.tolist()
    if hasattr(value, "item") and hasattr(value, "dtype"):
        item: object = value.item()
        return item
    if is_table(value):
        return [list(row) for row in table_of(value, ()).rows]
    if callable(isoformat := getattr(value, "isoformat", None)):
        return isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise InvalidInput(f"A {type(value).__name__} has no place in JSON.")


def _write_npy(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    array = _array(value)
    problems = [*array_problems(expected, array.shape, array.dtype.kind), *_number_problems(array, "The array")]
    if not problems:
        # Into an open file: to a name, NumPy would add its own ending.
        with path.open("wb") as file:
            _numpy().save(file, array, allow_pickle=False)
    return problems


def _write_npz(value: object, expected: SubmissionFormat, path: Path) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"A {type(value).__name__} is no dict of arrays."]
    arrays = {str(name): _array(item) for name, item in value.items()}
    problems = list(names_problems(expected, list(arrays)))
    for name, array in arrays.items():
        problems += array_problems(expected, array.shape, array.dtype.kind, name=name)
        problems += _number_problems(array, f"The array '{name}'")
    if not problems:
        with path.open("wb") as file:
            _numpy().savez_compressed(file, **arrays)
    return problems


def _numpy() -> Any:  # noqa: ANN401  # it has no types where it is not installed
    """NumPy, which the phase's file is of; never loaded for another kind of file."""
    try:
        return import_module("numpy")
    except ImportError:
        raise InvalidInput(
            "The phase takes NumPy's own files, and NumPy is not installed.", remedy="Install it: pip install numpy"
        ) from None


def _array(value: object) -> Array:
    if (array := as_array(value)) is not None:
        return array
    made: Array = _numpy().asarray(value)
    return made


def _number_problems(array: Array, called: str) -> list[str]:
    if array.dtype.kind not in "fc":
        return []
    numpy = _numpy()
    bad = numpy.argwhere(~numpy.isfinite(array))
    if not len(bad):
        return []
    places = ", ".join(str(tuple(map(int, place))) for place in bad[:5])
    return [f"{called} has {len(bad):,} values that are NaN or infinite, at {places}{', ...' if len(bad) > 5 else ''}."]


WRITERS: Mapping[FormatKind, Writer] = {
    FormatKind.CSV: _write_csv,
    FormatKind.JSONL: _write_jsonl,
    FormatKind.JSON: _write_json,
    FormatKind.TXT: _write_txt,
    FormatKind.NPY: _write_npy,
    FormatKind.NPZ: _write_npz,
}
"""The writer of each kind but `zip`, which is several files."""
