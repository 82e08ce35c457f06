"""Lists of records: a table for a person, plain columns for a pipe, CSV and JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from shutil import get_terminal_size
from typing import Generic, Literal, TypeVar

import typer

from podium.platform.cli.terminal import printable, say
from podium.platform.client.conversion import record_to_json

RecordT = TypeVar("RecordT")

# Longer words than this are broken, in columns that may wrap.
_WRAPPED_WIDTH = 24
# Between two columns on a terminal.
_GAP = 3
# A spreadsheet would take text that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Form(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Field(Generic[RecordT]):
    """A column of a list.

    Attributes:
        title: Its heading, which is also its name in CSV.
        value: Takes it from a record.
        is_number: Whether it stands on the right.
        precision: Digits after the point of a number in a table; CSV has all of them.
        may_wrap: Whether a cell may take several lines of a terminal; an id, for one, may not.
        above: What stands above the heading on a terminal, and before it elsewhere; empty for nothing.
    """

    title: str
    value: Callable[[RecordT], object]
    is_number: bool = False
    precision: int | None = None
    may_wrap: bool = False
    above: str = ""

    @property
    def heading(self) -> str:
        """The whole heading, in a line."""
        return f"{self.above} {self.title}" if self.above else self.title


def form_of(*, as_json: bool, as_csv: bool = False) -> Form:
    """The form that the options ask for.

    Raises:
        BadParameter: They ask for two.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv can't be had together.")
    if as_json:
        return Form.JSON
    return Form.CSV if as_csv else Form.TABLE


def show_list(records: Sequence[RecordT], fields: Sequence[Field[RecordT]], form: Form, *, empty: str) -> None:
    """Write a list to stdout.

    Args:
        records: What to write.
        fields: The columns.
        form: How to write it; JSON has the records whole.
        empty: What to say in place of an empty table.
    """
    if form is Form.JSON:
        show_json(tuple(records))
    elif form is Form.CSV:
        say(csv_text(records, fields).rstrip("\n"))
    elif records:
        show_table(records, fields)
    else:
        say(empty)


def show_json(record: object) -> None:
    """Write a record, or a tuple or dict of them, as JSON to stdout."""
    say(json_text(record))


def json_text(record: object) -> str:
    """A record, or a tuple or dict of them, as JSON."""
    return json.dumps(record_to_json(record), indent=2, ensure_ascii=False)


def csv_text(records: Sequence[RecordT], fields: Sequence[Field[RecordT]]) -> str:
    """A list as CSV, with full precision and ISO times."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.heading for field in fields])
    writer.writerows([_csv_cell(field.value(record)) for field in fields] for record in records)
    return text.getvalue()


def show_table(records: Sequence[RecordT], fields: Sequence[Field[RecordT]]) -> None:
    """Write a list as a table; nothing is ever cut off."""
    say(table_text(records, fields).rstrip("\n"))


def table_text(records: Sequence[RecordT], fields: Sequence[Field[RecordT]]) -> str:
    """A list as a table, with lines for a terminal, and without for anything else."""
    rows = _table_rows(records, fields)
    return _ruled(fields, rows) if sys.stdout.isatty() else _aligned(fields, rows)


def broken_table_text(
    records: Sequence[RecordT], first: Sequence[Field[RecordT]], groups: Sequence[Sequence[Field[RecordT]]]
) -> str:
    """The same, in several tables one below the other where a terminal is too narrow for one.

    Args:
        records: What to write.
        first: What stands in each of the tables, by which one knows the rows again.
        groups: Fields that stay together.
    """
    tables: list[list[Field[RecordT]]] = []
    for group in groups:
        if tables and (not sys.stdout.isatty() or _fits(records, [*tables[-1], *group])):
            tables[-1] += group
        else:
            tables.append([*first, *group])
    return "\n".join(table_text(records, fields) for fields in tables)


def shown_time(moment: datetime | None) -> str:
    """A time as people read it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else "-"


def shown_actor(actor: str) -> str:
    """Who did something, by name: `person:ada` is ada; what no person did is said by its kind."""
    kind, colon, name = actor.partition(":")
    return name if colon and kind == "person" else kind


def _table_rows(records: Sequence[RecordT], fields: Sequence[Field[RecordT]]) -> list[list[str]]:
    return [[_table_cell(field, record) for field in fields] for record in records]


def _fits(records: Sequence[RecordT], fields: Sequence[Field[RecordT]]) -> bool:
    """Whether a terminal is wide enough for a table."""
    return _needed_width(_least_widths(fields, _table_rows(records, fields))) <= get_terminal_size().columns


def _needed_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * len(widths)


def _table_cell(field: Field[RecordT], record: RecordT) -> str:
    value = field.value(record)
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return shown_time(value)
    if isinstance(value, float):
        return f"{value:.{field.precision}f}" if field.precision is not None else f"{value:g}"
    return " ".join(printable(str(value)).split())


def _csv_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _aligned(fields: Sequence[Field[RecordT]], rows: Sequence[Sequence[str]]) -> str:
    everything = [[field.heading for field in fields], *rows]
    widths = [max(len(row[index]) for row in everything) for index in range(len(fields))]
    lines = [
        "  ".join(
            cell.rjust(width) if field.is_number else cell.ljust(width)
            for cell, width, field in zip(row, widths, fields, strict=True)
        ).rstrip()
        for row in everything
    ]
    return "\n".join(lines) + "\n"


def _ruled(fields: Sequence[Field[RecordT]], rows: Sequence[Sequence[str]]) -> str:
    # Imported here: only a table on a terminal needs them.
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    widths = _least_widths(fields, rows)
    has_tops = any(field.above for field in fields)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)
    for field, width in zip(fields, widths, strict=True):
        justify: Literal["left", "right"] = "right" if field.is_number else "left"
        # As Text, here and below, since square brackets in a string would be markup.
        heading = f"{field.above}\n{field.title}" if has_tops else field.title
        table.add_column(Text(heading), justify=justify, min_width=width, no_wrap=not field.may_wrap)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A table that can't be made narrow enough is wider than the terminal, rather than cut off.
    console = Console(file=sys.stdout, width=max(get_terminal_size().columns, _needed_width(widths)))
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _least_widths(fields: Sequence[Field[RecordT]], rows: Sequence[Sequence[str]]) -> list[int]:
    return [_least_width(field, [row[index] for row in rows]) for index, field in enumerate(fields)]


def _least_width(field: Field[RecordT], cells: Sequence[str]) -> int:
    from rich.cells import cell_len  # noqa: PLC0415  # as above

    parts = [part for cell in cells for part in (cell.split() if field.may_wrap else [cell])]
    longest = max((cell_len(part) for part in parts), default=0)
    return max(len(field.title), len(field.above), min(longest, _WRAPPED_WIDTH) if field.may_wrap else longest)
