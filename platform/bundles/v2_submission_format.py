"""Podium's own field of a phase: `submission_format`, what its results look like.

Unlike elsewhere, a field that is not known is an error: what it was to demand would not be checked, and participants
would be told that their file is right.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from podium.platform.bundles.fields import Section, Value, did_you_mean
from podium.platform.bundles.findings import shown
from podium.platform.bundles.submission_formats import (
    KINDS_WITH_COLUMNS,
    KINDS_WITH_ROWS,
    SUFFIXES,
    CellType,
    FormatColumn,
    FormatKind,
    SubmissionFormat,
)
from podium.platform.bundles.yaml_source import Mapping

FORMAT_FIELDS = ("file", "kind", "columns", "rows", "shape", "files")
FORMAT_COLUMN_FIELDS = ("name", "type", "values", "may_be_empty")
MAX_COLUMNS = 2000
_MAX_PATH_LENGTH = 255
_MAX_AXES = 32


def read_submission_format(value: Value | None) -> SubmissionFormat | None:
    """Read `submission_format`; `None` where it is absent, or wrong beyond use."""
    section = _strict(value, "a submission format", FORMAT_FIELDS) if value else None
    if section is None:
        return None
    file = _path(named) if (named := section.value("file")) else ""
    kind = _kind(section, file)
    if kind is None:
        return None
    _check_fields(section, kind)
    return SubmissionFormat(
        file=file,
        kind=kind,
        columns=_columns(section),
        rows=rows.number() if (rows := section.value("rows")) else None,
        shape=_shape(section),
        files=tuple(_path(item) for item in section.items("files")),
    )


def _strict(value: Value, what: str, known: tuple[str, ...]) -> Section | None:
    if not isinstance(value.node, Mapping):
        value.expected(f"the fields of {what}")
        return None
    section = Section(value, value.node)
    for entry in value.node.entries:
        if entry.key not in known:
            section.at(entry).error(
                f"{shown(entry.key)} is not a field of {what}.",
                did_you_mean(entry.key, known) or f"There are: {', '.join(known)}.",
            )
    return section


def _kind(section: Section, file: str) -> FormatKind | None:
    by_name = SUFFIXES.get(PurePosixPath(file).suffix.lower())
    written = section.value("kind")
    kind = written.choice(FormatKind) if written else by_name
    if written is None and kind is None:
        section.required("kind", f"It is one of {', '.join(FormatKind)}, or is said by the end of `file`.")
    elif written and kind and by_name and by_name is not kind:
        written.error(f"{shown(file)} is called a {by_name.value}, and the kind is {kind.value}.", "Change one.")
    if kind is not None and kind is not FormatKind.ZIP:
        section.required("file", f"Name the file, such as `predictions.{kind.value}`.")
    return kind


def _check_fields(section: Section, kind: FormatKind) -> None:
    """Say which fields don't go with the kind."""
    rows_instead = "Write `shape`, with the rows first." if kind is FormatKind.NPY else ""
    for name, may_have, suggestion in (
        ("file", kind is not FormatKind.ZIP, "List what must be in it as `files`."),
        ("columns", kind in KINDS_WITH_COLUMNS, ""),
        ("rows", kind in KINDS_WITH_ROWS, rows_instead),
        ("shape", kind is FormatKind.NPY, ""),
        ("files", kind is FormatKind.ZIP, ""),
    ):
        if not may_have and (value := section.value(name)):
            value.error(f"A {kind.value} has no `{name}`.", suggestion or "Leave it out.")


def _path(value: Value) -> str:
    text = value.text(max_length=_MAX_PATH_LENGTH) or ""
    parts = text.split("/")
    if not text or any(part in {"", ".", ".."} for part in parts) or "\\" in text or not text.isprintable():
        value.error(f"{shown(text)} is not the path of a file in a submission.", "Write one such as `predictions.csv`.")
    return text


def _columns(section: Section) -> tuple[FormatColumn, ...]:
    items = section.items("columns")
    if len(items) > MAX_COLUMNS:
        section.place_of("columns").error(f"There are {len(items)} columns; up to {MAX_COLUMNS} are allowed.")
    columns: dict[str, FormatColumn] = {}
    for item in items:
        column = _column(item)
        if column and column.name in columns:
            item.error(f"The column {shown(column.name)} is listed twice.")
        elif column:
            columns[column.name] = column
    return tuple(columns.values())


def _column(value: Value) -> FormatColumn | None:
    if not isinstance(value.node, Mapping):
        name = value.text(max_length=_MAX_PATH_LENGTH)
        if name == "":
            value.error("A column needs a name.")
        return FormatColumn(name) if name else None
    section = _strict(value, "a column", FORMAT_COLUMN_FIELDS)
    assert section is not None
    name = section.required_text("name", max_length=_MAX_PATH_LENGTH)
    values = [item.text(max_length=_MAX_PATH_LENGTH) for item in section.items("values")]
    return FormatColumn(
        name,
        section.choice("type", CellType, default=CellType.ANY),
        tuple(dict.fromkeys(text for text in values if text is not None)),
        section.flag("may_be_empty", default=False),
    )


def _shape(section: Section) -> tuple[int, ...]:
    items = section.items("shape")
    if len(items) > _MAX_AXES:
        section.place_of("shape").error(f"An array has up to {_MAX_AXES} axes.")
    return tuple(item.number() or 0 for item in items)
