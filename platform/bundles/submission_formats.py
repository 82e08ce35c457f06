"""What file a phase takes for its results: its name, its kind, and what must be in it. Shown to everyone.

The scoring program has the last word. This is what can be said before anything is uploaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FormatKind(StrEnum):
    """How the file is written."""

    CSV = "csv"  # UTF-8 with commas, and the columns' names in the first line
    JSON = "json"
    JSONL = "jsonl"  # a JSON object in each line
    NPY = "npy"  # one NumPy array
    NPZ = "npz"  # NumPy arrays by their names
    TXT = "txt"  # a value in each line
    ZIP = "zip"  # files, which lie at the top of what is submitted


class CellType(StrEnum):
    """What stands in a column."""

    ANY = "any"
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"


SUFFIXES: Mapping[str, FormatKind] = {
    **{f".{kind.value}": kind for kind in FormatKind},
    ".ndjson": FormatKind.JSONL,
}
"""The kind of a file by the end of its name."""

KINDS_WITH_COLUMNS = frozenset({FormatKind.CSV, FormatKind.JSON, FormatKind.JSONL, FormatKind.NPZ})
KINDS_WITH_ROWS = frozenset({*KINDS_WITH_COLUMNS, FormatKind.TXT})


@dataclass(frozen=True, slots=True)
class FormatColumn:
    """A column of a table, a field of each JSON object, or an array of an npz.

    Attributes:
        values: What alone may stand in it, as text; empty for anything of its type.
        may_be_empty: Whether cells may be empty; NaN is empty.
    """

    name: str
    type: CellType = CellType.ANY
    values: tuple[str, ...] = ()
    may_be_empty: bool = False

    def __str__(self) -> str:
        allowed = f"one of {', '.join(self.values)}" if self.values else ""
        of_type = self.type.value if self.type is not CellType.ANY and not self.values else ""
        notes = [note for note in (of_type, allowed, "may be empty" if self.may_be_empty else "") if note]
        return f"{self.name} ({'; '.join(notes)})" if notes else self.name


@dataclass(frozen=True, slots=True)
class SubmissionFormat:
    """What a phase takes.

    Attributes:
        file: The file's path in what is submitted; empty for `zip`, which is several.
        columns: All columns that it has; empty where anything goes.
        rows: Rows of a table, items of a list, lines, or the length of each array; `None` for any number.
        shape: Of an npy: the length of each axis, 0 for any; empty for any shape.
        files: Of a zip: the files that must be there.
    """

    file: str
    kind: FormatKind
    columns: tuple[FormatColumn, ...] = ()
    rows: int | None = None
    shape: tuple[int, ...] = ()
    files: tuple[str, ...] = ()

    def in_words(self) -> str:
        """What is to be submitted, in a few words without a full stop."""
        if self.kind is FormatKind.ZIP:
            return f"files: {', '.join(self.files)}" if self.files else "any files"
        told = []
        if self.columns:
            what = {FormatKind.NPZ: "arrays", FormatKind.JSON: "fields", FormatKind.JSONL: "fields"}
            told.append(f"{what.get(self.kind, 'columns')} {', '.join(map(str, self.columns))}")
        if self.rows is not None:
            told.append(f"{self.rows:,} {'lines' if self.kind is FormatKind.TXT else 'rows'}")
        if self.shape:
            told.append(f"shape ({', '.join(str(length or 'any') for length in self.shape)})")
        return f"{self.file}{': ' if told else ''}{'; '.join(told)}"


def format_from_json(value: Mapping[str, Any]) -> SubmissionFormat | None:
    """A format as `dataclasses.asdict` made it and the database kept it; an empty mapping stands for none."""
    if not value:
        return None
    return SubmissionFormat(
        file=value["file"],
        kind=FormatKind(value["kind"]),
        columns=tuple(
            FormatColumn(one["name"], CellType(one["type"]), tuple(one["values"]), one["may_be_empty"])
            for one in value["columns"]
        ),
        rows=value["rows"],
        shape=tuple(value["shape"]),
        files=tuple(value["files"]),
    )
