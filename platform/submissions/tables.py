"""Tables as CSV and as Parquet, written piece by piece."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from podium.platform.csv_cells import safe_cell, safe_texts
from podium.platform.records.exports import TableForm

if TYPE_CHECKING:
    import pyarrow as pa

Cell: TypeAlias = str | int | float | bool | datetime | None
Row: TypeAlias = Sequence[Cell]


class Kind(StrEnum):
    """What the cells of a column are; any of them may be missing."""

    TEXT = "text"
    WHOLE = "whole number"  # 64 bits
    NUMBER = "number"  # a double
    FLAG = "true or false"
    MOMENT = "moment"  # aware, UTC, to the microsecond


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table."""

    name: str
    kind: Kind
    meaning: str = ""


def table_pieces(form: TableForm, columns: Sequence[TableColumn], pieces: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """A table as the bytes of a file, some for each piece of rows."""
    return csv_pieces(columns, pieces) if form is TableForm.CSV else parquet_pieces(columns, pieces)


def csv_pieces(columns: Sequence[TableColumn], pieces: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """UTF-8, with a line of names; moments in ISO 8601 and UTC, numbers in whole precision, what is missing empty."""
    yield _csv([[safe_cell(column.name) for column in columns]])
    for rows in pieces:
        # By columns, which are all of one kind each: a million rows are some thirty million cells.
        cells = zip(*rows, strict=True)
        written = [_csv_cells(column.kind, values) for column, values in zip(columns, cells, strict=True)]
        yield _csv(zip(*written, strict=True))


def parquet_pieces(columns: Sequence[TableColumn], pieces: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Parquet with a type for each column; a row group for each piece."""
    # Imported here: large, and needed by few calls.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema([(column.name, _arrow_type(pa, column.kind)) for column in columns])
    target = _Growing()
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for rows in pieces:
            cells = zip(*rows, strict=True)
            arrays = [pa.array(values, part.type) for values, part in zip(cells, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield target.taken()
    yield target.taken()


def _arrow_type(pa: Any, kind: Kind) -> pa.DataType:  # noqa: ANN401  # the module
    match kind:
        case Kind.TEXT:
            return pa.string()
        case Kind.WHOLE:
            return pa.int64()
        case Kind.NUMBER:
            return pa.float64()
        case Kind.FLAG:
            return pa.bool_()
        case Kind.MOMENT:
            return pa.timestamp("us", tz="UTC")


class _Growing(io.RawIOBase):
    """A file that is only ever written to, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:  # noqa: ANN401  # whatever holds bytes
        piece = bytes(data)
        self._waiting += piece
        self._position += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _csv_cells(kind: Kind, values: Sequence[Any]) -> Sequence[object]:
    """The cells of a column as they stand in a CSV."""
    match kind:
        case Kind.TEXT:
            return safe_texts(values)
        case Kind.FLAG:
            return [None if value is None else "true" if value else "false" for value in values]
        case Kind.MOMENT:
            return [None if value is None else value.astimezone(UTC).isoformat() for value in values]
        case Kind.WHOLE | Kind.NUMBER:
            return values
