"""Tables as CSV and Parquet, and what the docs say of their columns."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from podium.platform.records.exports import TableForm
from podium.platform.submissions.export import COLUMNS
from podium.platform.submissions.tables import Kind, TableColumn, table_pieces

PARTS = (
    TableColumn("=name", Kind.TEXT),
    TableColumn("count", Kind.WHOLE),
    TableColumn("score", Kind.NUMBER),
    TableColumn("is", Kind.FLAG),
    TableColumn("when", Kind.MOMENT),
)
WHEN = datetime(2026, 5, 31, 12, 0, 0, 1, tzinfo=UTC)
PIECES = [[("=1+1", 2**53, 0.1 + 0.2, True, WHEN)], [(None, None, None, None, None), ("a,\nb", -1, -1.5, False, WHEN)]]


def test_csv_is_whole_and_safe():
    text = b"".join(table_pieces(TableForm.CSV, PARTS, PIECES)).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["'=name", "count", "score", "is", "when"],
        ["'=1+1", "9007199254740992", "0.30000000000000004", "true", "2026-05-31T12:00:00.000001+00:00"],
        ["", "", "", "", ""],
        ["a,\nb", "-1", "-1.5", "false", "2026-05-31T12:00:00.000001+00:00"],
    ]


def test_parquet_has_types_and_a_row_group_for_each_piece():
    file = parquet.ParquetFile(pa.BufferReader(b"".join(table_pieces(TableForm.PARQUET, PARTS, PIECES))))
    assert file.num_row_groups == 2
    assert [str(field.type) for field in file.schema_arrow] == [
        "string",
        "int64",
        "double",
        "bool",
        "timestamp[us, tz=UTC]",
    ]
    assert [tuple(row.values()) for row in file.read().to_pylist()] == [row for piece in PIECES for row in piece]


def test_a_table_without_rows_has_its_columns():
    empty = b"".join(table_pieces(TableForm.PARQUET, PARTS, []))
    assert parquet.read_table(pa.BufferReader(empty)).column_names == [column.name for column in PARTS]


def test_the_docs_name_every_column():
    text = Path(__file__).parents[3].joinpath("docs/organizers.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.kind.value} | {column.meaning} |" in text
